"""What a feed's row can ask for: a name to be asked under, a charset, articles kept and dropped by their words."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sqlite_utils import Database
from test_doctor import examine, rows
from web_server import reply, serving
from world import Clock, Site, desk, feed, item, link, page, rss

from aggregator.app import open_app, sift, utc_now
from aggregator.archive import Reader
from aggregator.articles.filters import Known, verdict
from aggregator.articles.rules import built_in
from aggregator.config import load, parse
from aggregator.doctor.golden import page_case, page_of, write_golden
from aggregator.errors import ConfigError
from aggregator.model import Feed, Term
from aggregator.pipeline import heal, poll

ROOT = Path(__file__).resolve().parent.parent
FEED = "feeds:\n  - name: a\n    source: feed\n    url: https://wire.example/feed.xml\n"
WHOLE = Known("央行：ＡＢＣ降准", ("sh600036",), "正文里有 GDP 数据")


def terms(text: str) -> tuple[Term, ...]:
    """The terms of a list as the configuration has it."""
    return parse(FEED + f"    keep: {text}\n", Path("config.yaml")).feed_list()[0].keep


@pytest.mark.parametrize(
    ("term", "found"),
    [
        ("abc", True),
        ("降准", True),
        ("gdp", True),
        ("SH600036", True),
        ("/gdp/", False),
        ("'/(?i)gdp/'", True),
        ("'/^央行.+准$/'", True),
        ("{title: gdp}", False),
        ("{body: gdp}", True),
        ("{body: 降准}", False),
        ("{symbols: '/^sh/'}", True),
        ("{symbols: 央行}", False),
        ("/", False),
    ],
)
def test_a_term_is_found_where_it_stands(term: str, found: bool) -> None:
    assert verdict(terms(f"[{term}]"), (), WHOLE) is found
    assert verdict((), terms(f"[{term}]"), WHOLE) is not found


def test_an_expression_that_never_ends_hangs_nothing_and_drops_nothing() -> None:
    endless = terms("['/(a|aa)+$/', 无关]")
    known = [Known("a" * 60 + f"b{n}", None, "") for n in range(6)]
    with pytest.warns(RuntimeWarning, match=r"/\(a\|aa\)\+\$/ takes too long, 4 times") as told:
        assert [verdict(endless, (), one) for one in known] == [True] * 6
    assert len(told) == 1
    before = time.process_time()
    assert [verdict((), endless, one) for one in known] == [None] * 6  # symbols are not known yet
    assert verdict((), endless, Known("aaa" * 20 + "b无关", (), "")) is False  # the other terms still count
    assert time.process_time() - before < 0.25  # it is not tried any more


@pytest.mark.parametrize(
    ("keep", "drop", "kept"),
    [
        ("[]", "[{title: 降准}]", False),
        ("[{title: 降准}]", "[]", True),
        ("[{title: 加息}]", "[]", False),
        ("[加息]", "[]", None),
        ("[{body: 加息}]", "[{title: 降准}]", False),
        ("[{title: 降准}]", "[{body: 广告}]", None),
        ("[{title: 加息}]", "[{body: 广告}]", False),
        ("[{symbols: sh}]", "[]", None),
    ],
)
def test_what_a_listing_leaves_open_waits_for_the_page(keep: str, drop: str, kept: bool | None) -> None:
    assert verdict(terms(keep), terms(drop), Known("央行降准", None, None)) is kept


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("keep: 银行", ":5: feeds[0].keep: must be a list"),
        ("drop: ['/(/']", ":5: feeds[0].drop[0]: '/(/' is no regular expression"),
        ("drop: [a, {text: b}]", ":5: feeds[0].drop[1]: must be a text, or one of title, body and symbols"),
        ("drop: [{title: a, body: b}]", ":5: feeds[0].drop[0]: must be a text, or one of"),
        ("drop: [{title: ''}]", ":5: feeds[0].drop[0]: must not be empty"),
        ("keep: [600036]", ":5: feeds[0].keep[0]: must be a text"),
    ],
)
def test_terms_that_cannot_be_used_are_mistakes_with_their_line(line: str, told: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse(f"{FEED}    {line}\n", Path("config.yaml"))
    assert told in str(error.value)


def polled(path: Path, site: Site, *feeds: Feed) -> list[tuple[int, int]]:
    """Polls of the feeds in their order: how many articles were new, how many failed."""

    async def run() -> list[tuple[int, int]]:
        async with desk(path, site, *feeds) as opened:
            reports = [await poll(opened, one) for one in feeds]
            return [(report.new, report.failed) for report in reports]

    return asyncio.run(run())


def stored(path: Path) -> list[tuple[str, str | None, bool]]:
    """Title, reason, and whether there is a document, of every article."""
    db = Database(path)
    rows = db.execute("SELECT title, reason, document IS NOT NULL FROM articles ORDER BY url").fetchall()
    left = db.execute("SELECT count(*) FROM work").fetchone()[0]
    db.close()
    assert left == 0
    return [(title, reason, bool(document)) for title, reason, document in rows]


def the_site(numbers: Sequence[int] = (1, 2, 3)) -> Site:
    titles = {1: "央行降准", 2: "基金广告", 3: "煤炭涨价"}
    pages = {link(n): page(n, "文内有优惠价。" if n == 3 else "", title=titles[n]) for n in numbers}
    listing = rss(*(item(n, titles[n]) for n in numbers))
    return Site(Clock(), {feed().url: listing, **pages})


def test_what_the_listing_shows_to_be_unwanted_is_never_fetched(tmp_path: Path) -> None:
    site = the_site()
    one = feed(drop=terms("[{title: 广告}, {body: 优惠价}]"))
    assert polled(tmp_path / "a.db", site, one) == [(3, 0)]
    expected = [("央行降准", None, True), ("基金广告", "dropped", False), ("煤炭涨价", "dropped", False)]
    assert stored(tmp_path / "a.db") == expected
    assert [site.asked[link(n)] for n in (1, 2, 3)] == [1, 0, 1]
    with Reader(tmp_path / "a.db") as reader:
        totals = reader.totals()
        assert (totals["articles"], totals["dropped"], totals["link_only"], totals["sightings"]) == (1, 2, 0, 3)
        (dropped,) = [row for row in reader.sighted() if row.title == "基金广告"]
        shown = reader.article(dropped.key)
        assert shown is not None
        assert (shown["reason"], shown["document"], len(shown["sightings"])) == ("dropped", None, 1)  # type: ignore[arg-type]
        assert [title for _, title in reader.documents()] != []
        assert len(list(reader.documents())) == 1
    assert polled(tmp_path / "a.db", site, one) == [(0, 0)]
    assert [site.asked[link(n)] for n in (1, 2, 3)] == [1, 0, 1]


def test_an_article_another_feed_wants_is_that_feeds(tmp_path: Path) -> None:
    site = the_site((1, 2))
    other = replace(feed("other", "https://other.example/feed.xml"), categories=("甲", "乙", "丙"))
    site.answers[other.url] = rss(item(2, "基金广告"))
    strict = feed(keep=terms("[{title: 央行}]"))
    assert polled(tmp_path / "a.db", site, strict, other) == [(2, 0), (0, 0)]
    assert stored(tmp_path / "a.db") == [("央行降准", None, True), ("基金广告", None, True)]
    with Reader(tmp_path / "a.db") as reader:
        files = [path for path, _ in reader.documents()]
    assert [file.split("/")[0] for file in sorted(files)] == sorted(["金融", "甲"])


def test_an_edit_is_judged_anew_and_an_archived_text_stays(tmp_path: Path) -> None:
    site = the_site((1, 2))
    one = feed(drop=terms("[{title: 广告}]"))
    polled(tmp_path / "a.db", site, one)
    site.answers[one.url] = rss(item(1, "广告降准"), item(2, "基金公告"))
    site.answers[link(2)] = page(2, title="基金公告")
    polled(tmp_path / "a.db", site, one)
    assert stored(tmp_path / "a.db") == [("央行降准", None, True), ("基金公告", None, True)]


@pytest.mark.parametrize("label", ["iso-8859-1", "big5"])
def test_an_encoding_outranks_what_listing_and_pages_say(tmp_path: Path, label: str) -> None:
    text = rss(item(1, "央行降准")).decode().replace("?>", f' encoding="{label}"?>', 1)
    body = f'<meta charset="{label}">'.join(page(1, title="央行降准").decode().partition("<head>")[::2])
    site = Site(Clock(), {feed().url: text.encode("gbk"), link(1): body.encode("gbk")})
    polled(tmp_path / "a.db", site, feed(encoding="gb2312"))
    assert stored(tmp_path / "a.db") == [("央行降准", None, True)]
    with Reader(tmp_path / "a.db") as reader:
        (row,) = reader.articles()
        assert "第1号工厂今日投产" in str(row["body"])
        number = Database(tmp_path / "a.db").execute("SELECT id FROM pages WHERE kind = 'article'").fetchone()[0]
        assert reader.page(number) == body.encode("gbk")


def test_a_page_of_another_host_is_read_as_it_says(tmp_path: Path) -> None:
    site = the_site((1,))
    other = feed(url="https://list.example/feed.xml", encoding="big5")
    site.answers[other.url] = rss(item(1, "Works No 1")).decode().replace("电讯", "電訊").encode("big5")
    site.answers[link(1)] = page(1, title="Works No 1")
    polled(tmp_path / "a.db", site, other)
    with Reader(tmp_path / "a.db") as reader:
        (row,) = reader.articles()
        assert "第1号工厂今日投产" in str(row["body"])


def test_a_page_that_failed_is_read_again_in_the_encoding_of_now(tmp_path: Path) -> None:
    text = "".join(f"<p>Завод запущен, мощность {n} тонн в год, строительство идёт.</p>" for n in range(6))
    head = '<meta charset="windows-1251"><title>Завод запущен</title>'
    body = f"<html><head>{head}</head><body><article>{text}</article></body></html>".encode("koi8-r")
    site = Site(Clock(), {feed().url: rss(item(1, "Завод запущен")), link(1): body})
    polled(tmp_path / "a.db", site, feed())
    site.asked.clear()

    async def run() -> int:
        one = feed(encoding="koi8-r")
        async with desk(tmp_path / "a.db", site, one) as opened:
            return sum(outcome.fresh for outcome in await heal(opened))

    assert asyncio.run(run()) == 1
    assert not site.asked


@pytest.mark.parametrize("name", ["utf-7", "klingon", "base64", "''", "8"])
def test_a_charset_nobody_reads_is_a_mistake(name: str) -> None:
    with pytest.raises(ConfigError, match=r":5: feeds\[0\].encoding: must "):
        parse(f"{FEED}    encoding: {name}\n", Path("config.yaml"))


def test_a_user_agent_stays_with_its_feeds_origin(tmp_path: Path) -> None:
    async def run() -> list[tuple[str, str]]:
        routes = {"/away": reply(302, Location="http://other.example/feed"), "/feed": reply(200, rss())}
        async with serving(routes) as server:
            places = f'{{a.example: "{server.url}", other.example: "{server.url}"}}'
            rows = (("a", "feed", "user_agent: mine"), ("b", "feed", ""), ("c", "away", "user_agent: mine"))
            text = "".join(
                f"- {{name: {name}, source: feed, url: 'http://a.example/{path}', {more}}}\n"
                for name, path, more in rows
            )
            text = f"archive: a.db\nnetwork: {{user_agent: net, connect_to: {places}}}\nfeeds:\n{text}"
            async with open_app(parse(text, tmp_path / "config.yaml")) as app:
                for one in app.desk.feeds.values():
                    assert (await poll(app.desk, one)).error is None
            return [(asked.target, asked.headers["user-agent"]) for asked in server.asked]

    expected = [("/feed", "mine"), ("/feed", "net"), ("/away", "mine"), ("/feed", "net")]
    assert asyncio.run(run()) == expected


def test_a_feed_with_a_proxy_is_asked_through_it_with_its_pages_and_their_robots(tmp_path: Path) -> None:
    """Another feed and a fallback on another host go their own way; a link to another host goes the feed's."""

    async def run() -> tuple[list[str], list[str]]:
        elsewhere = rss(item(1)).replace(b"https://wire.example", b"http://wire.example")
        async with serving({"/feed": reply(200, rss()), "/other": reply(200, rss())}) as world, serving() as proxy:
            proxy.routes |= {
                "http://a.test/feed": lambda _: reply(302, Location="/moved"),
                "http://a.test/moved": lambda _: reply(200, elsewhere),
                "http://wire.example/news/1.html": lambda _: reply(200, page(1)),
                "http://c.test/feed": lambda _: reply(403),
            }
            near = f'{{b.test: "{world.url}", d.test: "{world.url}"}}'
            own = proxy.url.replace("//", "//me:pw@")
            text = f"""
archive: a.db
network: {{connect_to: {near}, robots: true}}
feeds:
- {{name: a, source: feed, url: 'http://a.test/feed', proxy: '{own}'}}
- {{name: b, source: feed, url: 'http://b.test/feed'}}
- {{name: c, source: feed, url: 'http://c.test/feed', proxy: '{own}', fallback: [{{source: feed, url: 'http://d.test/other'}}]}}
"""
            clock = Clock()
            async with open_app(parse(text, tmp_path / "config.yaml"), clock, unknown) as app:
                for name in ("a", "b"):
                    assert (await poll(app.desk, app.desk.feeds[name])).error is None
                for _ in range(3):
                    await poll(app.desk, app.desk.feeds["c"])
                    clock.move(hours=7)
            assert {asked.headers.get("proxy-authorization") for asked in proxy.asked} == {"Basic bWU6cHc="}
            return [asked.target for asked in proxy.asked], [asked.target for asked in world.asked]

    async def unknown(_host: str) -> Sequence[str]:
        raise OSError("not known here")

    proxied, direct = asyncio.run(run())
    pages = ["http://wire.example/robots.txt", "http://wire.example/news/1.html"]
    assert proxied == ["http://a.test/feed", "http://a.test/moved", *pages, *["http://c.test/feed"] * 3]
    assert direct == ["/feed", "/other"]
    assert all(b"me:pw" not in file.read_bytes() for file in tmp_path.iterdir())


