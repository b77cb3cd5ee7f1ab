"""robots.txt (RFC 9309): which pages of a site readers are asked to leave alone, and how fast to read the others.

A file that is not there (any 4xx) asks for nothing. One that cannot be had (5xx, no connection) forbids everything for
the time being, which is an ordinary failure and tried again; only what a file says is the failure ``robots``.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from aggregator.errors import FetchError
from aggregator.model import Clock, Fetch, Request
from aggregator.web.lean import httpx
from aggregator.web.manners import ADVISING

if TYPE_CHECKING:
    from protego import Protego

TOKEN = "aggregator"  # the name by which a file may address us
MAX_BYTES = 500 * 1024  # read of a file: the least RFC 9309 allows (section 2.5)
MAX_DELAY = 60.0  # seconds; a site that asks for more gets this

_KEPT = timedelta(hours=24)  # the most RFC 9309 allows (section 2.4)
_FAILED_KEPT = timedelta(minutes=10)
_ORIGINS = 256  # files remembered
_AGENT = re.compile(r"\s*user[\s-]*agent\b[\s:]*(?P<token>\*|[a-z_-]*)", re.I)
_GROUPLESS = re.compile(r"\s*(?:$|#|site-?maps?\b|host\b)", re.I)


@dataclass(slots=True)
class _Site:
    """What is known of one origin: the lines that concern us, or why there are none; old after ``until``."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    until: datetime | None = None
    lines: str = ""
    error: FetchError | None = None


class Robots:
    """The wishes of every site asked so far. ``fetch`` gets the files; each is asked for once a day at most."""

    def __init__(self, fetch: Fetch, clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._sites: OrderedDict[tuple[str, str | None], _Site] = OrderedDict()
        self._delays: dict[str, float] = {}

    def delay(self, host: str) -> float:
        """Return the seconds that the host wants between two requests, as far as it has been asked; 0 for none."""
        return self._delays.get(host, 0.0)

    async def check(self, url: httpx.URL, proxy: str | None = None) -> None:
        """Ask the site of ``url`` whether it may be read; ``proxy`` as in ``Request``.

        Raises ``FetchError``: ``robots`` if the site asks readers to keep away; of another kind while its wishes
        cannot be had.
        """
        site = await self._site(url, proxy)
        if site.error is not None:
            raise _unknown(site.error)
        if not _parsed(site.lines).can_fetch(str(url), TOKEN):
            raise FetchError(
                "the site's robots.txt asks readers to keep away from this page",
                kind="robots",
                hint="network.robots: false ignores that; `aggregator fetch --retry` asks again",
            )

    async def _site(self, url: httpx.URL, proxy: str | None) -> _Site:
        origin = str(url.copy_with(raw_path=b"/robots.txt", fragment=None))
        key = (origin, proxy)  # what one proxy cannot get, another may
        site = self._sites.setdefault(key, _Site())
        self._sites.move_to_end(key)
        if len(self._sites) > _ORIGINS:
            self._sites.popitem(last=False)
        async with site.lock:
            if site.until is None or site.until <= self._clock():
                await self._read(site, Request(origin, "robots", proxy=proxy), url.raw_host.decode("ascii"))
        return site

    async def _read(self, site: _Site, request: Request, host: str) -> None:
        try:
            body, kept = (await self._fetch(request)).body, _KEPT
            site.lines, site.error = ours(body), None
        except FetchError as error:
            if error.status in ADVISING or error.kind == "held":
                raise  # the host's own wish to be left alone, which is followed anyway
            # Too many redirects count as a file that is not there (section 2.3.1.2).
            missing = error.kind == "redirects" or 400 <= (error.status or 0) < 500
            site.lines, site.error = "", None if missing else error
            kept = _KEPT if missing else _FAILED_KEPT
        site.until = self._clock() + kept
        self._delays[host] = min(_parsed(site.lines).crawl_delay(TOKEN) or 0.0, MAX_DELAY)


def ours(body: bytes) -> str:
    """Return the lines of a robots.txt that concern us: of the groups that name us, else of those for everybody.

    Only these reach the parser, which multiplies every rule of a group by all the names the group has.
    """
    if len(body) > MAX_BYTES:  # half a line could forbid what the whole one does not
        body = body[:MAX_BYTES].rpartition(b"\n")[0]
    lines: dict[str, list[str]] = {}
    current: set[str] = set()
    naming = False
    for line in body.decode("utf-8", "replace").removeprefix("\ufeff").splitlines():
        if _GROUPLESS.match(line):
            continue
        agent = _AGENT.match(line)
        if agent:
            current = current | {agent["token"].lower()} if naming else {agent["token"].lower()}
        for name in current & {TOKEN, "*"}:
            lines.setdefault(name, []).extend([] if agent else [line])
        naming = agent is not None
    return "\n".join(["User-agent: *", *lines.get(TOKEN, lines.get("*", []))])


def _unknown(error: FetchError) -> FetchError:
    return FetchError(
        f"the site's robots.txt cannot be read: {error.message}",
        kind=error.kind,
        where=error.where,
        hint="It is asked again later; network.robots: false does without",
    )


@lru_cache(maxsize=8)
def _parsed(lines: str) -> Protego:
    from protego import Protego  # which only those need who ask

    return Protego.parse(lines)
