"""Search: does it find exactly what a plain matcher finds, and does it stay fast as an archive grows?

    python tests/benchmarks/search.py exact [--articles 20000] [--queries 10000]
    python tests/benchmarks/search.py growth [--sizes 10000 100000]
    python tests/benchmarks/search.py clusters [--sizes 10000 100000]

``growth`` measures, in CPU time of the process, the newest 20 hits of frequent words, and a poll of 50 new articles in
a listing with full texts, indexed. It exits with 1 where the largest archive takes more than 3 times what the smallest
takes; what is printed without a bound grows with the number of hits, since all of them are ranked or put in order.
``clusters`` measures in the same way, with the same bound, finding what an article is a reprint of and telling its
cluster, in archives of which a tenth of the articles share their bands with an earlier one.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import searching
from sqlite_utils import Database
from world import Clock, Site, desk, feed, item, rss

from aggregator.archive import Reader, SqliteArchive
from aggregator.archive.clusters import candidates, cluster
from aggregator.archive.opening import open_writer
from aggregator.archive.rows import insert, transaction
from aggregator.archive.searching import Order, Wanted
from aggregator.identity.similarity import bands
from aggregator.pipeline import poll
from aggregator.text.query import match_of, parse

MOST = 3.0  # times
NEW = 50
PLANTED = ("央行", "数字经济", "LPR报价")  # each in a tenth of the titles and of the bodies
SEARCHES: tuple[tuple[str, Order, bool], ...] = (
    ("央行", "seen", True),
    ("数字经济", "seen", True),
    ("LPR报价", "seen", True),
    ("央行 数字经济", "seen", True),
    ("央", "seen", False),  # the beginning of all its pairs
    ("央行", "rank", False),
    ("央行", "time", False),
)


def exact(articles: int, queries: int) -> bool:
    """Whether every query finds what the matcher finds."""
    rng = random.Random(20)
    rows = searching.articles(rng, articles)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "archive.db"
        searching.archive(path, rows)
        wrong, hits, asked = [], 0, 0
        with Reader(path) as reader:
            for one in searching.questions(rng, rows, queries):
                match = match_of(parse(one.typed))
                wanted = Wanted(match or "", order="seen", limit=articles)
                found = {hit.revision for hit in reader.search(wanted)} if match else set()
                hits, asked = hits + bool(found), asked + 1
                wrong += [one.typed] if found != one.expected else []
    print(f"{asked} queries over {articles} articles, {hits} with hits: {len(wrong)} differ from the plain matcher")
    print("\n".join(map(repr, wrong[:20])))
    return not wrong


def growth(sizes: Sequence[int]) -> bool:
    """Print what the searches and a poll cost at each size; whether what is bounded stays within."""
    costs: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "archive.db"
        rng = random.Random(20)
        words = vocabulary(rng)
        filled = 0
        for size in sizes:
            began = time.process_time()
            grow(path, rng, words, size - filled)
            each = (time.process_time() - began) / (size - filled)
            filled = size
            print(
                f"{size} articles: {path.stat().st_size / size:.0f} bytes and {each * 1e6:.0f} us each to fill",
                flush=True,
            )
            for name, cost in measured(path, size).items():
                costs.setdefault(name, []).append(cost)
    return told(costs)


def told(costs: dict[str, list[float]]) -> bool:
    """Print each cost at each size, in milliseconds; whether those with a bound stay within."""
    good = True
    for name, each in costs.items():
        ratio = each[-1] / each[0]
        bounded = name.endswith("*")
        good &= not bounded or ratio <= MOST
        print(f"{name:28} {'  '.join(f'{cost * 1e3:9.2f} ms' for cost in each)}   {ratio:6.2f} x")
    print(f"* at most {MOST} x: {'good' if good else 'BAD'}")
    return good


def clusters(sizes: Sequence[int]) -> bool:
    """Print what it costs to find an article's reprints at each size; whether it stays within the bound."""
    costs: dict[str, list[float]] = {}
    text = "".join(f"第{n}批储能项目今日并网。" for n in range(60))
    with tempfile.TemporaryDirectory() as folder:
        path, filled = Path(folder) / "archive.db", 0
        db = open_writer(path)
        for size in sizes:
            for start in range(filled, size, 1_000):
                searching.fill(db, [(f"第{n}号", text, "新浪财经") for n in range(start, start + 1_000)])
                band(db, range(start + 1, start + 1_001), bands(text))
            filled = size
            known = [number for number in range(1, size) if number % 10 == 0][:200]
            costs.setdefault("candidates *", []).append(clocked(lambda: candidates(db, bands(text), 1)))
            costs.setdefault("200 clusters *", []).append(clocked(lambda known=known: [cluster(db, n) for n in known]))  # type: ignore[misc]
        db.close()
    return told(costs)


