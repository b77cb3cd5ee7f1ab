"""A difference of two texts that people can read: figures and Latin words stay whole, Han go one by one.

Lines are held against lines first, then sentences, then words, so that the work stays small however long the texts are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

Op = Literal["equal", "delete", "insert"]

_TOKEN = re.compile(
    r"[0-9０-９]+(?:[.,:：．，/-][0-9０-９]+)*(?:[万亿千百]*(?:个?百分点|个?基点|美元|港元|欧元|日元|元|股|吨|%|％))?"
    r"|[A-Za-z]+(?:['’.&-][A-Za-z0-9]+)*|\s|.",
    re.DOTALL,
)
_SENTENCE = re.compile(r"[^\n。！？；]*(?:[。！？；]+[”」』）]?|\n|$)")
_CLAUSE = re.compile(r"[^，、：,:\s]*(?:[，、：,:\s]|$)")
_LINE = re.compile(r"[^\n]*(?:\n|$)")
_KIN = 0.3  # two stretches with less in common are told as one taken out and one put in
_LONG = 1_000_000  # product of two lengths from which their clauses are held against each other, not their words
_COSTLY = 300_000  # pairs of equal pieces from which a comparison takes too long; copy has fewer by far


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of text that both have, or only the old one (``delete``), or only the new one (``insert``)."""

    op: Op
    text: str


def difference(before: str, after: str) -> tuple[Run, ...]:
    """The runs that lead from the one text to the other, in reading order; a deletion stands before its insertion.

    The runs that are no insertion make up ``before``, those that are no deletion ``after``; neighbours differ in ``op``
    and none is empty. Lines end with ``\\n`` inside the runs; ``by_line`` takes them apart.
    """
    return tuple(_joined(_readable(_merged(_by(_LINE, before, after)))))


def by_line(runs: Iterable[Run]) -> list[tuple[Run, ...]]:
    """The runs of each line, without line ends; a line whose end came or went is told by an empty run at its end."""
    lines: list[list[Run]] = [[]]
    for run in runs:
        first, *more = run.text.split("\n")
        lines[-1] += [Run(run.op, first)] if first else []
        for part in more:
            lines[-1] += [Run(run.op, "")] if run.op != "equal" else []
            lines.append([Run(run.op, part)] if part else [])
    return [tuple(line) for line in lines]


def _by(pattern: re.Pattern[str], before: str, after: str) -> Iterator[Run]:
    """The runs found with pieces of one size; what differs is looked at in smaller ones."""
    one, two = _pieces(pattern, before), _pieces(pattern, after)
    common, more = Counter(one), Counter(two)
    if sum(times * more[piece] for piece, times in common.items()) > _COSTLY:
        yield from _both(before, after)
        return
    for op, start, end, start_too, end_too in SequenceMatcher(None, one, two, autojunk=False).get_opcodes():
        old, new = "".join(one[start:end]), "".join(two[start_too:end_too])
        if op == "equal":
            yield Run("equal", old)
        else:
            yield from _smaller(pattern, old, new)


def _smaller(pattern: re.Pattern[str], old: str, new: str) -> Iterator[Run]:
    """Two stretches in smaller pieces, unless they have too little in common for that to be read."""
    if not old or not new or pattern is _TOKEN:
        return _both(old, new)
    if pattern is _LINE:
        return _by(_SENTENCE, old, new)
    if SequenceMatcher(None, old, new, autojunk=False).quick_ratio() < _KIN:
        return _both(old, new)
    if pattern is _SENTENCE and len(old) * len(new) > _LONG:
        return _by(_CLAUSE, old, new)
    return _by(_TOKEN, old, new) if len(old) * len(new) <= _LONG else _both(old, new)


def _pieces(pattern: re.Pattern[str], text: str) -> list[str]:
    return [piece for piece in pattern.findall(text) if piece]


def _both(old: str, new: str) -> Iterator[Run]:
    if old:
        yield Run("delete", old)
    if new:
        yield Run("insert", new)


def _merged(runs: Iterable[Run]) -> list[Run]:
    """The runs with those of one kind between two equal ones put together."""
    merged: list[Run] = []
    waiting: dict[Op, str] = {"delete": "", "insert": ""}
    for run in (*runs, Run("equal", "")):
        if run.op != "equal":
            waiting[run.op] += run.text
        elif run.text or any(waiting.values()):
            merged += _both(waiting["delete"], waiting["insert"])
            waiting = {"delete": "", "insert": ""}
            merged.append(run)
    return merged


def _readable(runs: Sequence[Run]) -> list[Run]:
    """The runs without confetti: an equal stretch shorter than the changes on both sides of it is part of them.

    The rule is that of diff-match-patch (``diff_cleanupSemantic``): what is kept must be longer than what surrounds it.
    """
    done: list[Run] = []
    for place, run in enumerate(runs):
        before, after = _changed(runs, place, -1), _changed(runs, place, 1)
        if run.op == "equal" and "\n" not in run.text and 0 < len(run.text) <= min(before, after):
            done += [Run("delete", run.text), Run("insert", run.text)]
        else:
            done.append(run)
    return _merged(done)


def _changed(runs: Sequence[Run], place: int, step: int) -> int:
    """How many characters the changes beside a run have, of the deletion and the insertion the longer."""
    size = 0
    place += step
    while 0 <= place < len(runs) and runs[place].op != "equal":
        size = max(size, len(runs[place].text))
        place += step
    return size


def _joined(runs: Iterable[Run]) -> Iterator[Run]:
    """The runs with equal neighbours as one."""
    last: Run | None = None
    for run in runs:
        if last is None or run.op != last.op:
            if last is not None and last.text:
                yield last
            last = run
        else:
            last = Run(run.op, last.text + run.text)
    if last is not None and last.text:
        yield last
