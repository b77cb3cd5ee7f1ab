"""gofeed's pairs of a feed and what it says: on every key that both sides print, in all but a few of the pairs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from markup import tree
from typer.testing import CliRunner

from aggregator.cli import app
from aggregator.cli.inspecting import listing_json
from aggregator.errors import ParseError
from aggregator.model import Page
from aggregator.sources import SOURCES, sniff

Value = Any  # out of JSON
# Where we say another thing on purpose: the generator by its name alone, as feedparser does; and an entry's date of
# change is not its date of publication.
OTHERWISE = {"generator", "items.publishedParsed"}


def parse(source: Path) -> dict[str, Value]:
    page = Page("", "", 200, {}, source.read_bytes(), datetime(2026, 11, 24, tzinfo=UTC))
    return listing_json(SOURCES[sniff(page)].parse(page, None))


def pairs(folder: Path) -> Iterator[tuple[Path, Path]]:
    for source in sorted(folder.rglob("*")):
        twin = source.with_suffix(".json")
        pair = twin if source.suffix == ".xml" else source.with_name(f"{source.stem}_expected.json")
        if source.suffix in (".xml", ".json") and pair.exists() and pair != source:
            yield source, pair


def person(value: Value) -> str:
    name, address = value.get("name"), value.get("email")
    return f"{name} ({address})" if name and address else name or address


def instant(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def of_feed(listing: dict[str, Value]) -> dict[str, Value]:
    """What we print of a feed, under gofeed's names."""
    links = listing["links"]
    return {
        "title": listing["title"],
        "link": listing["link"],
        "feedLink": next((link["href"] for link in links if link["rel"] == "self"), None),
        "links": [link["href"] for link in links],
        "updatedParsed": listing["updated"],
        "author": next(iter(listing["authors"]), None),
        "authors": listing["authors"],
        "language": listing["language"],
        "image": listing["image"],
        "generator": listing["generator"],
        "items": len(listing["entries"]),
    }


def of_item(entry: dict[str, Value]) -> dict[str, Value]:
    files = [{name: str(value) for name, value in file.items() if value is not None} for file in entry["enclosures"]]
    return {
        "guid": entry["id"],
        "title": entry["title"],
        "link": entry["link"],
        "description": tree(entry["summary"] or ""),
        "content": tree(entry["content"] or ""),
        "publishedParsed": entry["published"],
        "updatedParsed": entry["updated"],
        "author": entry["author"],
        "authors": entry["author"],
        "categories": entry["categories"],
        "enclosures": files,
    }


def expected(key: str, value: Value, *, item: bool) -> Value:
    """gofeed's value as we would print it."""
    if key.endswith("Parsed"):
        return instant(value)
    if key == "author":
        return person(value)
    if key == "authors":
        people = [person(one) for one in value]
        return ", ".join(people) if item else people
    if key in ("description", "content"):
        return tree(value)
    if key == "image":
        return value["url"]
    return len(value) if key == "items" else value


def differences(listing: dict[str, Value], want: dict[str, Value]) -> Iterator[str]:
    """The keys that both print, with other values."""
    items = want.get("items") or []
    ours = of_feed(listing)
    both = {key: value for key, value in {**want, "items": items}.items() if key in ours}
    yield from (key for key, value in both.items() if ours[key] != expected(key, value, item=False))
    for entry, item in zip(listing["entries"], items, strict=False):
        ours = of_item(entry)
        both = {key: value for key, value in item.items() if key in ours}
        yield from (f"items.{key}" for key, value in both.items() if ours[key] != expected(key, value, item=True))


def test_gofeeds_pairs(shared: Path) -> None:
    found = {
        source: list(differences(parse(source), json.loads(pair.read_text("utf-8"))))
        for source, pair in pairs(shared / "corpus" / "gofeed")
    }
    xml = {source: keys for source, keys in found.items() if source.suffix == ".xml"}
    feeds = {source: keys for source, keys in found.items() if "translator/json" in source.as_posix()}
    others = {source.name: keys for source, keys in found.items() if keys}
    right = [sum(not keys for keys in of.values()) for of in (xml, feeds, found)]
    print(f"gofeed: {right[0]}/{len(xml)} XML, {right[1]}/{len(feeds)} JSON Feed, {right[2]}/{len(found)} in all")
    print("\n".join(f"  {name}: {', '.join(keys)}" for name, keys in others.items()))
    assert len(xml) >= 90
    assert len(feeds) == 3
    assert right[0] >= 0.96 * len(xml)
    assert right[1] == len(feeds)
    assert {key for keys in others.values() for key in keys} <= OTHERWISE


@pytest.mark.parametrize("name", ["empty_feed.xml", "unknown_feed.xml", "invalid.json"])
def test_bodies_that_are_no_feeds(shared: Path, name: str) -> None:
    for source in (shared / "corpus/gofeed/parser").rglob(name):
        with pytest.raises(ParseError) as caught:
            parse(source)
        answer = CliRunner().invoke(app, ["parse", str(source), "--json"])
        assert answer.exit_code == 1
        assert json.loads(answer.stdout) == {"error": {"kind": "not_a_feed", "message": str(caught.value)}}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("rss_feed_bom.xml", "rss"),
        ("rss_feed_leading_spaces.xml", "rss"),
        ("rss_feed.xml", "rss"),
        ("rdf_feed.xml", "rss"),
        ("atom03_feed.xml", "atom03"),
        ("atom10_feed.xml", "atom10"),
        ("json10_feed.json", "jsonfeed"),
        ("json11_feed.json", "jsonfeed"),
        ("sample.json", "jsonfeed"),
    ],
)
def test_feeds_of_every_kind_are_told(shared: Path, name: str, kind: str) -> None:
    assert parse(shared / "corpus/gofeed/parser/universal" / name)["format"].startswith(kind)
