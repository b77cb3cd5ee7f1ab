"""The strict reader of RSS 2.0: wherever it answers, the listing is feedparser's in every field."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mutations import mutated

from aggregator.errors import ParseError
from aggregator.model import Listing, Page
from aggregator.sources import strict, syndication
from aggregator.sources.doubles import single
from aggregator.sources.outline import outline
from aggregator.sources.repair import repaired
from aggregator.text.charset import decode

URL = "http://news.example/feed.xml"
SPACES = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in sorted(strict._SPACES))
ITEMS = (
    "<title>央行今日开展逆回购</title>",
    "<title>A &amp; B</title>",
    "<title>A &amp;amp; B</title>",
    "<title>&lt;b&gt;粗&lt;/b&gt;</title>",
    "<title type='html'>x</title>",
    "<title><![CDATA[ 一<!-- 二 -->三 ]]></title>",
    "<title>一<!-- 二 -->三<?pi x?>四</title>",
    "<title>caf\u00c3\u00a9</title>",
    "<title>it&#146;s</title>",
    "<title/>",
    "<link>http://news.example/2022/1.html?a=1&amp;b=2</link>",
    "<link> /2022/2.html </link>",
    "<link>http:///x.example/a</link>",
    "<link>http://x.example/?a=1&amp;copy;2</link>",
    "<link/>",
    "<guid>http://news.example/2022/1.html</guid>",
    "<guid>/news/1</guid>",
    "<guid isPermaLink='false'>news-1</guid>",
    "<guid isPermaLink='TRUE'>news-1</guid>",
    "<guid/>",
    "<pubDate>Thu, 14 Jul 2022 07:10:07 GMT</pubDate>",
    "<pubDate>14 Jul 2022 15:10 +0800</pubDate>",
    "<pubDate>2022年07月14日 15:10</pubDate>",
    "<pubDate>Thu, 14 Foo 2022 07:10:07 XYZ</pubDate>",
    "<dc:date>2022-07-14T15:10:07+08:00</dc:date>",
    "<dc:date>2022-07-14</dc:date>",
    "<dc:date>2022-99-99</dc:date>",
    "<description>&lt;p&gt;央行&lt;b&gt;今日&lt;/b&gt;&lt;/p&gt;</description>",
    "<description>只有文字</description>",
    "<description/>",
    "<description><p>x</p></description>",
    "<content:encoded><![CDATA[<p>正文<img src='/i/1.jpg'><a href='x'>y</a></p>]]></content:encoded>",
    "<content:encoded>文字 &amp;amp; 文字</content:encoded>",
    "<content:encoded xml:base='http://b.example/'>&lt;a href='x'&gt;y&lt;/a&gt;</content:encoded>",
    "<dc:creator>张三</dc:creator>",
    "<dc:creator>a@b.example (李四)</dc:creator>",
    "<author>a@b.museum</author>",
    "<author> </author>",
    "<category>金融</category>",
    "<category domain='http://c.example/'>债券</category>",
    "<category domain='d'/>",
    "<category/>",
    "<dc:subject>股票</dc:subject>",
    "<source url='http://s.example/rss'>新华社</source>",
    "<source>路透</source>",
    "<enclosure url='http://f.example/a.mp3' length='12' type='Audio/MPEG'/>",
    "<enclosure url='/b.mp3'/>",
    "<enclosure/>",
    "<atom:link rel='self' href='http://news.example/1'/>",
    "<atom:link href='http://news.example/alt'/>",
    "<atom:link REL='Enclosure' href='/c.pdf' length='9'/>",
    "<atom:link rel='Enclosure' href='/c.pdf' length='9' type='application/PDF'/>",
    "<media:content url='http://m.example/a.jpg' fileSize='7' type='image/JPEG' medium='image'/>",
    "<media:content url='/a.jpg'><media:title>x</media:title></media:content>",
    "<media:thumbnail url='/t.jpg' width='1'/>",
    "<media:title>图</media:title>",
    "<slash:comments>3</slash:comments>",
    "<wfw:commentRss>http://x.example/c</wfw:commentRss>",
    "<comments>http://x.example/c</comments>",
    "<dc:publisher>社</dc:publisher>",
    "<dc:identifier>x</dc:identifier>",
    "<unknown>x</unknown>",
    "<PubDate>2022-07-14</PubDate>",
    "text",
)
CHANNEL = (
    "<title>电讯</title>",
    "<title>a</title>",
    "<link>http://news.example/</link>",
    "<description>&lt;img src='/logo.png'&gt; 说明</description>",
    "<language>zh-cn</language>",
    "<pubDate>Thu, 14 Jul 2022 07:10:07 GMT</pubDate>",
    "<lastBuildDate>Thu, 14 Jul 2022 08:10:07 +0000</lastBuildDate>",
    "<ttl>60</ttl>",
    "<sy:updatePeriod> hourly </sy:updatePeriod>",
    "<sy:updateFrequency>2</sy:updateFrequency>",
    "<generator>g 1.0</generator>",
    "<generator uri='http://g.example/'>g</generator>",
    "<managingEditor>e@x.example (编辑)</managingEditor>",
    "<webMaster>w@x.example</webMaster>",
    "<atom:link rel='self' href='/feed.xml'/>",
    "<atom:link rel='hub' href='http://hub.example/' type='X'/>",
    "<image><url>/logo.png</url><title>标</title><link>http://l.example/</link><width>1</width></image>",
    "<image><url>/a.png</url><foo>1</foo></image>",
    "<cloud domain='d' port='80'/>",
    "<copyright>c</copyright>",
    "<category>财经</category>",
    "<docs>http://d.example/</docs>",
    "<textInput><title>t</title></textInput>",
    "<itunes:image href='/x.jpg'/>",
)


def page(body: bytes) -> Page:
    return Page(URL, URL, 200, {}, body, datetime(2026, 11, 24, tzinfo=UTC))


def outcome(body: bytes, *, fast: bool) -> Listing | tuple[str, str]:
    try:
        return syndication.parse(page(body), None, strict=fast)
    except ParseError as error:
        return error.kind, str(error)


def answers(body: bytes) -> bool:
    """Whether the strict reader takes the whole of such a body."""
    text = decode(body).text
    seen = outline(text)
    return strict.read(repaired(single(text, seen)), len(seen.items)) is not None


def rss(channel: str, *items: str) -> bytes:
    inner = channel + "".join(f"<item>{item}</item>" for item in items)
    return f'<?xml version="1.0"?><rss version="2.0"{SPACES}><channel>{inner}</channel></rss>'.encode()


def test_the_usual_feed_is_read_by_it() -> None:
    usual = "".join((ITEMS[0], ITEMS[10], ITEMS[17], ITEMS[20], ITEMS[27], ITEMS[31], ITEMS[34], ITEMS[38], ITEMS[45]))
    body = rss("".join((CHANNEL[0], *CHANNEL[2:11], *CHANNEL[12:17], *CHANNEL[18:22])), usual, usual)
    assert answers(body)
    assert outcome(body, fast=True) == outcome(body, fast=False)


@pytest.mark.parametrize("element", ITEMS)
def test_each_element_of_an_item_alone(element: str) -> None:
    body = rss(CHANNEL[0], element, f"{element}{ITEMS[0]}")
    assert outcome(body, fast=True) == outcome(body, fast=False)


@pytest.mark.parametrize("element", CHANNEL)
def test_each_element_of_a_channel_alone(element: str) -> None:
    body = rss(element, ITEMS[0])
    assert outcome(body, fast=True) == outcome(body, fast=False)


@given(
    st.lists(st.sampled_from(CHANNEL), max_size=6, unique=True),
    st.lists(st.lists(st.sampled_from(ITEMS), max_size=9, unique=True), max_size=3),
    st.booleans(),
)
@settings(max_examples=400, deadline=None)
def test_any_elements_in_any_order(channel: list[str], items: list[list[str]], last: bool) -> None:
    inner = "".join(f"<item>{''.join(item)}</item>" for item in items)
    around = "".join(channel)
    body = f'<rss version="2.0"{SPACES}><channel>{inner + around if last else around + inner}</channel></rss>'.encode()
    assert outcome(body, fast=True) == outcome(body, fast=False)


@given(st.sampled_from([at for at, item in enumerate(ITEMS) if not item.endswith("/>")]), st.text(max_size=30))
@settings(max_examples=300, deadline=None)
def test_any_text_in_any_element(at: int, text: str) -> None:
    start, _, rest = ITEMS[at].partition(">")
    inner = text.encode("utf-8", "replace").decode()
    body = rss(CHANNEL[0], f"{start}>{inner}</{rest.rpartition('</')[2]}" if rest else inner)
    assert outcome(body, fast=True) == outcome(body, fast=False)


def test_mutated_feeds() -> None:
    """A feed of which the reader takes the whole, with one to eight things done to it, a thousand times."""
    whole = rss(
        "".join(CHANNEL[2:9]) + CHANNEL[0], *("".join(ITEMS[at] for at in (0, 10, 17, 20, 27, 31, 34, 38, 45, 51)),) * 3
    )
    assert answers(whole)
    rng = random.Random(9)
    pieces = [("listing", item.encode()) for item in (*ITEMS, *CHANNEL)]
    taken = 0
    for _ in range(1000):
        body = mutated(rng, whole, pieces)[:20_000]
        assert outcome(body, fast=True) == outcome(body, fast=False), body
        taken += answers(body)
    assert taken >= 60


@pytest.mark.parametrize(
    "body",
    [
        b'<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><rss version="2.0"><channel><title>&b;</title>'
        b"<item><title>&b;</title></item></channel></rss>",
        b'<!DOCTYPE r SYSTEM "http://127.0.0.1:1/x.dtd"><rss version="2.0"><channel><item><title>t</title></item>'
        b"</channel></rss>",
        b'<rss version="2.0"><channel><item>' + b"<a>" * 5000 + b"</a>" * 5000 + b"</item></channel></rss>",
        b'<rss version="2.0"><channel><item><title>t</title></item></channel></rss><rss/>',
        b'<rss version="2.0" xml:base="http://b.example/"><channel><item><link>x</link></item></channel></rss>',
        b'<rss version="2.0" xmlns="http://www.w3.org/2005/Atom"><channel><item><title>t</title></item></channel></rss>',
        b'<rss version="2.0" xmlns:dc="http://purl.org/rss/1.0/modules/content/"><channel><item><dc:encoded>t</dc:encoded>'
        b"</item></channel></rss>",
        b'<rss version="2.0"><channel><item><title>t</title></item>',
        b'<rss version="0.91"><channel><item><title>t</title></item></channel></rss>',
        b'<rss version="2.0"><item><title>t</title></item><channel><title>c</title></channel></rss>',
    ],
    ids=["entities", "external", "deep", "two roots", "base", "default space", "wrong space", "cut", "old", "outside"],
)
def test_what_is_odd_is_left_to_feedparser(body: bytes) -> None:
    assert not answers(body)
    assert outcome(body, fast=True) == outcome(body, fast=False)


def feeds(folder: Path) -> Iterator[Path]:
    return (file for file in sorted(folder.rglob("*")) if file.suffix in (".xml", ".rss", ".atom"))


def test_the_golden_feeds() -> None:
    for file in feeds(Path(__file__).parent / "golden" / "feeds"):
        body = file.read_bytes()
        assert outcome(body, fast=True) == outcome(body, fast=False), file.name


def test_the_corpora(shared: Path) -> None:
    taken = 0
    for file in feeds(shared / "corpus"):
        body = file.read_bytes()
        assert outcome(body, fast=True) == outcome(body, fast=False), file.name
        taken += answers(body)
    assert taken >= 180