def test_terms_of_now_are_held_against_the_past(tmp_path: Path) -> None:
    site = the_site()
    one = feed(drop=terms("[{title: 广告}, {body: 优惠价}]"))
    polled(tmp_path / "archive.db", site, one)
    config = tmp_path / "config.yaml"
    row = FEED.replace("name: a", "name: wire") + "    drop: [{title: 降准}, {body: 优惠价}]\n"
    config.write_text(f"archive: archive.db\n{row}", encoding="utf-8")
    found = sift(load(config), [])
    assert [(change.title, change.verb) for change in found] == [("央行降准", "unwanted"), ("基金广告", "keep")]
    before = stored(tmp_path / "archive.db")

    def applied(*words: str) -> dict[str, object]:
        command = [sys.executable, "-m", "aggregator", "rules", "apply", "--json", *words]
        done = subprocess.run(
            command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)  # type: ignore[no-any-return]

    told = applied("--dry-run", "wire")
    assert told["feeds"] == {"wire": {"drop": 0, "keep": 1, "unwanted": 1}}
    assert stored(tmp_path / "archive.db") == before
    assert applied() == told
    site.asked.clear()
    site.clock.at = utc_now()
    assert polled(tmp_path / "archive.db", site, replace(one, drop=terms("[{title: 降准}]"))) == [(0, 0)]
    assert {url for url in site.asked if url != one.url} == {link(2)}
    assert stored(tmp_path / "archive.db")[:2] == [("央行降准", None, True), ("基金广告", None, True)]


def test_a_test_case_of_the_doctor_is_read_in_the_feeds_encoding(tmp_path: Path) -> None:
    """Whatever page and listing say of themselves, and without the feed at hand."""
    said = "<meta charset='utf-8'></head>"
    text = page(1).decode().replace("</head>", said).encode("gb18030")
    listed = rss(item(1)).decode().replace("?>", " encoding='utf-8'?>", 1).encode("gb18030")
    routes = {
        "/feed.xml": reply(200, listed),
        "/news/1.html": reply(200, text, Content_Type="text/html; charset=utf-8"),
    }
    done, _ = examine(tmp_path, rows("http://wire.example/feed.xml", encoding="gb18030"), routes)
    body, told = write_golden(done, "https://wire.example/news/1.html", tmp_path / "page", lambda _: {})
    case = json.loads(told.read_text(encoding="utf-8"))
    assert case["fields"]["title"] == "第1号快讯"
    assert "年产能为1万吨" in case["text"]
    assert page_case(page_of(case, body.read_bytes()), case["title"], case["zone"], built_in()) == case
