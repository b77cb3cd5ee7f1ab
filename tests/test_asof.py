"""The archive as it was at an instant: exactly what it knew then."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner
from world import START, Clock, Site, desk, feed, item, link, page, rss, urls

from aggregator.archive import Reader
from aggregator.cli import app
from aggregator.cli.instants import instant_of
from aggregator.errors import ConfigError
from aggregator.pipeline import collect, discover, poll

ROOT = Path(__file__).resolve().parent.parent
WIRE, OTHER = feed(), feed("other", "https://other.example/feed.xml")
EDITED = "第1号快讯（更新）"
MINUTE = timedelta(minutes=1)


def key(number: int) -> str:
    return f"url:{link(number)}"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """08:00 announced, page down; 08:10 archived; 08:20 seen by another feed; 08:30 edited, and a second article."""
    path = tmp_path_factory.mktemp("asof") / "archive.db"
    clock = Clock()
    site = Site(clock, {WIRE.url: rss(item(1)), OTHER.url: rss(), link(1): 500})

    async def run() -> None:
        async with desk(path, site, WIRE, OTHER) as one:
            await poll(one, WIRE)
            clock.move(minutes=10)
            site.answers |= urls([1])
            await poll(one, WIRE)
            clock.move(minutes=10)
            site.answers[OTHER.url] = rss(item(1)).replace(b"wire-1", b"other-1")
            await poll(one, OTHER)
            clock.move(minutes=10)
            site.answers |= {
                WIRE.url: rss(item(1, EDITED), item(2)),
                link(1): page(1, "改稿", title=EDITED),
                **urls([2]),
            }
            await poll(one, WIRE)

    asyncio.run(run())
    return path


def known(archive: Path, minutes: float, number: int = 1, **more: int) -> dict[str, object] | None:
    with Reader(archive) as reader:
        return reader.article(key(number), until=reader.commit_at(START + minutes * MINUTE), **more)


def test_an_article_announced_and_not_yet_settled_was_waiting(archive: Path) -> None:
    row = known(archive, 9)
    assert row is not None
    assert (row["title"], row["state"], row["revision"], row["document"], row["file"]) == (
        "第1号快讯",
        "pending",
        None,
        None,
        None,
    )
    with Reader(archive) as reader:
        assert list(reader.documents_until(reader.commit_at(START + 9 * MINUTE))) == []


def test_no_later_revision_sighting_or_key_and_no_later_article(archive: Path) -> None:
    first, seen, last = (known(archive, minutes) for minutes in (19, 29, 30))
    assert first is not None
    assert seen is not None
    assert last is not None
    assert [(row["revision"], row["title"]) for row in (first, seen, last)] == [
        (1, "第1号快讯"),
        (1, "第1号快讯"),
        (2, EDITED),
    ]
    assert [len(row["sightings"]) for row in (first, seen, last)] == [1, 2, 2]  # type: ignore[arg-type]
    assert [("guid:other:other-1" in row["keys"]) for row in (first, seen, last)] == [False, True, True]  # type: ignore[operator]
    assert (known(archive, 29, 2), (known(archive, 30, 2) or {}).get("revision")) == (None, 1)
    assert [row["seen"] for row in (first, last)] == ["2026-11-23T08:10:00.000Z", "2026-11-23T08:30:00.000Z"]


def test_a_name_learnt_later_finds_nothing_before(archive: Path) -> None:
    with Reader(archive) as reader:
        before, after = (reader.commit_at(START + minutes * MINUTE) for minutes in (19, 20))
        assert reader.article("guid:other:other-1", until=before) is None
        assert reader.article("guid:other:other-1", until=after) is not None


def test_its_documents_are_those_that_were_current(archive: Path) -> None:
    with Reader(archive) as reader:
        then = list(reader.documents_until(reader.commit_at(START + 29 * MINUTE)))
        now = dict(reader.documents())
        rows = list(reader.articles(reader.commit_at(START + 29 * MINUTE)))
    assert [(file in now, sha is not None) for file, _, sha in then] == [(True, True)]
    assert "改稿" not in then[0][1]
    assert "改稿" in now[then[0][0]]
    assert [(row["title"], row["document"]) for row in rows] == [("第1号快讯", then[0][1])]


def test_a_version_by_its_number_and_at_an_instant(archive: Path) -> None:
    first, second = known(archive, 30, n=1), known(archive, 30, n=2)
    assert first is not None
    assert second is not None
    assert ("改稿" in str(first["document"]), "改稿" in str(second["document"])) == (False, True)
    assert known(archive, 29, n=2) is None


def test_before_the_first_commit_it_says_when_it_began(archive: Path) -> None:
    with pytest.raises(ConfigError, match=r"began at 2026-11-23T08:00:00\.000Z"):
        known(archive, -0.001)


def test_one_article_costs_no_scan_however_large_the_archive_is(archive: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(archive)) as db:
        db.execute("VACUUM INTO ?", [str(tmp_path / "copy.db")])
    with closing(sqlite3.connect(tmp_path / "copy.db")) as db:
        db.execute("DROP TABLE IF EXISTS sqlite_stat1")  # it knows that this archive is small
        db.execute("ANALYZE sqlite_schema")
        asked = [one for one in statements(archive) if "SAVEPOINT" not in one and "RELEASE" not in one]
        plans = [row[3] for sql in asked for row in db.execute(f"EXPLAIN QUERY PLAN {sql}")]
    assert len(asked) >= 5
    reads = [plan for plan in plans if plan.startswith(("SCAN", "SEARCH"))]
    small = ("SCAN f ", "SCAN member", "SCAN CONSTANT")  # the feeds, and what a query has found itself
    assert [plan for plan in reads if " USING " not in plan and not plan.startswith(small)] == []
    assert [plan for plan in reads if plan.startswith("SCAN") and not plan.startswith(small)] == []


def statements(archive: Path) -> list[str]:
    """What the reader asks SQLite for one article as of an instant, with the values filled in."""
    asked: list[str] = []
    with Reader(archive) as reader:
        reader._db.conn.set_trace_callback(asked.append)
        reader.article(key(1), until=reader.commit_at(START + 29 * MINUTE))
    return asked


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-03-01T09:30+08:00", datetime(2026, 3, 1, 1, 30, tzinfo=UTC)),
        ("2026-03-01T09:30", datetime(2026, 3, 1, 1, 30, tzinfo=UTC)),
        ("2026-03-01 09:30:15.250Z", datetime(2026, 3, 1, 9, 30, 15, 250_000, tzinfo=UTC)),
        ("2026-03-01", datetime(2026, 3, 1, 15, 59, 59, 999_000, tzinfo=UTC)),
    ],
)
def test_an_instant_is_read_in_the_configured_zone_and_a_date_is_its_end(text: str, instant: datetime) -> None:
    assert instant_of(text, "Asia/Shanghai") == instant


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "9999-12-31", "0001-01-01T00:00+14:00"])
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="no instant"):
        instant_of(text, "Asia/Shanghai")


# --- the command line ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Ran:
    """How a command ended: with an error's text, or with what it printed."""

    stdout: str
    stderr: str
    error: str


