"""The promises of the flow, over a real archive and a table of answers."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from world import START, Clock, Site, desk, feed, item, link, page, rss, urls

from aggregator.archive import Reader
from aggregator.articles.compose import rendered
from aggregator.errors import FetchError
from aggregator.model import Page, Report, Request
from aggregator.pipeline import Budget, Desk, collect, discover, poll

LISTING = "https://wire.example/feed.xml"


@pytest.fixture
def site() -> Site:
    return Site(Clock(), {LISTING: rss(item(1), item(2)), **urls([1, 2])})


def polled(path: Path, site: Site, times: int = 1, **minutes: float) -> list[Report]:
    """The reports of polling the wire so many times, with time passing between."""

    async def run() -> list[Report]:
        reports = []
        async with desk(path / "a.db", site, feed()) as one:
            for _ in range(times):
                reports.append(await poll(one, feed()))
                site.clock.move(**(minutes or {"minutes": 5}))
        return reports

    return asyncio.run(run())


def test_promise_1_a_failed_article_is_retried_behind_a_304(tmp_path: Path, site: Site) -> None:
    site.etags[LISTING] = '"one"'
    site.answers[link(2)] = FetchError("cut off", kind="truncated")
    assert (polled(tmp_path, site)[0].failed, site.asked[link(2)]) == (1, 1)
    site.answers[link(2)] = page(2)
    second = polled(tmp_path, site)[0]
    assert (second.status, second.new, second.failed, site.asked[link(2)]) == ("unchanged", 0, 0, 2)
    with Reader(tmp_path / "a.db") as reader:
        assert reader.totals()["articles"] == 2


def test_promise_1_a_late_entry_below_newer_ones_is_seen(tmp_path: Path, site: Site) -> None:
    polled(tmp_path, site)
    site.answers |= {LISTING: rss(item(1), item(2), item(9, at=START - timedelta(hours=3))), **urls([9])}
    assert polled(tmp_path, site)[0].new == 1


def test_promise_2_an_edit_is_a_new_revision_and_keeps_its_file(tmp_path: Path, site: Site) -> None:
    polled(tmp_path, site)
    with Reader(tmp_path / "a.db") as reader:
        before = {
            key: (row["file"], row["fingerprint"]) for key in ("guid:wire:wire-1",) if (row := reader.article(key))
        }
    site.answers |= {LISTING: rss(item(1, "第1号快讯（更新）"), item(2)), link(1): page(1, "产能上调至二十万吨。" * 4)}
    polled(tmp_path, site)
    with Reader(tmp_path / "a.db") as reader:
        after = reader.article("guid:wire:wire-1")
        assert after is not None
        assert reader.totals()["revisions"] == 3
    assert (after["revision"], after["title"]) == (2, "第1号快讯（更新）")
    assert after["file"] == before["guid:wire:wire-1"][0]
    assert after["fingerprint"] != before["guid:wire:wire-1"][1]
    assert "二十万吨" in str(after["document"])


def test_promise_4_five_feeds_one_article_one_get(tmp_path: Path, site: Site) -> None:
    feeds = [feed(f"wire-{n}", f"https://wire.example/{n}.xml", headers={"n": str(n)}) for n in range(5)]
    site.answers |= {one.url: rss(item(1)) for one in feeds}

    async def run(*ordered: object) -> None:
        async with desk(tmp_path / "a.db", site, *ordered) as one:  # type: ignore[arg-type]
            for each in feeds:
                await discover(one, each)
            await collect(one)

    asyncio.run(run(*feeds))
    asyncio.run(run(*reversed(feeds)))
    with Reader(tmp_path / "a.db") as reader:
        row = reader.article(f"url:{link(1)}")
        assert row is not None
        assert [one["feed"] for one in row["sightings"]] == [one.name for one in reversed(feeds)]  # type: ignore[attr-defined]
    assert (site.asked[link(1)], row["home_feed"], row["revision"]) == (1, "wire-0", 1)


@pytest.mark.parametrize(
    ("answer", "status", "kind"),
    [
        (rss(), "empty", None),
        (rss(item(1, at=START - timedelta(days=9))), "stale", None),
        (403, "blocked", "blocked"),
        (429, "blocked", "rate_limited"),
        (b"<html><body>Log in</body></html>", "not_a_feed", "not_a_feed"),
        (b"", "not_a_feed", "not_a_feed"),
        ("<html><title>安全验证</title><body>安全验证</body></html>".encode(), "blocked", "blocked"),
        (404, "failed", "not_found"),
        (410, "gone", "gone"),
        (500, "failed", "http"),
        (FetchError("no such host", kind="dns"), "failed", "dns"),
    ],
)
def test_promise_5_every_failure_has_its_own_name(
    tmp_path: Path, site: Site, answer: bytes | int | FetchError, status: str, kind: str | None
) -> None:
    site.answers[LISTING] = answer
    report = polled(tmp_path, site)[0]
    assert (report.status, report.error_kind) == (status, kind)
    with Reader(tmp_path / "a.db") as reader:
        row = reader.feeds()[0]
    assert (row["status"], row["error_kind"]) == (status, kind)


def test_a_feed_that_is_gone_is_not_due_and_asked_only_where_that_is_wanted(tmp_path: Path, site: Site) -> None:
    site.answers[LISTING] = 410

    async def run() -> list[tuple[str, str | None, int]]:
        told = []
        async with desk(tmp_path / "a.db", site, feed()) as one:
            for revive in (True, False, True, False):
                report = await discover(one, feed(), revive=revive)
                told.append((report.status, report.error_kind, site.asked[LISTING]))
                site.clock.move(days=400)
                due = await one.archive.due_feeds()  # type: ignore[attr-defined]
                assert [one.name for one in due] == ([] if report.status == "gone" else ["wire"])
                site.answers[LISTING] = rss(item(1)) if len(told) == 2 else 410
        return told

    assert asyncio.run(run()) == [("gone", "gone", 1), ("gone", "gone", 1), ("stale", None, 2), ("gone", "gone", 3)]


def test_a_listing_that_fails_leaves_what_is_stored_and_is_not_hidden_by_a_304(tmp_path: Path, site: Site) -> None:
    site.etags[LISTING] = '"good"'
    polled(tmp_path, site)
    site.etags[LISTING], site.answers[LISTING] = '"bad"', b"<html>maintenance</html>"
    assert [one.status for one in polled(tmp_path, site, 2)] == ["not_a_feed", "not_a_feed"]
    with Reader(tmp_path / "a.db") as reader:
        assert reader.totals()["articles"] == 2


def test_an_empty_feed_that_answers_304_is_still_empty_and_a_quiet_one_becomes_stale(
    tmp_path: Path, site: Site
) -> None:
    site.etags[LISTING] = '"same"'
    statuses = [one.status for one in polled(tmp_path, site, 3, hours=13)]
    assert statuses == ["ok", "unchanged", "stale"]
    site.etags[LISTING], site.answers[LISTING] = '"none"', rss()
    assert [one.status for one in polled(tmp_path, site, 2)] == ["empty", "empty"]


def test_promise_7_a_date_without_a_zone_is_read_in_the_feeds_and_none_is_never_now(tmp_path: Path, site: Site) -> None:
    dated = (
        "<item><title>第1号快讯</title><link>https://wire.example/news/1.html</link>"
        "<pubDate>2026-11-23 15:10:07</pubDate></item>"
    )
    undated = (
        "<item><title>第2号快讯</title><link>https://wire.example/news/2.html</link><pubDate>刚刚</pubDate></item>"
    )
    site.answers[LISTING] = rss(dated, undated)

    async def run() -> None:
        zoned = feed(zone="Asia/Shanghai")
        async with desk(tmp_path / "a.db", site, zoned) as one:
            await poll(one, zoned)

    asyncio.run(run())
    with Reader(tmp_path / "a.db") as reader:
        first, second = (reader.article(f"url:{link(n)}") for n in (1, 2))
    assert first is not None
    assert second is not None
    assert (first["published"], second["published"]) == ("2026-11-23T07:10:07Z", None)
    assert second["date"] == "2026-11-23T08:00:00Z"
    assert "date: Mon, 23 Nov 2026 08:00:00 GMT\n" in str(second["document"])


def test_full_text_in_the_listing_needs_no_page_and_pages_false_takes_what_there_is(tmp_path: Path, site: Site) -> None:
    full = f"<content:encoded><![CDATA[<p>{'全文' * 120}。</p>]]></content:encoded>"
    listing = rss(item(1, extra=full), item(2, extra="<description>短讯。</description>")).replace(
        b'<rss version="2.0">', b'<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/">'
    )
    site.answers[LISTING] = listing

    async def run(one_feed: object, path: Path) -> None:
        async with desk(path, site, one_feed) as one:  # type: ignore[arg-type]
            await poll(one, one_feed)  # type: ignore[arg-type]

    asyncio.run(run(feed(), tmp_path / "a.db"))
    assert (site.asked[link(1)], site.asked[link(2)]) == (0, 1)
    asyncio.run(run(feed(pages="false"), tmp_path / "b.db"))
    assert (site.asked[link(1)], site.asked[link(2)]) == (0, 1)
    with Reader(tmp_path / "b.db") as reader:
        bodies = [str(row["body"]) for row in reader.articles()]
    assert sorted(bodies, key=len) == ["短讯。", f"<p>{'全文' * 120}。</p>"]


def test_texts_that_need_no_page_are_stored_in_few_commits(tmp_path: Path, site: Site) -> None:
    full = "<content:encoded>" + "全文。" * 100 + "</content:encoded>"
    site.answers |= {LISTING: rss(*(item(number, extra=full) for number in range(40)))}
    polled(tmp_path, site)
    with closing(sqlite3.connect(tmp_path / "a.db")) as db:
        (commits,) = db.execute("SELECT count(*) FROM commits").fetchone()
        (articles,) = db.execute("SELECT count(*) FROM articles WHERE revision IS NOT NULL").fetchone()
    assert (articles, commits <= 5) == (40, True)


def test_no_more_pages_are_asked_for_at_once_than_there_are_to_be(tmp_path: Path, site: Site) -> None:
    site.answers |= {LISTING: rss(*(item(number) for number in range(30))), **urls(list(range(30)))}
    under_way, most = 0, 0

    async def counted(request: Request) -> Page:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        return await site(request)

    async def run() -> None:
        async with desk(tmp_path / "a.db", site, feed()) as one:
            await poll(replace(one, fetch=counted, fetches=3), feed())
            assert await one.archive.due() == 0

    asyncio.run(run())
    assert most == 3


def test_gone_pages_and_films_become_link_only_articles_with_their_reason(tmp_path: Path, site: Site) -> None:
    film = "<item><title>发布会录像</title><link>https://video.sina.com.cn/p/1.html</link><guid>f</guid></item>"
    site.answers |= {LISTING: rss(item(1), item(2), film), link(1): 404, link(2): 410}
    assert polled(tmp_path, site)[0].failed == 0
    with Reader(tmp_path / "a.db") as reader:
        assert sorted(str(row["reason"]) for row in reader.articles()) == ["gone", "not_found", "video"]


def test_every_revision_s_document_can_be_made_again_byte_for_byte(tmp_path: Path, site: Site) -> None:
    film = "<item><title>发布会&lt;录像&gt;</title><link>https://video.sina.com.cn/p/1.html</link><guid>f</guid></item>"
    site.answers |= {LISTING: rss(item(1), item(2), film), link(1): page(1, "初稿"), link(2): 410}
    polled(tmp_path, site)
    edited = item(1, "第1号快讯（更新）")
    site.answers |= {LISTING: rss(edited, item(2), film), link(1): page(1, "改稿", title="第1号快讯（更新）")}
    polled(tmp_path, site)
    with Reader(tmp_path / "a.db") as reader:
        current = {str(row["key"]): str(row["document"]) for row in reader.articles()}
        found = list(reader.revisions())
    assert sorted(one.n for one in found) == [1, 1, 1, 2]
    made = [rendered(one.content, one.key, one.categories, one.date, one.placeholder or "unknown") for one in found]
    assert [hashlib.sha256(text.encode()).hexdigest() for text in made] == [one.document_sha256 for one in found]
    assert dict(zip((one.key for one in found), made, strict=True)) == current


def test_a_budget_is_spent_on_articles_only(tmp_path: Path, site: Site) -> None:
    quiet, wire = feed("quiet", "https://quiet.example/"), feed()
    site.answers |= {quiet.url: rss(), LISTING: rss(*(item(n) for n in range(9))), **urls(range(9))}

    async def run() -> list[int]:
        async with desk(tmp_path / "a.db", site, quiet, wire) as one:
            for each in (quiet, wire):
                await discover(one, each)
            budget = Budget(4)
            return [len(await collect(one, each, budget)) for each in (quiet, wire, wire)]

    assert asyncio.run(run()) == [0, 4, 0]


def test_promise_1_an_edit_announced_while_the_page_is_on_its_way_is_fetched_too(tmp_path: Path, site: Site) -> None:
    edited = {LISTING: rss(item(1, "更正"), item(2)), link(1): page(1, "更正后的正文。", title="更正")}

    async def run() -> None:
        async with desk(tmp_path / "a.db", site, feed()) as one:

            async def slow(request: Request) -> Page:
                answer = await site(request)
                if request.url == link(1) and site.asked[link(1)] == 1:
                    site.answers |= edited
                    await discover(one, feed())
                return answer

            await poll(replace(one, fetch=slow), feed())

    asyncio.run(run())
    with Reader(tmp_path / "a.db") as reader:
        row = reader.article(f"url:{link(1)}")
        assert row is not None
        assert (row["title"], row["revision"], reader.totals()["pending"]) == ("更正", 2, 0)
    assert (site.asked[link(1)], site.asked[link(2)]) == (2, 1)


def test_cancelled_in_the_middle_nothing_settled_is_lost_and_the_rest_waits(tmp_path: Path, site: Site) -> None:
    numbers = range(1, 31)
    site.answers |= {LISTING: rss(*(item(n) for n in numbers)), **urls(list(numbers))}
    reached = asyncio.Event()

    async def halting(request: Request) -> Page:
        if request.url == link(20):
            reached.set()
            await asyncio.Event().wait()
        return await site(request)

    async def interrupted() -> None:
        async with desk(tmp_path / "a.db", site, feed()) as one:
            stuck: Desk = replace(one, fetch=halting, workers=1)
            work = asyncio.create_task(poll(stuck, feed()))
            await reached.wait()
            work.cancel()
            with pytest.raises(asyncio.CancelledError):
                await work

    asyncio.run(interrupted())
    with Reader(tmp_path / "a.db") as reader:
        settled = reader.totals()
    assert (settled["articles"], settled["pending"]) == (19, 11)
    polled(tmp_path, site)
    with Reader(tmp_path / "a.db") as reader:
        assert reader.totals()["articles"] == 30
    assert {site.asked[link(n)] for n in numbers} == {1}
