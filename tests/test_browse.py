"""The archive in Datasette: tables with titles, and a page to read an article on."""

from __future__ import annotations

import asyncio
import importlib
import json
import re
import sqlite3
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
import searching
from world import Clock, Site, desk, feed, item, link, page, rss

from aggregator.archive import Reader
from aggregator.pipeline import poll

pytest.importorskip("datasette", reason="the extra [browse] is not installed")
NASTY = '<p onclick="x()">正文<script>alert(1)</script><a href="javascript:alert(2)">链</a></p>' * 40


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("browse") / "新浪 2026.db"
    wire = feed(pages="false")
    extra = f"<description><![CDATA[{NASTY}]]></description>"
    listing = rss(item(1, "央行<b>降准</b>", extra=extra), item(2, extra="<description>短讯</description>"))
    site = Site(Clock(), {wire.url: listing, link(1): page(1)})

    async def run() -> None:
        async with desk(path, site, wire) as one:
            await poll(one, replace(wire))

    asyncio.run(run())
    return path


def get(archive: Path, *addresses: str) -> list[tuple[int, str]]:
    from aggregator.browse.serving import datasette_for

    async def answers() -> list[tuple[int, str]]:
        served = datasette_for(archive)
        return [(one.status_code, one.text) for one in [await served.client.get(address) for address in addresses]]

    return asyncio.run(answers())


def test_tables_have_titles_labels_and_facets_and_internals_are_hidden(archive: Path) -> None:
    (front, first), (table, listed) = get(archive, "/archive", "/archive/articles")
    assert (front, table) == (200, 200)
    assert "2 rows in 1 hidden table" not in first
    for name in ("articles", "revisions", "entries", "feeds", "Latest articles", "Feed health"):
        assert name in first
    assert 'href="/archive/articles/1">' in listed
    assert "home_feed" in listed


def test_an_articles_row_is_a_page_to_read_and_runs_nothing(archive: Path) -> None:
    with Reader(archive) as reader:
        rows: list[Mapping[str, object]] = list(reader.articles())
    number = 1 + [str(row["url"]) for row in rows].index(link(1))
    ((status, html),) = get(archive, f"/archive/articles/{number}")
    assert status == 200
    assert '<article class="reading"' in html
    shown, document = html[html.index('<article class="reading"') :].split('<pre id="document"')
    assert "正文" in shown
    assert "<script" not in shown
    assert "<script" not in document
    assert "onclick" not in shown
    assert "javascript:" not in shown
    assert "headimg: &#39;https://picsum.photos/" in document


def test_a_row_of_every_table_has_its_page(archive: Path) -> None:
    from aggregator.browse.metadata import QUIET

    tables = [name for name in QUIET if not name.startswith("v1_")]
    with closing(sqlite3.connect(archive)) as db:
        held = [name for name in tables if db.execute(f"SELECT 1 FROM {name} WHERE rowid = 1").fetchone()]
    assert {"articles", "revisions", "entries", "feeds"} <= set(held)
    answers = get(archive, *(f"/archive/{name}/1" for name in held))
    assert [name for name, (status, _) in zip(held, answers, strict=True) if status != 200] == []
    shown = dict(zip(held, answers, strict=True))["revisions"][1]
    assert 'href="?_all=1"' in shown
    assert '<nav class="crumbs"' in shown
    ((_, whole),) = get(archive, "/archive/revisions/1?_all=1")
    assert "col-fingerprint" in whole


def test_every_table_has_a_title_and_a_description_or_is_hidden(archive: Path) -> None:
    from aggregator.browse.metadata import TOLD

    tables = TOLD["tables"]
    with closing(sqlite3.connect(archive)) as db:
        names = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")}
    seen = {name for name in names if not name.startswith("revisions_fts")}
    assert set(tables) == seen
    told = {name for name, one in tables.items() if one.get("title") and one.get("description")}
    assert told == {name for name, one in tables.items() if not one.get("hidden")}


