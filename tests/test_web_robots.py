"""robots.txt as RFC 9309 means it, over loopback: what is allowed, how fast, and what a hostile file can do."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from sqlite_utils import Database
from web_server import Answer, Asked, Server, reply, serving
from world import Clock, page

from aggregator.app import open_app
from aggregator.archive import Reader
from aggregator.config import parse
from aggregator.errors import FetchError
from aggregator.model import Request
from aggregator.pipeline import poll
from aggregator.web import Client, Network
from aggregator.web.robots import MAX_BYTES, ours

Routes = Mapping[str, Answer | Callable[[Asked], Answer]]
OK = reply(200, b"<p>page</p>")


def ask(
    robots: Answer | Callable[[Asked], Answer],
    *paths: str,
    routes: Routes | None = None,
    clock: Clock | None = None,
    move: float = 0,
    on: bool = True,
) -> tuple[list[str], list[str]]:
    """Ask for pages one after the other, ``move`` seconds apart: what became of each ("ok" or a kind), and the targets
    the server was asked for."""
    moving = clock or Clock()

    async def run() -> tuple[list[str], list[str]]:
        all_routes = {**dict.fromkeys(paths, OK), "/robots.txt": robots, **(routes or {})}
        async with serving(all_routes) as server:
            network = Network(allow_private=("127.0.0.1",), robots=on, timeout=2)
            async with Client(network, clock=moving, sleep=sleep_of(moving)) as fetch:
                results = []
                for path in paths:
                    results.append(await outcome(fetch, Request(server.url + path)))
                    moving.move(seconds=move)
                return results, [one.target for one in server.asked]

    return asyncio.run(run())


def sleep_of(clock: Clock) -> Callable[[float], object]:
    async def sleep(seconds: float) -> None:
        clock.move(seconds=seconds)

    return sleep


async def outcome(fetch: Client, request: Request) -> str:
    try:
        await fetch(request)
    except FetchError as error:
        return error.kind if error.where and error.hint else "unexplained"
    return "ok"


def text(*lines: str) -> bytes:
    return reply(200, "\n".join(lines).encode(), Content_Type="text/plain")


ALL, NONE = "User-agent: *", "Disallow: /"


@pytest.mark.parametrize(
    ("lines", "path", "result"),
    [
        ([ALL, "Disallow: /a"], "/a/1", "robots"),
        ([ALL, "Disallow: /a"], "/b", "ok"),
        ([ALL, "Disallow: /a", "Allow: /a/b"], "/a/b/c", "ok"),
        ([ALL, "Allow: /a", "Disallow: /a"], "/a", "ok"),
        ([ALL, "Disallow:"], "/a", "ok"),
        ([ALL, "Disallow: /*.php$"], "/x/y.php", "robots"),
        ([ALL, "Disallow: /*.php$"], "/y.php?a=1", "ok"),
        ([ALL, "Disallow: /%e6%96%b0"], "/%E6%96%B0/1", "robots"),
        ([ALL, "Disallow: /新"], "/%E6%96%B0/1", "robots"),
        ([ALL, "Disallow: /?id="], "/?id=3", "robots"),
        ([ALL, NONE, "User-agent: aggregator", "Disallow: /x"], "/a", "ok"),
        (["User-agent: AGGREGATOR/1.0 # us", NONE], "/a", "robots"),
        (["User-agent: other", "User-agent: Aggregator", "", "# c", NONE], "/a", "robots"),
        (["User-agent: other", "Sitemap: https://a.example/s", "User-agent: aggregator", NONE], "/a", "robots"),
        (
            ["User-agent: aggregator", "Disallow: /b", ALL, NONE, "User-agent: aggregator", "Disallow: /a"],
            "/a",
            "robots",
        ),
        (["User-agent: aggregatorbot", NONE], "/a", "ok"),
        (["User-agent: a", NONE], "/a", "ok"),
        (["User-agent: other", NONE], "/a", "ok"),
        (["\ufeffuser agent *", "DISALLOW : /a"], "/a", "robots"),
        (["<html><body>not found</body></html>"], "/a", "ok"),
        (["\x00\xff\xfe", ALL, "Disallow: /a"], "/a", "robots"),
        ([], "/a", "ok"),
    ],
)
def test_what_a_file_says_holds(lines: list[str], path: str, result: str) -> None:
    results, asked = ask(text(*lines), path, routes={path.split("?")[0]: OK})
    assert results == [result]
    assert asked == ["/robots.txt", path][: 2 if result == "ok" else 1]


def test_unless_asked_to_nobody_reads_it() -> None:
    assert ask(text(ALL, NONE), "/a", on=False) == (["ok"], ["/a"])


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 418, 451, 456])
def test_a_file_that_is_not_there_asks_for_nothing(status: int) -> None:
    results, _ = ask(reply(status), "/a", "/b")
    assert results == ["ok", "ok"]


async def _cut(writer: asyncio.StreamWriter) -> None:
    writer.close()


async def _endless(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"#" * 65_536)
        await writer.drain()


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (reply(500), "http"),
        (reply(502), "http"),
        (_cut, "protocol"),
        (_endless, "too_large"),
        (reply(200, gzip.compress(bytes(20_000_000)), Content_Encoding="gzip"), "too_large"),
        (reply(302, Location="http://10.0.0.1/robots.txt"), "refused"),
        (reply(302, Location="file:///etc/passwd"), "scheme"),
    ],
)
def test_while_it_cannot_be_had_nothing_is_read_and_it_is_tried_again(answer: Answer, kind: str) -> None:
    results, asked = ask(lambda _: answer, "/a", "/b")
    assert results == [kind, kind]
    assert asked == ["/robots.txt"]
    results, asked = ask(lambda _: answer, "/a", "/b", move=601)
    assert results == [kind, kind]
    assert asked == ["/robots.txt"] * 2


@pytest.mark.parametrize("status", [429, 503])
def test_a_host_that_wants_a_pause_gets_it(status: int) -> None:
    results, asked = ask(reply(status, Retry_After="30"), "/a", "/b")
    assert results == ["rate_limited", "held"]
    assert asked == ["/robots.txt"]
    results, asked = ask(reply(status, Retry_After="30"), "/a", "/b", move=31)
    assert results == ["rate_limited", "rate_limited"]


def test_redirects_are_followed_and_one_in_a_circle_is_no_file() -> None:
    results, asked = ask(reply(301, Location="/r2"), "/a", routes={"/r2": text(ALL, NONE)})
    assert (results, asked) == (["robots"], ["/robots.txt", "/r2"])
    results, _ = ask(reply(301, Location="/robots.txt"), "/a")
    assert results == ["ok"]


def test_a_page_that_leads_to_a_forbidden_one_is_forbidden() -> None:
    results, asked = ask(text(ALL, "Disallow: /b"), "/a", routes={"/a": reply(302, Location="/b"), "/b": OK})
    assert (results, asked) == (["robots"], ["/robots.txt", "/a"])


def test_it_is_read_once_a_day() -> None:
    _, asked = ask(text(ALL, "Disallow: /x"), "/a", "/b", "/c", move=13 * 3600)
    assert asked == ["/robots.txt", "/a", "/b", "/robots.txt", "/c"]


def test_listings_are_not_asked_for() -> None:
    async def run() -> None:
        async with serving({"/robots.txt": text(ALL, NONE), "/feed": OK}) as server:
            async with Client(Network(allow_private=("127.0.0.1",), robots=True)) as fetch:
                await fetch(Request(server.url + "/feed", "listing"))
            assert [one.target for one in server.asked] == ["/feed"]

    asyncio.run(run())


def test_many_at_once_ask_once() -> None:
    async def run() -> Server:
        paths = [f"/{n}" for n in range(20)]
        async with serving({"/robots.txt": text(ALL, "Disallow: /x"), **dict.fromkeys(paths, OK)}) as server:
            async with Client(Network(allow_private=("127.0.0.1",), robots=True)) as fetch:
                await asyncio.gather(*(fetch(Request(server.url + path)) for path in paths))
            return server

    asked = [one.target for one in asyncio.run(run()).asked]
    assert asked.count("/robots.txt") == 1
    assert len(asked) == 21


@pytest.mark.parametrize(
    ("line", "pause"),
    [
        *[("Crawl-delay: 7", 7), ("crawl-delay:0.5", 0.5), ("Crawl-delay: 86400", 60), ("Crawl-delay: inf", 0)],
        *[("Crawl-delay: -3", 0), ("Crawl-delay: soon", 0), ("Crawl-delay: nan", 0), ("Crawl-delay: 1e400", 0)],
    ],
)
def test_crawl_delay_is_the_pause_between_two_requests(line: str, pause: float) -> None:
    clock = Clock()
    started = clock()
    results, _ = ask(text(ALL, line), "/a", "/b", clock=clock)
    assert results == ["ok", "ok"]
    assert (clock() - started).total_seconds() == pause * 2  # behind the file itself, and between the two


# -- hostile files -------------------------------------------------------------------------------------------------


def many(line: str) -> list[str]:
    return [line.format(n) for n in range(2 * MAX_BYTES // len(line))]


HOSTILE = {
    "names times rules": [*(f"User-agent: a{n}" for n in range(18_000)), *(f"Disallow: /{n}" for n in range(20_000))],
    "the same names again": [f"User-agent: a{n}" for n in range(15_000)] * 2,
    "rules": [ALL, *many("Disallow: /a{}")],
    "wildcards": [ALL, *many("Disallow: /*a*a*a*a*a*a*a*a*b")],
    "dollars": [ALL, *many("Disallow: /$$$$$$$$$$$$$$$$a$")],
    "one rule": [ALL, "Disallow: /" + "*a" * 200_000],
    "percents": [ALL, "Disallow: /" + "%61" * 150_000],
    "blanks": [ALL, "user" + " " * 400_000 + "x", " " * 100_000],
    "controls": ["\x0b\x0c\x85\u2028".join(["User-agent:*", "Disallow:/zz"] * 20_000)],
}


@pytest.mark.parametrize("lines", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_file_costs_little(lines: list[str]) -> None:
    path = "/" + "a" * 2_000
    started = time.process_time()
    results, _ = ask(text(*lines), path, path + "b")
    assert set(results) <= {"ok", "robots"}
    assert time.process_time() - started < 3


def test_of_a_long_file_whole_lines_are_read() -> None:
    long = f"{ALL}\nDisallow: /x\n".encode() + b"#" * (MAX_BYTES - 40) + b"\nDisallow: /yyyyyyyyyyyyyyyyyyyyyyyyy"
    assert ours(long) == "User-agent: *\nDisallow: /x"


# -- in the archive ------------------------------------------------------------------------------------------------

CONFIG = """
archive: archive.db
network:
  robots: {robots}
  connect_to: {{site.example: "{server}"}}
