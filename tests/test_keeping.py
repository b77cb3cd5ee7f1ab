"""Verify: every kind of damage is found and named, a kept digest is found again, and erasing breaks no chain."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
from sqlite_utils import Database
from test_archive import WIRE, announced, found, using
from world import Clock, Site, desk, feed, item, link, page, rss, urls

from aggregator.archive import SqliteArchive
from aggregator.archive.chain import COVERED, links
from aggregator.archive.verifying import Verified, kept_head, verify
from aggregator.cli import run
from aggregator.pipeline import poll

LISTING = WIRE.url


def polled(path: Path, *numbers: int, clock: Clock | None = None, words: str = "") -> None:
    """One poll of the wire, whose listing has these numbers."""
    site = Site(clock or Clock(), {LISTING: rss(*map(item, numbers)), **urls(numbers)})
    site.answers |= {link(n): page(n, words) for n in numbers if words}

    async def run() -> None:
        async with desk(path, site, WIRE) as at:
            report = await poll(at, WIRE)
            assert (report.error, report.failed) == (None, 0)

    asyncio.run(run())


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """An archive of three articles after two polls, whose chain is whole."""
    path = tmp_path / "archive.db"
    polled(path, 1, 2)
    polled(path, 1, 2, 3)
    assert checked(path).damages == ()
    return path


def checked(path: Path, against: str | None = None) -> Verified:
    return verify(path, "test", against)


def changed(path: Path, sql: str) -> None:
    """Write to an archive behind the program's back."""
    db = Database(path)
    db.execute("PRAGMA foreign_keys = OFF")
    db.conn.executescript(sql)
    db.conn.commit()
    db.close()


def test_all_there_is_was_looked_at(archive: Path) -> None:
    done = checked(archive)
    assert done.counts["documents"] == 3
    assert done.counts["pages"] == 6  # an item and a page each
    assert done.head
    assert done.counts["commits"] == done.head.seq > 0


@pytest.mark.parametrize(
    ("sql", "table", "words"),
    [
        ("UPDATE revisions SET title = title || '！' WHERE id = 2", "revisions", "document comes out different"),
        ("UPDATE articles SET document = document || ' ' WHERE id = 2", "articles", "not that of its current"),
        ("UPDATE pages SET bytes = zeroblob(9) WHERE id = 3", "pages", "other bytes"),
        ("UPDATE pages SET bytes = NULL WHERE id = 3", "pages", "other bytes"),
        ("UPDATE entries SET media = '别家' WHERE id = 2", "commits", "entries 2"),
        ("UPDATE articles SET date = '2020-01-01T00:00:00Z' WHERE id = 3", "commits", "articles 3"),
        ("UPDATE commits SET at = '2020-01-01T00:00:00Z' WHERE seq = 2", "commits", "not what was sealed"),
        ("DELETE FROM polls WHERE id = 1", "commits", "not what was sealed"),
        ("DELETE FROM commits WHERE seq = 2", "commits", "are gone"),
        ("INSERT INTO events (kind, subject, message, 'commit') VALUES ('x', 'x', 'x', 1)", "commits", "events 1"),
        ("DELETE FROM work; UPDATE revisions SET page = 99 WHERE id = 1", "revisions", "pages that is not there"),
    ],
)
def test_each_kind_of_damage_is_found_and_named(archive: Path, sql: str, table: str, words: str) -> None:
    changed(archive, sql)
    damages = checked(archive).damages
    assert any(damage.table == table and words in damage.what for damage in damages), damages
    assert all(damage.hint for damage in damages)


def test_only_the_commit_that_was_changed_is_named(archive: Path) -> None:
    changed(archive, "UPDATE entries SET media = '别家' WHERE id = 1")
    (damage,) = checked(archive).damages
    db = Database(archive)
    assert damage.row == db.execute('SELECT "commit" FROM entries WHERE id = 1').fetchone()[0]
    db.close()


def test_a_kept_head_is_found_again_and_in_no_archive_with_another_past(archive: Path, tmp_path: Path) -> None:
    kept = kept_head(archive)
    assert kept
    polled(archive, 3, 4)
    done = checked(archive, kept.digest)
    assert done.damages == ()
    assert done.since == kept
    other = tmp_path / "other.db"
    polled(other, 1, 2, 4)
    (damage,) = checked(other, kept.digest).damages
    assert kept.digest in damage.what


def test_a_past_that_was_rewritten_with_its_chain_no_longer_has_the_kept_head(archive: Path) -> None:
    kept = kept_head(archive)
    assert kept
    db = Database(archive)
    db.execute("UPDATE entries SET media = '别家' WHERE id = 1")
    before = next(link.found for link in links(db) if link.found != link.head.digest)
    assert before != kept.digest
    while wrong := next((link for link in links(db) if link.found != link.head.digest), None):
        db.execute("UPDATE commits SET digest = ? WHERE seq = ?", [wrong.found, wrong.head.seq])
    db.conn.commit()
    db.close()
    assert checked(archive).damages == ()
    assert [damage.table for damage in checked(archive, kept.digest).damages] == ["commits"]


