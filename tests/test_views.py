"""The views that other programs rely on: their columns are as they were promised, and hold what the archive holds."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database
from world import Clock, Site, desk, feed, item, link, page, rss

from aggregator.archive.opening import open_reader
from aggregator.archive.schema import migrations
from aggregator.pipeline import poll

# The contract. A column that is not here any more, or stands elsewhere, breaks programs of others: make a ``v2`` then.
COLUMNS = {
    "v1_articles": "id key title url published first_seen seen media author editor feed categories keywords symbols"
    " version reason absence absent_since cover body document",
    "v1_entries": "id feed article key seen guid link title published published_text updated ctime mtime intime author"
    " media summary content categories symbols page",
    "v1_polls": "id feed at status listed new changed error_kind error warnings page",
    "v1_revisions": "id article key version cause seen title original_title url published modified author media editor"
    " categories keywords symbols cover reason verdict evidence fingerprint parser rules rule page body",
    "v1_symbols": "symbol key title media url published available_at exchange tradable_at",
}
DOCS = (Path(__file__).resolve().parent.parent / "docs" / "archive.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two articles, one of them edited, and a poll that failed."""
    path = tmp_path_factory.mktemp("views") / "archive.db"
    wire, clock = feed(), Clock()
    site = Site(clock, {wire.url: rss(item(1), item(2)), link(1): page(1), link(2): page(2)})

    async def run() -> None:
        async with desk(path, site, wire) as one:
            await poll(one, wire)
            clock.move(hours=1)
            site.answers |= {wire.url: rss(item(1, "第1号快讯（更正）"), item(2))}
            site.answers[link(1)] = page(1, "第1号工厂的年产能应为100万吨。")
            await poll(one, wire)
            clock.move(hours=1)
            site.answers[wire.url] = 503
            await poll(one, wire)

    asyncio.run(run())
    return path


def test_their_columns_are_as_promised() -> None:
    with closing(Database(memory=True).conn) as conn:
        db = Database(conn)
        migrations.apply(db)
        found = {name: " ".join(db[name].columns_dict) for name in db.view_names()}
    assert found == COLUMNS


@pytest.mark.parametrize("view", COLUMNS)
def test_every_column_is_described(view: str) -> None:
    text = DOCS[DOCS.index(f"`{view}`") :]
    table = text[text.index("| column |") :].split("\n\n")[0]
    described = re.findall(r"\w+", " ".join(re.findall(r"(?m)^\| ([\w, ]+) \|", table)))
    assert sorted(described) == sorted(["column", *COLUMNS[view].split()])


def test_they_hold_what_the_archive_holds(archive: Path) -> None:
    with closing(open_reader(archive).conn) as conn:
        db = Database(conn)
        articles = {str(row["url"]): row for row in db.query("SELECT * FROM v1_articles")}
        first = articles[link(1)]
        assert (first["title"], first["version"], first["feed"]) == ("第1号快讯（更正）", 2, "wire")
        assert "100万吨" in str(first["body"])
        assert json.loads(str(first["categories"])) == ["金融", "新浪财经", "新浪财经－国內"]
        assert str(first["document"]).startswith("\n---")
        assert str(first["first_seen"]) < str(first["seen"])
        assert (articles[link(2)]["version"], articles[link(2)]["absence"]) == (1, None)
        versions = [(row["version"], row["cause"]) for row in db.query("SELECT * FROM v1_revisions ORDER BY id")]
        assert sorted(versions) == [(1, "first"), (1, "first"), (2, "changed")]
        entries = list(db.query("SELECT * FROM v1_entries WHERE key = ?", [first["key"]]))
        assert [row["title"] for row in entries] == ["第1号快讯", "第1号快讯（更正）"]
        assert {row["article"] for row in entries} == {first["id"]}
        polls = list(db.query("SELECT * FROM v1_polls ORDER BY at"))
        assert (polls[0]["new"], polls[0]["changed"], polls[0]["error_kind"]) == (2, 0, None)
        assert polls[-1]["error_kind"] is not None


def test_an_article_costs_the_view_what_it_costs_the_table(archive: Path) -> None:
    """No plan of the usual questions walks over a table."""
    asked = (
        "v1_articles ORDER BY published DESC LIMIT 20",
        "v1_articles WHERE key = 'k'",
        "v1_articles WHERE published >= '2026' ORDER BY published LIMIT 20",
        "v1_articles WHERE id > 7 ORDER BY id LIMIT 20",
        "v1_entries WHERE article = 1",
        "v1_revisions WHERE article = 1 ORDER BY version",
        "v1_revisions ORDER BY id DESC LIMIT 20",
        "v1_polls ORDER BY id DESC LIMIT 20",
    )
    with closing(open_reader(archive).conn) as conn:
        for question in asked:
            plan = [row[3] for row in conn.execute(f"EXPLAIN QUERY PLAN SELECT * FROM {question}")]
            walks = [step for step in plan if step.startswith(("SCAN", "USE TEMP"))]
            outer = [step for step in walks if not re.match(r"SCAN [aerp]( USING INDEX articles_published)?$", step)]
            assert (outer, len(walks) <= 1) == ([], True), (question, plan)
