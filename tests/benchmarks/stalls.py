"""How long the daemon's loop stands still while listings and pages are read: 50 ms at most.

    python tests/benchmarks/stalls.py

Counted is the CPU time of the whole process between two turns of a task that asks for one every 2 ms, so that other
programs on the machine are not. Exits with 1 where one turn waits for longer than ``BOUND``.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from random import Random

from prose import paragraph

sys.path.append(str(Path(__file__).parent.parent))

from world import Clock, Site, feed, item, link, page, rss

from aggregator.archive import SqliteArchive
from aggregator.model import Feed
from aggregator.pipeline import Desk, poll
from aggregator.workers import Worker

BOUND, LARGE = 50.0, 100.0  # ms; the second one for a listing near the limit of what is read at all
LISTING = feed(pages="false", recheck=())
PAGES = feed(pages="true", recheck=())


def listing(entries: int, *, strict: bool) -> bytes:
    """A listing with its text, 3.2 kB an entry; one that is not ``strict`` is read by feedparser."""
    dice = Random(entries)
    text = "".join(f"<p>{paragraph(dice, 250)}</p>" for _ in range(4))
    content = f"<content:encoded><![CDATA[{text}]]></content:encoded>"
    whole = rss(*(item(number, extra=content) for number in range(entries)))
    names = b' xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    odd = b"" if strict else b'<odd:one xmlns:odd="urn:odd"/>'
    return whole.replace(b'version="2.0"', b'version="2.0"' + names).replace(b"<channel>", b"<channel>" + odd)


def pages(count: int, size: int) -> dict[str, bytes]:
    """A listing of pages, and so many of about such a size."""
    dice = Random(size)
    texts = ["".join(paragraph(dice, 250) for _ in range(max(size // 4_500, 1))) for _ in range(count)]
    bodies = [page(number, text) for number, text in enumerate(texts)]
    return {PAGES.url: rss(*map(item, range(count)))} | {link(number): body for number, body in enumerate(bodies)}


async def worst(one: Feed, answers: Mapping[str, bytes], folder: Path) -> tuple[float, float]:
    """The longest CPU time between two turns of the loop in a poll, and that of the poll; in ms."""
    site = Site(Clock(), dict(answers))
    archive = await SqliteArchive.open(folder / "archive.db", site.clock, parser="bench", rules="bench")
    turns: list[float] = []

    async def watch() -> None:
        while True:
            before = time.process_time()
            await asyncio.sleep(0.002)
            turns.append(1000 * (time.process_time() - before))

    try:
        await archive.enrol([one])
        async with Worker(120.0, beside=True) as work:
            watching = asyncio.create_task(watch())
            began = time.process_time()
            await poll(Desk(site, archive, site.clock, {one.name: one}, work=work), one)
            spent = time.process_time() - began
            watching.cancel()
    finally:
        await archive.close()
    return max(turns), 1000 * spent


def main() -> int:
    """Measure and tell."""
    cases = {
        "the modules": (PAGES, pages(2, 68_000)),
        "a listing of 180 kB": (LISTING, {LISTING.url: listing(50, strict=True)}),
        "the same by feedparser": (LISTING, {LISTING.url: listing(50, strict=False)}),
        "a listing of 900 kB": (LISTING, {LISTING.url: listing(270, strict=True)}),
        "that by feedparser": (LISTING, {LISTING.url: listing(270, strict=False)}),
        "a listing of 30 MB": (LISTING, {LISTING.url: listing(9_000, strict=True)}),
        "20 pages of 68 kB": (PAGES, pages(20, 68_000)),
        "5 pages of 190 kB": (PAGES, pages(5, 190_000)),
        "3 pages of 950 kB": (PAGES, pages(3, 950_000)),
    }
    good = True
    for name, (one, answers) in cases.items():
        with tempfile.TemporaryDirectory() as folder:
            longest, spent = asyncio.run(worst(one, answers, Path(folder)))
        print(f"{name:30} {longest:7.1f} ms at most, {spent:8.0f} ms in all")
        good = good and longest <= (LARGE if "MB" in name else BOUND)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
