"""``aggregator diff``: two versions of an article as a person and a program read them."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner
from world import Clock, Site, desk, feed, item, link, page, rss

from aggregator.archive import Reader
from aggregator.cli import app
from aggregator.errors import ConfigError
from aggregator.pipeline import poll

WIRE = feed()
KEY = f"url:{link(1)}"
TITLES = ("蓝桥科技拟3.6亿元收购云图数据", "蓝桥科技拟3.06亿元收购云图数据", "蓝桥科技计划3.06亿元收购云图数据")
TEXTS = (
    "公司3月1日公告，拟以3.6亿元收购云图数据。",
    "公司3月1日公告，拟以3.06亿元收购云图数据。",
    "公司3月1日公告，计划以30,600万元收购云图数据。",
)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An article that was edited twice, first in a fact, then in words; one that was not; one that waits."""
    path = tmp_path_factory.mktemp("comparing") / "archive.db"
    clock = Clock()
    site = Site(clock)

    async def run() -> None:
        async with desk(path, site, WIRE) as one:
            for title, text in zip(TITLES, TEXTS, strict=True):
                site.answers = {
                    WIRE.url: rss(item(1, title), item(2), item(3)),
                    link(1): page(1, text, title=title),
                    link(2): page(2),
                    link(3): 500,
                }
                await poll(one, WIRE)
                clock.move(minutes=10)

    asyncio.run(run())
    path.with_name("config.yaml").write_text(f"archive: {path.name}\nfeeds: []\n", encoding="utf-8")
    return path


def run(archive: Path, *words: str, **environment: str) -> tuple[str, str]:
    """What the command prints on stdout and stderr."""
    config = str(archive.with_name("config.yaml"))
    done = CliRunner().invoke(app, ["diff", *words, "--config", config], env=environment)
    if done.exception:
        raise done.exception
    return done.stdout, done.stderr


def test_the_last_two_versions(archive: Path) -> None:
    stdout, _ = run(archive, KEY)
    assert "before  version 2 · changed · seen 2026-11-23 16:10" in stdout
    assert "after  version 3 · changed · seen 2026-11-23 16:20 · from page" in stdout
    assert "verdict  cosmetic" in stdout
    assert "公告，[-拟以3.06亿元-]{+计划以30,600万元+}收购云图数据。" in stdout


def test_two_versions_by_number_and_one_against_its_last(archive: Path) -> None:
    stdout, _ = run(archive, KEY, "1", "2")
    assert "蓝桥科技拟[-3.6亿元-]{+3.06亿元+}收购云图数据" in stdout
    assert "verdict  material" in stdout
    assert "amount in title: 3.6亿元 → 3.06亿元" in stdout
    assert "amount in body: 3.6亿元 → 3.06亿元" in stdout
    assert run(archive, KEY, "2")[0] == stdout


def test_json(archive: Path) -> None:
    told = json.loads(run(archive, KEY, "1", "2", "--json")[0])
    assert (told["key"], told["versions"], told["verdict"]) == (KEY, 3, "material")
    assert [told[side]["n"] for side in ("before", "after")] == [1, 2]
    assert (told["before"]["cause"], told["after"]["cause"]) == ("first", "changed")
    assert told["after"]["seen"] == "2026-11-23T08:10:00Z"
    assert told["evidence"][0] == {"kind": "amount", "where": "title", "before": "3.6亿元", "after": "3.06亿元"}
    assert {"op": "delete", "text": "3.6亿元"} in told["text"]
    assert "".join(run["text"] for run in told["title"] if run["op"] != "delete") == TITLES[1]


def test_the_verdict_is_stored_with_each_edit(archive: Path) -> None:
    with closing(sqlite3.connect(archive)) as db:
        rows = db.execute("SELECT n, cause, verdict, evidence FROM revisions ORDER BY article, n").fetchall()
    found = [(n, cause, verdict, evidence and json.loads(evidence)) for n, cause, verdict, evidence in rows]
    assert found[0] == (1, "first", None, None)
    assert found[1][:3] == (2, "changed", "material")
    assert found[1][3] == json.loads(run(archive, KEY, "1", "2", "--json")[0])["evidence"]
    assert found[2] == (3, "changed", "cosmetic", [])
    with Reader(archive) as reader:
        row = reader.article(KEY, n=2)
    assert row is not None
    assert (row["verdict"], row["evidence"]) == ("material", found[1][3])


def test_an_article_whose_page_is_gone_keeps_its_text_and_has_no_verdict(tmp_path: Path) -> None:
    site = Site(Clock(), {WIRE.url: rss(item(1)), link(1): page(1)})

    async def work() -> None:
        async with desk(tmp_path / "archive.db", site, WIRE) as one:
            await poll(one, WIRE)
            site.answers = {WIRE.url: rss(item(1, "乙")), link(1): 404}
            await poll(one, WIRE)

    asyncio.run(work())
    with closing(sqlite3.connect(tmp_path / "archive.db")) as db:
        assert db.execute("SELECT verdict, evidence FROM revisions").fetchall() == [(None, None)]


def test_back_again(archive: Path) -> None:
    assert "[-3.06亿元-]{+3.6亿元+}" in run(archive, KEY, "2", "1")[0]
    stdout, stderr = run(archive, KEY, "1", "1")
    assert "the text is the same" in stderr
    assert "[-" not in stdout


def test_colours_on_a_terminal_and_marks_without(archive: Path) -> None:
    terminal = {"FORCE_COLOR": "1", "TERM": "xterm-256color"}
    stdout, _ = run(archive, KEY, **terminal)
    assert "\x1b[" in stdout
    assert "[-" not in stdout
    stdout, _ = run(archive, KEY, **terminal, NO_COLOR="1")
    assert "[-拟-]{+计划+}" in stdout


def test_an_article_with_one_version_has_nothing_to_compare(archive: Path) -> None:
    stdout, stderr = run(archive, f"url:{link(2)}")
    assert stdout == ""
    assert "one version" in stderr
    told = json.loads(run(archive, f"url:{link(2)}", "--json")[0])
    assert (told["versions"], told["before"], told["after"]) == (1, None, None)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("url:https://nowhere.example/",), "no such article"),
        ((KEY, "1", "9"), "no version 9, but 1, 2, 3"),
        ((KEY, "1"), "no version before its first"),
        ((f"url:{link(3)}",), "no version yet"),
    ],
)
def test_what_there_is_not(archive: Path, words: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        run(archive, *words)