def band(db: Database, numbers: range, shared: Sequence[int]) -> None:
    """Bands of these articles: every hundredth has those of one text, every tenth those of an earlier one, linked."""
    with transaction(db):
        for number in numbers:
            like = random.Random(number).randrange(1, number) if number % 10 == 0 else number
            chance = random.Random(like)
            keys = shared if number % 100 == 0 else [chance.randrange(-(2**63), 2**63) for _ in shared]
            rows = [(key, number) for key in keys]
            db.conn.executemany("INSERT OR IGNORE INTO bands (band, revision) VALUES (?, ?)", rows)
            if like != number:
                ends = {"a": like, "b": number, "revision_a": like, "revision_b": number}
                insert(db, "links", {**ends, "jaccard": 0.9, "commit": 1})


def vocabulary(rng: random.Random) -> list[str]:
    """20,000 words of one to four characters, of the 2,500 that GB2312 counts first."""
    common = [bytes((0xB0 + n // 94, 0xA1 + n % 94)).decode("gb2312") for n in range(2_500)]
    return ["".join(rng.choices(common, k=rng.choice((1, 2, 2, 2, 3, 4)))) for _ in range(20_000)]


def written(rng: random.Random, words: Sequence[str], count: int) -> str:
    """Sentences of so many words, the first ones of the vocabulary being frequent, as in any language."""
    picked = [words[int(len(words) ** rng.random()) - 1] for _ in range(count)]
    for planted in PLANTED:
        if rng.random() < 0.1:
            picked[rng.randrange(count)] = f"，{planted}，"
    return "".join(word + "，" * (n % 7 == 6) for n, word in enumerate(picked))


def grow(path: Path, rng: random.Random, words: Sequence[str], count: int) -> None:
    """Add so many articles of some 300 characters, indexed."""
    db = open_writer(path)
    for _ in range(0, count, 1_000):
        rows = [(written(rng, words, 9), written(rng, words, 130), "新浪财经") for _ in range(1_000)]
        searching.fill(db, rows)
        searching.index_all(db)
    db.close()


def measured(path: Path, size: int) -> dict[str, float]:
    """Seconds of CPU of each search, and of a poll; the least of several."""
    costs = {}
    with Reader(path) as reader:
        for typed, order, bounded in SEARCHES:
            wanted = Wanted(match_of(parse(typed)) or "", order=order)
            name = f"{typed}, newest 20 *" if bounded else f"{typed}, by {order}"
            costs[name] = clocked(lambda wanted=wanted: len(list(reader.search(wanted))))  # type: ignore[misc]
    costs[f"a poll of {NEW} new *"] = asyncio.run(polls(path, size))
    return costs


def clocked(work: Callable[[], object]) -> float:
    """Seconds of CPU, the least of eleven times after one that warms up: other work on the machine only adds."""
    work()
    taken = []
    for _ in range(11):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return min(taken)


async def polls(path: Path, size: int) -> float:
    """Seconds of CPU of a poll that finds 50 new articles, and indexes them; the least of nine."""
    wire, taken = feed(pages="false"), []
    rng = random.Random(size)
    words = vocabulary(rng)
    site = Site(Clock(), {})
    async with desk(path, site, wire) as one:
        assert isinstance(one.archive, SqliteArchive)
        for turn in range(9):
            numbers = range(size + turn * NEW, size + (turn + 1) * NEW)
            texts = [written(rng, words, 130) for _ in numbers]
            items = [
                item(n, extra=f"<description>{text}</description>") for n, text in zip(numbers, texts, strict=True)
            ]
            site.answers[wire.url] = rss(*items)
            began = time.process_time()
            report = await poll(one, wire)
            while await one.archive.catch_up(one.rules):
                pass
            taken.append(time.process_time() - began)
            assert report.new == NEW
            site.clock.move(minutes=5)
    return min(taken)


def main() -> int:
    """0 where all is as it should be."""
    parser = argparse.ArgumentParser(description="exactness and growth of search")
    parser.add_argument("what", choices=("exact", "growth", "clusters"))
    parser.add_argument("--articles", type=int, default=20_000)
    parser.add_argument("--queries", type=int, default=10_000)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    asked = parser.parse_args()
    if asked.what == "exact":
        return 0 if exact(asked.articles, asked.queries) else 1
    return 0 if (growth if asked.what == "growth" else clusters)(asked.sizes) else 1


if __name__ == "__main__":
    sys.exit(main())
