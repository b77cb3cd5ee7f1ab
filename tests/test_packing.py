"""Pages packed with what their host's pages have in common: smaller, and byte for byte what came, whatever happens."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from random import Random

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from world import Clock, Site, desk, feed, item, link, rss

from aggregator.archive import Reader, SqliteArchive
from aggregator.archive.dictionaries import LEARN
from aggregator.archive.packing import LARGEST, LEAST, pack, shared, unpack
from aggregator.archive.salvage import salvage
from aggregator.archive.verifying import verify
from aggregator.pipeline import poll

WIRE = feed(pages="true", recheck=())
FURNITURE = "".join(
    f'<li><a href="/{Random(n).getrandbits(64):x}.html">栏目{Random(-n).getrandbits(64):x}</a></li>' for n in range(300)
)


def page(number: int) -> bytes:
    """An article in the middle of what stands around every article of the wire."""
    words = "".join(f"<p>第{number}号工厂今日投产，年产能{number}万吨，编号{Random(number).getrandbits(99)}。</p>" * 3)
    text = f"<title>第{number}号快讯</title><ul>{FURNITURE}</ul><article>{words}</article><ul>{FURNITURE[::-1]}</ul>"
    return f"<html><body>{text}</body></html>".encode()


async def fill(path: Path, numbers: range, more: Mapping[str, bytes] | None = None) -> None:
    """Articles of the wire, archived."""
    listing = rss(*(item(number) for number in numbers))
    site = Site(Clock(), {WIRE.url: listing, **{link(number): page(number) for number in numbers}, **(more or {})})
    async with desk(path, site, WIRE) as one:
        await poll(one, WIRE)


async def tended(path: Path, *, turns: int | None = None) -> int:
    """How many pages were packed anew."""
    archive = await SqliteArchive.open(path, Clock(), parser="test", rules="test")
    try:
        return (await archive.tending.pack(turns)).pages
    finally:
        await archive.close()


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty articles, of which the first twenty were stored before anything was known of their host."""
    path = tmp_path_factory.mktemp("packing") / "archive.db"
    asyncio.run(fill(path, range(LEARN)))
    asyncio.run(fill(path, range(LEARN, 30)))
    return path


@pytest.fixture
def archive(plain: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(plain, tmp_path / "archive.db"))


def ask(path: Path, sql: str) -> list[tuple[int, ...]]:
    with closing(sqlite3.connect(path)) as db, db:
        return db.execute(sql).fetchall()


def bodies(path: Path) -> set[bytes]:
    numbers = [number for (number,) in ask(path, "SELECT id FROM pages WHERE kind = 'article'")]
    with Reader(path) as reader:
        stored = {reader.stored(number).body for number in numbers}
        assert stored == {reader.page(number) for number in numbers}
        return stored


@given(st.binary(max_size=3000), st.binary(max_size=3000))
def test_what_is_packed_comes_out(body: bytes, common: bytes) -> None:
    dictionary = pack(common)
    assert unpack(pack(body), None) == body
    assert unpack(pack(body, dictionary), dictionary) == body


def test_only_what_several_pages_have_is_shared() -> None:
    pages = [page(number) for number in range(8)]
    common = shared(pages)
    assert len(FURNITURE.encode()) < len(common) < 3 * len(pages[0])
    assert "号工厂".encode() not in common
    assert shared([pages[0]] * (LEAST - 1)) == b""
    assert (
        len(shared([bytes(f"<{n}>", "ascii") * 9 for n in range(9)] + [b"\n".join([b"x" * 99_999] * 99)] * 3))
        <= LARGEST
    )


def test_pages_of_before_are_packed_anew_and_all_are_what_came(archive: Path) -> None:
    whole = {page(number) for number in range(30)}
    assert bodies(archive) == whole
    assert ask(archive, "SELECT count(*), count(dictionary) FROM pages WHERE kind = 'article'") == [(30, 10)]
    (before,) = ask(archive, "SELECT sum(length(bytes)) FROM pages WHERE dictionary IS NULL")
    assert asyncio.run(tended(archive)) == LEARN
    assert asyncio.run(tended(archive)) == 0
    assert ask(archive, "SELECT count(*), count(dictionary) FROM pages WHERE kind = 'article'") == [(30, 30)]
    (after,) = ask(archive, "SELECT sum(length(bytes)) FROM pages WHERE kind = 'article'")
    assert after[0] < before[0] / 5
    assert bodies(archive) == whole
    assert verify(archive, "test").damages == ()


