"""One hostile answer in an otherwise good world: what becomes of it, and that it harms nothing else.

The catalogue of hostile answers is ``test_hostile_*.py``, a test per entry. Each runs the whole program but the command
line: a configuration, the real client over loopback, a real archive.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal

from sqlite_utils import Database
from web_server import Answer, Asked, Server, reply, serving
from world import Clock, page

from aggregator.app import App, open_app, poll_feed
from aggregator.config import parse
from aggregator.intervals import no_chance
from aggregator.model import Report
from aggregator.pipeline import poll
from aggregator.web import Resolve, resolve_by_system

Row = dict[str, object]
Route = bytes | Callable[[Asked], Answer]

_CONFIG = """
archive: archive.db
network:
  deadline: {deadline}
  timeout: 4s
  connect_to: {{good.example: "{server}", bad.example: "{server}"}}
  {network}
defaults: {{{defaults}}}
feeds:
  - {{name: bad, source: {source}, url: "{url}", categories: [甲, 乙, 丙], {feed}}}
  - {{name: good, source: feed, url: "http://good.example/good", categories: [甲, 乙, 丁]}}
{feeds}
"""
# What is only ever added; the other tables hold the state of work and of health.
_FACTS = ("commits", "entries", "keys", "pages", "polls", "revisions")


@dataclass(frozen=True)
class Verdict:
    """What an attack came to: the last report on the attacked feed, and what the archive then holds of that feed.

    ``entries`` are the sightings the attack added to the two honest ones before it, ``articles`` all of the feed's;
    ``work`` is what waits or failed, ``feed`` the feed's row.
    """

    report: Report
    entries: list[Row]
    articles: list[Row]
    work: list[Row]
    feed: Row
    server: Server


def attack(
    folder: Path,
    answer: Route,
    *,
    on: Literal["listing", "article"] = "listing",
    polls: int = 1,
    source: str = "feed",
    url: str = "http://bad.example/bad",
    deadline: str = "8s",
    network: str = "",
    feed: str = "",
    more: Mapping[str, Route] | None = None,
    resolve: Resolve = resolve_by_system,
) -> Verdict:
    """Let ``answer`` meet a program that has two feeds with two articles each, then poll both feeds ``polls`` times.

    ``on="article"``: the attacked feed announces one more article, whose page the answer is. ``network`` and ``feed``
    are lines of the configuration, ``more`` further answers by path. What must hold under every attack is asserted
    here: nothing stored before is lost or changed, and the news of the feed beside it arrive.
    """
    lines = {"source": source, "url": url, "deadline": deadline, "network": network, "feed": feed}
    lure = {"/bad": answer} if on == "listing" else {"/bad": reply(200, listing("bad", 1, 2, 9)), "/bad/9": answer}
    return asyncio.run(_attack(folder, lure | dict(more or {}), polls, lines, resolve))


@asynccontextmanager
async def program(
    folder: Path, clock: Clock, resolve: Resolve = resolve_by_system, **lines: str
) -> AsyncIterator[tuple[App, Server]]:
    """The program with its feeds "bad" and "good", and the server that is the world to it; ``lines`` as in ``attack``.

    ``url`` is that of "bad", ``defaults`` a line of that section of the configuration, ``feeds`` rows of further feeds.
    """
    given = {"source": "feed", "deadline": "8s", "network": "", "feed": "", "defaults": "", "feeds": ""}
    given |= {"url": "http://bad.example/bad"} | lines
    async with serving(_routes()) as server:
        settings = parse(_CONFIG.format(server=server.url, **given), folder / "config.yaml")
        async with open_app(settings, clock, resolve, no_chance) as app:
            yield app, server


async def live(app: App, clock: Clock, *, hours: float, step: float = 5.0) -> list[Report]:
    """Let the daemon's work be done for so long, with a look every ``step`` minutes at what is due; every report."""
    reports = []
    end = clock.at + timedelta(hours=hours)
    while clock.at < end:
        for name, _ in await app.archive.due_feeds():
            reports.append(await poll_feed(app, app.desk.feeds[name]))
        clock.move(minutes=step)
    return reports


def listing(name: str, *numbers: int) -> bytes:
    """An honest RSS file of a feed's articles with these numbers."""
    items = "".join(
        f"<item><title>{name}{n}</title><link>http://{name}.example/{name}/{n}</link><guid>{name}-{n}</guid></item>"
        for n in numbers
    )
    return f'<rss version="2.0"><channel><title>{name}</title>{items}</channel></rss>'.encode()


async def _attack(
    folder: Path, attacked: dict[str, Route], polls: int, lines: dict[str, str], resolve: Resolve
) -> Verdict:
    clock = Clock()
    async with program(folder, clock, resolve, **lines) as (app, server):
        archive = app.settings.archive
        await _poll_both(app)
        before = _facts(archive)
        news = reply(200, listing("good", 1, 2, 3))
        server.routes |= routes({"/good": news, **attacked})
        reports = []
        for _ in range(polls):
            clock.move(minutes=5)
            reports.append(await _poll_both(app))
    assert [other.error for _, other in reports] == [None] * polls
    assert (reports[0][1].status, reports[0][1].new, reports[0][1].failed) == ("ok", 1, 0)
    lost = before - _facts(archive)
    assert not lost, lost
    return _verdict(archive, reports[-1][0], server)


async def _poll_both(app: App) -> tuple[Report, Report]:
    feeds = app.desk.feeds
    first, second = await asyncio.gather(poll(app.desk, feeds["bad"]), poll(app.desk, feeds["good"]))
    await app.archive.hold(app.client.holds())
    return first, second


def _routes() -> dict[str, Route]:
    names = ("bad", "good")
    pages = {
        f"/{name}/{n}": reply(200, page(n, title=f"{name}{n}"), Content_Type="text/html")
        for name in names
        for n in (1, 2, 3)
    }
    return {**pages, **{f"/{name}": reply(200, listing(name, 1, 2)) for name in names}}


def routes(answers: dict[str, Route]) -> dict[str, Callable[[Asked], Answer]]:
    """Answers in the form in which a running server has them."""
    return {path: answer if callable(answer) else _always(answer) for path, answer in answers.items()}


def _always(answer: bytes) -> Callable[[Asked], Answer]:
    return lambda _: answer


def _facts(archive: Path) -> set[tuple[object, ...]]:
    db = Database(archive)
    rows = {(table, *row) for table in _FACTS for row in db.execute(f"SELECT * FROM {table}")}
    db.close()
    return rows


def _verdict(archive: Path, report: Report, server: Server) -> Verdict:
    db = Database(archive)
    (feed,) = db.query("SELECT * FROM feeds WHERE name = 'bad'")
    entries = list(db.query("SELECT * FROM entries WHERE feed = ? ORDER BY id", [feed["id"]]))
    mine = "SELECT DISTINCT article FROM entries WHERE feed = :feed"
    articles = list(db.query(f"SELECT * FROM articles WHERE id IN ({mine}) ORDER BY id", {"feed": feed["id"]}))
    work = list(db.query(f"SELECT * FROM work WHERE article IN ({mine})", {"feed": feed["id"]}))
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    db.close()
    return Verdict(report, entries[2:], articles, work, feed, server)
