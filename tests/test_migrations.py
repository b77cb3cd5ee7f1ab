"""An archive of the first release is brought forward: in one transaction, with nothing lost, and it goes on.

``golden/archives/0.1.0.sql.xz`` is a dump of what the first release archived of the replica of Sina: 24 articles, two
of them edited, and 38 that still wait.
"""

from __future__ import annotations

import asyncio
import lzma
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from world import Clock

from aggregator import __version__
from aggregator.app import open_app
from aggregator.archive import Reader
from aggregator.archive.idle import NEWEST
from aggregator.archive.opening import open_reader, open_writer
from aggregator.archive.schema import known_migrations
from aggregator.archive.verifying import verify
from aggregator.config import parse
from aggregator.demo import Replica
from aggregator.errors import ArchiveError
from aggregator.pipeline import collect, discover

ROOT = Path(__file__).resolve().parent.parent
DUMP = ROOT / "tests" / "golden" / "archives" / "0.1.0.sql.xz"
BEGAN = datetime(2026, 9, 29, 0, 39, 35, tzinfo=UTC)
STEP = timedelta(minutes=20)
SEED, STEPS = 88, 3  # of the replica whose articles these are
_ROLL = "https://feed.mix.sina.com.cn/api/roll/get?pageid=155"
_CONFIG = f"""
archive: archive.db
network: {{per_host: {{interval: 0s}}}}
feeds:
  - {{name: sina-macro, source: sina-roll, url: "{_ROLL}&lid=1687", categories: [金融, 新浪财经, 宏观经济]}}
  - {{name: sina-banking, source: sina-roll, url: "{_ROLL}&lid=1690", categories: [金融, 新浪财经, 金融新闻]}}
  - {{name: demo-atom, source: feed, url: "http://rss.sina.com.cn/demo/atom.xml", categories: [演示, 全文, 全文]}}
"""
Rows = list[tuple[object, ...]]


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """An archive as the first release left it."""
    path = tmp_path / "archive.db"
    with closing(sqlite3.connect(path)) as db:
        db.executescript(lzma.decompress(DUMP.read_bytes()).decode())
        db.execute("PRAGMA journal_mode = WAL")
    return path


def schema(path: Path) -> Rows:
    with closing(sqlite3.connect(path)) as db:
        return db.execute("SELECT type, name, sql FROM sqlite_master ORDER BY type, name").fetchall()


def columns(path: Path) -> dict[str, list[str]]:
    """Every table of the archive's own with its columns."""
    with closing(sqlite3.connect(path)) as db:
        names = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        own = [name for name in names if not name.startswith(("sqlite_", "_"))]
        return {name: [row[1] for row in db.execute(f"PRAGMA table_info({name})")] for name in own}


def rows(path: Path, table: str, names: list[str]) -> Rows:
    """All rows of a table, as far as these columns go."""
    listed = ", ".join(f'"{name}"' for name in names)
    with closing(sqlite3.connect(path)) as db:
        return sorted(db.execute(f"SELECT {listed} FROM {table}"), key=repr)


def contents(path: Path, tables: dict[str, list[str]]) -> dict[str, Rows]:
    return {table: rows(path, table, names) for table, names in tables.items()}


def forward(path: Path) -> None:
    """Open it for writing, as any command does that writes."""
    open_writer(path).close()


def test_it_is_brought_forward_and_every_row_is_still_there(old: Path) -> None:
    tables = columns(old)
    before = contents(old, tables)
    assert {"articles", "commits", "entries", "feeds", "keys", "pages", "polls", "revisions", "work"} <= {*tables}
    assert (len(before["revisions"]), len(before["work"])) == (26, 38)
    forward(old)
    assert contents(old, tables) == before
    with closing(sqlite3.connect(old)) as db:
        assert {row[0] for row in db.execute("SELECT name FROM _sqlite_migrations")} == known_migrations()
    done = verify(old, __version__)
    assert done.damages == ()
    assert done.head is not None
    settled = schema(old)
    forward(old)
    assert (contents(old, tables), schema(old)) == (before, settled)


def test_readers_wait_for_the_writer_to_bring_it_forward(old: Path) -> None:
    with pytest.raises(ArchiveError) as told:
        open_reader(old)
    assert told.value.kind == "older_schema"
    forward(old)
    with Reader(old) as reader:
        assert reader.totals()["articles"] == 24