def test_few_pages_and_pages_without_anything_in_common_stay_as_they_are(tmp_path: Path) -> None:
    few, strange = tmp_path / "few.db", tmp_path / "strange.db"
    asyncio.run(fill(few, range(LEARN - 1)))
    assert asyncio.run(tended(few)) == 0
    assert ask(few, "SELECT count(*) FROM dictionaries") == [(0,)]
    others = {
        link(n): f"<html><body><article><p>{''.join(chr(0x4E00 + Random(n).randrange(20_000) + k) for k in range(400))}"
        f"</p></article></body></html>".encode()
        for n in range(LEARN)
    }
    asyncio.run(fill(strange, range(LEARN), others))
    assert asyncio.run(tended(strange)) == 0
    assert ask(strange, "SELECT count(*), sum(size) FROM dictionaries") == [(1, 0)]  # looked at, and not again soon
    assert verify(strange, "test").damages == ()


def test_a_page_that_is_damaged_is_not_made_to_look_whole(archive: Path) -> None:
    ask(archive, "UPDATE pages SET sha256 = 'other' WHERE id = 2")
    (kept,) = ask(archive, "SELECT bytes FROM pages WHERE id = 2")
    asyncio.run(tended(archive))
    assert ask(archive, "SELECT bytes FROM pages WHERE id = 2") == [kept]


def test_cut_short_it_goes_on_where_it_was(archive: Path) -> None:
    ask(archive, "UPDATE dictionaries SET until = 1000")
    assert asyncio.run(tended(archive, turns=1)) == LEARN
    assert asyncio.run(tended(archive)) == 0
    assert ask(archive, "SELECT done = until FROM dictionaries") == [(1,)]


_CHILD = """
import asyncio, sys
from pathlib import Path
from world import Clock
from aggregator.archive import SqliteArchive, dictionaries
dictionaries._BATCH = 1
async def run():
    archive = await SqliteArchive.open(Path(sys.argv[1]), Clock(), parser="test", rules="test")
    print("open", flush=True)
    while (await archive.tending.pack(1)).pages:
        print("packed", flush=True)
    await archive.close()
asyncio.run(run())
"""


@pytest.mark.parametrize("lines", [1, 2, 8])
def test_killed_at_any_moment_every_page_can_be_read(archive: Path, lines: int) -> None:
    command = [sys.executable, "-c", _CHILD, str(archive)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={"PYTHONPATH": ":".join(sys.path)}) as child:
        assert child.stdout
        for _ in range(lines):
            assert child.stdout.readline()
        child.kill()
    assert verify(archive, "test").damages == ()
    assert bodies(archive) == {page(number) for number in range(30)}
    asyncio.run(tended(archive))
    assert verify(archive, "test").damages == ()


def test_a_damaged_dictionary_is_told_and_what_hangs_on_it_is_lost_alone(archive: Path, tmp_path: Path) -> None:
    ask(archive, f"UPDATE dictionaries SET bytes = x'{zstandard.compress(b'other').hex()}'")
    tables = {damage.table for damage in verify(archive, "test").damages}
    assert tables == {"dictionaries", "pages"}
    ask(archive, "DELETE FROM dictionaries")
    target = tmp_path / "new.db"
    salvage(archive, target, lambda *_: None)
    found = verify(target, "test")
    assert found.damages == ()
    assert found.counts["pages without bytes"] == 10


def test_salvage_brings_dictionaries_along(archive: Path, tmp_path: Path) -> None:
    asyncio.run(tended(archive))
    assert salvage(archive, tmp_path / "new.db", lambda *_: None).lost == ()
    assert bodies(tmp_path / "new.db") == bodies(archive)


def test_what_one_article_says_is_in_no_dictionary(archive: Path) -> None:
    """So nothing of a forgotten article is left there."""
    asyncio.run(tended(archive))
    ((packed, digest),) = ask(archive, "SELECT bytes, sha256 FROM dictionaries")
    common = unpack(packed)  # type: ignore[arg-type]
    assert hashlib.sha256(common).hexdigest() == digest
    for number in range(30):
        for words in (f"第{number}号快讯", f"编号{Random(number).getrandbits(99)}"):
            assert words.encode() not in common


def test_when_a_site_changes_so_does_what_new_pages_are_packed_with(archive: Path) -> None:
    asyncio.run(tended(archive))
    with closing(sqlite3.connect(archive)) as db, db:
        db.execute("UPDATE dictionaries SET checked = '2026-01-01T00:00:00Z'")
    asyncio.run(tended(archive))
    assert ask(archive, "SELECT count(*) FROM dictionaries") == [(1,)]  # it is as good as any
    others = {link(n): page(n).replace(b"<li>", b"<div>").swapcase() for n in range(30, 30 + LEARN)}
    asyncio.run(fill(archive, range(30, 30 + LEARN), others))
    ask(archive, "UPDATE dictionaries SET checked = '2026-01-01T00:00:00Z'")
    assert asyncio.run(tended(archive)) == 0
    assert ask(archive, "SELECT id, done = until FROM dictionaries") == [(1, 1), (2, 1)]
    assert verify(archive, "test").damages == ()
