"""Deriving again: the rules change, and what they change is told, stored as theirs, and never as an edit."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlite_utils import Database
from test_articles import DOC, finance
from test_healing import configure, run
from test_revisions import TEXT, listing
from world import Clock, Site, desk, feed, item, rss

from aggregator.app import utc_now
from aggregator.archive import Reader
from aggregator.archive.revisions import Revision
from aggregator.articles.compose import rendered
from aggregator.articles.rules import Rules, built_in, with_rows
from aggregator.demo import Replica
from aggregator.pipeline import Derived, Desk, poll, renormalise

WIRE = feed()
AD = "<p class='offer'>本周特惠，欢迎订阅。</p>"
# What changes: a paragraph of a class is no longer part of the text; nothing is found any more.
WITHOUT_OFFERS = with_rows(built_in(), [{"name": "sina-finance-2018", "remove": (".offer",)}])
BLIND = replace(
    with_rows(built_in(), [{"name": "x", "hosts": ("x.example",), "body": ("p",)}]),
    rows=tuple(replace(row, body=("#nowhere",), between=None, mark="") for row in built_in().rows),
)


@asynccontextmanager
async def ruled(folder: Path, site: Site, rules: Rules) -> AsyncIterator[Desk]:
    """A desk whose rules are these."""
    async with desk(folder / "a.db", site, WIRE) as one:
        yield replace(one, rules=rules)


async def read(folder: Path, site: Site, rules: Rules, edit: int, page: str, title: str = "题") -> None:
    """The list announces an edit, and the page is read under these rules."""
    site.answers |= {WIRE.url: listing(edit, title), DOC: page.encode()}
    async with ruled(folder, site, rules) as one:
        await poll(one, WIRE)
    site.clock.move(hours=1)


async def derive(folder: Path, site: Site, rules: Rules, *, keep: bool = True) -> list[Derived]:
    """``renormalise`` under these rules; nothing may be asked of the network."""
    told: list[Derived] = []
    asked = site.asked.total()
    async with ruled(folder, site, rules) as one:
        await renormalise(one, [], told.append, keep=keep)
    assert site.asked.total() == asked
    return told


def history(folder: Path) -> list[Revision]:
    with Reader(folder / "a.db") as reader:
        found = list(reader.revisions())
        documents = [text for _, text in reader.documents()]
    last = found[-1]
    assert rendered(last.content, last.key, last.categories, last.date, last.placeholder or "") == documents[-1]
    return found


def test_what_the_rules_change_is_told_and_stored_as_theirs(tmp_path: Path) -> None:
    site = Site(Clock())

    async def work() -> None:
        await read(tmp_path, site, built_in(), 0, finance(TEXT + AD))
        planned = await derive(tmp_path, site, WITHOUT_OFFERS, keep=False)
        assert [row.cause for row in history(tmp_path)] == ["first"]
        done = await derive(tmp_path, site, WITHOUT_OFFERS)
        assert done == planned
        assert [[one.field for one in article.differences] for article in done] == [["text"]]
        assert [one.differences for one in await derive(tmp_path, site, WITHOUT_OFFERS)] == [()]

    asyncio.run(work())
    first, second = history(tmp_path)
    assert (second.n, second.cause, second.page, second.entry) == (2, "parser", first.page, first.entry)
    assert second.content.rules_version == WITHOUT_OFFERS.version
    assert second.content.html == first.content.html  # the document keeps what the text leaves out
    assert second.fingerprint != first.fingerprint


def test_what_cannot_be_read_under_new_rules_stays_and_is_reported(tmp_path: Path) -> None:
    site = Site(Clock())

    async def work() -> list[Derived]:
        await read(tmp_path, site, built_in(), 0, finance(TEXT))
        return await derive(tmp_path, site, BLIND)

    (told,) = asyncio.run(work())
    assert (told.error and told.error.kind, told.differences) == ("extract_failed", ())
    assert [row.cause for row in history(tmp_path)] == ["first"]


EDITED = TEXT.replace("平稳", "上行")


@pytest.mark.parametrize(
    ("page", "title", "causes", "titles"),
    [
        (TEXT + AD, "题", ["first", "parser"], ["题", "题"]),
        (EDITED + AD, "题", ["first", "parser", "changed"], ["题", "题", "题"]),
        (TEXT + AD, "新题", ["first", "parser", "changed"], ["题", "题", "新题"]),
        (TEXT, "题", ["first", "parser"], ["题", "题"]),  # what the source took out is nothing under the rules of now
    ],
    ids=["the same page", "an edit", "another title", "only the offer has gone"],
)
def test_an_edit_and_the_rules_are_told_apart_when_both_change(
    tmp_path: Path, page: str, title: str, causes: list[str], titles: list[str]
) -> None:
    site = Site(Clock())

    async def work() -> None:
        await read(tmp_path, site, built_in(), 0, finance(TEXT + AD))
        await read(tmp_path, site, WITHOUT_OFFERS, 1, finance(page), title)

    asyncio.run(work())
    found = history(tmp_path)
    assert [row.cause for row in found] == causes
    assert [row.content.title for row in found] == titles
    rows = Database(tmp_path / "a.db").execute("SELECT verdict IS NOT NULL, evidence IS NOT NULL FROM revisions")
    assert rows.fetchall() == [(cause == "changed",) * 2 for cause in causes]


def test_an_edit_after_deriving_again_is_an_edit(tmp_path: Path) -> None:
    site = Site(Clock())

    async def work() -> None:
        await read(tmp_path, site, built_in(), 0, finance(TEXT + AD))
        await derive(tmp_path, site, WITHOUT_OFFERS)
        await read(tmp_path, site, WITHOUT_OFFERS, 1, finance(EDITED + AD))
        await derive(tmp_path, site, WITHOUT_OFFERS)

    asyncio.run(work())
    assert [row.cause for row in history(tmp_path)] == ["first", "parser", "changed"]


def test_an_edit_that_cannot_be_told_apart_counts_as_one(tmp_path: Path) -> None:
    # The bytes of the old page are gone, so that nobody can say what the rules of now would have made of them.
    site = Site(Clock())

    async def work() -> None:
        await read(tmp_path, site, built_in(), 0, finance(TEXT))
        db = Database(tmp_path / "a.db")
        db.execute("UPDATE pages SET bytes = NULL")
        db.conn.commit()
        db.close()
        (told,) = await derive(tmp_path, site, WITHOUT_OFFERS)
        assert told.error
        assert told.error.kind == "no_page"
        await read(tmp_path, site, WITHOUT_OFFERS, 1, finance(EDITED))

    asyncio.run(work())
    assert [row.cause for row in history(tmp_path)] == ["first", "changed"]


def test_what_has_no_page_is_derived_from_its_listing(tmp_path: Path) -> None:
    site = Site(Clock())
    full = "<content:encoded>" + "&lt;p&gt;央行今日开展公开市场操作。&lt;/p&gt;" * 20 + "</content:encoded>"
    video = item(2).replace("https://wire.example/news/2.html", "https://video.sina.com.cn/p/finance/2.html")

    async def work() -> list[Derived]:
        site.answers[WIRE.url] = rss(item(1, extra=full), video, item(3))
        async with ruled(tmp_path, site, built_in()) as one:
            await poll(one, WIRE)
        return await derive(tmp_path, site, built_in())

    assert [(one.differences, one.error) for one in asyncio.run(work())] == [((), None)] * 3
    with Reader(tmp_path / "a.db") as reader:
        assert {row.content.reason for row in reader.revisions()} == {None, "video", "not_found"}


def test_the_command_over_a_whole_archive(tmp_path: Path) -> None:
    started = utc_now()
    with Replica(lambda: started) as replica:
        configure(tmp_path, replica)
        run(tmp_path, "fetch", "sina-domestic")
        asked = replica.requests.total()
        told = json.loads(run(tmp_path, "renormalise", "--json").stdout)
        assert told["articles"] >= 40
        assert (told["revised"], told["unreadable"]) == (0, [])

        configure(tmp_path, replica, 'rules:\n  - {name: sina-finance-2018, editor: "#nowhere"}\n')
        run(tmp_path, "export", "--to", "out")
        planned = json.loads(run(tmp_path, "renormalise", "--feed", "sina-domestic", "--dry-run", "--json").stdout)
        done = json.loads(run(tmp_path, "renormalise", "--json").stdout)
        assert planned == done
        assert done["revised"] > 10
        assert done["fields"]["editor"]["examples"][0]["after"] is None
        assert json.loads(run(tmp_path, "renormalise", "--json").stdout)["revised"] == 0
        assert replica.requests.total() == asked
    assert run(tmp_path, "renormalise", "--feed", "nobody").returncode == 2
    key = done["fields"]["editor"]["examples"][0]["key"]
    with Reader(tmp_path / "archive.db") as reader:
        assert [row.cause for row in reader.revisions() if row.key == key] == ["first", "parser"]