def run(archive: Path, *words: str) -> Ran:
    config = archive.with_name("config.yaml")
    config.write_text(f"archive: {archive.name}\nfeeds: []\n", encoding="utf-8")
    done = CliRunner().invoke(app, [*words, "--config", str(config)])
    assert done.exception is None or isinstance(done.exception, ConfigError), done.output
    return Ran(done.stdout, done.stderr, str(done.exception or ""))


def test_show_as_of(archive: Path) -> None:
    then = run(archive, "show", key(1), "--as-of", "2026-11-23T16:29:59", "--json")
    told = json.loads(then.stdout)
    assert (told["revision"], told["title"], told["as_of"]) == (1, "第1号快讯", "2026-11-23T08:29:59Z")
    assert run(archive, "show", key(1), "--as-of", "2026-11-23T16:29:59", "--document").stdout == told["document"]
    text = run(archive, "show", key(1), "--as-of", "2026-11-23").stdout
    assert EDITED in text
    assert "published  2026-11-23 16:00" in text
    assert "first seen  2026-11-23 16:00" in text
    assert "seen  2026-11-23 16:30" in text


def test_show_as_of_a_time_of_waiting_of_nothing_and_of_the_future(archive: Path, tmp_path: Path) -> None:
    waiting = run(archive, "show", key(1), "--as-of", "2026-11-23T08:05Z", "--document")
    assert waiting.stdout == ""
    assert "it was waiting" in waiting.error
    early = run(archive, "show", key(1), "--as-of", "2026-11-22")
    assert "the archive began at 2026-11-23T08:00:00.000Z" in early.error
    later = run(archive, "show", key(1), "--as-of", "2999-01-01", "--json")
    assert "has not come yet" in later.stderr
    assert json.loads(later.stdout)["revision"] == 2
    unborn = run(archive, "show", key(2), "--as-of", "2026-11-23T16:29")
    assert "no such article as of 2026-11-23T16:29" in unborn.error
    shown = tmp_path / "shown.html"
    assert run(archive, "show", key(1), "--as-of", "2026-11-23T16:29", "--html", str(shown)).error == ""
    assert "as known at 2026-11-23T08:29:00Z" in shown.read_text(encoding="utf-8")


