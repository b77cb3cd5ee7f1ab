"""Forget: no byte of an article is left in the archive's files, the chain holds, and it never comes back."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import pytest
from sqlite_utils import Database
from test_archive import WIRE
from test_keeping import checked, command
from typer.testing import CliRunner
from world import START, Clock, Site, desk, item, link, page, rss

from aggregator.archive import Reader, SqliteArchive
from aggregator.archive.verifying import kept_head
from aggregator.cli import app
from aggregator.pipeline import poll

# Each stands in another place, and none in the keys, which stay.
WORDS = ("标题里的秘密", "旧标题的秘密", "摘要里的秘密", "全文里的秘密", "署名里的秘密", "页面里的秘密", "旧页面的秘密")
KEY = f"url:{link(1)}"


def listed(title: str, *more: str, hours: int = 0) -> bytes:
    parts = {"description": "摘要里的秘密", "author": "署名里的秘密", "content:encoded": "全文里的秘密"}
    extra = "".join(f"<{name}>{text}</{name}>" for name, text in parts.items())
    edited = item(1, title, at=START + timedelta(hours=hours), extra=extra)
    return rss(edited, *more).replace(b"<rss ", b'<rss xmlns:content="http://purl.org/rss/1.0/modules/content/" ')


def polled(path: Path, site: Site) -> None:
    async def run() -> None:
        async with desk(path, site, WIRE) as at:
            await poll(at, WIRE)
            assert isinstance(at.archive, SqliteArchive)
            await at.archive.catch_up(at.rules)

    asyncio.run(run())


@pytest.fixture
def site() -> Site:
    return Site(Clock())


@pytest.fixture
def home(tmp_path: Path, site: Site) -> Path:
    """A folder with an archive: an article that was edited once, and two others."""
    path = tmp_path / "archive.db"
    site.answers = {link(n): page(n) for n in (2, 3)}
    site.answers |= {
        WIRE.url: listed("旧标题的秘密", item(2)),
        link(1): page(1, "旧页面的秘密。", title="旧标题的秘密"),
    }
    polled(path, site)
    site.clock.move(hours=1)
    site.answers |= {WIRE.url: listed("标题里的秘密", item(2), item(3), hours=1)}
    site.answers |= {link(1): page(1, "页面里的秘密。", title="标题里的秘密")}
    polled(path, site)
    db = Database(path)
    assert db.execute("SELECT count(*) FROM revisions").fetchone() == (4,)
    db.close()
    return tmp_path


def left(home: Path) -> set[str]:
    """The planted words that can be found in the archive's files, and those that its index knows."""
    db = Database(home / "archive.db")
    db.execute("CREATE VIRTUAL TABLE temp.known USING fts5vocab(main, revisions_fts, row)")
    terms = " ".join(term for (term,) in db.execute("SELECT term FROM temp.known"))
    db.close()
    data = b"".join((home / name).read_bytes() for name in FILES if (home / name).exists())
    return {word for word in WORDS if word.encode() in data} | ({"秘密"} if "秘密" in terms else set())


FILES = ("archive.db", "archive.db-wal", "archive.db-shm")


def test_nothing_is_left_in_the_files_and_the_chain_holds(home: Path) -> None:
    kept = kept_head(home / "archive.db")
    assert kept
    assert left(home) == {*WORDS, "秘密"}
    with Reader(home / "archive.db") as reader:
        others = [row for row in reader.articles() if row["key"] != KEY]
    told = json.loads(command(home, "forget", KEY, "--yes", "--json"))
    assert told["rows"]["revisions"] == 2
    assert left(home) == set()
    done = checked(home / "archive.db", kept.digest)
    assert done.damages == ()
    assert done.counts["pages without bytes"] == 4  # two items, two pages
    with Reader(home / "archive.db") as reader:
        assert list(reader.articles()) == others


def test_it_is_never_fetched_again_whatever_a_listing_says(home: Path, site: Site) -> None:
    command(home, "forget", KEY, "--yes", "--json")
    asked = site.asked[link(1)]
    site.clock.move(hours=5)
    site.answers |= {WIRE.url: listed("标题里的秘密", item(2), hours=5)}
    polled(home / "archive.db", site)
    assert site.asked[link(1)] == asked
    assert left(home) == set()
    with Reader(home / "archive.db") as reader:
        assert (reader.totals()["articles"], reader.totals()["pending"]) == (2, 0)
    assert checked(home / "archive.db").damages == ()


def test_show_says_when_it_was_erased(home: Path) -> None:
    command(home, "forget", KEY, "--yes", "--json")
    row = json.loads(command(home, "show", link(1), "--json"))
    assert row["forgotten"]
    assert not any((row["title"], row["document"], row["body"], row["url"]))
    assert row["keys"]
    command(home, "show", KEY)
    command(home, "show", KEY, "--document", code=2)
    before = json.loads(command(home, "show", KEY, "--json", "--as-of", START.isoformat()))
    assert (before["reason"], before["state"], before["document"]) == ("forgotten", None, None)
    with Reader(home / "archive.db") as reader:
        assert len(list(reader.documents_until(reader.commit_at(START)))) == 1
    command(home, "diff", KEY, code=2)


def test_an_exported_file_goes_only_as_it_was_rendered(home: Path) -> None:
    posts = home / "posts"
    feeds = f"feeds: [{{name: wire, source: feed, url: '{WIRE.url}'}}]"
    (home / "config.yaml").write_text(f"archive: archive.db\nexport: {{hexo: {{dir: posts}}}}\n{feeds}\n")
    command(home, "export")
    (mine,) = posts.rglob("旧标题的秘密.md")
    (other,) = posts.rglob("第2号快讯.md")
    other.write_text("changed by hand")
    assert json.loads(command(home, "forget", KEY, "--yes", "--json"))["left"] is None
    assert not mine.exists()
    told = json.loads(command(home, "forget", link(2), "--yes", "--json"))
    assert told["left"] == str(other)
    assert other.read_text() == "changed by hand"


def test_a_page_that_others_were_read_from_stays(home: Path) -> None:
    db = Database(home / "archive.db")
    mine = db.execute("SELECT page FROM revisions WHERE article = 1 AND n = 2").fetchone()[0]
    db.execute("UPDATE readings SET page = ? WHERE article = 2", [mine])
    db.conn.commit()
    db.close()
    command(home, "forget", KEY, "--yes", "--json")
    with Reader(home / "archive.db") as reader:
        assert "页面里的秘密" in (reader.page(mine) or b"").decode()


def test_a_reader_in_the_way_is_told_and_the_second_time_sweeps(home: Path) -> None:
    command(home, "show", KEY)
    reader = Database(home / "archive.db")
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM articles").fetchone()
    command(home, "forget", KEY, "--yes", "--json", code=3)
    assert left(home)
    reader.close()
    command(home, "forget", KEY, "--yes", "--json")
    assert left(home) == set()


def test_it_asks_first(home: Path) -> None:
    command(home, "show", KEY)
    call = ["forget", KEY, "--config", str(home / "config.yaml")]
    assert CliRunner().invoke(app, call, input="n\n").exit_code == 1
    assert left(home) == {*WORDS, "秘密"}
    assert CliRunner().invoke(app, call, input="y\n").exit_code == 0
    assert left(home) == set()
    command(home, "forget", KEY, "--json", code=2)
    command(home, "forget", "sina:comos:none", "--yes", code=2)
