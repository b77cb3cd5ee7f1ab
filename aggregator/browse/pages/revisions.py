"""Two versions of an article side by side: where they come from, what changed in facts, fields and words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from aggregator.archive.revisions import Revision
from aggregator.articles.changes import judged, text_told
from aggregator.articles.differences import Difference, Reading, differences
from aggregator.articles.rules import built_in
from aggregator.articles.verdict import Verdict
from aggregator.browse.archives import Connection
from aggregator.browse.bodies import tongue
from aggregator.browse.pages.article import reader_of
from aggregator.browse.sql import article as sql
from aggregator.browse.times import local
from aggregator.browse.visit import Visit
from aggregator.text.dates import iso
from aggregator.text.diff import Run, by_line, difference

_CONTEXT = 1  # unchanged lines shown beside a changed one
_WHOLE = ("title", "text", "html")  # fields that are told as texts
_INSTANTS = ("published", "modified")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the comparison, or how many unchanged ones are left out here."""

    runs: tuple[Run, ...] = ()
    hidden: int = 0


async def diff(visit: Visit) -> Any:
    """What changed between two versions (``?from=1&to=2``), else the last two; ``?whole=1`` leaves no line out."""
    values = await visit.ask(partial(_diff, visit))
    return await visit.page("diff.html", values)


def _diff(visit: Visit, connection: Connection) -> dict[str, object]:
    number = visit.number("article", 0)
    if sql.key_of(connection, number) is None:
        raise visit.missing("no_such_article")
    versions = list(reader_of(visit, connection).revisions(number))
    if not versions:
        raise visit.missing("no_such_version")
    before, after = _pair(visit, versions)
    lines = by_line(difference(text_told(before.content, built_in()), text_told(after.content, built_in())))
    return {
        "number": number,
        "versions": versions,
        "before": before,
        "after": after,
        "seen": {one.n: iso(one.seen) for one in versions},
        "title": difference(before.content.title, after.content.title),
        "tongue": tongue(after.content.title),
        "verdict": _verdict(versions, before, after),
        "fields": [_told(one) for one in _fields(before, after)],
        "lines": list(_folded(lines, whole=bool(visit.argument("whole")))),
        "same": all(run.op == "equal" for line in lines for run in line),
        "whole": bool(visit.argument("whole")),
    }


def _pair(visit: Visit, versions: Sequence[Revision]) -> tuple[Revision, Revision]:
    """The two versions that are asked for; the last one, and the one before that where none is named."""
    by_number = {one.n: one for one in versions}
    last = versions[-1].n
    wanted = visit.number("to", last)
    first = visit.number("from", max((one.n for one in versions if one.n < wanted), default=wanted))
    if not {first, wanted} <= by_number.keys():
        raise visit.missing("no_such_version")
    return by_number[first], by_number[wanted]


def _verdict(versions: Sequence[Revision], before: Revision, after: Revision) -> Verdict | None:
    """What the source changed in facts; ``None`` where it changed nothing, only our reading of it did."""
    between = range(min(before.n, after.n) + 1, max(before.n, after.n) + 1)
    edited = any(one.n in between and one.cause != "parser" for one in versions)
    return judged(before.content, after.content, built_in()) if edited else None


def _fields(before: Revision, after: Revision) -> list[Difference]:
    found = differences(Reading(before.content, before.fingerprint), Reading(after.content, after.fingerprint))
    return [one for one in found if one.field not in _WHOLE]


def _told(one: Difference) -> Difference:
    """A field's change with its instants in Shanghai's time."""
    if one.field not in _INSTANTS:
        return one
    return Difference(one.field, local(one.before, "second"), local(one.after, "second"))


def _folded(lines: Sequence[tuple[Run, ...]], *, whole: bool) -> Iterator[Line]:
    """The changed lines with their neighbours, or all; how many are left out between them is a line of its own."""
    changed = [place for place, line in enumerate(lines) if any(run.op != "equal" for run in line)]
    shown = {near for place in changed for near in range(place - _CONTEXT, place + _CONTEXT + 1)}
    hidden = 0
    for place, line in enumerate(lines):
        if not whole and place not in shown:
            hidden += 1
            continue
        if hidden:
            yield Line(hidden=hidden)
        hidden = 0
        yield Line(line)
    if hidden:
        yield Line(hidden=hidden)
