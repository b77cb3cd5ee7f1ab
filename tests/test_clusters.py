"""Reprints in the archive: what is linked, which is the root, and what was known of it when."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import searching
from sqlite_utils import Database
from test_similarity import edited, story
from world import Clock, Site, desk, feed, item, link, rss

from aggregator.archive import Reader, SqliteArchive, index
from aggregator.archive.catching_up import catch_up
from aggregator.archive.clusters import candidates
from aggregator.archive.opening import open_writer
from aggregator.articles.rules import built_in
from aggregator.identity.similarity import bands
from aggregator.pipeline import poll

WIRE = feed()


def body(number: int, text: str) -> bytes:
    """A page of ours with a text in paragraphs."""
    paragraphs = "".join(f"<p>{text[at : at + 150]}</p>" for at in range(0, len(text), 150))
    head = f"<title>第{number}号快讯</title>"
    return f"<html><head>{head}</head><body><article>{paragraphs}</article></body></html>".encode()


def polled(path: Path, site: Site, texts: Mapping[int, str], *, limit: int = 200) -> int:
    """Poll the wire with these articles, then compare until nothing is left; how many revisions were compared."""
    site.answers[WIRE.url] = rss(*(item(number) for number in texts))
    site.answers |= {link(number): body(number, text) for number, text in texts.items()}

    async def run() -> int:
        async with desk(path / "a.db", site, WIRE) as one:
            await poll(one, WIRE)
            site.clock.move(minutes=5)
            assert isinstance(one.archive, SqliteArchive)
            compared = 0
            while count := await one.archive.catch_up(built_in(), limit):
                compared += count
            return compared

    return asyncio.run(run())


def reprints(path: Path, number: int, until: int | None = None) -> list[str]:
    """The addresses of an article's cluster, root first."""
    with Reader(path / "a.db") as reader:
        row = reader.article(f"url:{link(number)}")
        assert row is not None
        return [str(one["url"]) for one in reader.reprints(int(str(row["id"])), until)]


def test_reprints_are_one_cluster_with_the_first_seen_as_its_root(tmp_path: Path) -> None:
    site, text = Site(Clock(), {}), story(1, 900)
    polled(tmp_path, site, {1: text, 2: story(2, 900)})
    polled(tmp_path, site, {3: edited(text, 5, 1), 2: story(2, 900)})
    polled(tmp_path, site, {4: edited(text, 5, 2)})
    assert reprints(tmp_path, 4) == reprints(tmp_path, 1) == [link(1), link(3), link(4)]
    assert reprints(tmp_path, 2) == []


def test_a_cluster_as_of_a_commit_holds_what_was_linked_then(tmp_path: Path) -> None:
    site, text = Site(Clock(), {}), story(1, 900)
    heads = []
    for number in (1, 3, 4):
        polled(tmp_path, site, {number: edited(text, 3, number)})
        heads.append(Database(tmp_path / "a.db").execute("SELECT max(seq) FROM commits").fetchone()[0])
    assert [len(reprints(tmp_path, 1, head)) for head in heads] == [0, 2, 3]


def test_each_revision_is_compared_once_however_small_the_steps(tmp_path: Path) -> None:
    texts = {number: story(number % 3, 900) for number in range(7)}
    for name, limit in (("one", 1), ("all", 200)):
        (tmp_path / name).mkdir()
        site = Site(Clock(), {})
        assert polled(tmp_path / name, site, texts, limit=limit) == 7
        assert polled(tmp_path / name, site, texts, limit=limit) == 0
    found = [[reprints(tmp_path / name, number) for number in texts] for name in ("one", "all")]
    assert found[0] == found[1]
    assert [len(one) for one in found[0]] == [3, 2, 2, 3, 2, 2, 3]


def test_what_is_behind_in_one_way_is_caught_up_in_that_way_and_all_of_it_is_one_commit(tmp_path: Path) -> None:
    texts = [story(number, 60) for number in range(230)] + [story(number, 60) for number in (3, 229, 3)]
    db = open_writer(tmp_path / "a.db")
    searching.fill(db, [(f"第{number}号", text, "日报") for number, text in enumerate(texts)])

    def linked() -> list[tuple[int, ...]]:
        assert [*index.damages(db)] == []
        return [*db.execute('SELECT revision_a, revision_b, "commit" FROM links ORDER BY id')]

    assert catch_up(db, Clock(), built_in(), 1_000) == len(texts)  # more than are in memory at once
    expected = linked()
    assert expected == [(4, 231, 2), (230, 232, 2), (4, 233, 2), (231, 233, 2)]
    index.clear(db)
    assert [catch_up(db, Clock(), built_in(), limit) for limit in (100, 1_000, 1_000)] == [100, len(texts) - 100, 0]
    assert linked() == expected
    db.execute("DELETE FROM links")
    db.execute("UPDATE compared SET version = version + 1")
    searching.fill(db, [("第234号", texts[3], "日报")])
    assert catch_up(db, Clock(), built_in(), 50) == 51  # the new one is indexed first, whatever waits to be compared
    assert not index.is_behind(db)
    searching.index_all(db)
    assert [row[:2] for row in linked()] == [row[:2] for row in expected] + [(4, 234), (231, 234), (233, 234)]
    db.close()


