"""What leaves the archive for other programs: every view is read back by a program that is not ours."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import feedparser
import pytest
from lxml import etree
from world import START, Clock, Site, desk, feed, item, link, rss

from aggregator.archive import SqliteArchive
from aggregator.articles.rules import built_in
from aggregator.export.feeds import Head, entry_id, write_atom, write_json_feed
from aggregator.export.tables import COLUMNS, write_csv, write_jsonl, write_parquet
from aggregator.export.warc import write_warc
from aggregator.model import Page
from aggregator.pipeline import poll
from aggregator.text.dates import parse_iso

HEAD = Head("urn:aggregator:feed:wire", "电讯 & <要闻>", "https://archive.example/feed/wire.atom")


def row(key: str, **more: object) -> dict[str, object]:
    """An article as the archive gives it."""
    values: dict[str, object] = dict.fromkeys(COLUMNS)
    values |= {"key": key, "url": f"https://wire.example/{key}", "title": f"标题{key}", "feed": "wire"}
    values |= {
        "first_seen": "2026-11-23T08:00:05Z",
        "seen": "2026-11-23T08:00:07Z",
        "published": "2026-11-23T07:30:00Z",
    }
    values |= {"media": "某报", "categories": ["财经", "快讯", "wire"], "keywords": ["储能"], "symbols": ["sh600519"]}
    return values | {"text": "正文。", "body": "<p>正文。</p>"} | more


_SCRIPT = '<p onclick="x()">甲 &amp; 乙<script>1</script></p>'
ROWS = [
    row("sina:comos:nabc"),
    row(
        'url:https://a.example/?x=1&y="q"',
        title='引号"与<标签>&amp;',
        body='<p onclick="x()">甲 &amp; 乙<script>1</script></p>',
    ),
    row("guid:wire:a b", url="https://a.example/带空格 的", title="=1+1", published=None, media=None, author="@作者"),
    row("sina:comos:nfilm", body="", text="只有链接", reason="video", keywords=[], symbols=[]),
    row("sina:comos:nodd", title="控制\x07字符\ud800", body="<p>\x0b行</p>"),
]


def atom(rows: list[dict[str, object]] = ROWS) -> bytes:
    stream = io.BytesIO()
    assert write_atom(stream, HEAD, rows) == len(rows)
    return stream.getvalue()


def test_a_feed_reader_gets_the_same_fields_back_from_atom() -> None:
    read = feedparser.parse(atom())
    assert not read.bozo
    assert (read.feed.id, read.feed.title, read.feed.links[0].href) == (HEAD.id, "电讯 & <要闻>", HEAD.address)
    for entry, given in zip(read.entries, ROWS, strict=True):
        assert entry.id == entry_id(str(given["key"]))
        assert entry.updated == given["seen"]
        assert entry.get("published") == given["published"]
        assert entry.author == (given["author"] or given["media"])
        terms = [str(one) for name in ("categories", "keywords", "symbols") for one in given[name] or []]  # type: ignore[union-attr]
        assert [tag.term for tag in entry.get("tags", [])] == terms
    assert [entry.title for entry in read.entries[:3]] == ["标题sina:comos:nabc", '引号"与<标签>&amp;', "=1+1"]
    assert [entry.content[0].value for entry in read.entries[:2]] == ["<p>正文。</p>", "<p>甲 & 乙</p>"]
    assert read.entries[3].content[0].value == "只有链接"


def test_atom_holds_what_its_rfc_demands() -> None:
    tree = etree.fromstring(atom())
    name = "{http://www.w3.org/2005/Atom}"
    assert tree.tag == f"{name}feed"
    for element in (tree, *tree.findall(f"{name}entry")):
        for wanted in ("id", "title", "updated"):
            assert len(element.findall(f"{name}{wanted}")) == 1
        parse_iso(element.findtext(f"{name}updated") or "")
    ids = [element.text for element in tree.iter(f"{name}id")]
    assert len(set(ids)) == len(ids) == len(ROWS) + 1
    assert all(one and one.isascii() and " " not in one for one in ids)
    links = [link.get("href") or "" for link in tree.iter(f"{name}link")]
    assert all(link.isascii() and not {*link} & {*' "<>'} for link in links)
    assert feedparser.parse(atom([])).feed.updated == "1970-01-01T00:00:00Z"


def test_a_json_feed_holds_the_same() -> None:
    stream = io.BytesIO()
    assert write_json_feed(stream, HEAD, ROWS) == len(ROWS)
    feed = json.loads(stream.getvalue())
    assert (feed["version"], feed["title"]) == ("https://jsonfeed.org/version/1.1", HEAD.title)
    assert [item["id"] for item in feed["items"]] == [entry_id(str(one["key"])) for one in ROWS]
    assert feed["items"][1]["content_html"] == "<p>甲 & 乙</p>"
    assert "date_published" not in feed["items"][2]


def test_json_lines_give_back_every_field() -> None:
    stream = io.BytesIO()
    assert write_jsonl(stream, ROWS[:4]) == 4
    lines = stream.getvalue().decode().splitlines()
    assert [json.loads(line) for line in lines] == [{name: one[name] for name in COLUMNS} for one in ROWS[:4]]
    assert "标题" in lines[0]


def test_csv_is_text_to_a_spreadsheet() -> None:
    stream = io.BytesIO()
    assert write_csv(stream, ROWS[:4]) == 4
    text = stream.getvalue().decode()
    assert text.startswith("\ufeffkey,url,title")
    read = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [one["title"] for one in read] == [
        "标题sina:comos:nabc",
        '引号"与<标签>&amp;',
        "'=1+1",
        "标题sina:comos:nfilm",
    ]
    assert (read[2]["author"], read[0]["categories"]) == ("'@作者", "财经; 快讯; wire")


def test_x8_what_a_spreadsheet_would_calculate_stays_text() -> None:
    stream = io.BytesIO()
    cells = ["\t=1+1", "\r=1+1", "=1+1", "＝cmd", "@SUM(A1)", "-5%", "涨5%", 'a"b,c', ["甲", "乙"], -5, None]
    assert write_csv(stream, [{"x": cell} for cell in cells], ["x"]) == len(cells)
    read = [one[0] for one in csv.reader(io.StringIO(stream.getvalue().decode().removeprefix("\ufeff")))]
    assert read == [
        "x",
        "'\t=1+1",
        "'\r=1+1",
        "'=1+1",
        "'＝cmd",
        "'@SUM(A1)",
        "'-5%",
        "涨5%",
        'a"b,c',
        "甲; 乙",
        "-5",
        "",
    ]


def test_parquet_has_instants_and_lists() -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra [parquet] is not installed")
    stream = io.BytesIO()
    assert write_parquet(stream, iter(ROWS[:4])) == 4
    read: list[Mapping[str, object]] = parquet.read_table(io.BytesIO(stream.getvalue())).to_pylist()
    assert [one["key"] for one in read] == [one["key"] for one in ROWS[:4]]
    assert read[0]["published"] == datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
    assert (read[2]["published"], read[0]["categories"]) == (None, ["财经", "快讯", "wire"])


PAGES = [
    Page("https://a.example/1", "https://a.example/2", 200, {"content-type": "text/html", "content-encoding": "gzip"},
         "<p>一</p>".encode(), START, ("https://a.example/1b",)),
    Page("https://a.example/3", "https://a.example/3", 404, {"content-type": "text/html"}, b"", START),
]  # fmt: skip


# warcio leaves the buffers in which it hashes to the garbage collector
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_warc_is_read_record_by_record_with_its_digests() -> None:
    archiveiterator = pytest.importorskip("warcio.archiveiterator", reason="the extra [warc] is not installed")
    stream = io.BytesIO()
    assert write_warc(stream, PAGES, START) == 2
    records = []
    for record in archiveiterator.ArchiveIterator(io.BytesIO(stream.getvalue()), check_digests="raise"):
        kept = record.http_headers.get_header("x-archive-orig-content-encoding") if record.http_headers else None
        records.append(
            (record.rec_type, record.rec_headers.get_header("WARC-Target-URI"), kept, record.raw_stream.read())
        )
    assert [one[:3] for one in records[1:]] == [
        ("response", "https://a.example/2", "gzip"),
        ("response", "https://a.example/3", None),
    ]
    assert (records[0][0], records[1][3]) == ("warcinfo", PAGES[0].body)
    again = io.BytesIO()
    write_warc(again, PAGES, START)
    assert again.getvalue() == stream.getvalue()


def item_with(number: int, text: str) -> tuple[str, bytes]:
    """An item of the wire and its page, which names a symbol."""
    paragraphs = "".join(f"<p>{text}这是第{n}段，说明项目的背景、投资规模与市场前景。</p>" for n in range(6))
    body = f"<html><head><title>第{number}号快讯</title></head><body><article>{paragraphs}</article></body></html>"
    return item(number), body.encode()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with an archive of three articles of a wire, one of a second feed, too, and its configuration."""
    wire, other = feed(), feed("other", "https://other.example/feed.xml")
    made = [item_with(1, "央行今日降准。"), item_with(2, "工厂投产。"), item_with(3, "央行公开市场操作。")]
    site = Site(Clock(), {link(n): page for n, (_, page) in enumerate(made, 1)})
    site.answers |= {wire.url: rss(*(one for one, _ in made)), other.url: rss(made[1][0])}

    async def run() -> None:
        async with desk(tmp_path / "a.db", site, wire, other) as one:
            await poll(one, wire)
            await poll(one, other)
            assert isinstance(one.archive, SqliteArchive)
            while await one.archive.catch_up(built_in()):
                pass

    asyncio.run(run())
    (tmp_path / "config.yaml").write_text("archive: a.db\n", encoding="utf-8")
    return tmp_path