def test_tables_and_queries_have_titles_and_descriptions_in_chinese(archive: Path) -> None:
    from aggregator.browse.language import chinese
    from aggregator.browse.metadata import TOLD

    shown = {name: one for name, one in TOLD["tables"].items() if not one.get("hidden")} | TOLD["queries"]  # type: ignore[attr-defined, operator]
    assert set(chinese()) == set(shown)
    assert all(set(one) == {"title", "description"} and one["description"].endswith("。") for one in chinese().values())
    addresses = [f"/archive/{name}?lang=zh" for name in shown if name != "images"]
    for address, (status, html) in zip(addresses, get(archive, *addresses), strict=True):
        assert status == 200, address
        name = address.partition("?")[0].rpartition("/")[2]
        assert f"<h1>{chinese()[name]['title']}</h1>" in html, address
        assert "Custom SQL" not in html
        assert "This data as" not in html
    ((_, english),) = get(archive, "/archive/latest?lang=en")
    assert "<h1>Latest articles</h1>" in english


ASKED = {"by_day": "day=2026-11-23", "by_symbol": "symbol=sh600519", "search": "q=降准", "as_of": "as_of=2026-12-01"}


def test_every_canned_query_is_described_bounded_and_answers(archive: Path) -> None:
    from aggregator.browse.queries import QUERIES

    for name, query in QUERIES.items():
        assert query["title"], name
        assert query["description"].endswith("."), name
        assert re.search(r" limit \d+$", query["sql"]), name
    answers = get(archive, *(f"/archive/{name}.json?_shape=array&{ASKED.get(name, '')}" for name in QUERIES))
    assert [name for name, (status, _) in zip(QUERIES, answers, strict=True) if status != 200] == []
    rows = {name: json.loads(text) for name, (_, text) in zip(QUERIES, answers, strict=True)}
    # nothing is indexed here, compared or looked at again
    assert {name: len(found) for name, found in rows.items()} == {
        **{"latest": 2, "by_day": 2, "by_symbol": 0, "search": 0, "as_of": 2, "reprints": 0, "edited": 0, "gone": 0},
        **{"feed_health": 1, "coverage": 1, "missing": 0},
    }


def test_titles_of_tables_views_and_queries_lead_to_the_article(archive: Path) -> None:
    for address in (
        "articles",
        "v1_articles",
        "revisions",
        "v1_revisions",
        "entries",
        "latest",
        "as_of?as_of=2027-01-01",
    ):
        ((status, html),) = get(archive, f"/archive/{address}")
        assert status == 200
        assert len(set(re.findall(r'<a href="/archive/articles/[12]">(?:央行|第2号)', html))) == 2, address


def test_canned_queries_answer(archive: Path) -> None:
    answers = get(archive, *(f"/archive/{name}.json" for name in ("latest", "feed_health", "edited")))
    assert [status for status, _ in answers] == [200, 200, 200]
    assert "降准" in answers[0][1] or "\\u964d\\u51c6" in answers[0][1]


# Datasette loads what is installed but where this is set: it has no switch for people.
ALONE = "import sys; sys._called_from_test = True; from datasette.cli import cli; cli()"


def asked(archive: Path, address: str, *options: str) -> list[str]:
    """The titles a Datasette of its own finds, as its command line gives them, without plugins of the environment."""
    call = [sys.executable, "-c", ALONE, str(archive), *options, "--get", f"/{archive.stem}/{address}"]
    done = subprocess.run(call, capture_output=True, text=True, check=True)
    return sorted(row["title"] for row in json.loads(done.stdout))


def address(table: str, words: str, more: str = "") -> str:
    return f"{table}.json?_shape=array&_search={quote(words)}{more}"


