"""JSON Feed 1.0 and 1.1."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from aggregator.errors import ParseError
from aggregator.model import Enclosure, Entry, Link, Listing, Page
from aggregator.sources import SOURCES, sniff

URL = "https://news.example/feed.json"
FEED = SOURCES["feed"]
LONG = "央行今日开展公开市场操作，市场流动性保持合理充裕。" * 10


def page(body: str) -> Page:
    return Page(
        URL, URL, 200, {"content-type": "application/feed+json"}, body.encode(), datetime(2022, 7, 15, tzinfo=UTC)
    )


def parse(feed: object) -> Listing:
    return FEED.parse(page(json.dumps(feed)), "Asia/Shanghai")


def feed(*items: object, version: str = "https://jsonfeed.org/version/1.1", **more: object) -> dict[str, object]:
    return {"version": version, "title": "财经", "home_page_url": "https://news.example/", "items": list(items), **more}


ITEM = {
    "id": 17,
    "url": "/1",
    "title": " 利率\n走势 ",
    "content_html": f"<p>{LONG}<script>x()</script><a href='b'>y</a></p>",
    "summary": "a < b",
    "date_published": "2022-07-14T15:10:07",
    "date_modified": "2022-07-14T07:20:00Z",
    "authors": [{"name": "张三"}, {"name": "李四"}],
    "tags": ["金融", "金融", 3],
    "attachments": [{"url": "a.mp3", "mime_type": "audio/mpeg", "size_in_bytes": 12}, {"url": "data:x"}, "no"],
}


def test_an_item_field_by_field() -> None:
    listing = parse(feed(ITEM))
    (entry,) = listing.entries
    assert (listing.format, listing.title, listing.warnings) == ("jsonfeed", "财经", ())
    assert (entry.id, entry.link, entry.title) == ("17", "https://news.example/1", "利率 走势")
    assert entry.content == f'<p>{LONG}<a href="https://news.example/b">y</a></p>'
    assert (entry.full_text, entry.summary) == (True, "a &lt; b")
    assert entry.published == datetime(2022, 7, 14, 7, 10, 7, tzinfo=UTC)
    assert entry.updated == datetime(2022, 7, 14, 7, 20, tzinfo=UTC)
    assert (entry.author, entry.categories) == ("张三, 李四", ("金融",))
    assert entry.enclosures == (Enclosure("https://news.example/a.mp3", 12, "audio/mpeg"),)
    assert json.loads(entry.raw) == ITEM


def test_the_feed_itself_and_version_1_0() -> None:
    item = {"id": "1", "content_text": "a <b> " + LONG, "author": {"name": "张三"}}
    listing = parse(
        feed(
            item,
            version="https://jsonfeed.org/version/1",
            author={"name": "社"},
            icon="i.png",
            feed_url=URL,
            language="zh",
        )
    )
    assert (listing.authors, listing.language, listing.image) == (("社",), "zh", "https://news.example/i.png")
    assert listing.links == (
        Link("https://news.example/", "alternate", "text/html"),
        Link(URL, "self", "application/feed+json"),
    )
    assert (listing.entries[0].author, listing.entries[0].full_text) == ("张三", False)
    assert listing.entries[0].content == "a &lt;b> " + LONG


def only(item: dict[str, object], **more: object) -> Entry:
    (entry,) = parse(feed(item, **more)).entries
    return entry


def test_plain_text_keeps_its_lines() -> None:
    entry = only({"id": "1", "content_text": "a < b\n\nc &amp; d"})
    assert entry.content == "a &lt; b<br>\n<br>\nc &amp;amp; d"
    assert entry.original == entry.content
    assert only({"id": "1", "content_text": "no", "content_html": "<i>yes</i>"}).content == "<i>yes</i>"


@pytest.mark.parametrize(
    ("given", "link"),
    [
        ({"id": "https://a.example/1", "url": "https://b.example/", "external_url": "https://c.example/"}, "b"),
        ({"id": "https://a.example/1", "external_url": "https://c.example/"}, "c"),
        ({"id": "https://a.example/1"}, "a"),
        ({"id": "a.example/1", "url": "javascript:x()"}, None),
    ],
)
def test_the_link_of_an_item(given: dict[str, object], link: str | None) -> None:
    found = only({"content_text": "x", **given}).link
    assert (found and found[8]) == link


@pytest.mark.parametrize(
    ("given", "author"),
    [
        ({"author": {"name": "Ann", "url": "https://ann.example/"}}, "Ann"),
        ({"author": {"url": "https://ann.example/"}}, "https://ann.example/"),
        ({"authors": [{"name": "Ann"}, {"name": "Bob"}], "author": {"name": "Cy"}}, "Ann, Bob"),
        ({"authors": [], "author": {"name": "Cy"}}, "Cy"),
        ({"authors": {"name": "Ann"}}, "Ann"),
        ({"authors": ["Ann", 3, None]}, "Ann"),
        ({"author": "Ann"}, "Ann"),
        ({"authors": [{"avatar": "https://ann.example/a.png"}]}, None),
    ],
)
def test_authors_of_both_versions(given: dict[str, object], author: str | None) -> None:
    assert only({"id": "1", "content_text": "x", **given}).author == author
    assert parse(feed(**given)).authors == tuple(author.split(", ") if author else ())


def test_a_feed_is_as_new_as_its_newest_item() -> None:
    old = {"id": "1", "content_text": "x", "date_published": "2022-07-14T00:00:00Z"}
    new = {"id": "2", "content_text": "x", "date_modified": "2022-07-15T08:00:00+08:00"}
    assert parse(feed(old, new)).updated == datetime(2022, 7, 15, tzinfo=UTC)
    assert parse(feed()).updated is None


def test_an_expired_feed_says_so() -> None:
    assert parse(feed(ITEM, expired=True)).warnings == ("the feed says that it has expired: nothing new will come",)
    assert parse(feed(ITEM, expired=False)).warnings == ()


def test_pictures_are_no_attachments_and_hubs_are_links() -> None:
    more = {"icon": "i.png", "favicon": "f.png", "hubs": [{"type": "WebSub", "url": "https://hub.example/"}, 1]}
    pictures = {"image": "https://a.example/i.png", "banner_image": "https://a.example/b.png"}
    listing = parse(feed({"id": "1", "content_text": "x", **pictures}, **more))
    assert listing.entries[0].enclosures == ()
    assert listing.image == "https://news.example/i.png"
    assert listing.links[-1] == Link("https://hub.example/", "hub", None)


@pytest.mark.parametrize("body", ['{"items": []}', "[]", "{", '{"version": 3, "items": []}', '{"version": "2.0"}'])
def test_other_json_is_no_feed(body: str) -> None:
    with pytest.raises(ParseError) as caught:
        FEED.parse(page(body), None)
    assert caught.value.kind == "not_a_feed"


def test_one_broken_item_never_loses_the_others() -> None:
    listing = parse(feed(ITEM, 1, {}, None, {"id": "2", "title": 5, "date_published": [], "authors": "x", "tags": {}}))
    assert [e.id for e in listing.entries] == ["17", "2"]
    assert listing.warnings == (
        "item 2 left out: no object",
        "item 3 left out: an empty item",
        "item 4 left out: no object",
    )


def test_the_digest_covers_the_items_alone() -> None:
    assert FEED.digest(page(json.dumps(feed(ITEM, title="x")))) == FEED.digest(page(json.dumps(feed(ITEM))))
    assert FEED.digest(page(json.dumps(feed()))) != FEED.digest(page(json.dumps(feed(ITEM))))
    assert len(FEED.digest(page("{"))) == 64
    assert sniff(page(json.dumps(feed(ITEM)))) == "feed"
