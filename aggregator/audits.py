"""Lists that audit each other: what an entry says of the lists it is in, against what these lists show.

Pure. Every item of Sina's roll lists names all lists it is in. A list in the order of its times shows all between its
ends; what others say is in it, or what it showed itself, and is not there, was withheld or pulled.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

Kind = Literal["withheld", "pulled", "late", "unclaimed"]

_ODD = 0.1  # of the entries may be out of order, as one that is kept at the top is
_TAIL = 2  # entries at the lower end prove nothing: an odd one may lie far below the others
_LEAST = 5  # entries in their order make a window


class Said(NamedTuple):
    """What a feed said of an article at one time: when it was published, and the lists it is in."""

    feed: int
    published: datetime
    lids: frozenset[int]


@dataclass(frozen=True, slots=True)
class Window:
    """The times of publication between which a listing shows everything: after ``begin``, up to ``end``."""

    begin: datetime
    end: datetime

    def holds(self, at: datetime) -> bool:
        """Whether what was published then must be in the listing."""
        return self.begin < at <= self.end


def window(published: Sequence[datetime | None]) -> Window | None:
    """What a listing covers for certain, by the times of its entries in its own order; ``None``: it has no order.

    Newest first, with few entries elsewhere: those are left aside, and so are the last ones.
    """
    times = [at.timestamp() for at in published if at]
    kept = _falling(times)
    if len(kept) < max(_LEAST, (1 - _ODD) * len(published)):
        return None
    zone = next(at.tzinfo for at in published if at)
    return Window(datetime.fromtimestamp(kept[-1 - _TAIL], zone), datetime.fromtimestamp(kept[0], zone))


def _falling(times: Sequence[float]) -> list[float]:
    """The longest part, with others in between, in which no time is later than the one before."""
    ends: list[float] = []  # by length, the last time of the best part so long, negated so that it rises
    places: list[int] = []
    before: list[int | None] = []
    for place, at in enumerate(times):
        length = bisect_right(ends, -at)
        before.append(places[length - 1] if length else None)
        ends[length:] = [-at, *ends[length + 1 :]]
        places[length:] = [place, *places[length + 1 :]]
    found: list[float] = []
    step = places[-1] if places else None
    while step is not None:
        found.append(times[step])
        step = before[step]
    return found[::-1]


def absent(lid: int, feed: int, covered: Window, said: Sequence[Said], without: Container[int]) -> Kind | None:
    """What it is that an article is not in the listing of a feed, ``lid`` being its list; ``None``: nothing.

    ``said`` is all that was said of the article, oldest first. What was said last counts, whoever said it, unless all
    who did are ``without`` the article themselves by now.
    """
    if not said or not covered.holds(said[-1].published):
        return None
    if any(one.feed == feed for one in said):
        return "pulled"
    taken_back = all(one.feed in without for one in said)
    return "withheld" if lid in said[-1].lids and not taken_back else None


def unclaimed(lid: int, listed: Mapping[int, Iterable[int]]) -> frozenset[int]:
    """The articles of a listing that do not say that they are in it; none where most do not.

    ``listed`` are the lists that each article names.
    """
    named = {article: frozenset(lids) for article, lids in listed.items() if lids}
    found = frozenset(article for article, lids in named.items() if lid not in lids)
    return found if 2 * len(found) <= len(named) else frozenset()