def test_show_one_version(archive: Path) -> None:
    told = [json.loads(run(archive, "show", key(1), "--revision", n, "--json").stdout) for n in ("1", "2")]
    assert [one["title"] for one in told] == ["第1号快讯", EDITED]
    assert "it has no version 3, but 2" in run(archive, "show", key(1), "--revision", "3").error


def test_export_as_of(archive: Path, tmp_path: Path) -> None:
    words = ("export", "--to", str(tmp_path / "then"), "--as-of", "2026-11-23T16:29", "--json")
    first, again = (json.loads(run(archive, *words).stdout) for _ in range(2))
    assert (first, again) == ({"written": 1, "unchanged": 0}, {"written": 0, "unchanged": 1})
    (file,) = (tmp_path / "then").rglob("*.md")
    assert "改稿" not in file.read_text(encoding="utf-8")
    assert "a folder of their own" in run(archive, "export", "--as-of", "2026-11-23T16:29").error


def test_the_canned_query_and_the_docs_own_sql_say_the_same(archive: Path) -> None:
    from aggregator.browse.metadata import TOLD

    canned = TOLD["queries"]["as_of"]["sql"]  # type: ignore[index]  # a mapping of mappings, of object
    text = (ROOT / "docs" / "archive.md").read_text(encoding="utf-8")
    written = text.split("<<'SQL'\n")[1].split("SQL\n")[0].replace(".parameter set :as_of", "--")
    for minute, waiting, settled in (
        (5, ["第1号快讯"], []),
        (15, [], [("第1号快讯", 1)]),
        (30, [], [("第2号快讯", 1), (EDITED, 2)]),
    ):
        values = {"as_of": f"2026-11-23T16:{minute:02}+08:00"}
        with closing(sqlite3.connect(archive)) as db:
            db.row_factory = sqlite3.Row
            rows = db.execute(canned, values).fetchall()
            plain = db.execute(written, values).fetchall()
        assert [(row["title"], row["version"]) for row in plain] == settled
        assert [(row["title"], row["version"]) for row in rows if row["version"]] == settled
        assert [row["title"] for row in rows if row["reason"] == "waiting"] == waiting


# --- any history -----------------------------------------------------------------------------------

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["announce", "edit", "page", "gone", "other", "nothing"]),
        st.integers(1, 3),
        st.sampled_from([0, 0.0004, 0.001, 1, 60, 3_600]),
    ),
    min_size=1,
    max_size=14,
)


