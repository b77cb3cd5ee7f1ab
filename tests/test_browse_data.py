"""What browsing gives other programs: feeds of ours, JSON, CSV that is safe, documents and stored pages as they are."""

from __future__ import annotations

import asyncio
import csv
import io
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import feedparser
import pytest
from test_pages import asked
from world import Clock, Site, desk, feed, item, link, page, rss

from aggregator.archive import Reader, SqliteArchive
from aggregator.articles.rules import built_in
from aggregator.pipeline import poll

pytest.importorskip("datasette", reason="the extra [browse] is not installed")
WIRES = (feed("新浪 要闻", "https://wire.example/a.xml"), feed("b~c", "https://wire.example/b.xml"))
FORMULA = '=HYPERLINK("http://evil.example","央行")'

TITLES = {1: "央行全面降准", 2: "第2号快讯", 3: FORMULA, 4: "央行，数字经济", 5: "第5号快讯"}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five articles of two feeds, indexed; a title is a formula, a page is in GB 18030."""
    path = tmp_path_factory.mktemp("data") / "新浪 2026.db"
    first, second = WIRES
    gbk = page(2).decode().replace("<head>", '<head><meta charset="gb18030">').encode("gb18030")
    site = Site(Clock(), {
        first.url: rss(*(item(number, TITLES[number]) for number in (1, 2, 3))),
        second.url: rss(*(item(number, TITLES[number]) for number in (4, 5))),
        **{link(number): page(number, title=title) for number, title in TITLES.items()},
        link(2): gbk,
    })  # fmt: skip

    async def run() -> None:
        async with desk(path, site, first, second) as one:
            await poll(one, first)
            site.clock.move(days=1)
            await poll(one, second)
            archive = one.archive
            assert isinstance(archive, SqliteArchive)
            await archive.catch_up(built_in())

    asyncio.run(run())
    return path


HOME = "/~E6~96~B0~E6~B5~AA+2026"


def got(archive: Path, *addresses: str, **headers: str) -> list[Any]:
    return asked(*addresses, of=(archive,), **headers)


def titles(text: str) -> list[str]:
    found = feedparser.parse(text)
    assert not found.bozo, found.bozo_exception
    return sorted(entry.title for entry in found.entries)


def test_a_feed_has_the_full_text_of_its_articles_and_no_other(archive: Path) -> None:
    for name in ("~E6~96~B0~E6~B5~AA+~E8~A6~81~E9~97~BB", quote("新浪 要闻")):
        (atom,) = got(archive, f"{HOME}/feed/{name}.atom")
        assert (atom.status_code, atom.headers["content-type"]) == (200, "application/atom+xml; charset=utf-8")
        assert titles(atom.text) == sorted(["央行全面降准", "第2号快讯", FORMULA])
    found = feedparser.parse(atom.text)
    assert found.feed.title == "新浪 要闻"
    assert all("年产能为" in entry.content[0].value for entry in found.entries)
    assert urlsplit(found.feed.links[0].href).path == f"{HOME}/feed/{name}.atom"
    (told,) = got(archive, f"{HOME}/feed/b~c.json")
    assert told.headers["content-type"] == "application/feed+json; charset=utf-8"
    assert sorted(one["title"] for one in told.json()["items"]) == ["央行，数字经济", "第5号快讯"]
    assert got(archive, f"{HOME}/feed/nothing.atom")[0].status_code == 404


COUNTS = {
    **{"": 5, "?q=央行": 3, "?q=央行+-数字": 2, "?q=-央行": 0, "?symbol=sh600519": 0, "?media=nobody": 0},
    **{"?category=金融": 5, "?feed=b~c": 2, "?feed=b~c&q=央行": 1, "?since=2026-11-23&until=2026-11-23": 5},
    **{"?since=2026-11-24": 0, "?until=2026-11-22": 0},
}


def test_a_feed_of_a_search_of_a_stock_and_of_all(archive: Path) -> None:
    for query, count in COUNTS.items():
        (atom, told) = got(archive, f"{HOME}/feed.atom{query}", f"{HOME}/feed.json{query}")
        assert len(titles(atom.text)) == len(told.json()["items"]) == count, query
    ids = [feedparser.parse(got(archive, f"{HOME}/feed.atom?q={q}")[0].text).feed.id for q in ("央行", "经济")]
    assert len(set(ids)) == 2
    assert got(archive, f"{HOME}/feed.atom?since=yesterday")[0].status_code == 400


def test_a_reader_that_has_it_is_told_so(archive: Path) -> None:
    for address in (f"{HOME}/feed.atom", f"{HOME}/feed/b~c.json?q=央行"):
        (first,) = got(archive, address)
        tag = first.headers["etag"]
        for said in (tag, f"W/{tag}", f'"x", {tag}'):
            (second,) = got(archive, address, **{"if-none-match": said})
            assert (second.status_code, second.text, second.headers["etag"]) == (304, "", tag)
        assert got(archive, address, **{"if-none-match": '"x"'})[0].status_code == 200
    tags = {
        one.headers["etag"]
        for one in got(archive, f"{HOME}/feed.atom", f"{HOME}/feed.json", f"{HOME}/feed.atom?q=央行")
    }
    assert len(tags) == 3


def test_a_new_version_is_news(archive: Path, tmp_path: Path) -> None:
    copy = tmp_path / "a.db"
    with closing(sqlite3.connect(archive)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    (before,) = got(copy, "/a/feed.atom")
    site = Site(
        Clock(),
        {
            WIRES[0].url: rss(item(1, "央行降准（更正）")),
            link(1): page(1, "改为0.25个百分点。", title="央行降准（更正）"),
        },
    )
    site.clock.move(days=2)

    async def run() -> None:
        async with desk(copy, site, *WIRES) as one:
            await poll(one, WIRES[0])

    asyncio.run(run())
    (after,) = got(copy, "/a/feed.atom", **{"if-none-match": before.headers["etag"]})
    assert after.status_code == 200
    assert feedparser.parse(after.text).entries[0].title == "央行降准（更正）"


def test_without_a_name_the_first_archive_is_asked(archive: Path, tmp_path: Path) -> None:
    import searching

    searching.archive(tmp_path / "b.db", [("另一个", "公开市场", "新浪")])
    both = (archive, tmp_path / "b.db")
    first, named, other = asked("/feed.atom", f"{HOME}/feed.atom", "/b/feed.atom", of=both)
    assert len(titles(first.text)) == len(titles(named.text)) == 5
    assert titles(other.text) == []  # it has no documents


def test_articles_as_json_page_by_page(archive: Path) -> None:
    seen: list[Mapping[str, Any]] = []
    address: str | None = f"{HOME}/-/articles.json?limit=2"
    while address:
        (answer,) = got(archive, address)
        assert answer.status_code == 200, answer.text[:300]
        told = answer.json()
        assert len(told["articles"]) <= 2
        seen += told["articles"]
        address = told["next"] and told["next"].removeprefix("http://localhost")
    assert len({one["key"] for one in seen}) == len(seen) == 5
    assert all(one["text"] and one["categories"] == ["金融", "新浪财经", "新浪财经－国內"] for one in seen)
    (found,) = got(archive, f"{HOME}/-/articles.json?q=央行&limit=9999")
    assert (len(found.json()["articles"]), found.json()["next"]) == (3, None)


def test_x8_csv_holds_no_formula(archive: Path) -> None:
    (ours, stock, query) = got(archive, f"{HOME}/-/articles.csv", f"{HOME}/articles.csv?_col=title&_stream=1",
                               f"{HOME}/latest.csv")  # fmt: skip
    assert ours.text.startswith("\ufeff")
    for answer in (ours, stock, query):
        rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
        assert sorted(row["title"] for row in rows) == sorted(
            ["央行全面降准", "第2号快讯", f"'{FORMULA}", "央行，数字经济", "第5号快讯"]
        )
    assert "attachment" in ours.headers["content-disposition"]
    (week,) = got(archive, f"{HOME}/-/articles.csv?since=2026-11-23&until=2026-11-23&feed=b~c")
    assert len(week.text.strip().splitlines()) >= 3


@pytest.mark.parametrize("cut", [1, 2, 3, 7, 1000])
def test_csv_is_made_safe_however_it_is_cut(cut: int) -> None:
    from aggregator.browse.spreadsheets import SafeRows

    rows = [["id", "title"], ["-5", "=1+1"], ["1.5e-3", 'a"b\r\n=c'], ["+1", "＝x"], ["-x", "央行"], ["", "@"]]
    stream = io.StringIO()
    csv.writer(stream).writerows(rows)
    whole = stream.getvalue().encode()
    safe = SafeRows()
    chunks = [whole[at : at + cut] for at in range(0, len(whole), cut)]
    made = b"".join(safe.through(chunk, last=False) for chunk in chunks) + safe.through(b"", last=True)
    wanted = [["id", "title"], ["-5", "'=1+1"], ["1.5e-3", 'a"b\r\n=c'], ["'+1", "'＝x"], ["'-x", "央行"], ["", "'@"]]
    assert list(csv.reader(io.StringIO(made.decode(), newline=""))) == wanted


def test_a_document_is_as_it_is_exported(archive: Path) -> None:
    with Reader(archive) as reader:
        documents = dict(reader.documents())
        keys = [str(row["key"]) for row in reader.articles()]
    answers = got(archive, *(f"{HOME}/-/document/{quote(key, safe='')}.md" for key in keys))
    assert sorted(answer.content.decode() for answer in answers) == sorted(documents.values())
    for answer in answers:
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert got(archive, f"{HOME}/-/document/nothing.md")[0].status_code == 404


def test_a_page_is_the_bytes_that_came_and_runs_nothing(archive: Path) -> None:
    with closing(sqlite3.connect(archive)) as db:
        numbers = [row[0] for row in db.execute("SELECT id FROM pages ORDER BY id")]
    with Reader(archive) as reader:
        stored = {number: reader.page(number) for number in numbers}
    assert len(numbers) >= 10
    for number, answer in zip(numbers, got(archive, *(f"{HOME}/-/page/{number}" for number in numbers)), strict=True):
        assert answer.content == stored[number]
        assert answer.headers["content-type"].startswith("text/plain")
        assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
        assert answer.headers["x-content-type-options"] == "nosniff"
    for missing in ("0", "999999", "9" * 400):
        assert got(archive, f"{HOME}/-/page/{missing}")[0].status_code == 404


def test_pages_of_feeds_and_pictures_tell_what_is_known(archive: Path) -> None:
    english, chinese = {"accept-language": "en"}, {"accept-language": "zh"}
    for language in (english, chinese):
        addresses = (f"{HOME}/-/{name}" for name in ("feeds", f"feeds/{quote('新浪 要闻')}", "figures"))
        listed, one, drawn = got(archive, *addresses, **language)
        assert [answer.status_code for answer in (listed, one, drawn)] == [200, 200, 200]
        assert "新浪 要闻" in listed.text
        assert f"{HOME}/-/page/" in one.text
        assert drawn.text.count("<svg viewBox") > drawn.text.count("<table") >= 3
    assert got(archive, f"{HOME}/-/feeds/nothing")[0].status_code == 404


def test_the_articles_of_a_feed_come_by_their_last_versions(tmp_path: Path) -> None:
    import searching

    from aggregator.archive.opening import open_writer
    from aggregator.archive.rows import insert, transaction, update
    from aggregator.browse.sql.feeds import Asked, newest

    searching.archive(tmp_path / "a.db", [(f"第{n}号", "公开市场", "新浪财经") for n in range(1, 6)])
    db = open_writer(tmp_path / "a.db")
    with transaction(db):
        wire = {"id": 1, "name": "甲", "source": "feed", "url": "https://a.example/", "host": "a.example"}
        insert(db, "feeds", wire | {"categories": "[]", "position": 1, "every": 300})
        for number in (1, 2, 4, 5):
            insert(db, "entries", {"feed": 1, "article": number, "title": "第", "commit": 1})
        insert(db, "revisions", dict(next(db.query("SELECT * FROM revisions WHERE id = 1"))) | {"id": 6, "n": 2})
        update(db, "articles", 1, {"revision": 6})
        db.execute("UPDATE articles SET document = '-'")
    assert [newest(db.conn, Asked(feed=1), limit) for limit in (1, 3, 4, 50)] == [
        [6],
        [6, 5, 4],
        [6, 5, 4, 2],
        [6, 5, 4, 2],
    ]
    assert newest(db.conn, Asked(since="2026-01-01T00:00:00Z"), 50) == [6, 5, 4, 3, 2]
    assert newest(db.conn, Asked(until="2027-01-01T00:00:00Z", before=5), 50) == [4, 3, 2]
    db.close()
