"""What is asked of the network, and what it answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Scope = Literal["host", "feed"]


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie to be sent: ``text``, "name=value", is a secret; ``subdomains`` get it too; ``expires`` is Unix time."""

    domain: str
    subdomains: bool
    path: str
    secure: bool
    expires: float | None
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Cookies:
    """The cookies of a file."""

    file: str = ""
    kept: tuple[Cookie, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Validators:
    """What the server gave us to ask "has it changed?" (RFC 9110 section 8.8); opaque, sent back as received."""

    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask the network for. ``kind`` chooses the size limit.

    ``at`` is where ``url`` has moved and is asked in its place; the credentials and ``headers`` stay with the origin
    of ``url``; each of ``cookies`` goes where it belongs by its own domain. With ``retry_after_scope`` "feed" a 429 or
    503 is this request's affair and does not hold the host. ``proxy`` is asked in place of the network's: one of
    ``Network.proxies``.
    """

    url: str
    kind: Literal["listing", "page", "image", "robots"] = "page"
    headers: Mapping[str, str] = field(default_factory=dict)
    validators: Validators = Validators()
    retry_after_scope: Scope = "host"
    at: str | None = None
    cookies: tuple[Cookie, ...] = field(default=(), repr=False)
    proxy: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Page:
    """What the network answered: ``body`` as bytes, after undoing Content-Encoding, exactly as the server meant it.

    ``via`` are the addresses, masked, that redirects led over between ``url`` and ``final_url``; an ``http://`` one
    behind an ``https://`` one tells that somebody on the way could have changed the answer.
    ``fresh_for`` is for how many seconds the server says that nothing newer is to be had, at most a day.
    ``moved_to`` is where the redirects lead that say "for good" (301, 308), as far as no other comes before them.
    ``seconds`` is the time the fetch spent on the wire; waiting for the host's turn is not in it.
    """

    url: str  # asked for
    final_url: str  # after redirects
    status: int
    headers: Mapping[str, str]  # lower-case names
    body: bytes
    fetched_at: datetime
    via: tuple[str, ...] = ()
    fresh_for: float | None = None
    moved_to: str | None = None
    seconds: float = 0.0

    @property
    def unchanged(self) -> bool:
        """The server says that nothing has changed since the validators we sent."""
        return self.status == 304

    @property
    def validators(self) -> Validators:
        """The validators of this answer."""
        return Validators(self.headers.get("etag"), self.headers.get("last-modified"))


Fetch = Callable[[Request], Awaitable[Page]]


@dataclass(frozen=True, slots=True)
class Hold:
    """A host that wants no request before an instant, after so many refusals in a row."""

    host: str
    until: datetime | None
    failures: int
    reason: str = ""
