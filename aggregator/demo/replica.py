"""A replica of Sina on loopback: its lists, article pages, pictures, two feeds, so that the main job needs no internet.

It answers by the Host header, so that a client that reaches Sina's hosts "at" its address sees one small Sina.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import TracebackType
from urllib.parse import parse_qsl, urlsplit

from aggregator.demo import columns, edition, flashes, images, listings, pages
from aggregator.demo.ledger import Change, Ledger, Published
from aggregator.demo.mutations import MUTATIONS, mutated
from aggregator.demo.pages import Answer
from aggregator.demo.server import Asked, Server
from aggregator.model import Clock

PAGE_HOSTS = (
    "finance.sina.com.cn",
    "news.sina.com.cn",
    "finance.sina.cn",
    "news.sina.cn",
    "slide.finance.sina.com.cn",
    "blog.sina.com.cn",
    "video.sina.com.cn",
)
LIVE = {("zhibo.sina.com.cn", "/api/zhibo/feed"): "page_size", ("app.cj.sina.com.cn", "/api/news/pc"): "size"}
LISTS = ("feed.mix.sina.com.cn", *(host for host, _ in LIVE), columns.COMPANY_HOST)
HOSTS = (*LISTS, *PAGE_HOSTS, "n.sinaimg.cn", "rss.sina.com.cn", "go.rss.sina.com.cn")
MUTABLE = frozenset({"finance2026", "finance2019", "news2018"})  # the templates of today
RSS_PATH = "/roll/finance/hot_roll.xml"
ATOM_PATH = "/demo/atom.xml"
SEED = 20_260_929


class Replica:
    """The server and what it has published. A context manager; ``start`` and ``stop`` do the same by hand.

    The same ``seed`` and the same instants from ``clock`` (aware) give the same bytes. ``port`` 0 takes a free one.
    A replica that serves for days forgets the oldest of more than ``keep`` articles.
    ``requests`` counts (method, host, path without query); ``ledger`` is the truth to check a poll against.
    """

    def __init__(self, clock: Clock, *, seed: int = SEED, port: int = 0, keep: int = 5_000) -> None:
        self._clock = clock
        self._seed = seed
        self._port = port
        self._keep = keep
        self._steps = 0
        self._server: Server | None = None
        self._lock = threading.RLock()
        self._mutation: str | None = None
        self._shut: frozenset[str] = frozenset()
        self._answered = datetime.min.replace(tzinfo=UTC)
        self.requests: Counter[tuple[str, str, str]] = Counter()
        self.ledger: Ledger = edition.opening(seed, self._now())
        self._places = _places(self.ledger)

    @property
    def hosts(self) -> tuple[str, ...]:
        """The host names it plays."""
        return HOSTS

    @property
    def address(self) -> str:
        """Where it listens, as ``http://127.0.0.1:PORT``; raises RuntimeError when it does not."""
        if self._server is None:
            raise RuntimeError("the replica is not running; use it as a context manager or call start()")
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def connect_to(self) -> dict[str, str]:
        """What ``network.connect_to`` needs so that Sina's hosts are reached here."""
        return dict.fromkeys(HOSTS, self.address)

    def start(self) -> Replica:
        """Listen. Raises OSError when the port is taken."""
        if self._server is None:
            self._server = Server(self._port, self.answer)
        return self

    def stop(self) -> None:
        """Close every connection and wait for every thread; a second call does nothing."""
        server, self._server = self._server, None
        if server is not None:
            server.close()

    def __enter__(self) -> Replica:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def advance(self) -> list[Change]:
        """Let the newsroom live one step: publish some articles, edit one, remove one; the first time also let the
        late arrival appear. Returns what changed, which ``ledger.changes`` keeps too."""
        with self._lock:
            self._steps += 1
            changes = edition.step(self.ledger, self._seed, self._steps, self._now(), self._keep)
            self._places = _places(self.ledger)
            return changes

    def publish(self, count: int) -> list[Change]:
        """So many articles more, all of just now; nothing else changes."""
        with self._lock:
            self._steps += 1
            changes = edition.publish(self.ledger, self._seed, self._steps, self._now(), count)
            self._places = _places(self.ledger)
            return changes

    def mutate(self, name: str | None) -> None:
        """From now on change the pages of today's templates in the way ``demo.mutations`` calls ``name``; ``None``: as
        they were. Raises KeyError for an unknown name."""
        with self._lock:
            if name is not None and name not in MUTATIONS:
                raise KeyError(name)
            self._mutation = name

    def refuse(self, *hosts: str) -> None:
        """From now on answer 403 to everything asked of these hosts, and of no other."""
        with self._lock:
            self._shut = frozenset(hosts)

    def serve(self, stop: threading.Event, *, every: float, tell: Callable[[list[Change]], None]) -> None:
        """Advance each ``every`` seconds, telling what changed, until ``stop`` is set."""
        while not stop.wait(every):
            tell(self.advance())

    def _now(self) -> datetime:
        return self._clock().astimezone(UTC).replace(microsecond=0)

    def answer(self, asked: Asked) -> Answer:
        """What it says to a request; the server asks here."""
        parts = urlsplit(asked.target)
        with self._lock:
            self.requests[asked.method, asked.host, parts.path] += 1
            if asked.host in self._shut:
                return _forbidden()
            return self._list(asked, parts.path, dict(parse_qsl(parts.query))) or self._file(asked, parts.path)

    def _list(self, asked: Asked, path: str, query: dict[str, str]) -> Answer | None:
        """A list, or what else the hosts of lists have; ``None`` where it is not for them."""
        if size := LIVE.get((asked.host, path)):
            return flashes.flashes(self.ledger, query, size, self._now())
        match asked.host, path:
            case "feed.mix.sina.com.cn", "/api/roll/get":
                return self._roll(asked, query)
            case columns.COMPANY_HOST, _:
                return columns.company(self.ledger, path, query)
            case "finance.sina.com.cn", _:
                return columns.column(self.ledger, path, self._now())
            case "rss.sina.com.cn", _ if path == RSS_PATH:
                return listings.rss(self.ledger)
            case "rss.sina.com.cn", _ if path == ATOM_PATH:
                return listings.atom(self.ledger)
            case _:
                return None

    def _file(self, asked: Asked, path: str) -> Answer:
        """An article's page, a picture, or where a link of a feed leads."""
        if asked.host in PAGE_HOSTS:
            return self._page(asked.host, path)
        match asked.host, path:
            case "go.rss.sina.com.cn", "/redirect.php":
                return Answer(b"", status=302, location=asked.target.partition("url=")[2])
            case "n.sinaimg.cn", _ if not asked.headers.get("referer"):
                return _forbidden()
            case "n.sinaimg.cn", _ if path.endswith(".png"):
                return Answer(images.png(path), type="image/png", modified=datetime(2024, 6, 27, tzinfo=UTC))
            case _:
                return pages.not_found()

    def _roll(self, asked: Asked, query: dict[str, str]) -> Answer:
        """Refused without a Referer and a browser's name, as the API does; never the same answer twice."""
        browser = asked.headers.get("user-agent", "").startswith("Mozilla")
        if not browser or not asked.headers.get("referer"):
            return _forbidden()
        self._answered = max(self._now(), self._answered + timedelta(seconds=1))
        return listings.roll(self.ledger, query, self._answered)

    def _page(self, host: str, path: str) -> Answer:
        item = self._places.get((host, path))
        if item is None:
            return pages.not_found()
        if urlsplit(item.url).path == path:
            twin = self.ledger.published.get(item.twin) if item.twin else None
            answer = pages.page(item, twin)
            changes = self._mutation and item.template in MUTABLE
            return replace(answer, body=mutated(str(self._mutation), answer.body)) if changes else answer
        return pages.mobile_page(item)


def _forbidden() -> Answer:
    return Answer(b"<html><body><h1>403 Forbidden</h1></body></html>", type="text/html", status=403)


def _places(ledger: Ledger) -> dict[tuple[str, str], Published]:
    """Which article stands at which host and path."""
    places: dict[tuple[str, str], Published] = {}
    for item in ledger:
        for url in (item.wap, item.url):
            parts = urlsplit(url)
            places[parts.netloc, parts.path] = item
    return places