def test_an_edit_links_no_pair_twice_and_never_an_article_with_itself(tmp_path: Path) -> None:
    site, text = Site(Clock(), {}), story(1, 900)
    polled(tmp_path, site, {1: text, 2: text})
    site.answers |= {link(1): body(1, edited(text, 4, 9))}
    site.answers[WIRE.url] = rss(item(1, "第1号快讯（更新）"), item(2))

    async def again() -> None:
        async with desk(tmp_path / "a.db", site, WIRE) as one:
            await poll(one, WIRE)
            assert isinstance(one.archive, SqliteArchive)
            assert await one.archive.catch_up(built_in()) == 1

    asyncio.run(again())
    rows = Database(tmp_path / "a.db").execute("SELECT a, b FROM links").fetchall()
    assert len(rows) == 1
    assert rows[0][0] != rows[0][1]


def test_links_alone_never_cluster(tmp_path: Path) -> None:
    site = Site(Clock(), {link(1): 404, link(2): 404})
    site.answers[WIRE.url] = rss(item(1, "同一标题"), item(2, "同一标题"))

    async def run() -> int:
        async with desk(tmp_path / "a.db", site, WIRE) as one:
            await poll(one, WIRE)
            assert isinstance(one.archive, SqliteArchive)
            return await one.archive.catch_up(built_in())

    assert asyncio.run(run()) == 2
    assert reprints(tmp_path, 1) == []


def test_a_frame_that_thousands_share_costs_no_scan(tmp_path: Path) -> None:
    site, frame = Site(Clock(), {}), story(5, 900, numbers=0)
    texts = {n: f"{frame}今日收于{n * 137}点，成交{n * 411}亿元，涨{n * 7}家" for n in range(1, 60)}
    polled(tmp_path, site, texts)
    assert Database(tmp_path / "a.db").execute("SELECT count(*) FROM links").fetchone()[0] == 0


def test_a_search_may_leave_out_reprints(tmp_path: Path) -> None:
    site, text = Site(Clock(), {}), story(1, 900)
    polled(tmp_path, site, {1: text, 2: f"{story(2, 900)}，利率", 3: edited(text, 3, 3), 4: edited(text, 3, 4)})

    async def indexed() -> None:
        async with desk(tmp_path / "a.db", site, WIRE) as one:
            assert isinstance(one.archive, SqliteArchive)
            while await one.archive.catch_up(built_in()):
                pass

    asyncio.run(indexed())
    (tmp_path / "config.yaml").write_text("archive: a.db\n", encoding="utf-8")
    command = [sys.executable, "-m", "aggregator", "search", "快讯", "--sort", "seen", "--json"]
    command += ["--config", str(tmp_path / "config.yaml")]
    keys = []
    for more in ([], ["--no-reprints"], ["--no-reprints", "--limit", "1"], ["--no-reprints", "--offset", "1"]):
        done = subprocess.run([*command, *more], capture_output=True, check=True, timeout=60)
        told = json.loads(done.stdout)
        keys.append(([hit["key"] for hit in told["hits"]], told["more"]))
    every = [f"url:{link(number)}" for number in (4, 3, 2, 1)]
    alone = [every[0], every[2]]
    assert keys == [(every, False), (alone, False), (alone[:1], True), (alone[1:], False)]


def test_comparing_a_text_costs_the_same_steps_in_an_archive_ten_times_the_size(tmp_path: Path) -> None:
    site = Site(Clock(), {})
    polled(tmp_path, site, {n: story(n, 900) for n in range(1, 4)})
    steps = []
    for size in (2_000, 20_000):
        with closing(Database(tmp_path / "a.db").conn) as db:
            chance = random.Random(size)
            rows = ((chance.randrange(-(2**63), 2**63), 1) for _ in range(16 * size))
            db.executemany("INSERT OR IGNORE INTO bands (band, revision) VALUES (?, ?)", rows)
            db.commit()
            keys = bands(story(1, 900))
            counted: list[int] = []
            db.set_progress_handler(lambda counted=counted: counted.append(1), 10)
            candidates(Database(db, execute_plugins=False), keys, 2)
            db.set_progress_handler(None, 0)
            steps.append(len(counted))
    assert steps[0] > 10
    assert steps[1] <= 1.1 * steps[0]
