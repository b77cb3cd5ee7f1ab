"""What a feed says in its own words and in a module's too: said once, and in the right place."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from aggregator.model import Enclosure, Listing, Page
from aggregator.sources import SOURCES
from aggregator.sources.doubles import single
from aggregator.sources.outline import outline

URL = "https://news.example/feeds/all.xml"


def parse(body: str) -> Listing:
    return SOURCES["feed"].parse(Page(URL, URL, 200, {}, body.encode(), datetime(2026, 1, 1, tzinfo=UTC)), None)


def rss(items: str, head: str = "") -> str:
    return f'<rss version="2.0"><channel><title>t</title>{head}{items}</channel></rss>'  # prefixes are declared for it


OWN = "<description>own</description>"
CAPTION = '<media:content url="/a.jpg"><media:description type="plain">caption</media:description></media:content>'
SUMMARY = "<itunes:summary>summary</itunes:summary>"
FULL = "<content:encoded><![CDATA[<p>full</p>]]></content:encoded>"


@pytest.mark.parametrize(
    ("item", "summary", "content"),
    [
        (OWN + CAPTION, "own", None),
        (CAPTION + OWN, "own", None),
        (OWN + SUMMARY + FULL, "own", "<p>full</p>"),
        (FULL + SUMMARY + OWN, "own", "<p>full</p>"),
        (SUMMARY + FULL, "summary", "<p>full</p>"),
        (FULL + SUMMARY, "summary", "<p>full</p>"),
        ("<description/>" + SUMMARY, "summary", None),
        ("<description><![CDATA[ ]]></description>" + SUMMARY, "summary", None),
        ("<description>\n</description>" + CAPTION, "caption", None),
        (SUMMARY + FULL.replace("<p>full</p>", "<summary>x</summary>"), "summary", "<summary>x</summary>"),
        ("<dc:description>dc</dc:description>" + OWN, "own", None),
    ],
)  # fmt: skip
def test_a_caption_is_no_content(item: str, summary: str, content: str | None) -> None:
    (entry,) = parse(rss(f"<item><title>x</title>{item}</item>")).entries
    assert (entry.summary, entry.content, entry.title) == (summary, content, "x")


@pytest.mark.parametrize(
    ("item", "author"),
    [
        ("<author>a@b.example (Ann)</author><dc:creator>Ann</dc:creator>", "Ann (a@b.example)"),
        ("<itunes:author>A</itunes:author><dc:creator>Ann</dc:creator><dc:creator>Bob</dc:creator>", "Ann, Bob"),
        ("<itunes:author>A</itunes:author>", "A"),
        ("<author/><dc:creator>Ann</dc:creator>", "Ann"),
    ],
)  # fmt: skip
def test_an_author_is_named_once(item: str, author: str) -> None:
    (entry,) = parse(rss(f"<item><title>x</title>{item}</item>")).entries
    assert entry.author == author


def test_the_owner_of_a_podcast_is_not_its_editor() -> None:
    owner = "<itunes:owner><itunes:name>Own</itunes:name><itunes:email>o@x.example</itunes:email></itunes:owner>"
    assert parse(rss("", f"<managingEditor>a@b.example (Ann)</managingEditor>{owner}")).authors == (
        "Ann (a@b.example)",
    )
    assert parse(rss("", f"<itunes:author>The Show</itunes:author>{owner}")).authors == ("The Show",)
    assert parse(rss("", owner)).authors == ("Own (o@x.example)",)


def test_what_an_item_holds_is_its_own_affair() -> None:
    first, second = parse(rss(f"<item><title>x</title>{OWN}</item><item><title>y</title>{CAPTION}</item>")).entries
    assert (first.summary, second.summary) == ("own", "caption")


def test_media_contents_are_enclosures() -> None:
    item = """<item><title>x</title><enclosure url="/a.mp3" length="12" type="audio/mpeg"/>
      <media:content url="/a.mp3" fileSize="13"/>
      <media:group>
        <media:content url="/b.mp4" type="video/mp4" fileSize="5"/><media:content url="javascript:x()"/>
      </media:group>
      <media:content><media:player url="/p"/></media:content></item>"""
    (entry,) = parse(rss(item)).entries
    assert entry.enclosures == (
        Enclosure("https://news.example/a.mp3", 12, "audio/mpeg"),
        Enclosure("https://news.example/b.mp4", 5, "video/mp4"),
    )


@pytest.mark.parametrize(
    "flood",
    [
        "<itunes:summary>" * 60_000,
        "<description>" * 60_000 + SUMMARY,
        "<![CDATA[" * 60_000 + SUMMARY,
        f"<description>{' ' * 500_000}x{SUMMARY}",
    ],
)  # fmt: skip
def test_floods_of_them_are_cheap(flood: str) -> None:
    body = rss(f"<item>{OWN}{flood}</item>")
    started = time.process_time()
    single(body, outline(body))
    assert time.process_time() - started < 2  # seconds


@pytest.mark.parametrize(
    "section",
    ["<![CDATA[<![CDATA[<p>x</p>]]&gt;]]>", "<![CDATA[<![CDATA[<p>x</p>]]>]]>", "<![CDATA[ <![CDATA[<p>x</p>]]>\n]]>"],
)
def test_cdata_inside_cdata(section: str) -> None:
    listing = parse(rss(f"<item><title>{section}</title><description>{section}</description></item>"))
    assert [(e.title, e.summary) for e in listing.entries] == [("x", "<p>x</p>")]
    assert listing.warnings == ()
