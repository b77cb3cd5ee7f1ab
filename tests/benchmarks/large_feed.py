"""A feed of 100,000 entries: our time and memory beside those of ``feedparser.parse`` alone, in the same run.

    python tests/benchmarks/large_feed.py [ENTRIES] [--rounds N]

Each measurement is a process of its own; ours and feedparser's take turns, and the best of the rounds counts, so that
other work on the machine falls on both. Two feeds are read: plain items (20 MB), and a fifth as many items with markup,
content, author and category. Exits with 1 above twice feedparser's CPU time or 1.5 times its memory.
"""

from __future__ import annotations

import argparse
import io
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

TIMES, MEMORY = 2.0, 1.5  # the bounds
NEWS = "央行今日开展公开市场操作，市场流动性保持合理充裕。" * 12


def plain(number: int) -> str:
    """An item as small as they come."""
    return (
        f"<item><title>第{number}号快讯</title><link>http://news.example/2022/{number}.html</link>"
        f"<guid>news-{number}</guid><pubDate>Thu, 14 Jul 2022 07:10:{number % 60:02} GMT</pubDate>"
        f"<description>央行今日开展{number}</description></item>"
    )


def rich(number: int) -> str:
    """An item as blogs have them."""
    content = f"<p>{NEWS}</p><p>第{number}段<a href='/x/{number}'>链接</a><img src='/i/{number}.jpg'></p>"
    return plain(number).replace(
        f"<description>央行今日开展{number}</description>",
        f"<dc:creator>张{number % 7}</dc:creator><category>金融</category>"
        f"<description>&lt;p&gt;央行今日&lt;b&gt;开展&lt;/b&gt;{number}&lt;/p&gt;</description>"
        f"<content:encoded><![CDATA[{content}]]></content:encoded>",
    )


def feed(item: Callable[[int], str], count: int) -> Iterator[str]:
    """An RSS file, piece by piece."""
    spaces = 'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    yield f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0" {spaces}><channel><title>电讯</title>'
    yield from map(item, range(count))
    yield "</channel></rss>"


def ours(body: bytes) -> int:
    """The number of entries this program finds."""
    from aggregator.model import Page
    from aggregator.sources import SOURCES

    url = "http://news.example/feed"
    return len(SOURCES["feed"].parse(Page(url, url, 200, {}, body, datetime(2026, 11, 24, tzinfo=UTC)), None).entries)


def theirs(body: bytes) -> int:
    """The number of entries feedparser finds."""
    import feedparser

    return len(feedparser.parse(io.BytesIO(body)).entries)


READERS = {"ours": ours, "feedparser": theirs}


def measured(name: str, file: str) -> dict[str, float]:
    """What one reader costs in this process, its imports included."""
    entries = READERS[name](Path(file).read_bytes())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"entries": entries, "seconds": time.process_time(), "megabytes": peak}


def in_a_process(name: str, file: Path) -> dict[str, float]:
    """``measured``, elsewhere."""
    call = [sys.executable, __file__, "--measure", name, str(file)]
    result: dict[str, float] = json.loads(subprocess.run(call, check=True, capture_output=True, text=True).stdout)
    return result


def compared(kind: str, file: Path, rounds: int) -> bool:
    """Print what both cost; whether ours is within the bounds."""
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in READERS}
    for _ in range(rounds):
        for name, results in runs.items():
            results.append(in_a_process(name, file))
    best = {
        name: {key: min(result[key] for result in results) for key in ("entries", "seconds", "megabytes")}
        for name, results in runs.items()
    }
    times = best["ours"]["seconds"] / best["feedparser"]["seconds"]
    memory = best["ours"]["megabytes"] / best["feedparser"]["megabytes"]
    for name, one in best.items():
        size = file.stat().st_size / 1e6
        print(
            f"{kind:5}  {name:10}  {one['entries']:7.0f} entries, {size:.1f} MB"
            f"  {one['seconds']:6.2f} s CPU  {one['megabytes']:6.1f} MB"
        )
    print(f"{kind:5}  ratios: {times:.2f} of the time (at most {TIMES}), {memory:.2f} of the memory (at most {MEMORY})")
    same = best["ours"]["entries"] == best["feedparser"]["entries"]
    return same and times <= TIMES and memory <= MEMORY


def main() -> int:
    """Compare both kinds of feed; 1 if either is beyond the bounds."""
    parser = argparse.ArgumentParser(description="time and memory of a large feed, ours and feedparser's")
    parser.add_argument("entries", nargs="?", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--measure", nargs=2, metavar=("READER", "FILE"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        print(json.dumps(measured(*asked.measure)))
        return 0
    good = True
    with tempfile.TemporaryDirectory() as folder:
        for item, count in ((plain, asked.entries), (rich, asked.entries // 5)):
            file = Path(folder) / "feed.xml"
            with file.open("w", encoding="utf-8") as out:
                out.writelines(feed(item, count))
            good = compared(item.__name__, file, asked.rounds) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
