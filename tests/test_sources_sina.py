"""Sina's lists beside the roll API: 7x24 flashes, columns, companies; and that nobody's data is kept of them."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest
from hostile import program, routes
from sina_lists import READER, STAFF, column, company, flash, live
from sqlite_utils import Database
from web_server import reply
from world import Clock, page

from aggregator.app import poll_feed
from aggregator.config import parse as parse_config
from aggregator.errors import ConfigError, ParseError
from aggregator.identity.keys import keys_of
from aggregator.model import Entry, Listing, Page, SourceName
from aggregator.opml.terms import source_of
from aggregator.sources import SOURCES, parsed, sniff
from aggregator.sources.people import ORIGINAL, redacted

ROOT = Path(__file__).resolve().parent.parent
LIVE = "https://zhibo.sina.com.cn/api/zhibo/feed?zhibo_id=152&tag_id=0&dire=f&dpc=1"
COLUMN = "https://finance.sina.com.cn/roll/c/56592.shtml"
NEWS = "https://vip.stock.finance.sina.com.cn/corp/go.php/vCB_AllNewsStock/symbol/sz300750.phtml"
BULLETINS = "https://vip.stock.finance.sina.com.cn/corp/go.php/vCB_AllBulletin/stockid/600519.phtml"
ADDRESSES = {"sina-live": LIVE, "sina-column": COLUMN, "sina-company": NEWS}
PEOPLE = [*STAFF, *READER, "读者的话"]


def answered(body: bytes, url: str = LIVE, **headers: str) -> Page:
    return Page(url, url, 200, headers, body, datetime(2026, 11, 23, 8, 0, tzinfo=UTC))


def read(body: bytes, url: str = LIVE) -> Listing:
    source = next(name for name, address in [*ADDRESSES.items(), ("sina-company", BULLETINS)] if address == url)
    return SOURCES[source].parse(redacted(answered(body, url)), None)


def only(listing: Listing) -> Entry:
    (entry,) = listing.entries
    return entry


def test_the_names_of_the_sources_are_told_once() -> None:
    assert set(get_args(SourceName)) == set(SOURCES)


def test_a_flash_is_an_article_until_it_has_a_page() -> None:
    text = "【某厂：新线投产】某厂今日表示，位于某市的新生产线已经投产。（某某时报）"
    stocks = [
        {"market": "cn", "symbol": "sh600718"},
        {"market": "hk", "symbol": "00700"},
        {"market": "us", "symbol": "msft"},
    ]
    one = only(read(live(flash(5103048, text, stocks=stocks))))
    assert one.id == "sina:live:152:5103048"
    assert one.link == "https://wap.cj.sina.cn/pc/7x24/5103048"
    assert (one.title, one.media, one.full_text) == ("某厂：新线投产", "某某时报", True)
    assert one.published == datetime(2026, 11, 23, 7, 58, 1, tzinfo=UTC)
    assert (one.categories, one.symbols) == (("公司",), ("sh600718", "hk00700", "us:MSFT"))
    assert one.content == f"<p>{text}</p>"
    paged = only(read(live(flash(5103048, text, docid="nitmeau2811260"))))
    assert (paged.id, paged.full_text) == (one.id, False)
    keys = [keys_of("x", [entry])[0] for entry in (one, paged)]
    assert keys[0][0] == "sina:live:152:5103048"
    assert keys[1][:2] == ("sina:comos:nitmeau2811260", "sina:live:152:5103048")


def test_a_flash_without_a_headline_is_named_by_its_first_words_and_a_deleted_one_is_none() -> None:
    words = "某市气象台今日发布暴雨预警，" * 9
    listing = read(live(flash(2, words), flash(3, "撤回", is_delete=1), flash(0, "没有编号") | {"id": "x"}))
    assert only(listing).title == words[:60]
    assert listing.warnings == ("item 3 left out: no id",)


def test_only_the_docid_is_enough_to_find_the_page() -> None:
    item = flash(7, "快讯", docid="nitmeau2811260") | {"docurl": "", "ext": json.dumps({"docid": "nitmeau2811260"})}
    assert only(read(live(item))).link == "https://doc.sina.cn/?id=comos:nitmeau2811260"


def test_counters_are_no_change_and_words_are() -> None:
    def digest(*items: dict[str, object]) -> str:
        return SOURCES["sina-live"].digest(answered(live(*items)))

    one = flash(1, "甲")
    assert digest(one) == digest(one | {"like_nums": 7, "view_num": "4万"}) != digest(one | {"rich_text": "乙"})


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (live(code=7).replace(b'"list": []', b'"list": null'), "api_error"),
        (b"<html>x</html>", "not_a_feed"),
        (b"{}", "not_a_feed"),
    ],
)
def test_an_answer_without_a_list_is_an_error(body: bytes, kind: str) -> None:
    with pytest.raises(ParseError) as raised:
        read(body)
    assert raised.value.kind == kind


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (LIVE + "&page=3&pagesize=9", "zhibo_id=152&tag_id=0&dire=f&dpc=1&page=1&page_size=100"),
        ("https://app.cj.sina.com.cn/api/news/pc?tag=0&size=10", "tag=0&page=1&size=50"),
    ],
)
def test_as_much_is_asked_for_as_the_server_gives(asked: str, expected: str) -> None:
    assert SOURCES["sina-live"].address(asked).partition("?")[2] == expected


def test_a_column_has_no_year_and_its_addresses_have() -> None:
    base = "https://finance.sina.com.cn/stock/s"
    rows = [
        (f"{base}/2026-11-23/doc-initmear8308661.shtml", "甲 & 乙", "11月23日 08:15"),
        (f"{base}/2027-01-01/doc-initmear8308662.shtml", "跨年", "12月31日 23:59"),
        ("https://finance.sina.cn/stock/ssgs/2026-11-22/detail-initkpex8566217.d.html", "手机版", "11月22日 07:00"),
        ("https://finance.sina.com.cn/zt_d/topic", "专题", "12月30日 10:00"),
        ("javascript:void(0)", "无", "11月23日 08:15"),
    ]
    listing = read(column(rows, printed="2027-01-01 00:10:00"), COLUMN)
    at = [(one.title, f"{one.published:%Y-%m-%dT%H:%M}") for one in listing.entries]
    assert at == [
        ("甲 & 乙", "2026-11-23T00:15"),
        ("跨年", "2026-12-31T15:59"),
        ("手机版", "2026-11-21T23:00"),
        ("专题", "2026-12-30T02:00"),
    ]
    assert listing.warnings == ("item 5 left out: no address",)
    keys = [one[0] for one in keys_of("x", listing.entries)]
    assert keys[:3] == ["sina:comos:nitmear8308661", "sina:comos:nitmear8308662", "sina:comos:nitkpex8566217"]


def test_companies_news_and_announcements_name_the_company() -> None:
    news = read(
        company(
            [
                (
                    "2026-11-22&nbsp;11:41",
                    "//finance.sina.com.cn/stock/s/2026-11-22/doc-initmear8308661.shtml",
                    "㐂某新闻",
                ),
                (
                    "2026-11-21&nbsp;09:00",
                    "https://finance.sina.com.cn/b/2026-11-21/doc-initmear8308662.shtml",
                    "第二条",
                ),
            ]
        ),
        NEWS,
    )
    assert [(one.title, one.symbols) for one in news.entries] == [
        ("㐂某新闻", ("sz300750",)),
        ("第二条", ("sz300750",)),
    ]
    assert news.entries[0].published == datetime(2026, 11, 22, 3, 41, tzinfo=UTC)
    row = ("2026-11-20", "/corp/view/vCB_AllBulletinDetail.php?stockid=600519&id=12412088", "某公司：回购进展公告")
    bulletin = only(read(company([row]), BULLETINS))
    assert (bulletin.symbols, bulletin.published) == (("sh600519",), datetime(2026, 11, 19, 16, 0, tzinfo=UTC))
    assert keys_of("x", [bulletin])[0][0] == "sina:bulletin:12412088"


@pytest.mark.parametrize("source", ["sina-column", "sina-company"])
def test_a_page_without_a_list_is_an_error_and_a_challenge_is_told(source: str) -> None:
    for body, kind in (
        (b"<html><body><p>x</p></body></html>", "not_a_feed"),
        ("<html>安全验证</html>".encode(), "blocked"),
    ):
        with pytest.raises(ParseError) as raised:
            SOURCES[source].parse(answered(body, ADDRESSES[source]), None)
        assert raised.value.kind == kind


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (live(flash(1, "甲")), "sina-live"),
        (live(flash(1, "甲"), callback="cb"), "sina-live"),
        (column([("https://finance.sina.com.cn/a", "甲", "11月23日 08:15")]), "sina-column"),
        (company([("2026-11-22", "//finance.sina.com.cn/a", "甲")]), "sina-company"),
        (b'{"result":{"status":{"code":0},"data":[]}}', "sina-roll"),
        (b"<rss><channel/></rss>", "feed"),
    ],
)
def test_a_list_of_unknown_origin_is_told_by_its_content(body: bytes, name: str) -> None:
    assert sniff(redacted(answered(body))) == name
    assert parsed(answered(body), None, None).format in (name, "rss20", "rss")


@pytest.mark.parametrize(("source", "url"), ADDRESSES.items())
def test_addresses_tell_the_source_and_wrong_ones_are_mistakes(source: str, url: str) -> None:
    assert source_of(url) == source
    row = "feeds: [{{name: a, source: {}, url: '{}'}}]"
    assert parse_config(row.format(source, url), Path("config.yaml")).feeds[0].source == source
    with pytest.raises(ConfigError, match=f"is no address of {source}"):
        parse_config(row.format(source, "https://finance.sina.com.cn/"), Path("config.yaml"))


@pytest.mark.parametrize(
    "wrap", [lambda body: body, lambda body: b"cb(" + body + b");", lambda body: body.decode().encode("utf-16")]
)
def test_people_go_before_anything_else_and_the_hash_of_what_came_stays(wrap: object) -> None:
    body = wrap(live(flash(1, "甲厂投产")))  # type: ignore[operator]
    kept = redacted(answered(body))
    assert not [one for one in PEOPLE if one in kept.body.decode()]
    assert kept.headers[ORIGINAL] == hashlib.sha256(body).hexdigest()
    assert only(SOURCES["sina-live"].parse(kept, None)).title == "甲厂投产"
    plain = answered(b"<rss/>")
    assert redacted(plain) is plain
    assert redacted(answered(live(flash(1, "甲"))[:-9])).body == b""  # cut off: it cannot be read, and nothing is kept


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf\n", "\ufeff".encode("utf-16-le")])
def test_what_an_article_quotes_of_such_an_answer_stays(before: bytes) -> None:
    quoted = (
        '<rss><channel><item><title>接口</title><description>{"creator": "甲"}</description></item></channel></rss>'
    )
    listing = answered(before + quoted.encode("utf-16-le" if b"\xff" in before else "utf-8"))
    assert redacted(listing) is listing


@pytest.mark.parametrize("source", ["sina-live", "feed"])
def test_no_byte_of_a_person_is_in_archive_log_backup_or_web_archive(
    tmp_path: Path, source: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Also where somebody takes the API for a feed: a listing that cannot be read is kept whole."""
    pytest.importorskip("warcio")
    url = "http://bad.example/api/zhibo/feed?zhibo_id=152"
    answers = [
        live(flash(1, "【甲】甲厂投产，" + "产能扩大。" * 60)),
        live(flash(2, "乙"))[:-20],
        live(code=5, callback="x"),
    ]

    async def scene() -> None:
        clock = Clock()
        async with program(tmp_path, clock, source=source, url=url) as (app, server):
            for body in answers:
                server.routes |= routes({"/api/zhibo/feed": reply(200, body)})
                await poll_feed(app, app.desk.feeds["bad"])
                clock.move(hours=1)
            wal = (tmp_path / "archive.db-wal").read_bytes()
            assert wal
            assert not found(wal)
        assert not found(caplog.text.encode())

    def found(content: bytes) -> list[str]:
        return [one for one in PEOPLE if one.encode() in content]

    asyncio.run(scene())
    (tmp_path / "config.yaml").write_text("archive: archive.db\n", encoding="utf-8")
    for words in (
        ["export", "--warc", "all.warc.gz"],
        ["export", "--jsonl", "all.jsonl"],
        ["backup", "copy.db"],
        ["status"],
    ):
        call = [sys.executable, "-m", "aggregator", *words, "--config", "config.yaml"]
        done = subprocess.run(
            call, cwd=tmp_path, capture_output=True, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
        )
        assert not found(done.stdout + done.stderr)
    for file in tmp_path.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert not found(content), file
            if file.suffix == ".gz":
                assert not found(gzip.decompress(content)), file
    db = Database(tmp_path / "archive.db")
    pages = db.execute("SELECT count(*) FROM pages").fetchone()[0]
    assert pages
    assert bool(db.execute("SELECT count(*) FROM articles WHERE key LIKE 'sina:%'").fetchone()[0]) == (
        source == "sina-live"
    )
    db.close()


