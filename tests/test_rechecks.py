"""Looking again: when, how often, at what cost, and that a look which fails harms nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from hostile import live, program
from hypothesis import given
from hypothesis import strategies as st
from sqlite_utils import Database
from web_server import Answer, Asked, reply
from world import START, Clock, Site, desk, feed, item, link, page, rss

from aggregator.archive import Reader
from aggregator.archive.rechecks import next_look
from aggregator.config import parse
from aggregator.errors import ConfigError, FetchError
from aggregator.model import Feed
from aggregator.pipeline import Budget, Desk, Outcome, poll, recheck

PLAN = (3_600, 21_600, 86_400, 604_800)
WIRE = feed(recheck=PLAN)
MOVED = page(1, "第1号工厂今日停产，原因尚在调查之中，预计下月恢复。")


@asynccontextmanager
async def polled(folder: Path, site: Site, *numbers: int, wire: Feed = WIRE) -> AsyncIterator[Desk]:
    """A desk that has read the pages of these numbers."""
    site.answers[wire.url] = rss(*map(item, numbers))
    site.answers |= {link(number): page(number) for number in numbers if link(number) not in site.answers}
    async with desk(folder / "a.db", site, wire) as one:
        await poll(one, wire)
        yield one


def looks(
    folder: Path, site: Site, work: Callable[[Desk], Awaitable[object]], *numbers: int, wire: Feed = WIRE
) -> object:
    async def run() -> object:
        async with polled(folder, site, *(numbers or (1,)), wire=wire) as one:
            return await work(one)

    return asyncio.run(run())


def rows(folder: Path, sql: str) -> list[dict[str, object]]:
    db = Database(folder / "a.db")
    found = list(db.query(sql))
    db.close()
    return found


def causes(folder: Path) -> list[str]:
    with Reader(folder / "a.db") as reader:
        return [row.cause for row in reader.revisions()]


async def hours_of_looks(one: Desk, clock: Clock, hours: int) -> list[int]:
    """After how many hours since the start pages were asked for again, with a try every hour."""
    found = []
    for _ in range(hours):
        clock.move(hours=1)
        if await recheck(one):
            found.append(round((clock.at - START) / timedelta(hours=1)))
    return found


@pytest.mark.parametrize(("plan", "at"), [(PLAN, [1, 6, 24, 168]), ((), []), ((7_200,), [2])])
def test_a_page_is_looked_at_as_planned_and_costs_nothing_more(
    tmp_path: Path, plan: tuple[int, ...], at: list[int]
) -> None:
    site, wire = Site(Clock()), feed(recheck=plan)
    found = looks(tmp_path, site, lambda one: hours_of_looks(one, site.clock, 400), wire=wire)
    assert found == at
    assert site.asked[link(1)] == 1 + len(at)
    assert causes(tmp_path) == ["first"]
    assert len(rows(tmp_path, "SELECT 1 FROM pages WHERE kind = 'article'")) == 1
    assert rows(tmp_path, "SELECT checks, due FROM rechecks") == ([{"checks": len(at), "due": None}] if at else [])


def test_looks_that_were_missed_are_made_up_for_by_one(tmp_path: Path) -> None:
    site = Site(Clock())

    async def work(one: Desk) -> list[int]:
        site.clock.move(days=3)
        return [len(await recheck(one)) for _ in range(3)] + await hours_of_looks(one, site.clock, 400)

    assert looks(tmp_path, site, work) == [1, 0, 0, 168]


instants = st.integers(0, 10**6)


@given(st.sets(instants, max_size=6), instants)
def test_the_next_look_is_the_first_of_the_plan_still_to_come(steps: set[int], since: int) -> None:
    at = next_look(START, sorted(steps), START + timedelta(seconds=since))
    later = {step for step in steps if step > since}
    assert at == (START + timedelta(seconds=min(later)) if later else None)


def test_an_edit_no_list_announces_is_found_and_the_document_follows(tmp_path: Path) -> None:
    site = Site(Clock())

    async def work(one: Desk) -> list[Outcome]:
        site.clock.move(hours=1)
        site.answers[link(1)] = MOVED
        return await recheck(one)

    (outcome,) = looks(tmp_path, site, work)  # type: ignore[misc]
    assert outcome.fresh
    with Reader(tmp_path / "a.db") as reader:
        first, second = reader.revisions()
        ((_, document),) = reader.documents()
    assert (second.cause, second.n, second.page != first.page) == ("changed", 2, True)
    assert "停产" in document


def test_an_unchanged_page_is_asked_for_with_its_validators(tmp_path: Path) -> None:
    site = Site(Clock(), etags={link(1): '"one"'})

    async def work(one: Desk) -> list[int]:
        found = [len(await hours_of_looks(one, site.clock, 1))]
        site.answers[link(1)], site.etags[link(1)] = MOVED, '"two"'
        return found + await hours_of_looks(one, site.clock, 30)

    assert looks(tmp_path, site, work) == [1, 6, 24]
    assert rows(tmp_path, "SELECT etag, checks FROM rechecks") == [{"etag": '"two"', "checks": 3}]
    assert causes(tmp_path) == ["first", "changed"]


@pytest.mark.parametrize(
    "answer",
    [
        FetchError("no answer", kind="timeout"),
        503,
        429,
        403,
        b"",
        "<title>安全验证</title><body>请拖动滑块</body>".encode(),
        "<html><head><title>别的新闻</title></head><body><p>另一篇文章，与此无关。</p></body></html>".encode(),
        "<html><head><title>第1号快讯</title></head><body></body></html>".encode(),
    ],
    ids=["timeout", "503", "429", "403", "empty", "challenge", "another page", "no body"],
)
def test_a_look_that_fails_harms_nothing_and_is_repeated(tmp_path: Path, answer: bytes | int | FetchError) -> None:
    site = Site(Clock())

    async def work(one: Desk) -> tuple[list[int], list[int]]:
        site.answers[link(1)] = answer
        failing = await hours_of_looks(one, site.clock, 12)
        site.answers[link(1)] = MOVED
        return failing, await hours_of_looks(one, site.clock, 30)

    assert looks(tmp_path, site, work) == ([1, 2, 3, 6, 7, 8], [24])
    assert causes(tmp_path) == ["first", "changed"]
    assert rows(tmp_path, "SELECT error_kind, absence FROM rechecks") == [{"error_kind": None, "absence": None}]
    assert rows(tmp_path, "SELECT 1 FROM events") == []


def test_articles_that_wait_for_their_page_are_not_looked_at(tmp_path: Path) -> None:
    site = Site(Clock())

    async def work(one: Desk) -> object:
        site.clock.move(hours=1)
        db = Database(tmp_path / "a.db")
        db.execute("INSERT INTO work (article, host, state, next_try) VALUES (1, 'wire.example', 'pending', '2099')")
        db.conn.commit()
        db.close()
        return await recheck(one)

    assert looks(tmp_path, site, work) == []


def test_looks_are_bounded_and_the_newest_article_comes_first(tmp_path: Path) -> None:
    site = Site(Clock())
    site.answers[WIRE.url] = rss(*(item(n, at=START - timedelta(hours=n)) for n in range(5)))
    site.answers |= {link(n): page(n) for n in range(5)}

    async def run() -> list[set[str | None]]:
        async with desk(tmp_path / "a.db", site, WIRE) as one:
            await poll(one, WIRE)
            site.clock.move(hours=2)
            return [{look.url for look in await recheck(one, None, Budget(2))} for _ in range(3)]

    assert asyncio.run(run()) == [{link(0), link(1)}, {link(2), link(3)}, {link(4)}]


def test_what_was_claimed_by_a_process_that_died_is_looked_at(tmp_path: Path) -> None:
    site = Site(Clock())

    async def run() -> int:
        async with polled(tmp_path, site, 1) as one:
            site.clock.move(hours=1)
            assert len(await one.archive.rechecks()) == 1
            assert await one.archive.rechecks() == []
        async with desk(tmp_path / "a.db", site, WIRE) as one:  # as after kill -9: the lease was never given back
            return len(await recheck(one))

    assert asyncio.run(run()) == 1


@pytest.mark.parametrize("wire", [feed(recheck=()), feed(recheck=PLAN, enabled=False)], ids=["off", "paused"])
def test_a_feed_that_is_switched_off_is_not_looked_at(tmp_path: Path, wire: Feed) -> None:
    site = Site(Clock())

    async def run() -> list[Outcome]:
        async with polled(tmp_path, site, 1):
            pass
        site.clock.move(days=2)
        async with desk(tmp_path / "a.db", site, wire) as one:
            return await recheck(one)

    assert asyncio.run(run()) == []


def test_only_what_was_read_from_a_page_is_looked_at(tmp_path: Path) -> None:
    full = "<content:encoded>" + "&lt;p&gt;央行今日开展公开市场操作。&lt;/p&gt;" * 20 + "</content:encoded>"
    video = item(2).replace(link(2), "https://video.sina.com.cn/p/finance/2.html")
    site = Site(Clock(), answers={WIRE.url: rss(item(1, extra=full), video, item(3), item(4)), link(4): page(4)})

    async def run() -> set[str | None]:
        async with desk(tmp_path / "a.db", site, WIRE) as one:
            await poll(one, WIRE)
            site.clock.move(hours=1)
            return {look.url for look in await recheck(one)}

    assert asyncio.run(run()) == {link(3), link(4)}  # the third was not there: it may come


def test_the_daemon_looks_again_over_the_wire(tmp_path: Path) -> None:
    """Over loopback: 304 to what has not changed, an edit that is found, and the pages that were asked for."""
    edited = page(2, "第2号工厂今日停产，原因尚在调查之中。", title="good2")
    asked: list[str] = []

    def first(question: Asked) -> Answer:
        asked.append(question.headers.get("if-none-match", ""))
        unchanged = question.headers.get("if-none-match") == '"v1"'
        return reply(304) if unchanged else reply(200, page(1, title="good1"), Content_Type="text/html", ETag='"v1"')

    async def run() -> list[tuple[int, int]]:
        clock = Clock()
        async with program(tmp_path, clock) as (app, server):
            server.routes["/good/1"] = first
            await live(app, clock, hours=0.5)
            server.routes["/good/2"] = lambda _: reply(200, edited, Content_Type="text/html")
            reports = await live(app, clock, hours=30)
            return [one.looks for one in reports]

    told = asyncio.run(run())
    assert (sum(looked for looked, _ in told), sum(edits for _, edits in told)) == (12, 1)  # 4 pages, 3 looks
    assert asked == ["", '"v1"', '"v1"', '"v1"']
    with Reader(tmp_path / "archive.db") as reader:
        assert [row.cause for row in reader.revisions()].count("changed") == 1


CONFIG = "defaults: {{recheck: {all}}}\nfeeds:\n  - {{name: a, source: feed, url: 'http://a.example/', {own}}}\n"


@pytest.mark.parametrize(
    ("everywhere", "own", "plan"),
    [
        ("[1h]", "", (3_600,)),
        ("[7d, 90m, 90m]", "", (5_400, 604_800)),
        ("[1h]", "recheck: [2h]", (7_200,)),
        ("[1h]", "recheck: off", ()),
        ("[1h]", "recheck: []", ()),
        ("off", "", ()),
        ("off", "recheck: [30]", (30,)),
    ],
)
def test_the_plan_of_the_configuration(tmp_path: Path, everywhere: str, own: str, plan: tuple[int, ...]) -> None:
    settings = parse(CONFIG.format(all=everywhere, own=own), tmp_path / "config.yaml")
    assert settings.feed_list()[0].recheck == plan


@pytest.mark.parametrize("wrong", ["1h", "[0s]", "[x]", "on", "{}", "[[1h]]"])
def test_a_plan_that_is_none(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(ConfigError, match="recheck"):
        parse(CONFIG.format(all=wrong, own=""), tmp_path / "config.yaml")
    assert parse("feeds: []", tmp_path / "config.yaml").defaults.recheck == PLAN