def export(home: Path, *words: str, code: int = 0) -> bytes:
    """What ``aggregator export`` prints on standard output."""
    command = [sys.executable, "-m", "aggregator", "export", *words, "--config", str(home / "config.yaml")]
    done = subprocess.run(command, cwd=home, capture_output=True, timeout=60)
    assert done.returncode == code, done.stderr.decode()
    return done.stdout if code == 0 else done.stderr


def titles(lines: bytes) -> list[str]:
    return [json.loads(line)["title"] for line in lines.decode().splitlines()]


def test_chosen_articles_go_to_one_file(home: Path) -> None:
    every = ["第1号快讯", "第2号快讯", "第3号快讯"]
    assert titles(export(home, "--jsonl", "-")) == every
    assert titles(export(home, "--jsonl", "-", "--search", "央行")) == [every[0], every[2]]
    assert titles(export(home, "--jsonl", "-", "--feed", "other")) == [every[1]]
    assert titles(export(home, "--jsonl", "-", "--since", "2026-12")) == []
    assert titles(export(home, "--jsonl", "-", "--category", "新浪财经", "--category", "nothing")) == every
    assert titles(export(home, "--jsonl", "-", "--category", "nothing")) == []
    assert titles(export(home, "--jsonl", "-", "--media", "没有的报")) == []
    assert len(titles(export(home, "--jsonl", "-", "--limit", "2"))) == 2
    text = json.loads(export(home, "--jsonl", "-", "--search", "投产").splitlines()[0])
    assert (text["text"].count("工厂投产。"), text["feed"], text["body"][:3]) == (6, "wire", "<p>")


