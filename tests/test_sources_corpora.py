"""Feeds of others' making: nothing raises but a ParseError, and what they plainly say is what comes out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aggregator.errors import ParseError
from aggregator.model import Entry, Listing, Page
from aggregator.sources import SOURCES

FEED = SOURCES["feed"]


def parse(body: bytes, headers: dict[str, str] | None = None, url: str = "http://127.0.0.1:8097/feed") -> Listing:
    names = {name.lower(): value for name, value in (headers or {}).items()}
    return FEED.parse(Page(url, url, 200, names, body, datetime(2026, 11, 24, tzinfo=UTC)), None)


GOFEED_ENTRY = {
    "title": lambda e: e.title,
    "link": lambda e: e.link,
    "guid": lambda e: e.id,
    "description": lambda e: e.summary,
    "content": lambda e: e.content,
    "categories": lambda e: list(e.categories),
    "publishedParsed": lambda e: e.published,
    "updatedParsed": lambda e: e.updated,
}


def gofeed_pairs(folder: Path) -> Iterator[tuple[Path, Path]]:
    for source in sorted(folder.rglob("*")):
        pair = (
            source.with_suffix(".json") if source.suffix == ".xml" else source.with_name(f"{source.stem}_expected.json")
        )
        if source.suffix in (".xml", ".json") and pair.exists() and pair != source:
            yield source, pair


def differences(entry: Entry, expected: dict[str, object]) -> Iterator[str]:
    for name, ours in GOFEED_ENTRY.items():
        want = expected.get(name)
        if isinstance(want, str) and name.endswith("Parsed"):
            want = datetime.fromisoformat(want).replace(microsecond=0)
        if want is not None and ours(entry) != want:
            yield name


def test_gofeeds_pairs(shared: Path) -> None:
    right, wrong = 0, []
    for source, pair in gofeed_pairs(shared / "corpus" / "gofeed"):
        expected = json.loads(pair.read_text("utf-8"))
        listing = parse(source.read_bytes(), url="http://example.org/feed")
        items = expected.get("items") or []
        found = [name for one, want in zip(listing.entries, items, strict=False) for name in differences(one, want)]
        found += ["items"] if len(listing.entries) != len(items) else []
        found += [
            name
            for name in ("title", "link", "language")
            if expected.get(name, getattr(listing, name)) != getattr(listing, name)
        ]
        right += not found
        wrong += [(source.name, found)] if found else []
    print(f"gofeed: {right}/{right + len(wrong)} pairs; not {wrong}")
    assert right >= 95
    # modified is not published here, whatever the other library says
    assert [name for name, _ in wrong] == ["feed_item_updated_-_atom03_feed_entry_modified.xml"]


@pytest.mark.parametrize("name", ["empty_feed.xml", "unknown_feed.xml", "invalid.json"])
def test_gofeeds_bodies_that_are_no_feeds(shared: Path, name: str) -> None:
    source = next((shared / "corpus" / "gofeed" / "parser").rglob(name))
    with pytest.raises(ParseError) as caught:
        parse(source.read_bytes())
    assert caught.value.kind == "not_a_feed"


@pytest.mark.parametrize("name", ["rss_feed_bom.xml", "rss_feed_leading_spaces.xml", "rdf_feed.xml", "atom03_feed.xml"])
def test_gofeeds_universal_feeds(shared: Path, name: str) -> None:
    assert parse((shared / "corpus/gofeed/parser/universal" / name).read_bytes()).format != ""


def test_the_feed_validators_dates(shared: Path) -> None:
    folder = shared / "corpus" / "feedvalidator"
    rows = json.loads((folder / "manifest.json").read_text("utf-8"))
    dated = 0
    for row in rows:
        listing = parse((folder / row["file"]).read_bytes())
        if row["expect"].startswith(("ValidRFC2822Date", "ValidW3CDTFDate")):
            dated += 1
            dates = [listing.updated, *(entry.published for entry in listing.entries)]
            assert any(dates), row["file"]
    print(f"feed validator: {len(rows)} feeds, none raised; {dated} valid dates read")
    assert dated >= 30


VALIDATED = {
    "everything.xml": {datetime(2006, 2, 9, 23, 59, 45, tzinfo=UTC), datetime(2006, 2, 9, 23, 59, tzinfo=UTC)},
    "published_bad_day.xml": {None},
    "published_bad_day2.xml": {None},
    "published_bad_hours.xml": {None},
    "published_bad_minutes.xml": {None},
    "published_bad_month.xml": {None},
    "published_bad_seconds.xml": {None},
    "published_no_year.xml": {None},
    "published_no_colons.xml": {datetime(2002, 12, 31, 18, 20, 30, tzinfo=UTC)},
    "published_no_hyphens.xml": {datetime(2002, 12, 31, 18, 20, 30, tzinfo=UTC)},
    "published_extra_spaces4.xml": {datetime(2003, 7, 1, 6, 55, 7, tzinfo=UTC)},
    "published_wrong_format.xml": {datetime(2002, 12, 31, 14, 20, 20, tzinfo=UTC)},
    "published_year_only.xml": {datetime(2003, 1, 1, tzinfo=UTC)},
    "pubDate_past.xml": {None},
}


@pytest.mark.parametrize("name", VALIDATED)
def test_the_feed_validators_hard_dates(shared: Path, name: str) -> None:
    (source,) = (shared / "corpus" / "feedvalidator").rglob(name)
    dates = {entry.published for entry in parse(source.read_bytes()).entries}
    same_year = {date for date in dates if date is None or date.year in (2002, 2003, 2006)}
    assert same_year == VALIDATED[name]


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
