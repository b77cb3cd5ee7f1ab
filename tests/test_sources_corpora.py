"""Feeds of others' making: nothing raises but a ParseError, and what they plainly say is what comes out."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from aggregator.model import Listing, Page
from aggregator.sources import SOURCES

FEED = SOURCES["feed"]


def parse(body: bytes, headers: dict[str, str] | None = None, url: str = "http://127.0.0.1:8097/feed") -> Listing:
    names = {name.lower(): value for name, value in (headers or {}).items()}
    return FEED.parse(Page(url, url, 200, names, body, datetime(2026, 11, 24, tzinfo=UTC)), None)


def test_sinas_item_of_2009(shared: Path) -> None:
    lines = (shared / "corpus/sina/rss_2009_item_redirect_EXCERPT.txt").read_text("utf-8").replace(" * ", "", 1)
    body = f'<rss version="2.0"><channel><title>t</title><item>{lines}</item></channel></rss>'
    (entry,) = parse(body.encode()).entries
    assert entry.link == "http://news.sina.com.cn/s/2009-09-12/151318637149.shtml"
    assert entry.author == "WWW.SINA.COM.CN"
    assert entry.title.endswith("(图)")
    assert "\n" not in entry.title


def test_real_chinese_feeds_are_parsed_whole(shared: Path) -> None:
    folder = shared / "corpus" / "zh-encodings"
    entries = 0
    for row in json.loads((folder / "manifest.json").read_text("utf-8")):
        listing = parse((folder / row["file"]).read_bytes())
        entries += len(listing.entries)
        assert listing.entries, row["file"]
        assert not any("broken bytes" in warning for warning in listing.warnings)
    print(f"Chinese feeds: {entries} entries")
    assert entries > 150
