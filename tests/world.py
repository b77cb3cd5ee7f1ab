"""A small world for tests of the flow: a clock that is moved by hand, and a table of answers instead of a network."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, MutableMapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import structlog
from structlog.testing import LogCapture

from aggregator.archive import SqliteArchive
from aggregator.errors import FetchError
from aggregator.logs import Log
from aggregator.model import Feed, Page, Request
from aggregator.pipeline import Desk

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
CATEGORIES = ("金融", "新浪财经", "新浪财经－国內")


@dataclass
class Clock:
    """An instant that stands until it is moved."""

    at: datetime = START

    def __call__(self) -> datetime:
        return self.at

    def move(self, **by: float) -> None:
        """Let time pass."""
        self.at += timedelta(**by)


@dataclass
class Site:
    """The network as a transport: a table of URL -> bytes, an HTTP status, or an error."""

    clock: Clock
    answers: dict[str, bytes | int | FetchError] = field(default_factory=dict)
    etags: dict[str, str] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    keys: defaultdict[str, set[str | None]] = field(default_factory=lambda: defaultdict(set))  # sent as X-Key

    async def __call__(self, request: Request) -> Page:
        self.asked[request.url] += 1
        self.keys[request.url].add(request.headers.get("X-Key"))
        answer = self.answers.get(request.url, 404)
        if isinstance(answer, FetchError):
            raise answer
        if isinstance(answer, int):
            kinds = {404: "not_found", 410: "gone", 403: "blocked", 429: "rate_limited"}
            raise FetchError(f"HTTP {answer}", kind=kinds.get(answer, "http"), status=answer, where=request.url)
        etag = self.etags.get(request.url)
        if etag and request.validators.etag == etag:
            return Page(request.url, request.url, 304, {}, b"", self.clock())
        headers = {"content-type": "text/xml; charset=utf-8"} | ({"etag": etag} if etag else {})
        return Page(request.url, request.url, 200, headers, answer, self.clock())


def feed(name: str = "wire", url: str = "https://wire.example/feed.xml", **more: object) -> Feed:
    """A feed of the example wire."""
    return Feed(name=name, source="feed", url=url, categories=CATEGORIES, **more)  # type: ignore[arg-type]


class Wire(Protocol):
    """A network of a test's own making, and its time."""

    clock: Clock

    async def __call__(self, request: Request) -> Page: ...


@asynccontextmanager
async def desk(path: Path, site: Wire, *feeds: Feed) -> AsyncIterator[Desk]:
    """A desk over a real archive and the site."""
    archive = await SqliteArchive.open(path, site.clock, parser="test", rules="test")
    try:
        await archive.enrol(feeds)
        yield Desk(site, archive, site.clock, {one.name: one for one in feeds})
    finally:
        await archive.close()


def listened() -> tuple[Log, list[MutableMapping[str, Any]]]:
    """A log, and the events that come to it."""
    heard = LogCapture()
    return structlog.wrap_logger(None, processors=[heard], wrapper_class=structlog.stdlib.BoundLogger), heard.entries


def rss(*items: str) -> bytes:
    """An RSS 2.0 file of these items."""
    return (
        f'<?xml version="1.0"?><rss version="2.0"><channel><title>电讯</title>{"".join(items)}</channel></rss>'.encode()
    )


def item(number: int, title: str = "", *, at: datetime = START, extra: str = "") -> str:
    """An item whose page is ``page(number)``."""
    date = at.strftime("%a, %d %b %Y %H:%M:%S GMT")
    return (
        f"<item><title>{title or f'第{number}号快讯'}</title><link>{link(number)}</link>"
        f"<guid>wire-{number}</guid><pubDate>{date}</pubDate>{extra}</item>"
    )


def link(number: int) -> str:
    """The address of an article of the wire."""
    return f"https://wire.example/news/{number}.html"


def page(number: int, words: str = "", *, title: str = "") -> bytes:
    """A page a general extractor finds a body on."""
    text = words or f"第{number}号工厂今日投产，年产能为{number}万吨，预计明年上半年达到设计能力。"
    paragraphs = "".join(f"<p>{text}这是第{n}段，说明项目的背景、投资规模与市场前景。</p>" for n in range(6))
    head = f"<head><title>{title or f'第{number}号快讯'}</title></head>"
    return f"<html>{head}<body><article>{paragraphs}</article></body></html>".encode()


def urls(numbers: Sequence[int]) -> dict[str, bytes | int | FetchError]:
    """Pages for these numbers."""
    return {link(number): page(number) for number in numbers}