def test_every_view_is_written_whole_and_the_same_again(home: Path) -> None:
    pytest.importorskip("pyarrow", reason="the extra [parquet] is not installed")
    warcio = pytest.importorskip("warcio.archiveiterator", reason="the extra [warc] is not installed")
    names = {"--jsonl": "a.jsonl", "--csv": "a.csv", "--parquet": "a.parquet", "--atom": "a.atom"}
    names |= {"--json-feed": "a.json", "--warc": "a.warc.gz"}
    words = [word for pair in names.items() for word in pair]
    told = json.loads(export(home, *words, "--json"))
    assert told == {"jsonl": 3, "csv": 3, "parquet": 3, "atom": 3, "json_feed": 3, "warc": 3}
    first = {name: (home / name).read_bytes() for name in names.values()}
    export(home, *words)
    assert {name: (home / name).read_bytes() for name in names.values()} == first
    assert not list(home.glob(".export-*"))
    read = feedparser.parse(first["a.atom"])
    assert [entry.title for entry in read.entries] == ["第3号快讯", "第2号快讯", "第1号快讯"]
    with (home / "a.warc.gz").open("rb") as stream:
        assert [one.rec_type for one in warcio.ArchiveIterator(stream)] == ["warcinfo", *["response"] * 3]


def test_as_of_a_moment_before_the_archive_knew(home: Path) -> None:
    assert titles(export(home, "--jsonl", "-", "--as-of", "2100-01-01"))
    assert b"archive began at" in export(home, "--jsonl", "-", "--as-of", "2020-01-01", code=2)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--feed", "wire"], b"--jsonl, --csv"),
        (["--to", "x", "--csv", "x.csv"], b"two exports"),
        (["--csv", "x.csv", "--feed", "nobody"], b"no such feed"),
        (["--csv", "x.csv", "--search", "，"], b"no word to look for"),
    ],
)
def test_what_does_not_go_together_is_told(home: Path, words: list[str], told: bytes) -> None:
    assert told in export(home, *words, code=2)
    assert not (home / "x.csv").exists()


def test_a_file_that_cannot_be_written_is_named(home: Path) -> None:
    assert b"nowhere" in export(home, "--csv", "nowhere/x.csv", code=3)
