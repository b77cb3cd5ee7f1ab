"""When a feed is asked again, and why then. Pure: what is known of a feed in, seconds and a word out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from aggregator.errors import AggregatorError, FetchError

Chance = Callable[[], float]  # each time another number of at least 0 and below 1
# What a next poll is due for: the feed's fixed interval, the pace of its news, what its server wants (or the listing),
# failures in a row, a host or feed that is to be left alone until then.
Why = Literal["every", "arrivals", "server", "failing", "held"]

LONGEST = 6 * 3_600  # seconds: the rarest a failing feed is asked
# What may be trouble on the way, which ends for all feeds at once: then nobody should wait for hours.
LONGEST_IN_PASSING = 1_800
_PASSING = frozenset({"dns", "connect", "tls", "timeout", "truncated"})

_MEMORY = 86_400.0  # seconds after which an arrival counts 1/e: a day, in which every hour of the day is once
_POLLS_PER_ARRIVAL = 2  # so that news wait for half their mean distance at most
_JITTER = 0.1  # of an interval, added by chance, so that no feeds stay together that were asked together once


def no_chance() -> float:
    """No chance at all, where the same is to come every time."""
    return 0.0


@dataclass(frozen=True, slots=True)
class Rate:
    """How much news a feed has had in how many seconds it was watched; both fade with time."""

    arrivals: float = 0.0
    watched: float = 0.0

    def after(self, seconds: float, arrivals: int) -> Rate:
        """The rate when so much more time has passed, in which so much more has come."""
        spent = max(seconds, 0.0)
        fading = math.exp(-spent / _MEMORY)
        return Rate(self.arrivals * fading + arrivals, self.watched * fading + _MEMORY * (1 - fading))


@dataclass(frozen=True, slots=True)
class Next:
    """The seconds to a feed's next poll, and what makes them so many."""

    seconds: float
    why: Why


def told_by(published: Iterable[datetime | None], now: datetime) -> Rate:
    """A feed's rate as the first listing tells it; where it has no dates, nothing is known."""
    ages = [max((now - at).total_seconds(), 0.0) for at in published if at]
    if not ages:
        return Rate()
    arrivals = sum(math.exp(-age / _MEMORY) for age in ages)
    return Rate(arrivals, _MEMORY * (1 - math.exp(-max(ages) / _MEMORY)))


def after_success(every: int, slowest: int | None, rate: Rate, floor: int | None, chance: Chance) -> Next:
    """After a listing that was read: ``every`` seconds; with ``slowest``, as often as there is news, between the two.

    The server's and the listing's own word, ``floor``, goes before either.
    """
    own = Next(every, "every") if slowest is None else Next(_by_arrivals(every, slowest, rate, chance), "arrivals")
    return Next(floor, "server") if floor and floor > own.seconds else own


def _by_arrivals(every: int, slowest: int, rate: Rate, chance: Chance) -> float:
    """Half the time in which the next news is to be expected; what is hardly known yet is asked often."""
    gap = (rate.watched + _POLLS_PER_ARRIVAL * every) / (rate.arrivals + 1)
    longest = max(slowest / (1 + _JITTER), every)
    wanted = min(max(gap / _POLLS_PER_ARRIVAL, every), longest) * (1 + _JITTER * chance())
    return min(wanted, max(slowest, every))


def after_failure(every: int, failures: int, error: AggregatorError, chance: Chance) -> Next:
    """After so many failures in a row: the interval, doubled with each of them, and some chance.

    Feeds that failed together do not come back together, nor where nothing is doubled any more.
    """
    ill = isinstance(error, FetchError) and error.kind == "http" and (error.status or 0) >= 500
    longest = LONGEST_IN_PASSING if ill or error.kind in _PASSING else LONGEST
    spread = _JITTER * chance()
    wanted = every * 2.0 ** min(failures - 1, 20)
    return Next(max(every, min(wanted * (1 + spread), longest * (1 - spread))), "failing")
