"""Drift: whether a host's last pages differ from those before in a way that chance does not explain. Pure.

Each sign is a share of pages (without a date, of an unusual length, with one same line …). A share is out of bounds
when it has grown by a quarter or more, and so many of the last pages would have it once in ten million times if nothing
had changed. Measured on 5,000 pages of an unchanged replica: no alarm; on twelve changes of its templates: each within
20 pages.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import comb

from aggregator.model import Reading, Signs

WINDOWS = (20, 50)  # the last pages that are judged
BEFORE = 500  # the pages before them that they are judged by
SETTLED = 100  # pages a host or rule must have before for its signs to be known; failures need none
_GROWTH = 0.25
_FAILING = 0.2  # more failures than this never become usual, however long they last
_CHANCE = 1e-7


@dataclass(frozen=True, slots=True)
class Drift:
    """One sign out of bounds. ``subject`` names host, rule and sign and stays the same while it lasts."""

    subject: str
    message: str


def drifts(host: str, readings: Sequence[Reading]) -> list[Drift]:
    """What is out of bounds among a host's readings, given in order, newest last; of the last ``BEFORE`` + 50."""
    found = {drift.subject: drift for window in WINDOWS for drift in _in_window(host, readings, window)}
    return list(found.values())


def _in_window(host: str, readings: Sequence[Reading], window: int) -> Iterator[Drift]:
    recent, before = readings[-window:], readings[:-window]
    for outcome in ("wrong_page", "extract_failed"):
        marks, earlier = ([reading.outcome == outcome for reading in some] for some in (recent, before))
        yield from _judged(host, outcome, marks, earlier, most=_FAILING)
    read = [r.signs for r in readings if r.signs]
    yield from _fresh(host, "rule", read[-window:], read[:-window], lambda signs: str(signs.rule))
    yield from _fresh(host, "charset", read[-window:], read[:-window], lambda signs: signs.charset)
    for rule in sorted({str(signs.rule) for signs in read[-window:]}):
        same = [signs for signs in read if str(signs.rule) == rule]
        if len(same) >= window + SETTLED:
            yield from _of_rule(f"{host} {rule}", same[-window:], same[:-window])


def _of_rule(where: str, recent: Sequence[Signs], before: Sequence[Signs]) -> Iterator[Drift]:
    """The signs of the pages that one rule read."""
    for name in ("title", "time", "media", "editor"):
        yield from _judged(
            where, f"no {name}", [not getattr(s, name) for s in recent], [not getattr(s, name) for s in before]
        )
    lengths = sorted(signs.length for signs in before)
    low, high = lengths[len(lengths) // 10], lengths[-1 - len(lengths) // 10]
    yield from _judged(where, "unusually short", [s.length < low for s in recent], [s.length < low for s in before])
    yield from _judged(where, "unusually long", [s.length > high for s in recent], [s.length > high for s in before])
    yield from _fresh(where, "quotes", recent, before, lambda signs: signs.quotes)
    counted = Counter(line for signs in recent for line in signs.lines)
    for line, _ in counted.most_common(1):
        yield from _judged(where, "the same line", [line in s.lines for s in recent], [line in s.lines for s in before])


def _fresh(
    where: str, name: str, recent: Sequence[Signs], before: Sequence[Signs], value: Callable[[Signs], str]
) -> Iterator[Drift]:
    """A value that most of the last pages have and hardly any had before."""
    if len(before) < SETTLED or not recent:
        return
    commonest, _ = Counter(map(value, recent)).most_common(1)[0]
    marks = [value(signs) == commonest for signs in recent]
    yield from _judged(where, f"{name} {commonest or 'none'}", marks, [value(signs) == commonest for signs in before])


def _judged(
    where: str, sign: str, recent: Sequence[bool], before: Sequence[bool], most: float = 1.0
) -> Iterator[Drift]:
    """The drift in one share, if it is out of bounds. Without anything before, one in ten counts as usual, and never
    more than ``most``.
    """
    hits, had = sum(recent), sum(before)
    usual = min((had + 2) / (len(before) + 20), most)
    share = hits / len(recent) if recent else 0.0
    if share - usual >= _GROWTH and _tail(hits, len(recent), usual) < _CHANCE:
        was = f"{had} of {len(before)} before" if before else "nothing before to compare with"
        yield Drift(f"{where}: {sign}", f"{where}: {sign}: {hits} of the last {len(recent)} pages; {was}")


def _tail(hits: int, tries: int, chance: float) -> float:
    """The probability of so many hits or more among independent tries."""
    return sum(comb(tries, n) * chance**n * (1 - chance) ** (tries - n) for n in range(hits, tries + 1))
