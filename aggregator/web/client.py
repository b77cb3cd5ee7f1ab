"""The client: a ``Request`` in, a ``Page`` out, or a ``FetchError`` that says why not."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import takewhile
from types import TracebackType
from typing import Self

from aggregator.errors import FetchError, masked
from aggregator.model import Clock, Hold, Page, Request
from aggregator.web.asking import conditions, headers_for
from aggregator.web.decoding import read_body, too_large
from aggregator.web.dial import PROXY, Resolve, Wire, detours, resolve_by_system
from aggregator.web.freshness import fresh_for
from aggregator.web.guard import Guard, admit
from aggregator.web.lean import httpx
from aggregator.web.manners import ADVISING, Chance, Manners, Sleep
from aggregator.web.network import Network
from aggregator.web.outcome import FAULTS, check_headers, failure, fault, unasked_304
from aggregator.web.posting import Poster
from aggregator.web.robots import Robots

_FOR_GOOD = frozenset({301, 308})
_COOKIES = frozenset({"set-cookie", "set-cookie2"})
_VALIDATORS = frozenset({"etag", "last-modified"})
_REDIRECTS = _FOR_GOOD | {302, 303, 307}


def utc_now() -> datetime:
    """Return this machine's idea of the present instant."""
    return datetime.now(UTC)


class Client:
    """The one door to the network, used as ``async with Client(network) as fetch: page = await fetch(request)``.

    ``holds`` are the hosts not to be asked before an instant, as an earlier client's ``holds()`` gave them.
    ``resolve`` gives a name's addresses; ``transport`` takes the place of the wire. Raises ``ConfigError`` for
    settings that cannot be used.
    """

    def __init__(
        self,
        network: Network,
        *,
        clock: Clock = utc_now,
        sleep: Sleep = asyncio.sleep,
        chance: Chance = random.random,
        transport: httpx.AsyncBaseTransport | None = None,
        holds: Iterable[Hold] = (),
        resolve: Resolve = resolve_by_system,
    ) -> None:
        self._network = network
        self._clock = clock
        self._guard = Guard.of(network)
        self._plain_hosts = frozenset(detours(network))
        self._transport = transport or Wire(network, self._guard, resolve)
        self._timeout = httpx.Timeout(network.timeout).as_dict()
        self._robots = Robots(self, clock)
        self._manners = Manners(
            connections=network.connections,
            pause=lambda host: max(network.pause(host), self._robots.delay(host)),
            clock=clock,
            sleep=sleep,
            chance=chance,
            holds=holds,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._transport.aclose()

    def holds(self) -> tuple[Hold, ...]:
        """Return the hosts that refuse us or did, to be stored and given to the next client."""
        return self._manners.holds()

    async def __call__(self, request: Request) -> Page:
        """Fetch a URL, following redirects.

        Returns the page of a 2xx, or of a 304 (with an empty body) where the request's validators were sent. Raises
        ``FetchError`` for everything else; its kinds are listed there.
        """
        first = admit(request.url, self._guard)
        start = admit(request.at, self._guard) if request.at else first
        deadline = _Deadline(self._network.deadline)
        way = [_Onward(_bare(start), for_good=True)]
        while True:
            if self._network.robots and request.kind in ("page", "image"):
                await self._ask_robots(way[-1].url, request.proxy)
            found = await self._hop(_Hop(request, first, way[-1].url), deadline)
            if isinstance(found, Page):
                via = tuple(masked(str(step.url)) for step in way[1:-1])
                return replace(found, via=via, moved_to=_moved_to(way), seconds=deadline.spent)
            circle = any(found.url == step.url for step in way)
            if circle or len(way) > self._network.max_redirects:
                raise _astray(request.url, circle=circle, redirects=len(way))
            way.append(found)

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, seconds: float) -> int:
        """Send a message; the status, a 2xx. Raises ``FetchError``. See ``Poster.post``."""
        poster = Poster(self._transport, self._guard, self._plain_hosts, self._network.user_agent, self._clock)
        return await poster.post(url, headers, body, seconds)

    async def _ask_robots(self, url: httpx.URL, proxy: str | None) -> None:
        try:
            await self._robots.check(url, proxy)
        except FetchError as error:
            error.where = error.where or masked(str(url))
            raise

    async def _hop(self, hop: _Hop, deadline: _Deadline) -> Page | _Onward:
        """Ask one URL when its host's turn has come; return the page, or where to go on."""
        try:
            async with self._manners.turn(hop.host), deadline.running():
                return await self._exchange(hop)
        except TimeoutError:
            raise FetchError(
                f"no whole answer within {self._network.deadline:g} s",
                kind="timeout",
                where=hop.where,
                hint="It is asked again later; network.deadline sets the time",
            ) from None
        except FAULTS as error:
            raise fault(error, hop.where, reading=hop.answered) from None
        except FetchError as error:
            error.where = error.where or masked(hop.where)
            raise

    async def _exchange(self, hop: _Hop) -> Page | _Onward:
        response = await self._transport.handle_async_request(self._wire_request(hop))
        hop.answered = True
        try:
            check_headers(response.headers.raw, hop.where)
            return await self._understand(hop, response)
        finally:
            await response.aclose()

    def _wire_request(self, hop: _Hop) -> httpx.Request:
        return httpx.Request(
            "GET",
            hop.url.copy_with(scheme="http") if hop.host in self._plain_hosts and hop.url.scheme != "http" else hop.url,
            headers=headers_for(self._network, hop.request, hop.first, hop.url, self._clock()),
            extensions={"timeout": self._timeout, PROXY: hop.request.proxy},
        )

    async def _understand(self, hop: _Hop, response: httpx.Response) -> Page | _Onward:
        status = response.status_code
        headers = _kept(response.headers)
        # A robots.txt or an image that may not be read is one that is not there, and no refusal of the host.
        heard = hop.request.kind not in ("robots", "image") or status in ADVISING or status < 400
        retry_at = self._manners.heard(hop.host, status, headers, hop.request.retry_after_scope) if heard else None
        if status in _REDIRECTS and "location" in headers:
            url = _bare(admit(_location(response), self._guard, base=hop.url))
            return _Onward(url, for_good=status in _FOR_GOOD)
        if status == 304 and not any(conditions(hop.request.validators, self._clock())):
            raise unasked_304(hop.where)
        if status != 304 and not 200 <= status < 300:
            raise failure(status, hop.where, retry_at)
        if status == 304:
            await _ended(response)
        return Page(
            url=hop.request.url,
            final_url=str(hop.url),
            status=status,
            headers=headers,
            body=b"" if status == 304 else await self._body(hop, response),
            fetched_at=self._clock(),
            fresh_for=fresh_for(headers, self._clock()),
        )

    async def _body(self, hop: _Hop, response: httpx.Response) -> bytes:
        limit = self._network.limit(hop.request.kind)
        announced = response.headers.get("content-length", "")
        if announced.isdecimal() and int(announced[:20]) > limit:
            raise too_large(limit, hop.where)
        encoding = response.headers.get("content-encoding", "")
        return await read_body(response.aiter_raw(), encoding, limit, where=hop.where)


