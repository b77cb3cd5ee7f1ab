"""What a listing's window proves: whether it reaches back to what was known, and when paging back has come far enough.

Pure. A listing is a window on a longer list. Where two polls see one entry in common, nothing fell between them; where
they do not, something may have, and that is a gap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median_low
from typing import Literal, NamedTuple

Cause = Literal["no overlap", "asked"]
State = Literal["filled", "lost"]

# Sina lists by time of publication, and an article may join a list long after it: measured up to 85 min between ctime
# and mtime. So much further back than the last good listing is read again.
LATE = timedelta(hours=2)
SWEEP = timedelta(hours=1)  # between two looks for such articles in a list that moves too fast for them
_ODD = 2  # dates on a page that may be out of order
_END = 5  # dates that tell where a page begins or ends
MOST_PAGES = 10_000  # half a million of Sina's items; a list that goes on behind them was made up
PATIENCE = timedelta(days=28)  # with a page that cannot be read


class Seen(NamedTuple):
    """An entry in a listing: whether the feed had announced it before, and when it says that it was published."""

    known: bool
    published: datetime | None


def overlaps(listed: Sequence[Seen]) -> bool:
    """Whether a listing holds an entry that proves it reaches back to the one before.

    Any entry that was known does, except one that is kept in its place whatever is published: it stands before a
    fresh one that is newer than it, in a list that begins with the newest.
    """
    if all(one.known for one in listed):
        return True
    newest: datetime | None = None  # of the fresh ones behind the place
    for one in reversed(_newest_first(listed)):
        if one.known and not (newest and one.published and one.published < newest):
            return True
        if not one.known and one.published:
            newest = max(newest or one.published, one.published)
    return False


def _newest_first(listed: Sequence[Seen]) -> Sequence[Seen]:
    steps = [(a.published, b.published) for a, b in pairwise(listed) if a.published and b.published]
    rising = sum(a < b for a, b in steps)
    falling = sum(a > b for a, b in steps)
    return listed[::-1] if rising > falling else listed


@dataclass(frozen=True, slots=True)
class Gap:
    """A time of which something may be missing in a feed's list, and how far that was read back already.

    ``page`` is the last page of the list that was read, 1 being the listing itself; ``reached`` down to when.
    """

    id: int
    cause: Cause
    since: datetime
    until: datetime
    page: int = 1
    reached: datetime | None = None

    @property
    def goal(self) -> datetime:
        """Down to which time of publication the list is read."""
        return self.since - LATE if self.cause == "no overlap" else self.since


class Sheet(NamedTuple):
    """One page of a list: its number, the keys of its entries, when they were published.

    ``known``: it, or a page read before it in the same go, holds an entry that the feed had announced before the gap.
    """

    number: int
    keys: frozenset[str]
    published: tuple[datetime, ...]
    known: bool = False

    @property
    def reached(self) -> datetime | None:
        """Down to when the list was read for certain."""
        return reach(self.published)


def reach(published: Sequence[datetime]) -> datetime | None:
    """Down to when a page reaches for certain: in the order of the page, odd dates among the others tell nothing."""
    if not published:
        return None
    end = min(median_low(published[:_END]), median_low(published[-_END:]))
    return max(end, sorted(published)[min(_ODD, len(published) - 1)])


class Swept(NamedTuple):
    """Until when a list was looked through for what joins it late; ``goal`` is how far back it is to be read now."""

    at: datetime
    goal: datetime | None = None


def sweep(now: datetime, last: datetime | None, reached: datetime | None) -> Swept:
    """Whether a list must be looked through for what joined it late, ``reached`` being where its first page ends.

    What was published up to ``LATE`` before the last look may have joined since. Where the first page reaches so far
    back, or nothing tells, its being read is the look.
    """
    if last is None or reached is None or reached <= last - LATE:
        return Swept(now)
    return Swept(last, last - LATE if now - last >= SWEEP else None)


class End(NamedTuple):
    """Reading back is over: the gap is ``filled``, or what is missing cannot be had (``lost``), and why.

    ``skips``: the last page does not go on where the one before it ended; ``deceives``: nor did those before it.
    """

    state: State
    reason: str
    skips: bool = False
    deceives: bool = False


def ended(gap: Gap, sheet: Sheet, before: Sheet | None) -> End | None:
    """Whether a page is the last one to be read; ``before`` is the one read before it, in the same go."""
    end: State = "filled" if sheet.known and gap.cause == "no overlap" else "lost"
    if not sheet.keys:
        return End(end, f"page {sheet.number} is empty: the list goes no further back")
    if before and sheet.keys <= before.keys:
        return End(end, f"page {sheet.number} repeats page {before.number}: the list goes no further back")
    if before and before.reached and sheet.reached and sheet.reached > before.reached:
        return End("lost", f"times of publication rise from page {before.number} to page {sheet.number}", True, True)
    if sheet.number >= MOST_PAGES:
        return End("lost", f"the list does not end within {MOST_PAGES} pages", skips=True, deceives=True)
    if not sheet.published:
        return End("filled", f"page {sheet.number} holds what was known") if sheet.known else None
    if sheet.reached and sheet.reached <= gap.goal and (sheet.known or gap.cause == "asked"):
        return End("filled", f"page {sheet.number} reaches back to {sheet.reached:%Y-%m-%d %H:%M} UTC")
    if max(sheet.published) <= gap.goal:
        what = f"page {sheet.number} is from before the gap and holds nothing of what was known then"
        return End("lost", what, skips=True)
    return None
