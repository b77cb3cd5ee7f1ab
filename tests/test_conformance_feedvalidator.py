"""The feed validator's cases, through the command line: none raises, and a date is right or unknown, never other."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from aggregator.cli import app

FOLDER = "corpus/feedvalidator"
DATED = re.compile(r"<(?:pubDate|lastBuildDate|published|updated|issued|modified|dc:date)\b[^>]*>(.*?)</", re.S)
# What a text plainly means where the standard library reads none, or another thing (RFC 822's letters, an offset with a
# colon). In one file every date is written so as to mean one of the first two.
MEANT = {
    re.compile(r".*Feb.*\b2006\b.*23:59:45.*|.*16:59:45 G|.*12:59:45 L|.*03:59:45 Q", re.S): "2006-02-09T23:59:45Z",
    re.compile(r".*16\(th\) Feb\(ruary\) 2006 01:39 \+0000.*"): "2006-02-16T01:39:00Z",
    re.compile(r"31 Dec 2002 14:20:20 A"): "2002-12-31T15:20:20Z",
    re.compile(r"Mon, 21 Oct 2002 14:04:23 -05:00"): "2002-10-21T19:04:23Z",
    re.compile(r"2003-12-13t18:30:02.25z"): "2003-12-13T18:30:02Z",
    re.compile(r"2003-07-01\s*T?\s*01:55:07-05:00"): "2003-07-01T06:55:07Z",
    re.compile(r"2002-12"): "2002-12-01T00:00:00Z",
    re.compile(r"2003"): "2003-01-01T00:00:00Z",
}  # fmt: skip


def meant(text: str) -> str | None:
    """The instant that a date plainly means, told without our own parser; ``None`` if it means none."""
    by_hand = next((instant for form, instant in MEANT.items() if form.fullmatch(text.strip())), None)
    if by_hand:
        return by_hand
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            moment = read(text.strip())
        except ValueError:
            continue
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return None


def instants(listing: dict[str, Any]) -> Iterator[str]:
    """Every date that was read."""
    places = [(listing, "updated"), *((entry, key) for entry in listing["entries"] for key in ("published", "updated"))]
    yield from (place[key] for place, key in places if place[key])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_feed_validators_cases(shared: Path) -> None:
    rows = json.loads((shared / FOLDER / "manifest.json").read_text("utf-8"))
    dates = valid = 0
    for row in rows:
        source = shared / FOLDER / row["file"]
        answer = CliRunner().invoke(app, ["parse", str(source), "--json"])
        assert (answer.exit_code, answer.exception) == (0, None), row["file"]
        text = re.sub("<!--.*?-->", "", source.read_bytes().decode("latin-1"), flags=re.S)
        written = {meant(date) for date in DATED.findall(text)}
        read = set(instants(json.loads(answer.stdout)))
        assert read <= written, row["file"]
        dates += len(read)
        if row["expect"].startswith("Valid") and "Date" in row["expect"]:
            valid += 1
            assert read == written, row["file"]
    print(f"feed validator: {len(rows)}/{len(rows)} parsed, {dates} dates as written, all of the {valid} valid ones")
    assert len(rows) >= 100
    assert valid >= 30
