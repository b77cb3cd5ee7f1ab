"""The wire on tape: what is answered is kept as it is handed on, and can be answered again without any network."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, replace

from aggregator.errors import FetchError, masked
from aggregator.web.decoding import read_body
from aggregator.web.dial import Resolve, Wire
from aggregator.web.guard import Guard
from aggregator.web.lean import httpx
from aggregator.web.network import Network
from aggregator.web.outcome import FAULTS, fault

_GLIMPSE = 64_000  # bytes kept of an answer that is no success
_REMADE = frozenset({"content-encoding", "content-length", "transfer-encoding"})  # the body is kept unpacked
_FAILURES: tuple[type[Exception], ...] = (FetchError, *FAULTS)
_DEADLINE = "deadline"  # the kind of fault where no whole answer came in time


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question on the wire and what came of it: an answer, or a fault (kind, message, hint) in its place.

    ``url`` is masked. ``referer`` says whether the question had one. ``headers`` are latin-1 texts, without those that
    tell how the body was packed; ``body`` is unpacked.
    """

    url: str
    referer: bool
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    fault: tuple[str, str, str] | None = None


class Taping(httpx.AsyncBaseTransport):
    """The wire, which hands each exchange to ``keep`` as well."""

    def __init__(self, network: Network, resolve: Resolve, keep: Callable[[Exchange], None]) -> None:
        self._wire = Wire(network, Guard.of(network), resolve)
        self._limit = max(network.max_listing, network.max_page)
        self._keep = keep

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; return its answer with the whole body. Raises ``FetchError``."""
        asked = Exchange(masked(str(request.url)), "referer" in request.headers)
        try:
            exchange = await self._exchanged(request, asked)
        except FetchError as error:
            self._keep(replace(asked, fault=(error.kind, error.message, error.hint)))
            raise
        except asyncio.CancelledError:
            self._keep(replace(asked, fault=(_DEADLINE, "", "")))
            raise
        self._keep(exchange)
        return _response(exchange, request)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._wire.aclose()

    async def _exchanged(self, request: httpx.Request, asked: Exchange) -> Exchange:
        reading = False
        try:
            response = await self._wire.handle_async_request(request)
            reading = True
            try:
                body = await self._body(response, asked.url)
            finally:
                await response.aclose()
        except FAULTS as error:
            raise fault(error, asked.url, reading=reading) from None
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw]
        kept = tuple((name, value) for name, value in headers if name.lower() not in _REMADE)
        return replace(asked, status=response.status_code, headers=kept, body=body)

    async def _body(self, response: httpx.Response, where: str) -> bytes:
        encoding = response.headers.get("content-encoding", "")
        if response.is_success:
            return await read_body(response.aiter_raw(), encoding, self._limit, where=where)
        try:
            return await read_body(response.aiter_raw(), encoding, _GLIMPSE, where=where)
        except _FAILURES:
            return b""  # what a refusal says is worth a look, no more


class Replay(httpx.AsyncBaseTransport):
    """A transport that answers from exchanges kept before and never touches the network."""

    def __init__(self, exchanges: Iterable[Exchange]) -> None:
        self._kept: defaultdict[tuple[str, bool], deque[Exchange]] = defaultdict(deque)
        for exchange in exchanges:
            self._kept[exchange.url, exchange.referer].append(exchange)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer as it was answered then. Raises ``FetchError``, ``held`` for what was not asked then."""
        kept = self._kept[masked(str(request.url)), "referer" in request.headers]
        if not kept:
            raise FetchError("this was not asked then", kind="held", hint="Ask the network again")
        exchange = kept.popleft() if len(kept) > 1 else kept[0]
        if exchange.fault is not None:
            kind, message, hint = exchange.fault
            if kind == _DEADLINE:
                raise TimeoutError
            raise FetchError(message, kind=kind, hint=hint)
        return _response(exchange, request)


class _Whole(httpx.AsyncByteStream):
    def __init__(self, body: bytes) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._body


def _response(exchange: Exchange, request: httpx.Request) -> httpx.Response:
    headers = [
        (name.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in exchange.headers
    ]
    return httpx.Response(exchange.status or 0, headers=headers, stream=_Whole(exchange.body), request=request)
