"""Feeds as they are found, each beside what it says: ``golden/feeds/NAME.xml`` and ``NAME.json``.

The JSON is what ``parse --json`` prints, without what is unknown or empty, of a feed at ``https://feeds.example/NAME.xml``.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from aggregator.cli.inspecting import listing_json
from aggregator.model import Page
from aggregator.sources import SOURCES

FEEDS = sorted((Path(__file__).parent / "golden" / "feeds").glob("*.xml"))


def said(value: Any) -> Any:
    """A value of JSON without what says nothing."""
    if isinstance(value, dict):
        return {key: said(inner) for key, inner in value.items() if inner not in (None, [], "")}
    return [said(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("source", FEEDS, ids=lambda source: source.stem)
def test_a_feed_says_what_stands_beside_it(source: Path) -> None:
    url = f"https://feeds.example/{source.name}"
    page = Page(url, url, 200, {}, source.read_bytes(), datetime(2026, 1, 1, tzinfo=UTC))
    expected = json.loads(source.with_suffix(".json").read_text("utf-8"))
    assert said(listing_json(SOURCES["feed"].parse(page, None))) == expected


def test_there_are_enough_of_them() -> None:
    assert len(FEEDS) >= 12