def test_an_archive_from_before_the_chain_gets_one(archive: Path) -> None:
    kept = kept_head(archive)
    changed(
        archive,
        "ALTER TABLE commits DROP COLUMN digest; DROP TABLE tombstones;"
        "DELETE FROM _sqlite_migrations WHERE name LIKE '%a_chain_over_all_commits'",
    )
    using_nothing(archive)
    assert kept_head(archive) == kept
    assert checked(archive).damages == ()


def using_nothing(path: Path) -> None:
    asyncio.run(_open_and_close(path))


async def _open_and_close(path: Path) -> None:
    await (await SqliteArchive.open(path, Clock(), parser="test", rules="test")).close()


def test_a_column_that_comes_later_changes_no_digest(archive: Path) -> None:
    for covered in COVERED:
        changed(archive, f'ALTER TABLE "{covered.table}" ADD COLUMN later TEXT')
    assert checked(archive).damages == ()
    changed(archive, "UPDATE entries SET later = 'x' WHERE id = 1")
    assert [damage.table for damage in checked(archive).damages] == ["commits"]


def test_a_document_of_another_version_may_come_out_different(archive: Path) -> None:
    changed(archive, "UPDATE revisions SET title = title || '！'")
    assert {damage.table for damage in verify(archive, "2.0").damages} == {"commits"}
    assert verify(archive, "2.0").counts["older renderer"] == 3


def test_renaming_a_feed_breaks_neither_chain_nor_documents(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    old, new = feed("wire"), feed("news")
    items = rss("<item><title>简讯</title><guid>a-1</guid><description>没有链接的一条快讯。</description></item>")
    site = Site(Clock(), {LISTING: items})

    async def run() -> None:
        async with desk(path, site, old) as at:
            await poll(at, old)
        async with desk(path, site, old) as at:
            await at.archive.intend_rename("wire", "news")  # type: ignore[attr-defined]
        async with desk(path, site, new) as at:
            await poll(at, new)

    asyncio.run(run())
    db = Database(path)
    assert [key for (key,) in db.execute("SELECT key FROM articles")] == ["guid:news:a-1"]
    db.close()
    done = checked(path)
    assert done.damages == ()
    assert done.counts["documents"] == 1


def test_it_reads_one_state_while_a_writer_goes_on(tmp_path: Path) -> None:
    clock = Clock()

    async def work(archive: SqliteArchive) -> None:
        await archive.enrol([WIRE])
        for number in range(20):
            await archive.note(WIRE, found(announced(number)))
        steps: list[str] = []
        looking = asyncio.to_thread(verify, tmp_path / "a.db", "p", None, lambda step, *_: steps.append(step))
        under_way = asyncio.create_task(looking)
        while not under_way.done():
            number += 1
            await archive.note(WIRE, found(announced(number)))
        done = await under_way
        assert done.damages == ()
        assert done.counts["commits"] == done.head.seq <= number + 1  # type: ignore[union-attr]
        assert {"file", "documents", "pages", "commits"} <= set(steps)

    using(tmp_path, clock, work)


def command(folder: Path, *words: str, code: int = 0) -> str:
    """What a command prints on stdout, run on a folder's configuration."""
    config = folder / "config.yaml"
    if not config.exists():
        config.write_text(f"archive: archive.db\nfeeds: [{{name: wire, source: feed, url: '{LISTING}'}}]\n")
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(StringIO()) as out:
        patch.setattr(sys, "argv", ["aggregator", *words, "--config", str(config)])
        with pytest.raises(SystemExit) as ended:
            sys.exit(run())
    assert (ended.value.code or 0) == code
    return out.getvalue()


def test_the_command(archive: Path) -> None:
    line = command(archive.parent, "verify", "--head")
    seq, _, digest = line.split()
    assert json.loads(command(archive.parent, "verify", "--head", "--json")) == {
        "seq": int(seq),
        "at": line.split()[1],
        "digest": digest,
    }
    assert f"head: {line.strip()}" in command(archive.parent, "verify", "--against", line)
    told = json.loads(command(archive.parent, "verify", "--against", digest, "--json"))
    assert (told["damages"], told["since"]["digest"]) == ([], digest)
    assert "does not prove" in told["proves"]
    command(archive.parent, "verify", "--against", "0" * 64, code=3)
    changed(archive, "UPDATE pages SET bytes = zeroblob(9) WHERE id = 3")
    assert json.loads(command(archive.parent, "verify", "--json", code=3))["damages"][0]["row"] == 3