def test_a_flash_becomes_an_article_of_its_page_when_there_is_one(tmp_path: Path) -> None:
    url = "http://bad.example/api/zhibo/feed?zhibo_id=152"
    text = "【某厂投产】某厂今日投产，年产能为九万吨。"
    own = page(9, title="某厂投产")

    async def scene() -> list[tuple[str, ...]]:
        clock = Clock()
        async with program(tmp_path, clock, source="sina-live", url=url) as (app, server):
            for item in (
                flash(9, text),
                flash(9, text) | {"docurl": "http://bad.example/7x24/doc-initmear8308661.shtml"},
            ):
                server.routes |= routes(
                    {"/api/zhibo/feed": reply(200, live(item)), "/7x24/doc-initmear8308661.shtml": reply(200, own)}
                )
                report = await poll_feed(app, app.desk.feeds["bad"])
                assert report.error is None
                clock.move(minutes=10)
        db = Database(tmp_path / "archive.db")
        rows = db.execute(
            "SELECT a.key, r.n, r.cause, r.body LIKE '%第9号工厂%' FROM revisions r JOIN articles a ON a.id = r.article"
            " WHERE a.key LIKE 'sina:%' ORDER BY n"
        )
        names = {row[0] for row in db.execute("SELECT key FROM keys")}
        told = rows.fetchall()
        db.close()
        assert {"sina:live:152:9", "sina:comos:nitmear8308661"} <= names
        return told

    assert asyncio.run(scene()) == [("sina:live:152:9", 1, "first", 0), ("sina:live:152:9", 2, "changed", 1)]


def test_real_answers_are_read_whole(shared: Path) -> None:
    folder = shared / "corpus" / "sina"
    flashes = read((folder / "zhibo_152_2026-09-19_EXCERPT.json").read_bytes())
    columns = read((folder / "column_56592_2026-09-29_LIST_EXCERPT.html").read_bytes(), COLUMN)
    assert (len(flashes.entries), flashes.warnings, columns.warnings) == (1, (), ())
    assert len(columns.entries) == 12
    assert all(one.published and one.title and one.link for one in (*flashes.entries, *columns.entries))
    assert b"staff@" not in b"".join(one.raw for one in flashes.entries)
