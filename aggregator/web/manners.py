"""How often a host is asked: connections and pauses per host, and staying away from a host that wants it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from aggregator.errors import FetchError
from aggregator.model import Clock, Hold, Scope
from aggregator.web.freshness import DAY, http_date

Sleep = Callable[[float], Awaitable[None]]
Chance = Callable[[], float]  # each time another number of at least 0 and below 1

CONNECTIONS = 8  # over all hosts: httpx costs twice as much per request above that
SLOW = 2.0  # seconds after which a request is not counted among them: whoever only waits costs next to nothing

_FIRST_HOLD = 60.0  # seconds after a first refusal without Retry-After; doubles with each further one
_LONGEST_HOLD = 6 * 3600.0
_FAR = timedelta(hours=25)  # no hold is longer than a day: what lies further ahead was told by a clock that was wrong
_JITTER = 0.25  # of a hold, added by chance, so that not all who were refused together come back together
_HOLDING = frozenset({403, 418, 429, 456, 503})  # statuses that mean "too much, or not you"
ADVISING = frozenset({429, 503})  # those of them whose Retry-After counts
_SECONDS = re.compile(r"[+-]?\d{1,20}(\.\d{1,20})?([eE]\d{1,2})?")


@dataclass(slots=True)
class _Place:
    """One host's queue: free connections, and the door through which one request at a time starts.

    A host that refused is asked by one request alone until it answers well again; ``probe`` is that one's.
    """

    slots: asyncio.Semaphore
    door: asyncio.Lock = field(default_factory=asyncio.Lock)
    probe: asyncio.Lock = field(default_factory=asyncio.Lock)
    started: datetime | None = None


class Manners:
    """Keeps the pace of every host. ``pause`` gives the seconds between two request starts to a host."""

    def __init__(
        self,
        *,
        connections: int,
        pause: Callable[[str], float],
        clock: Clock,
        sleep: Sleep,
        chance: Chance,
        holds: Iterable[Hold],
    ) -> None:
        self._connections = connections
        self._pause = pause
        self._clock = clock
        self._sleep = sleep
        self._chance = chance
        self._places: dict[str, _Place] = {}
        self._everywhere = asyncio.Semaphore(CONNECTIONS)
        self._holds = {hold.host: hold for hold in holds}

    def holds(self) -> tuple[Hold, ...]:
        """Return all hosts that ever refused us; one that answers well again has no instant and no failures."""
        far = self._clock() + _FAR
        return tuple(replace(one, until=None) if one.until and one.until > far else one for one in self._holds.values())

    @asynccontextmanager
    async def turn(self, host: str) -> AsyncIterator[None]:
        """Wait until ``host`` may be asked, and count the request as open until the block ends.

        Raises ``FetchError`` ``held`` at once, without waiting, while the host wants no request.
        """
        self._check(host)
        place = self._places.setdefault(host, _Place(asyncio.Semaphore(self._connections)))
        async with place.slots, self._alone(host, place):
            async with place.door:
                await self._wait(host, place)
                await self._everywhere.acquire()
                place.started = self._clock()
            with self._counted():
                # Another request may have been refused while this one stood in the queue.
                self._check(host)
                yield

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """Hold a place among all requests for as long as the block runs, but give it up when that takes long."""
        held = [self._everywhere]

        def give_up() -> None:
            if held:
                held.pop().release()

        slow = asyncio.get_running_loop().call_later(SLOW, give_up)
        try:
            yield
        finally:
            slow.cancel()
            give_up()

    def heard(self, host: str, status: int, headers: Mapping[str, str], scope: Scope = "host") -> datetime | None:
        """Learn from an answer; return the instant before which no request is wanted, if it says so.

        With the scope "feed" a 429 or 503 says so to the one who asked, and the host is not held.
        """
        now = self._clock()
        advice = retry_after(headers, now) if status in ADVISING else None
        if scope == "feed" and status in ADVISING:
            return None if advice is None else _whole(now + timedelta(seconds=advice))
        held_until = self._held_until(host)
        if status not in _HOLDING:
            # An answer that was under way when the host began to refuse does not lift the hold.
            if host in self._holds and status < 500 and held_until is None:
                self._holds[host] = Hold(host, None, 0)
            return None
        before = self._holds.get(host, Hold(host, None, 0)).failures
        # Requests that were open together are one refusal, not many.
        failures = max(before, 1) if held_until else before + 1
        until = _whole(now + timedelta(seconds=_delay(failures, advice, self._chance())))
        if held_until:
            until = max(until, held_until) if advice is not None else held_until
        self._holds[host] = Hold(host, until, failures, f"HTTP {status}")
        return until

    def _alone(self, host: str, place: _Place) -> AbstractAsyncContextManager[object]:
        hold = self._holds.get(host)
        return place.probe if hold and hold.failures else nullcontext()

    def _held_until(self, host: str) -> datetime | None:
        hold, now = self._holds.get(host), self._clock()
        return hold.until if hold and hold.until and now < hold.until <= now + _FAR else None

    def _check(self, host: str) -> None:
        until = self._held_until(host)
        if until is not None:
            raise FetchError(
                f"held: {host} wants no request before {until.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}",
                kind="held",
                retry_at=until,
                hint="It is asked again after that",
            )

    async def _wait(self, host: str, place: _Place) -> None:
        pause = self._pause(host)
        if place.started is None or pause <= 0:
            return
        gone = (self._clock() - place.started).total_seconds()
        # A clock set back must not make anyone wait longer than one pause.
        if (rest := min(pause - gone, pause)) > 0:
            await self._sleep(rest)


def _whole(at: datetime) -> datetime:
    """The next whole second: instants are stored so, and what is due by a cut one would be refused until it is over."""
    return at + timedelta(microseconds=-at.microsecond % 1_000_000)


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Read Retry-After (RFC 9110 section 10.2.3) from headers with lower-case names.

    Returns seconds from now, within 0 and 24 hours; ``None`` without the header or for one that cannot be read. A date
    is judged against the answer's own Date, so that a wrong clock on either side does no harm.
    """
    text = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(text):
        return min(max(float(text), 0.0), DAY)
    then = http_date(text)
    if then is None:
        return None
    sent = http_date(headers.get("date", "")) or now
    return min(max((then - sent).total_seconds(), 0.0), DAY)


def _delay(failures: int, advice: float | None, chance: float) -> float:
    """Return the seconds to stay away: the server's word at first; no less than our own back-off if it goes on."""
    own = min(_FIRST_HOLD * 2.0 ** min(failures - 1, 20) * (1 + _JITTER * chance), _LONGEST_HOLD)
    if advice is None:
        return own
    return advice if failures == 1 else max(advice, own)
