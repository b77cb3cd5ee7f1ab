"""Retention: what is said beforehand is what is dropped, pages before texts, and nothing that was not configured."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from hostile import program
from sqlite_utils import Database
from test_archive import WIRE
from test_keeping import checked, command
from world import Clock, Site, desk, item, listened, rss, urls

from aggregator.app import poll_feed
from aggregator.archive import Reader, SqliteArchive
from aggregator.archive.retention import Due, Keep
from aggregator.archive.searching import Wanted
from aggregator.archive.verifying import kept_head
from aggregator.config import parse
from aggregator.errors import ConfigError
from aggregator.pipeline import poll
from aggregator.text.query import match_of
from aggregator.text.query import parse as parse_query
from aggregator.upkeep import Upkeep

DAY = 86_400


@pytest.fixture
def site() -> Site:
    return Site(Clock(), urls((1, 2, 3, 4)))


@pytest.fixture
def archive(tmp_path: Path, site: Site) -> Path:
    """Two articles of the first day, one of the hundredth."""
    polled(tmp_path / "archive.db", site, 1, 2)
    site.clock.move(days=100)
    polled(tmp_path / "archive.db", site, 1, 2, 3)
    return tmp_path / "archive.db"


def polled(path: Path, site: Site, *numbers: int) -> None:
    async def run() -> None:
        site.answers[WIRE.url] = rss(*map(item, numbers))
        async with desk(path, site, WIRE) as at:
            await poll(at, WIRE)
            assert isinstance(at.archive, SqliteArchive)
            await at.archive.catch_up(at.rules)

    asyncio.run(run())


def searched(path: Path, words: str) -> list[str]:
    """The titles that a search finds."""
    with Reader(path) as reader:
        return sorted(hit.title for hit in reader.search(Wanted(match_of(parse_query(words)) or "")))


def dropped(path: Path, site: Site, keep: Keep) -> list[Due]:
    """What was dropped, which is what was said before."""
    with Reader(path) as reader:
        said = reader.no_longer_kept(site.clock(), {"wire": keep}, Keep())

    async def run() -> list[Due]:
        async with desk(path, site, WIRE) as at:
            return await at.archive.retain({"wire": keep}, Keep())  # type: ignore[attr-defined, no-any-return]

    done = asyncio.run(run())
    assert done == said
    return done


def test_by_default_nothing_is_dropped(archive: Path, site: Site) -> None:
    assert dropped(archive, site, Keep()) == []
    assert dropped(archive, site, Keep(pages=101 * DAY)) == []


def test_old_pages_go_and_texts_stay(archive: Path, site: Site) -> None:
    kept = kept_head(archive)
    with Reader(archive) as reader:
        before = list(reader.articles())
    (due,) = dropped(archive, site, Keep(pages=90 * DAY))
    assert (due.feed, len(due.pages), due.texts) == ("wire", 4, ())
    assert due.page_bytes > 1000
    with Reader(archive) as reader:
        assert list(reader.articles()) == before
    done = checked(archive, kept.digest if kept else None)
    assert (done.damages, done.counts["pages without bytes"], done.counts["documents"]) == ((), 4, 3)
    assert dropped(archive, site, Keep(pages=90 * DAY)) == []


def test_texts_go_after_them_and_the_chain_and_what_is_known_stay(archive: Path, site: Site) -> None:
    kept = kept_head(archive)
    assert len(searched(archive, "body:年产能")) == 3
    (due,) = dropped(archive, site, Keep(90 * DAY, 90 * DAY))
    assert len(due.texts) == 2
    assert searched(archive, "body:年产能") == ["第3号快讯"]
    assert searched(archive, "title:快讯") == ["第1号快讯", "第2号快讯", "第3号快讯"]
    assert checked(archive, kept.digest if kept else None).damages == ()
    with Reader(archive) as reader:
        rows = {row["title"]: (row["body"], row["document"]) for row in reader.articles()}
    assert [title for title, (body, _) in rows.items() if not body] == ["第1号快讯", "第2号快讯"]
    asked = sum(site.asked.values())
    polled(archive, site, 1, 2, 3)
    polled(archive, site, 1, 2, 3, 4)
    assert sum(site.asked.values()) == asked + 3  # two listings and the new page: nothing is fetched again
    assert checked(archive).damages == ()


def test_an_article_that_waits_keeps_its_page(archive: Path, site: Site) -> None:
    db = Database(archive)
    db.execute("INSERT INTO work (article, host, state) VALUES (1, 'wire.example', 'failed')")
    db.conn.commit()
    db.close()
    (due,) = dropped(archive, site, Keep(90 * DAY, 90 * DAY))
    assert due.texts == (2,)
    db = Database(archive)
    whole = dict(db.execute("SELECT article, bytes NOT NULL FROM revisions r JOIN pages p ON p.id = r.page").fetchall())
    db.close()
    assert whole == {1: 1, 2: 0, 3: 1}


def test_the_daemon_does_it_where_it_is_configured(tmp_path: Path) -> None:
    async def run(days: str) -> list[str]:
        log, said = listened()
        clock = Clock()
        async with program(tmp_path, clock, defaults=f"retention: {{pages: {days}}}") as (app, _):
            for feed in app.desk.feeds.values():
                await poll_feed(app, feed)
            clock.move(days=2)
            upkeep = Upkeep(app, log)
            await upkeep.tick()
            await upkeep.idle()
        return [
            (one["event"], one["feed"], one["pages"], one["texts"])
            for one in said
            if one["event"] == "retention.dropped"
        ]

    assert asyncio.run(run("never")) == []
    dropped = "retention.dropped"
    assert asyncio.run(run("1d")) == [(dropped, "bad", 4, 0), (dropped, "good", 4, 0)]


def test_the_configuration_and_the_command(archive: Path) -> None:
    feeds = f"feeds: [{{name: wire, source: feed, url: '{WIRE.url}', retention: {{pages: 1d, texts: never}}}}]"
    (archive.parent / "config.yaml").write_text(f"archive: archive.db\n{feeds}\n")
    (said,) = json.loads(command(archive.parent, "retention", "--dry-run", "--json"))
    assert said["pages"] == 4  # the third article's are of a day that is still to come
    assert json.loads(command(archive.parent, "retention", "--json")) == [said]
    assert json.loads(command(archive.parent, "retention", "--drop", "--json")) == [said]
    assert json.loads(command(archive.parent, "retention", "--json")) == []


@pytest.mark.parametrize("wrong", ["{texts: 1y}", "{pages: 2y, texts: 1y}", "{pages: 0s}", "{pages: old}"])
def test_texts_never_go_before_pages(wrong: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="retention"):
        parse(f"defaults: {{retention: {wrong}}}\nfeeds: []\n", tmp_path / "config.yaml")


def test_a_feed_has_its_own(tmp_path: Path) -> None:
    rows = "feeds:\n- {name: a, source: feed, url: 'https://a.example/', retention: {pages: 30d, texts: 5y}}\n"
    rows += "- {name: b, source: feed, url: 'https://b.example/'}\n"
    found = parse(f"defaults: {{retention: {{pages: 90d}}}}\n{rows}", tmp_path / "config.yaml").retention()
    assert [(row.pages, row.texts) for row in found.values()] == [(30 * DAY, 5 * 365 * DAY), (90 * DAY, None)]
