"""The archive in Datasette: tables with titles, and a page to read an article on."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
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
    reading = html[html.index('<article class="reading"') : html.index("</article>")]
    shown, document = reading.split("<details>")
    assert "正文" in shown
    assert "<script" not in reading
    assert "onclick" not in shown
    assert "javascript:" not in shown
    assert "headimg: &#39;https://picsum.photos/" in document


def test_canned_queries_answer(archive: Path) -> None:
    answers = get(archive, *(f"/archive/{name}.json" for name in ("latest", "feed_health", "edited")))
    assert [status for status, _ in answers] == [200, 200, 200]
    assert "降准" in answers[0][1] or "\\u964d\\u51c6" in answers[0][1]


def test_plain_datasette_without_our_settings_makes_sense_of_the_file(archive: Path) -> None:
    from datasette.app import Datasette

    async def answer() -> str:
        plain = Datasette([str(archive)])
        (database,) = (one for name, one in plain.databases.items() if name != "_internal")
        return str((await plain.client.get(f"{plain.urls.database(database.name)}/articles.json?_shape=array")).text)

    assert '"first_seen": "2026-11-23T08:00:00Z"' in asyncio.run(answer())
