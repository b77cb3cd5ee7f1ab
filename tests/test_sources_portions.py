"""Long feeds are read in portions, and come out as if they had been read whole."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from aggregator.model import Listing, Page
from aggregator.sources import SOURCES
from aggregator.sources.outline import outline
from aggregator.sources.portions import LONG, portions

URL = "https://news.example/feeds/all.xml"
COUNT = 2400
NEWS = "央行今日开展公开市场操作，市场流动性保持合理充裕。" * 9


def parse(text: str) -> Listing:
    return SOURCES["feed"].parse(Page(URL, URL, 200, {}, text.encode(), datetime(2022, 7, 15, tzinfo=UTC)), None)


def rss(items: list[str], head: str = "", tail: str = "") -> str:
    prefix = 'xmlns:dc="http://purl.org/dc/elements/1.1/"'
    channel = f"<title>财经</title><link>https://news.example/</link>{head}"
    return f'<?xml version="1.0"?><rss version="2.0" {prefix}><channel>{channel}{"".join(items)}{tail}</channel></rss>'


def item(number: int, more: str = "") -> str:
    return (
        f"<item><title>第{number}号</title><link>/{number}</link><guid>g{number}</guid><dc:creator>张</dc:creator>"
        f"<pubDate>Thu, 14 Jul 2022 07:10:07 GMT</pubDate><description>{NEWS}{number}{more}</description></item>\n"
    )


def atom(items: list[str]) -> str:
    head = '<title>t</title><link href="https://base.example/"/>'
    base = 'xmlns="http://www.w3.org/2005/Atom" xml:base="https://base.example/d/" xml:lang="zh"'
    return f"<feed {base}>{head}{''.join(items)}</feed>"


def entry(number: int) -> str:
    content = f"&lt;p>{NEWS}{number}&lt;a href='r{number}'>x&lt;/a>&lt;/p>"
    fields = f'<id>{number}</id><title>{number}</title><link href="e{number}"/>'
    return f'<entry>{fields}<content type="html">{content}</content></entry>'


ITEMS = [item(n) for n in range(COUNT)]


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        (rss(ITEMS), rss([*ITEMS[:9], "<!-- -->", *ITEMS[9:]])),
        (atom([*map(entry, range(COUNT))]), atom([*map(entry, range(9)), "<!-- -->", *map(entry, range(9, COUNT))])),
    ],
)
def test_a_feed_read_in_portions_is_the_feed_read_whole(text: str, whole: str) -> None:
    assert len(list(portions(text, outline(text)))) > 2
    assert len(list(portions(whole, outline(whole)))) == 1
    listing = parse(text)
    assert len(listing.entries) == COUNT
    assert str(listing.entries[-1].id).endswith(f"{COUNT - 1}")
    assert listing == parse(whole)


def test_one_ill_formed_item_harms_no_other() -> None:
    broken = "<item><title>破 <b>x</title><guid>b</guid></item>"
    listing = parse(rss([*ITEMS[:1000], broken, *ITEMS[1000:]]))
    assert len(listing.entries) == COUNT + 1
    assert [e.title for e in listing.entries if e.id == "b"] == ["破 x"]
    without = tuple(e for e in listing.entries if e.id != "b")
    assert without == parse(rss(ITEMS)).entries
    assert [w[:23] for w in listing.warnings] == ["not well-formed XML: <u"]


def test_remarks_carry_the_number_in_the_whole_feed() -> None:
    long = ITEMS[2100].replace("<title>", f"<title>{'长' * 2000}")
    listing = parse(rss([*ITEMS[:2100], long, *ITEMS[2101:]]))
    assert listing.warnings == ("item 2101: title of 2006 characters cut at 1000",)


@pytest.mark.parametrize(
    "text",
    [
        rss(ITEMS[:9]),
        rss(ITEMS, head="<item>"),
        rss(ITEMS, tail="<item>"),
        rss([*ITEMS[:9], "<ttl>5</ttl>", *ITEMS[9:]]),
        rss(["<item>", *ITEMS, "</item>"]),
    ],
)
def test_what_is_short_or_irregular_stays_whole(text: str) -> None:
    assert [portion for portion, _ in portions(text, outline(text))] == [text]


def test_a_long_head_is_not_repeated_often() -> None:
    text = rss(ITEMS, head=f"<description>{'长' * LONG}</description>")
    assert sum(len(portion) for portion, _ in portions(text, outline(text))) <= 1.5 * len(text)


def test_the_outline_of_a_portion_is_that_of_its_text() -> None:
    text = rss(ITEMS)
    pairs = list(portions(text, outline(text)))
    assert [outline(portion) for portion, _ in pairs] == [replace(seen, root="rss") for _, seen in pairs]
    assert [portion[a:b] + "\n" for portion, seen in pairs for a, b in seen.items] == ITEMS
