"""Which cookies of a feed's file go to a URL (RFC 6265, sections 5.1.3, 5.1.4 and 5.4). Pure.

What a server sets is never kept, so a file's cookies are all there are.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from aggregator.model import Cookie
from aggregator.web.guard import literal
from aggregator.web.lean import httpx


def cookies_for(url: httpx.URL, cookies: Iterable[Cookie], now: datetime) -> str:
    """The Cookie header for a URL, cookies of longer paths first; "" where none belongs there."""
    fit = [one for one in cookies if _fits(one, url) and (one.expires is None or one.expires > now.timestamp())]
    return "; ".join(one.text for one in sorted(fit, key=lambda one: -len(one.path)))


def _fits(cookie: Cookie, url: httpx.URL) -> bool:
    if cookie.secure and url.scheme != "https":
        return False
    return _is_of(cookie, url.raw_host.decode("ascii")) and _is_below(cookie.path, url.raw_path)


def _is_of(cookie: Cookie, host: str) -> bool:
    if cookie.domain == host:
        return True
    # A name of one label is nobody's own, and what ends like an address is no part of it.
    wide = cookie.subdomains and "." in cookie.domain and literal(host) is None
    return wide and host.endswith(f".{cookie.domain}")


def _is_below(path: str, target: bytes) -> bool:
    asked = target.partition(b"?")[0].decode("ascii")
    return asked == path or asked.startswith(path if path.endswith("/") else f"{path}/")
