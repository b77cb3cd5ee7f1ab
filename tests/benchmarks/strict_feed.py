"""One listing of 50 Chinese entries (178 kB) read with feedparser and with the strict reader, in turns in one process.

    python tests/benchmarks/strict_feed.py [--rounds N]

Prints the CPU milliseconds of the XML alone and of the whole listing, cleaned HTML included; the best of the rounds
counts. Exits with 1 where the strict reader does not take the feed, where the two listings differ in any field, or
where its share costs more than a fifth of feedparser's.
"""

from __future__ import annotations

import argparse
import io
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

import feedparser
import large_feed

from aggregator.model import Page
from aggregator.sources import strict, syndication
from aggregator.sources.repair import repaired

BOUND = 0.2
URL = "http://news.example/feed"


def listing(entries: int) -> bytes:
    """A feed of entries with markup, each some 3.5 kB."""

    def item(number: int) -> str:
        more = "".join(f"<p>{large_feed.NEWS[:174]}{number}-{part}</p>" for part in range(4))
        return large_feed.rich(number).replace("]]></content", f"{more}]]></content")

    return "".join(large_feed.feed(item, entries)).encode()


def best(rounds: int, *steps: Callable[[], object]) -> list[float]:
    """The least CPU milliseconds of each step, the steps in turns."""
    least = [float("inf")] * len(steps)
    for _ in range(rounds):
        for at, step in enumerate(steps):
            started = time.process_time()
            step()
            least[at] = min(least[at], (time.process_time() - started) * 1000)
    return least


def theirs(text: str) -> object:
    """feedparser as the program calls it."""
    headers = {"content-type": "application/xml; charset=utf-8"}
    stream = io.BytesIO(text.encode())
    return feedparser.parse(stream, response_headers=headers, sanitize_html=False, resolve_relative_uris=False)


def main() -> int:
    """Compare; 1 where the result is another or the bound is missed."""
    parser = argparse.ArgumentParser(description="CPU time of one listing, with feedparser and with the strict reader")
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    body = listing(50)
    page = Page(URL, URL, 200, {}, body, datetime(2026, 11, 24, tzinfo=UTC))
    text = repaired(body.decode())
    same = strict.read(text, 50) is not None and syndication.parse(page) == syndication.parse(page, strict=False)
    xml = best(rounds, lambda: theirs(text), lambda: strict.read(text, 50))
    whole = best(rounds, lambda: syndication.parse(page, strict=False), lambda: syndication.parse(page))
    print(f"one listing of 50 entries, {len(body) / 1000:.0f} kB, the same in every field: {'yes' if same else 'NO'}")
    for name, (slow, fast) in (("the XML", xml), ("the whole listing", whole)):
        print(f"{name:18} feedparser {slow:6.2f} ms   strict {fast:6.2f} ms   ratio {fast / slow:.2f}")
    return 0 if same and xml[1] <= BOUND * xml[0] else 1


if __name__ == "__main__":
    sys.exit(main())
