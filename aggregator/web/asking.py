"""What we say when we ask: the headers of one request. Pure."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from datetime import datetime, timedelta

from aggregator.model import Request, Validators
from aggregator.text.urls import is_sina, same_origin
from aggregator.web.cookies import cookies_for
from aggregator.web.decoding import ACCEPT_ENCODING
from aggregator.web.freshness import http_date
from aggregator.web.lean import httpx
from aggregator.web.network import Network

Headers = list[tuple[bytes, bytes]]

_ACCEPT = {
    "listing": "application/rss+xml, application/atom+xml, application/feed+json, application/json;q=0.9, "
    "application/xml;q=0.9, text/xml;q=0.9, */*;q=0.5",
    "robots": "text/plain, */*;q=0.5",
    "image": "image/avif, image/webp, image/png, image/jpeg, image/gif, image/*;q=0.5, */*;q=0.1",
    "page": "text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8",
}
# These belong to the connection or to our own decoder, not to a feed's configuration.
_OURS = frozenset(
    "accept-encoding connection content-length host keep-alive te trailer transfer-encoding upgrade".split()
)
_LONGEST_VALIDATOR = 1_000
_CLOCKS_DIFFER = timedelta(hours=1)


def headers_for(network: Network, request: Request, first: httpx.URL, url: httpx.URL, now: datetime) -> Headers:
    """Return the headers for ``url``, which is the URL asked for (``first``, with its credentials) or a redirect's.

    The feed's own headers and the credentials of ``first`` go only to the origin they are meant for; each of its
    cookies goes where its own domain says.
    """
    host = url.raw_host.decode("ascii")
    said = {
        "user-agent": network.user_agent,
        "accept": _ACCEPT[request.kind],
        "accept-language": "zh-CN,zh;q=0.9,en;q=0.5",
    }
    if is_sina(host) and network.referer:
        said["referer"] = network.referer
    if same_origin(str(first), str(url)):
        if first.userinfo:
            said["authorization"] = f"Basic {b64encode(f'{first.username}:{first.password}'.encode()).decode()}"
        said |= {n: v for name, v in request.headers.items() if (n := name.strip().lower()) not in _OURS}
    if cookies := cookies_for(url, request.cookies, now):
        said["cookie"] = "; ".join(filter(None, (said.get("cookie"), cookies)))
    said |= dict(conditions(request.validators, now))
    said["accept-encoding"] = ACCEPT_ENCODING
    # httpx puts Host first, as RFC 9110 asks; a value from config.yaml may be Chinese.
    return [(b"Host", url.netloc), *((name.encode(), _octets(name, value)) for name, value in said.items())]


def conditions(validators: Validators, now: datetime) -> Iterator[tuple[str, str]]:
    """Yield the headers that ask "has it changed?" (RFC 9110 section 13.1).

    A validator that is too long, or could not have been read from a header as it stands, is not sent; nor is a
    Last-Modified from the future, since a server may answer it with "no" until then.
    """
    for name, value in (("if-none-match", validators.etag), ("if-modified-since", validators.last_modified)):
        if value and len(value) <= _LONGEST_VALIDATOR and _sendable(value) and not _ahead(name, value, now):
            yield name, value


def _ahead(name: str, value: str, now: datetime) -> bool:
    date = http_date(value) if name == "if-modified-since" else None
    return date is not None and date > now + _CLOCKS_DIFFER


def _sendable(value: str) -> bool:
    return all(" " <= c <= "\xff" and c != "\x7f" for c in value)


def _octets(name: str, value: str) -> bytes:
    # A validator returns as the octets it came in; everything else was typed by a person.
    return value.encode("latin-1" if name in ("if-none-match", "if-modified-since") else "utf-8", "replace")