@dataclass
class Told:
    """What a newsroom says now, and how often each article was edited."""

    listed: dict[int, int] = field(default_factory=dict)
    other: set[int] = field(default_factory=set)
    pages: dict[int, bytes | int] = field(default_factory=dict)

    def take(self, verb: str, number: int) -> None:
        if verb == "announce":
            self.listed.setdefault(number, 0)
        elif verb == "edit" and number in self.listed:
            self.listed[number] += 1
            self.pages[number] = page(number, f"第{self.listed[number]}稿", title=self.title(number))
        elif verb == "page":
            self.pages[number] = page(number, title=self.title(number))
        elif verb == "gone":
            self.pages[number] = 404
        elif verb == "other" and number in self.listed:
            self.other.add(number)

    def title(self, number: int) -> str:
        edits = self.listed.get(number, 0)
        return f"第{number}号快讯" + (f"（第{edits}次更新）" if edits else "")

    def answers(self) -> dict[str, bytes | int]:
        listing = rss(*(item(n, self.title(n)) for n in self.listed))
        second = rss(*(item(n, self.title(n)) for n in self.other)).replace(b"wire-", b"other-")
        return {WIRE.url: listing, OTHER.url: second, **{link(n): self.pages.get(n, 500) for n in (1, 2, 3)}}


@settings(max_examples=40, deadline=None)
@given(steps=STEPS)
def test_property_any_history_is_answered_as_it_was(steps: Sequence[tuple[str, int, float]]) -> None:
    """After every transaction plain SQL writes down what there is; later each instant is asked for again."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "archive.db"
        log = asyncio.run(lived(path, steps))
        with Reader(path) as reader:
            for at, truth in log:
                assert told(reader, reader.commit_at(at)) == truth


async def lived(path: Path, steps: Sequence[tuple[str, int, float]]) -> list[tuple[datetime, object]]:
    clock, newsroom = Clock(), Told()
    site = Site(clock)
    log: dict[datetime, object] = {}
    async with desk(path, site, WIRE, OTHER) as one:
        for verb, number, seconds in steps:
            newsroom.take(verb, number)
            site.answers = dict(newsroom.answers())
            for feed_ in (WIRE, OTHER):
                await discover(one, feed_)
            await collect(one)
            truth = facts(path)
            if truth["commits"]:
                log[clock().replace(microsecond=clock().microsecond // 1000 * 1000)] = truth["articles"]
            clock.move(seconds=seconds)
    return list(log.items())


def facts(path: Path) -> dict[str, object]:
    """What the archive holds now, by SQL that knows no instants."""
    with closing(sqlite3.connect(path)) as db:
        rows = db.execute(
            "SELECT a.key, r.n, a.document, r.title, (SELECT group_concat(key) FROM (SELECT key FROM keys"
            " WHERE article = a.id ORDER BY key)), (SELECT count(DISTINCT feed) FROM entries WHERE article = a.id)"
            " FROM articles a LEFT JOIN revisions r ON r.id = a.revision ORDER BY a.key"
        ).fetchall()
        return {"articles": rows, "commits": db.execute("SELECT count(*) FROM commits").fetchone()[0]}


def told(reader: Reader, until: int) -> list[tuple[object, ...]]:
    """The same as a question as of a commit answers it."""
    found = (reader.article(f"url:{link(n)}", until=until) for n in (1, 2, 3))
    rows = [row for row in found if row is not None]
    documents = {file: text for file, text, _ in reader.documents_until(until)}
    assert documents == {row["file"]: row["document"] for row in rows if row["document"]}
    return sorted(
        (
            row["key"],
            row["revision"],
            row["document"],
            row["title"] if row["revision"] else None,
            ",".join(row["keys"]),  # type: ignore[arg-type]
            len(row["sightings"]),  # type: ignore[arg-type]
        )
        for row in rows
    )