def test_it_goes_on_polling_and_what_waited_is_had(old: Path) -> None:
    tables = columns(old)
    facts = ("commits", "entries", "keys", "pages", "polls", "revisions")
    before = contents(old, {table: tables[table] for table in facts})
    documents = {
        (file, sha256(text.encode()).hexdigest()) for file, text in rows(old, "articles", ["file", "document"]) if text
    }
    clock = Clock(BEGAN)
    with Replica(clock, seed=SEED) as replica:
        for _ in range(STEPS):
            clock.at += STEP
            replica.advance()
        clock.at += STEP
        settings = parse(_CONFIG, old.with_name("config.yaml"))
        network = settings.network.model_copy(update={"connect_to": replica.connect_to()})
        settings = settings.model_copy(update={"archive": old, "network": network})

        async def polled() -> list[int]:
            async with open_app(settings, clock=clock) as app:
                new = [(await discover(app.desk, feed)).new for feed in settings.feed_list()]
                await collect(app.desk)
                return new

        new = asyncio.run(polled())
        asked = [count for (_, _, path), count in replica.requests.items() if "/doc-i" in path]
        bank = [item for item in replica.ledger.listed(1690) if item.ctime > BEGAN]
        broken = {f"sina:comos:{item.id}" for item in replica.ledger.broken()}
    assert (new[0], new[2]) == (0, 0)
    assert 0 < new[1] <= len(bank)
    assert set(asked) == {1}
    for table in facts:
        assert {*before[table]} <= {*rows(old, table, tables[table])}
    with Reader(old) as reader:
        assert {row["key"] for row in reader.troubles()} <= broken
        assert reader.totals()["articles"] >= 24 + 30
        then = list(reader.documents_until(reader.commit_at(clock() - timedelta(seconds=1))))
    assert {(file, sha256(text.encode()).hexdigest()) for file, text, _ in then} == documents
    assert verify(old, __version__).damages == ()


def test_a_migration_that_fails_half_way_leaves_it_as_it_was(old: Path) -> None:
    with closing(sqlite3.connect(old)) as db:
        db.execute("CREATE TABLE links (mine TEXT)")  # in the way of a table that comes after several other changes
    tables, before = columns(old), schema(old)
    held = contents(old, tables)
    with pytest.raises(ArchiveError, match="links"):
        forward(old)
    assert (schema(old), contents(old, tables)) == (before, held)
    with closing(sqlite3.connect(old)) as db:
        db.execute("DROP TABLE links")
    forward(old)
    with Reader(old) as reader:
        assert reader.totals()["articles"] == 24


KILLED = """
import os, signal, sys
from pathlib import Path
from aggregator.archive.opening import open_writer
left = int(sys.argv[2])
def watch(frame, event, called):
    global left
    if event == "c_call" and called.__name__ in ("execute", "executemany"):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
sys.setprofile(watch)
open_writer(Path(sys.argv[1]))
sys.setprofile(None)
print(left)
"""


def killed(path: Path, at: int) -> subprocess.CompletedProcess[str]:
    """Bring an archive forward in a process that is killed when it is about to run its ``at``-th statement."""
    command = [sys.executable, "-c", KILLED, str(path), str(at)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=ROOT)


def moments(path: Path) -> Iterator[int]:
    """Six moments over all that bringing an archive forward does; the last is its last statement."""
    copy = path.with_name("copy.db")
    copy.write_bytes(path.read_bytes())
    done = killed(copy, 1_000_000)
    assert done.returncode == 0, done.stderr
    statements = 1_000_000 - int(done.stdout)
    yield from (statements * part // 6 for part in range(1, 7))


def test_killed_while_it_is_brought_forward_it_is_as_it_was_or_all_new(old: Path) -> None:
    with closing(sqlite3.connect(old)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    tables, before = columns(old), schema(old)
    held = contents(old, tables)
    untouched = 0
    for at in moments(old):
        assert killed(old, at).returncode == -signal.SIGKILL
        assert contents(old, tables) == held
        untouched += schema(old) == before
    assert untouched >= 5
    forward(old)
    assert contents(old, tables) == held
    assert verify(old, __version__).damages == ()


def test_a_newer_one_is_refused_by_the_command_line_with_3(old: Path) -> None:
    forward(old)
    with closing(sqlite3.connect(old)) as db, db:
        db.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('aggregator', 'm999', 'x')"
        )
    before = schema(old)
    old.with_name("config.yaml").write_text(_CONFIG, encoding="utf-8")
    for command in ("status", "fetch"):
        words = [sys.executable, "-m", "aggregator", command, "--config", str(old.with_name("config.yaml"))]
        done = subprocess.run(words, capture_output=True, text=True, timeout=120, cwd=ROOT)
        assert (done.returncode, "a newer version made this archive" in done.stderr) == (3, True)
    assert schema(old) == before


def test_the_last_migration_is_the_one_named() -> None:
    """Write the name of a new migration into ``archive.idle``, too."""
    assert max(known_migrations()) == NEWEST
    assert len(known_migrations()) == int(NEWEST[1:4])
