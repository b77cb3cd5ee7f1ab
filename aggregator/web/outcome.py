"""What an answer or a fault means, as a typed error with the next step. Pure: statuses, exceptions in, errors out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from aggregator.errors import FetchError
from aggregator.web.lean import httpcore, httpx

# Servers send some 30 headers of 2 kB in all, the most talkative (cookies, policies, preloads) about 30 kB. Browsers
# take 256 kB, Python's http.client 100 headers.
_MOST_HEADERS = 256
_HEADER_BYTES = 64_000

_BLOCKED = (
    "blocked",
    "the server refuses us",
    "Check the feed's address, headers and the pace; the site may block readers",
)
_BUSY = ("rate_limited", "the server asks for fewer requests", "It is asked again later; a longer `every` helps")
_STATUSES: dict[int, tuple[str, str, str]] = {
    401: ("blocked", "the server wants credentials", "Give the feed an Authorization header under `headers`"),
    403: _BLOCKED,
    404: ("not_found", "there is nothing at this address", "Check the address; a new one may be announced on the site"),
    410: (
        "gone",
        "the server says that this is gone for good",
        "It is not asked again: give the feed its new address or remove it; `aggregator fetch NAME` asks once more",
    ),
    418: _BLOCKED,
    429: _BUSY,
    451: ("blocked", "the server may not show this for legal reasons", "There is nothing to do on this side"),
    456: _BLOCKED,
    503: _BUSY,
}
_FAILED = ("http", "the server failed", "It is asked again later")
_REJECTED = ("http", "the server rejects the request", "Check the address")

# httpcore raises on the wire, httpx in a transport given by a test; their names agree.
FAULTS: tuple[type[Exception], ...] = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProxyError,
    httpcore.ProtocolError,
    httpcore.UnsupportedProtocol,
    httpx.TransportError,
    OSError,
)
_TIMEOUTS = (httpcore.TimeoutException, httpx.TimeoutException)
_PROXIES = (httpcore.ProxyError, httpx.ProxyError)
_CONNECTS = (httpcore.ConnectError, httpx.ConnectError)
_PROTOCOLS = (httpcore.ProtocolError, httpx.ProtocolError)


def failure(status: int, where: str, retry_at: datetime | None) -> FetchError:
    """Return the error for a status that is no success and no redirect (RFC 9110 section 15; 456 is Sina's own)."""
    if status < 400:
        return FetchError(
            f"HTTP {status} was not expected here",
            kind="protocol",
            where=where,
            status=status,
            hint="Check the address",
        )
    kind, message, hint = _STATUSES.get(status, _FAILED if status >= 500 else _REJECTED)
    return FetchError(f"HTTP {status}, {message}", kind=kind, where=where, hint=hint, status=status, retry_at=retry_at)


def unasked_304(where: str) -> FetchError:
    """Return the error for a 304 to a request that named no earlier version."""
    return FetchError(
        "HTTP 304 without a question for changes",
        kind="protocol",
        where=where,
        status=304,
        hint="The server is at fault; it is asked again at the next poll",
    )


def check_headers(headers: Sequence[tuple[bytes, bytes]], where: str) -> None:
    """Raise ``FetchError`` ``protocol`` for an answer with more than 256 headers, or more than 64 kB of them.

    More than some 160 kB never come as far as this: httpcore gives up on them.
    """
    size = sum(len(name) + len(value) + 4 for name, value in headers)
    if len(headers) <= _MOST_HEADERS and size <= _HEADER_BYTES:
        return
    raise FetchError(
        f"the answer has {len(headers)} headers of {size} bytes: more than {_MOST_HEADERS} or {_HEADER_BYTES} bytes",
        kind="protocol",
        where=where,
        hint="The server is at fault; it is asked again later",
    )


def fault(error: Exception, where: str, *, reading: bool) -> FetchError:
    """Return the error for an exception of httpcore, httpx or the socket; ``reading`` says that headers had come."""
    kind, message, hint = _fault(error, reading)
    return FetchError(message, kind=kind, where=where, hint=hint)


def _fault(error: Exception, reading: bool) -> tuple[str, str, str]:
    text = str(error)[:200] or type(error).__name__
    if isinstance(error, _TIMEOUTS):
        return "timeout", "no answer in time", "Check the network, or raise network.timeout"
    if isinstance(error, _PROXIES):
        return "connect", f"the proxy refuses: {text}", "Check network.proxy, or the feed's own `proxy`"
    # The dialler reports its own failures, so a ConnectError that arrives here came from the TLS handshake.
    if isinstance(error, _CONNECTS):
        return "tls", f"no secure connection: {text}", "Check the certificate; network.ca_bundle adds one of your own"
    if reading and (not isinstance(error, _PROTOCOLS) or text.startswith("peer closed connection")):
        return "truncated", f"the answer broke off: {text}", "It is asked again later"
    if isinstance(error, (httpcore.LocalProtocolError, httpx.LocalProtocolError)):
        # h11 ends with the header it refuses, which may be a secret.
        return "protocol", f"the request cannot be sent: {text.partition(' b')[0]}", "Check the feed's headers"
    if isinstance(error, _PROTOCOLS):
        return "protocol", f"the answer is not HTTP: {text}", "Check the address and the port"
    return "connect", f"the connection broke: {text}", "Check the network"
