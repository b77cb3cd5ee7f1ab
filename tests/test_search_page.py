"""The search page, held against the plainest matcher, and against SQL for its facets."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlencode

import pytest
import searching
from test_front_page import query
from test_pages import CHINESE, asked
from world import Clock

pytest.importorskip("datasette", reason="the extra [browse] is not installed")
WORDS = ("央行", "数字经济", "LPR报价", "央", "存款", "公开市场", "gdp")
ROWS = searching.articles(random.Random(8), 300)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("search") / "a.db"
    searching.archive(path, ROWS)
    return path


def found(archive: Path, **values: object) -> Any:
    address = f"/{archive.stem}/-/search?{urlencode(values, doseq=True)}"
    (answer,) = asked(address, of=(archive,), **CHINESE)
    assert answer.status_code == 200
    return answer.text


def count(text: str) -> int:
    said = re.search(r">\s*(\d+) 篇", text.partition('role="status"')[2])
    return int(said[1]) if said else 0


def numbers(text: str) -> list[int]:
    return [int(one) for one in re.findall(r'"headline" href="/\w+/articles/(\d+)"', text)]


@pytest.mark.parametrize("words", WORDS)
def test_as_many_hits_as_the_reference_matcher(archive: Path, words: str) -> None:
    expected = searching.Corpus.of(ROWS).matches(words)
    pages = [found(archive, q=words, page=page) for page in range(1, len(expected) // 20 + 2)]
    assert count(pages[0]) == len(expected)
    seen = [number for page in pages for number in numbers(page)]
    assert sorted(seen) == sorted(expected)


def test_words_are_marked_and_everything_is_escaped(archive: Path, tmp_path: Path) -> None:
    for hit in found(archive, q="央行").split("<li><h2>")[1:]:
        assert "<mark>央行</mark>" in hit.partition("</li>")[0]
    loud = tmp_path / "x.db"
    searching.archive(
        loud, [("央行<script>alert(1)</script>", "<b>央行</b><img src=x onerror=alert(1)>", "<i>媒体</i>")]
    )
    page = found(loud, q='央行 "<script>')
    assert "<script>alert" not in page
    assert "onerror=alert(1)>" not in page
    assert "&lt;script&gt;" in page
    assert "<i>媒体" not in page


def test_facets_count_and_narrow(demo_archive: Path) -> None:
    text = found(demo_archive, q="增长")
    sql = (
        "SELECT a.id, r.media, f.name FROM articles a JOIN revisions r ON r.id = a.revision"
        " JOIN feeds f ON f.id = a.home_feed"
    )
    known = {number: (media, feed) for number, media, feed in query(demo_archive, sql)}
    hits = [one for page in range(1, 9) for one in numbers(found(demo_archive, q="增长", page=page))]
    assert len(hits) == len(set(hits)) == count(text)
    for place, facet in enumerate(("媒体", "频道")):
        section = text.partition(f"<h2>{facet}</h2>")[2].partition("</section>")[0]
        shown = re.findall(r'<a href="([^"]+)">([^<]+)</a> <span class="numbers soft">(\d+)</span>', section)
        expected = Counter(known[number][place] for number in hits)
        for address, value, n in shown:
            assert expected[value] == int(n)
            (narrowed,) = asked(unescape(address), of=(demo_archive,), **CHINESE)
            assert count(narrowed.text) == int(n)
            assert 'aria-current="true"' in narrowed.text


def test_a_search_can_be_followed_as_a_feed(archive: Path) -> None:
    links = re.findall(r'<a href="([^"]+)">(?:Atom|JSON Feed)</a>', found(archive, q="央行"))
    assert len(links) == 2
    for answer in asked(*map(unescape, links), of=(archive,)):
        assert answer.status_code == 200
        assert "央行" in answer.text


def followed(archive: Path, **values: object) -> list[str]:
    links = re.findall(r'<a href="([^"]+)">(?:Atom|JSON Feed)</a>', found(archive, **values))
    return [unescape(link) for link in links]


def test_the_feed_of_a_narrowed_search_has_just_what_it_finds(demo_archive: Path) -> None:
    sql = "SELECT symbol FROM symbols GROUP BY 1 ORDER BY count(DISTINCT article) DESC, 1 LIMIT 3"
    symbols = [symbol for (symbol,) in query(demo_archive, sql)]
    media = "环宇财讯"
    for values in ({"symbol": symbols}, {"symbol": symbols[:1], "q": "增长"}, {"symbol": symbols, "media": media}):
        wanted = {number for page in (1, 2) for number in numbers(found(demo_archive, page=page, **values))}
        assert len(wanted) < 40
        _, told = followed(demo_archive, **values)
        (answer,) = asked(told, of=(demo_archive,))
        ids = "SELECT id FROM articles WHERE url IN (SELECT value FROM json_each(?)) AND document NOT NULL"
        urls = json.dumps([item["url"] for item in answer.json()["items"]])
        assert {number for (number,) in query(demo_archive, ids, urls)} == wanted, values
        assert all(symbol in unquote(answer.json()["feed_url"]) for symbol in values["symbol"])
    for ended in ({"month": "2026-11"}, {"q": "增长", "media": [media, "x"]}, {"q": "增长", "feed": "sina-banking"}):
        assert followed(demo_archive, **ended) == []


def test_months_are_shanghais(demo_archive: Path) -> None:
    section = found(demo_archive).partition("<h2>月份</h2>")[2].partition("</section>")[0]
    sql = (
        "SELECT strftime('%Y-%m', coalesce(published, first_seen), '+8 hours'), count(*) FROM articles"
        " WHERE revision NOT NULL GROUP BY 1"
    )
    shown = re.findall(r'">([0-9-]+)</a> <span class="numbers soft">(\d+)', section)
    assert {(month, int(n)) for month, n in shown} == set(query(demo_archive, sql))


def test_a_stocks_code_leads_to_its_articles_and_a_day_narrows(demo_archive: Path) -> None:
    for code, symbol in {"600519": "sh600519", "SH600519": "sh600519", "1810": "hk01810", "pdd": "us:PDD"}.items():
        assert f'href="/archive/-/search?{urlencode({"symbol": symbol})}"' in found(demo_archive, q=code), code
    assert "notice" not in found(demo_archive, q="增长")
    sql = (
        "SELECT strftime('%Y-%m-%d', published, '+8 hours'), count(*) FROM articles WHERE revision NOT NULL GROUP BY 1"
    )
    for day, n in query(demo_archive, sql):
        assert count(found(demo_archive, day=day)) == n
    assert count(found(demo_archive, day="yesterday")) == count(found(demo_archive))


def test_a_symbol_alone_and_no_words_at_all(demo_archive: Path) -> None:
    ((symbol, n),) = query(demo_archive, "SELECT symbol, count(*) FROM symbols GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1")
    assert count(found(demo_archive, symbol=symbol)) == n
    ((all_of_them,),) = query(demo_archive, "SELECT count(*) FROM articles WHERE revision NOT NULL")
    assert count(found(demo_archive)) == all_of_them


def test_hits_by_time_and_as_of_an_instant(demo_archive: Path) -> None:
    text = found(demo_archive, q="增长", sort="time")
    times = re.findall(r'<p class="about"><time datetime="([^"]+)"', text)
    assert times == sorted(times, reverse=True)
    ((first,),) = query(demo_archive, "SELECT strftime('%Y-%m-%dT%H:%M', min(at), '+8 hours') FROM commits")
    later = found(demo_archive, q="增长", as_of="2999-01-01")
    assert count(later) == count(text)
    address = f"/archive/-/search?q={quote('增长')}&as_of={first}"
    (before,) = asked(address, of=(demo_archive,), **CHINESE)
    assert before.status_code == 404


def test_an_earlier_version_is_found_as_of_its_time(demo_archive: Path) -> None:
    sql = (
        'SELECT r.article, r.title, c.at FROM revisions r JOIN commits c ON c.seq = r."commit" WHERE r.n = 1'
        " AND r.article = (SELECT article FROM revisions WHERE n = 2)"
    )
    ((number, title, at),) = query(demo_archive, sql)
    words = re.findall(r"[\u4e00-\u9fff]{4,}", title)[0]
    page = found(demo_archive, q=words, as_of=at)
    assert f'/archive/articles/{number}?n=1"' in page


def test_more_hits_than_are_looked_at_are_told(tmp_path: Path) -> None:
    searching.archive(tmp_path / "many.db", [("央行", "公开市场", "新浪财经")] * 10_050)
    text = found(tmp_path / "many.db", q="央行", page=500)
    assert count(text) == 10_000
    assert "只看最近收录的 10000 条结果" in text
    assert len(numbers(text)) == 20
    assert min(numbers(text)) > 50


@pytest.mark.parametrize("words", ['"', "-央行", "《》", "AND", "a" * 5000, "\0", "title:", "NEAR(央 行)"])
def test_any_text_is_a_query(archive: Path, words: str) -> None:
    text = found(archive, q=words, page="99999", sort="x", month="x")
    assert "没有" in text


def test_what_is_remembered_of_versions_gives_way_to_what_happens(tmp_path: Path) -> None:
    """A server that has answered before sees a new version, a feed's new name and that an article was forgotten."""
    import asyncio

    from datasette.app import Datasette

    from aggregator.archive.forgetting import forget
    from aggregator.archive.opening import open_writer
    from aggregator.archive.rows import insert, transaction, update
    from aggregator.browse.serving import plugged

    searching.archive(tmp_path / "a.db", [("央行全面降准", "公开市场操作", "新浪财经"), ("央行", "存款", "晚报")])
    db = open_writer(tmp_path / "a.db")
    feed = {"id": 1, "name": "宏观", "source": "feed", "url": "https://wire.example/", "host": "wire.example"}

    def edited() -> None:
        """The first article's second version has no 央行 and another medium."""
        stamp = insert(db, "commits", {"at": "2026-11-25T00:00:00Z", "digest": "-"})
        version = dict(db.query("SELECT * FROM revisions WHERE id = 1").__next__())
        version |= {"id": 3, "n": 2, "title": "全面降准", "media": "日报", "commit": stamp}
        insert(db, "revisions", version)
        update(db, "articles", 1, {"revision": 3})

    async def told(words: str, **more: str) -> tuple[int, list[str]]:
        query = urlencode({"q": words, "lang": "zh", **more})
        page = (await served.client.get(f"/a/-/search?{query}")).text
        return count(page), re.findall(r'">([^<]+)</a> <span class="numbers soft">', page.partition("<aside")[2])

    async def story() -> None:
        assert await told("央行") == (2, ["晚报", "新浪财经", "2026-03", "2026-02", "金融", "新浪", "国内"])
        with transaction(db):
            edited()
            insert(db, "feeds", feed | {"categories": "[]", "position": 1, "every": 300})
            update(db, "articles", 1, {"home_feed": 1})
        searching.index_all(db)
        assert (await told("央行"))[0] == 1
        assert (await told("降准"))[1][:2] == ["宏观", "日报"]
        assert (await told("央行", as_of="2026-11-24T23:00"))[0] == 2
        with transaction(db):
            update(db, "feeds", 1, {"name": "国内"})
        assert (await told("降准"))[1][0] == "国内"
        assert (await told("降准", feed="国内"))[0] == 1
        assert (await told("降准", feed="宏观"))[0] == 0
        forget(db, Clock(datetime(2026, 11, 26, tzinfo=UTC)), 1)
        assert (await told("降准"))[0] == 0
        assert (await told("央行", as_of="2026-11-24T23:00"))[0] == 1

    plugged()
    served = Datasette([str(tmp_path / "a.db")])
    asyncio.run(story())
    db.close()