feeds:
  - {{name: site, source: feed, url: "http://site.example/feed"}}
"""
ITEM = "<item><title>第{1}号快讯</title><link>http://site.example/{0}</link><guid>{0}</guid></item>"
ITEMS = ITEM.format("open/1", 1) + ITEM.format("shut/2", 2)
FEED = f'<rss version="2.0"><channel><title>x</title>{ITEMS}</channel></rss>'
RUNS = (("true", False, 1), ("true", False, 0), ("true", True, 1), ("false", False, 0))  # robots, --retry, failures


def test_a_refused_article_is_shown_and_left_alone_until_the_setting_changes(tmp_path: Path) -> None:
    pages = {f"/{name}": reply(200, page(n), Content_Type="text/html") for n, name in ((1, "open/1"), (2, "shut/2"))}
    routes = {**pages, "/feed": reply(200, FEED.encode()), "/robots.txt": text(ALL, "Disallow: /shut")}
    clock = Clock()

    async def run(server: Server, robots: str, *, retry: bool = False) -> int:
        settings = parse(CONFIG.format(robots=robots, server=server.url), tmp_path / "config.yaml")
        async with open_app(settings, clock) as app:
            if retry:
                await app.archive.revive()
            report = await poll(app.desk, settings.feed_list()[0])
        clock.move(days=2)
        return report.failed

    async def story() -> list[list[str]]:
        asked = []
        async with serving(routes) as server:
            for robots, retry, failed in RUNS:
                before = len(server.asked)
                assert await run(server, robots, retry=retry) == failed
                asked.append([one.target for one in server.asked[before:]])
                if robots == "true":
                    assert troubles(tmp_path) == [("robots", "failed", None)]
        return asked

    assert asyncio.run(story()) == [
        ["/feed", "/robots.txt", "/open/1"],
        ["/feed"],
        ["/feed", "/robots.txt"],
        ["/feed", "/shut/2"],
    ]
    assert troubles(tmp_path) == []
    db = Database(tmp_path / "archive.db")
    assert db.execute("SELECT count(*) FROM revisions").fetchone() == (2,)
    db.close()


def troubles(home: Path) -> list[tuple[object, ...]]:
    with Reader(home / "archive.db") as reader:
        return [(one["error_kind"], one["state"], one["next_try"]) for one in reader.troubles()]
