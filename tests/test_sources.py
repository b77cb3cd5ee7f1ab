"""Listings of every kind into one shape; what is no listing gets a name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from demo_client import clock, get, roll_body
from world import START, item, rss

from aggregator.demo import Replica
from aggregator.errors import ParseError
from aggregator.model import Listing, Page
from aggregator.sources import SOURCES, sniff
from aggregator.text.dates import iso

URL = "https://wire.example/feed"


def page(body: bytes, kind: str = "", url: str = URL) -> Page:
    return Page(url, url, 200, {"content-type": kind} if kind else {}, body, START)


def parsed(body: bytes | str, kind: str = "", zone: str | None = None) -> Listing:
    given = page(body.encode() if isinstance(body, str) else body, kind)
    return SOURCES[sniff(given)].parse(given, zone)


@pytest.fixture(scope="module")
def replica() -> Iterator[Replica]:
    with Replica(clock) as running:
        yield running


ATOM = """<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>A</title><updated>2026-11-23T08:00:00Z</updated>
<entry><id>tag:1</id><title type="text">1 &lt; 2</title><link href="/a"/><updated>2026-11-23T16:00:00+08:00</updated>
<content type="html">&lt;p onclick="x"&gt;%s&lt;script&gt;1&lt;/script&gt;&lt;/p&gt;</content></entry></feed>""" % (
    "正文" * 150
)
JSON_FEED = {
    "version": "https://jsonfeed.org/version/1.1", "title": "J", "items": [
        {"id": 7, "url": "https://wire.example/7", "title": "七", "content_text": "a < b",
         "attachments": [{"url": "https://wire.example/7.mp3", "mime_type": "audio/mpeg", "size_in_bytes": 9}]},
        {"id": "8", "url": "https://wire.example/8", "content_html": "<p>八</p>"}],
}  # fmt: skip


def test_rss() -> None:
    listing = parsed(rss(item(1, "甲 &amp; 乙"), item(2, extra="<description>&lt;b&gt;x&lt;/b&gt;</description>")))
    first, second = listing.entries
    assert (listing.format, listing.title) == ("rss20", "电讯")
    assert (first.id, first.title, first.link) == ("wire-1", "甲 & 乙", "https://wire.example/news/1.html")
    assert first.published
    assert (iso(first.published), first.updated, first.full_text) == ("2026-11-23T08:00:00Z", None, False)
    assert second.summary == "<b>x</b>"
    assert first.raw.startswith(b"<item>")


def test_atom_text_is_text_and_html_is_cleaned() -> None:
    (entry,) = parsed(ATOM).entries
    assert (entry.title, entry.link, entry.published) == ("1 < 2", "https://wire.example/a", None)
    assert entry.updated
    assert iso(entry.updated) == "2026-11-23T08:00:00Z"
    assert entry.content == f"<p>{'正文' * 150}</p>"
    assert entry.full_text
    assert entry.original
    assert "onclick" in entry.original


def test_json_feed() -> None:
    listing = parsed(json.dumps(JSON_FEED, ensure_ascii=False))
    first, second = listing.entries
    assert (listing.format, first.id, first.content, second.content) == ("jsonfeed", "7", "a &lt; b", "<p>八</p>")
    assert [(one.url, one.length, one.type) for one in first.enclosures] == [
        ("https://wire.example/7.mp3", 9, "audio/mpeg")
    ]


def test_the_roll_list_jsonp_and_its_digest(replica: Replica) -> None:
    answers = [roll_body(replica, 155, 1686) for _ in range(2)]
    assert answers[0] != answers[1]
    plain, again = (page(body) for body in answers)
    source = SOURCES["sina-roll"]
    assert source.digest(plain) == source.digest(again)
    listing = source.parse(plain, None)
    wrapped = source.parse(page(roll_body(replica, 155, 1686, "&num=50&page=1&callback=cb")), None)
    assert [one.id for one in wrapped.entries] == [one.id for one in listing.entries]
    assert len(listing.entries) > 40
    for entry in listing.entries:
        assert entry.published
        assert entry.updated
        assert entry.indexed
        assert entry.published <= entry.updated <= entry.indexed
        assert json.loads(entry.raw)["docid"] == entry.id
    assert source.address("https://a.example/get?pageid=155&lid=1686&num=9") == (
        "https://a.example/get?pageid=155&lid=1686&num=50&page=1"
    )


def test_code_11_is_an_error_that_says_what_to_check(replica: Replica) -> None:
    with pytest.raises(ParseError) as failed:
        SOURCES["sina-roll"].parse(page(roll_body(replica, 155, 1687)), None)
    assert failed.value.kind == "api_error"
    assert "11" in str(failed.value)
    assert "pageid" in failed.value.hint


def test_the_rss_of_sina_unwraps_its_redirects(replica: Replica) -> None:
    listing = parsed(get(replica, "http://rss.sina.com.cn/roll/finance/hot_roll.xml").body)
    assert len(listing.entries) > 10
    for entry in listing.entries:
        assert entry.link
        assert "redirect.php" not in entry.link
        assert entry.title == entry.title.strip()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "not_a_feed"),
        (b"<!DOCTYPE html><html><title>Log in</title><form></form></html>", "not_a_feed"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "not_a_feed"),
        (b'{"a": 1}', "not_a_feed"),
        (b"[" * 100_000, "not_a_feed"),
        (b"/etc/hostname", "not_a_feed"),
        (b"http://127.0.0.1:1/feed", "not_a_feed"),
        ("<html><title>安全验证</title><body>请完成安全验证</body></html>".encode(), "blocked"),
    ],
)
def test_what_is_no_listing_has_a_name(body: bytes, kind: str) -> None:
    with pytest.raises(ParseError) as failed:
        parsed(body)
    assert failed.value.kind == kind


def test_broken_feeds_keep_what_is_whole() -> None:
    bad = rss(item(1), item(2, "&#xD800;&#x110000;&#99999999999999;\x01x"), item(3))
    assert [len(parsed(some).entries) for some in (bad, rss(item(1), item(2))[:-60], b"\xff" + rss(item(1)))] == [
        3,
        1,
        1,
    ]
    cut = rss(item(1, "股" * 400)).replace("股".encode(), "股".encode()[:2], 1)
    (entry,) = parsed(cut).entries
    assert entry.title.count("股") == 399


def test_no_feed_of_the_corpora_breaks_the_parser(shared: Path) -> None:
    files = [
        path for name in ("feedparser", "gofeed", "feedvalidator") for path in (shared / "corpus" / name).rglob("*.xml")
    ]
    outcomes = {"parsed": 0, "refused": 0}
    for path in files:
        try:
            parsed(path.read_bytes())
        except ParseError:
            outcomes["refused"] += 1
        else:
            outcomes["parsed"] += 1
    print(outcomes)
    assert outcomes["parsed"] + outcomes["refused"] == len(files) >= 1200
    assert outcomes["refused"] < 30


def test_chinese_feeds_are_read_right_whatever_they_declare(shared: Path) -> None:
    folder = shared / "corpus/zh-encodings"
    rows = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    rows = rows if isinstance(rows, list) else rows.get("files", rows.get("feeds", []))
    assert len(rows) == 19
    for row in rows:
        path = folder / (row.get("path") or row.get("file"))
        body = path.read_bytes()
        truth = body.decode(row["encoding"], "replace")
        for kind in ("", "text/xml; charset=utf-8"):
            titles = [entry.title for entry in parsed(body, kind).entries]
            assert titles
            assert not any("\ufffd" in title and "\ufffd" not in truth for title in titles)