@dataclass(slots=True)
class _Hop:
    """One URL on the way: ``url`` without credentials or fragment, ``first`` the URL asked for, with them."""

    request: Request
    first: httpx.URL
    url: httpx.URL
    answered: bool = False  # the headers of an answer have come

    @property
    def host(self) -> str:
        return self.url.raw_host.decode("ascii")

    @property
    def where(self) -> str:
        return str(self.url)


@dataclass(frozen=True, slots=True)
class _Onward:
    """Where a redirect leads, and whether it says "for good"."""

    url: httpx.URL
    for_good: bool


class _Deadline:
    """The time one fetch may take in all, running only while it is on the wire and not while it waits for a turn."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.spent = 0.0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        start = loop.time()
        try:
            async with asyncio.timeout(self._seconds - self.spent):
                yield
        finally:
            self.spent += loop.time() - start


async def _ended(response: httpx.Response) -> None:
    """Read the end of an answer that has no body (RFC 9110, 15.4.5): a connection closed before is not used again."""
    async for _ in response.aiter_raw():
        return


def _moved_to(way: Sequence[_Onward]) -> str | None:
    """The end of the leading run of permanent redirects; ``None`` where the first is none."""
    run = list(takewhile(lambda step: step.for_good, way))
    return str(run[-1].url) if len(run) > 1 else None


def _bare(url: httpx.URL) -> httpx.URL:
    return url.copy_with(userinfo=b"", fragment=None) if url.userinfo or url.fragment else url


def _kept(headers: httpx.Headers) -> dict[str, str]:
    """An answer's headers without its cookies. Validators stand for their octets, as they are to be sent back."""
    kept = {name: value for name, value in headers.items() if name not in _COOKIES}
    raw = ((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in headers.raw)
    return kept | {name: value for name, value in raw if name in _VALIDATORS}


def _location(response: httpx.Response) -> str:
    """Read Location; octets that are no UTF-8 (old Chinese sites send GBK) are percent-encoded as they stand."""
    raw = next(value for name, value in response.headers.raw if name.lower() == b"location").strip()
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return "".join(chr(octet) if octet < 0x80 else f"%{octet:02X}" for octet in raw)


def _astray(url: str, *, circle: bool, redirects: int) -> FetchError:
    message = "the redirects go in a circle" if circle else f"more than {redirects - 1} redirects"
    return FetchError(
        message, kind="redirects", where=url, hint="Open the address in a browser and use the one it ends at"
    )