@pytest.fixture(scope="module")
def searchable(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("search") / "archive.db"
    words = ("央行全面降准", "LPR报价：央行", "央行，降准", "数字经济")
    searching.archive(path, [(title, "公开市场", "新浪财经") for title in words])
    return path


def test_x12_search_in_datasette_without_anything_of_ours(searchable: Path) -> None:
    assert len(asked(searchable, address("revisions", "央行"))) == 3
    assert asked(searchable, address("revisions", "lpr")) == ["LPR报价：央行"]
    articles = "&_fts_table=revisions_fts&_fts_pk=revision"
    assert len(asked(searchable, address("articles", "央行 降准", articles))) == 2


def test_search_in_datasette_with_the_plugin_alone(searchable: Path, tmp_path: Path) -> None:
    (tmp_path / "ours.py").write_text("from aggregator.browse.plugin import *\n", encoding="utf-8")
    options = ("--plugins-dir", str(tmp_path))
    for words, count in (
        ("央行", 3),
        ("央", 3),
        ("数字经济", 1),
        ("lpr报价", 1),
        ("央行 -降准", 1),
        ('"', 0),
        ("AND", 0),
    ):
        assert len(asked(searchable, address("articles", words), *options)) == count, words
        assert len(asked(searchable, address("revisions", words), *options)) == count, words
    assert asked(searchable, f"search.json?_shape=array&q={quote('经济')}", *options) == ["数字经济"]


def test_the_plugin_leaves_other_databases_alone(tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    db = sqlite3.connect(other)
    db.execute("CREATE TABLE articles (number INTEGER, title TEXT)")
    db.execute("INSERT INTO articles VALUES (1, '数字经济')")
    db.execute("CREATE VIRTUAL TABLE f USING fts5(title, content='articles')")
    db.execute("INSERT INTO f(f) VALUES ('rebuild')")
    db.commit()
    db.close()
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "ours.py").write_text("from aggregator.browse.plugin import *\n", encoding="utf-8")
    options = ("--plugins-dir", str(tmp_path / "plugins"))
    assert asked(other, address("articles", "数字经济", "&_fts_table=f"), *options) == ["数字经济"]
    call = [sys.executable, "-m", "datasette", str(other), *options, "--get", "/other/articles/1"]
    page = subprocess.run(call, capture_output=True, text=True, check=True)
    assert "数字经济" in page.stdout


def test_the_plugin_is_declared(archive: Path) -> None:
    declared = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))
    (name,) = declared["project"]["entry-points"]["datasette"].values()
    assert hasattr(importlib.import_module(name), "prepare_connection")


def test_the_search_box_of_browse(searchable: Path) -> None:
    ((status, html),) = get(searchable, f"/archive/articles?_search={quote('降准')}")
    assert status == 200
    assert "2 rows" in html
    assert 'name="_search"' in html


def test_rows_are_counted_right_before_and_after_more_come(tmp_path: Path) -> None:
    from aggregator.archive.opening import open_writer
    from aggregator.browse.metadata import TOLD
    from aggregator.browse.serving import datasette_for

    searching.archive(tmp_path / "a.db", [("央行", "公开市场", "新浪财经")] * 3)
    served = datasette_for(tmp_path / "a.db")
    tables = [name for name, one in TOLD["tables"].items() if not one.get("hidden") and name != "images"]  # type: ignore[attr-defined]

    async def counts() -> dict[str, int]:
        answers = {name: await served.client.get(f"/archive/{name}.json?_size=1") for name in tables}
        return {name: answer.json()["filtered_table_rows_count"] for name, answer in answers.items()}

    def really() -> dict[str, int]:
        with closing(sqlite3.connect(tmp_path / "a.db")) as db:
            return {name: db.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables}

    before = really()
    assert asyncio.run(counts()) == before
    db = open_writer(tmp_path / "a.db")
    searching.fill(db, [("数字经济", "公开市场", "新浪财经")] * 4)
    db.execute("UPDATE articles SET revision = NULL WHERE id = 7")  # as one that is still to be had
    db.close()
    after = really()
    assert asyncio.run(counts()) == after
    assert (before["articles"], after["articles"], after["v1_articles"], after["v1_revisions"]) == (3, 7, 6, 7)
    told = asyncio.run(served.client.get("/archive.json")).json()["tables"]
    assert {one["name"]: one["count"] for one in told if not one["hidden"] and one["name"] in tables} == {
        name: count for name, count in after.items() if not name.startswith("v1_")
    }


def test_a_search_of_the_table_gives_the_newest_first_unless_it_says_otherwise(searchable: Path) -> None:
    wanted = address("articles", "央行", "&_col=title")
    for more, numbers in (("", [3, 2, 1]), ("&_sort=id", [1, 2, 3]), ("&_sort_desc=title", [3, 1, 2])):
        ((status, text),) = get(searchable, f"/archive/{wanted}{more}")
        assert status == 200
        assert [row["id"] for row in json.loads(text)] == numbers
    ((_, html),) = get(searchable, f"/archive/articles?_search={quote('央行')}&_facet=media")
    assert 'data-column="media"' in html


def test_plain_datasette_without_our_settings_makes_sense_of_the_file(archive: Path) -> None:
    from datasette.app import Datasette

    async def answer() -> str:
        plain = Datasette([str(archive)])
        (database,) = (one for name, one in plain.databases.items() if name != "_internal")
        return str((await plain.client.get(f"{plain.urls.database(database.name)}/articles.json?_shape=array")).text)

    assert '"first_seen": "2026-11-23T08:00:00Z"' in asyncio.run(answer())
