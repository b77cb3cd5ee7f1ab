"""The daemon's life as a process: it starts, is told things by signals, and ends with its state saved."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from daemon import ROOT, Daemon, command, running
from hostile import listing
from test_packaging import heard
from web_server import Server, beside, reply
from world import page

CONFIG = """
archive: {archive}
network: {{deadline: 60s, timeout: 60s, connect_to: {{a.example: "{server}", b.example: "{server}"}}}}
feeds:
{feeds}
"""
FEED = '  - {{name: {0}, source: feed, url: "http://{0}.example/{0}", categories: [甲, 乙, 丙], every: {1}}}\n'


@pytest.fixture
def world() -> Iterator[Server]:
    """Two feeds, "a" and "b", with two articles each."""
    pages = {
        f"/{name}/{n}": reply(200, page(n, title=f"{name}{n}"), Content_Type="text/html")
        for name in "ab"
        for n in (1, 2)
    }
    with beside({**pages, **{f"/{name}": reply(200, listing(name, 1, 2)) for name in "ab"}}) as server:
        yield server


def configure(folder: Path, server: Server, *feeds: tuple[str, str], archive: str = "archive.db") -> Path:
    """Write a configuration with these feeds and their intervals; its folder."""
    folder.mkdir(exist_ok=True)
    text = CONFIG.format(archive=archive, server=server.url, feeds="".join(FEED.format(*feed) for feed in feeds))
    (folder / "config.yaml").write_text(text, encoding="utf-8")
    return folder


def rows(folder: Path, sql: str) -> list[tuple[object, ...]]:
    db = sqlite3.connect(f"file:{folder / 'archive.db'}?mode=ro", uri=True)
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


async def silent(_: asyncio.StreamWriter) -> None:
    """A host that takes the request and never answers."""
    await asyncio.Event().wait()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_o3_told_to_end_it_ends_and_what_it_had_is_stored(
    tmp_path: Path, world: Server, number: int, code: int
) -> None:
    with running(configure(tmp_path, world, ("a", "1d"))) as daemon:
        daemon.until("feed.polled", feed="a", status="ok", new=2)
        daemon.tell(number)
        assert daemon.ended() == code
        assert [one["event"] for one in daemon.events()][-3:] == ["daemon.ending", "daemon.drained", "daemon.stopped"]
    assert not (tmp_path / "archive.db-wal").exists()  # closed, not left
    assert rows(tmp_path, "SELECT count(*) FROM revisions") == [(2,)]


def test_o3_a_host_that_hangs_does_not_keep_it(tmp_path: Path, world: Server) -> None:
    world.routes["/b/1"] = lambda _: silent
    with running(configure(tmp_path, world, ("a", "1d"), ("b", "1d"))) as daemon:
        daemon.until("feed.polled", feed="a")
        daemon.wait(lambda: any(one.target == "/b/1" for one in world.asked))
        assert daemon.stop() == 0
        assert daemon.events("daemon.drained")[0]["cut_short"] == 1
        assert [one["event"] for one in daemon.events()][-1] == "daemon.stopped"
    assert rows(tmp_path, "SELECT key, state FROM work JOIN articles ON articles.id = article") == [
        ("url:https://b.example/b/1", "pending")
    ]
    world.routes["/b/1"] = lambda _: reply(200, page(1, title="b1"), Content_Type="text/html")
    assert command(tmp_path, "fetch").returncode == 0
    assert rows(tmp_path, "SELECT count(*) FROM revisions") == [(4,)]


def test_o3_a_second_signal_ends_it_at_once(tmp_path: Path, world: Server) -> None:
    world.routes["/a"] = lambda _: silent
    with running(configure(tmp_path, world, ("a", "1d"))) as daemon:
        daemon.wait(lambda: world.asked)
        daemon.tell(signal.SIGTERM)
        daemon.until("daemon.ending")
        assert daemon.stop() == 0
        assert daemon.events("daemon.drained") == []  # it waited for nothing any more


def test_o3_a_reload_takes_effect_while_it_runs(tmp_path: Path, world: Server) -> None:
    with running(configure(tmp_path, world, ("a", "1d"))) as daemon:
        daemon.until("feed.polled", feed="a")
        configure(tmp_path, world, ("b", "1d"))
        daemon.tell(signal.SIGHUP)
        told = daemon.until("config.reloaded")
        assert (told["added"], told["removed"], told["changed"]) == (["b"], ["a"], [])
        daemon.until("feed.polled", feed="b", new=2)
        configure(tmp_path, world, ("b", "1h"))
        daemon.tell(signal.SIGHUP)
        daemon.until("config.reloaded", changed=["b"])
        daemon.wait(lambda: len(daemon.events("daemon.started")) == 3)
        daemon.tell(signal.SIGHUP)
        daemon.until("config.unchanged")
        assert daemon.stop() == 0
    assert rows(tmp_path, "SELECT name, active FROM feeds ORDER BY name") == [("a", 0), ("b", 1)]


def test_o3_a_wrong_configuration_leaves_the_one_in_use_and_says_why(tmp_path: Path, world: Server) -> None:
    with running(configure(tmp_path, world, ("a", "1s"))) as daemon:
        right = (tmp_path / "config.yaml").read_text()
        line = right.split("\n").index("feeds:") + 1
        (tmp_path / "config.yaml").write_text(right.replace("feeds:", "feds:"))
        daemon.tell(signal.SIGHUP)
        (mistake,) = daemon.until("config.refused")["mistakes"]
        assert mistake == f"{tmp_path}/config.yaml:{line}: feds: is no known key; did you mean `feeds`?"
        polls = len(daemon.events("feed.polled"))
        daemon.wait(lambda: len(daemon.events("feed.polled")) > polls + 1)
        (tmp_path / "config.yaml").write_text(right)  # for `status`, which reads it, too
        told = command(tmp_path, "status")
        assert told.returncode == 0
        assert f"{tmp_path}/config.yaml:{line}: feds: is no known key" in told.stderr
        assert json.loads(command(tmp_path, "status", "--json").stdout)["configuration"]["message"] == mistake
        daemon.tell(signal.SIGHUP)
        daemon.until("config.unchanged")
        assert json.loads(command(tmp_path, "status", "--json").stdout)["configuration"] is None
        (tmp_path / "config.yaml").unlink()
        daemon.tell(signal.SIGHUP)
        daemon.wait(lambda: "no such file" in daemon.events("config.refused")[-1]["mistakes"][0])
        assert daemon.stop() == 0
    events = "SELECT kind FROM events WHERE kind LIKE 'config%' ORDER BY id"
    assert rows(tmp_path, events) == [("config_refused",), ("config_taken",), ("config_refused",)]


def test_o3_what_needs_a_new_start_is_said(tmp_path: Path, world: Server) -> None:
    with running(configure(tmp_path, world, ("a", "1d"))) as daemon:
        daemon.until("feed.polled", feed="a")
        configure(tmp_path, world, ("a", "1d"), ("b", "1d"), archive="other.db")
        daemon.tell(signal.SIGHUP)
        told = daemon.until("config.kept")["message"]
        assert told == f"archive: {tmp_path}/other.db is used after a new start, until then {tmp_path}/archive.db"
        daemon.until("feed.polled", feed="b", new=2)
        assert not (tmp_path / "other.db").exists()
        assert daemon.stop() == 0


def test_o3_systemd_hears_of_its_life(tmp_path: Path, world: Server) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.setblocking(False)
        environ = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "200000"}
        said: list[str] = []

        def told(word: str) -> bool:
            said.extend(heard(manager))
            return any(one.startswith(word) for one in said)

        with running(configure(tmp_path, world, ("a", "1d")), environ) as daemon:
            daemon.wait(lambda: told("READY=1\nSTATUS=polling 1 feeds"))
            daemon.wait(lambda: told("WATCHDOG=1"))
            daemon.tell(signal.SIGSTOP)  # an hour's sleep of the machine, to its clocks
            os.waitid(os.P_PID, daemon.process.pid, os.WSTOPPED | os.WNOWAIT)
            heard(manager)
            said.clear()
            daemon.tell(signal.SIGCONT)
            daemon.wait(lambda: told("WATCHDOG=1"))
            said.clear()
            daemon.tell(signal.SIGHUP)
            daemon.wait(lambda: told("READY=1"))
            assert [one.split("\n")[0] for one in said if "WATCHDOG" not in one] == ["RELOADING=1", "READY=1"]
            assert daemon.stop() == 0
            assert told("STOPPING=1")


def test_o4_a_second_daemon_is_refused_and_names_the_first(tmp_path: Path, world: Server) -> None:
    folder = configure(tmp_path / "新浪 财经", world, ("a", "1d"))
    (tmp_path / "link").symlink_to(folder / "archive.db")
    with running(folder) as daemon:
        for number in range(10):
            if number == 9:  # the same archive by another name
                configure(tmp_path / "other", world, ("a", "1d"), archive="../link")
                folder = tmp_path / "other"
            second = Daemon(folder)
            assert second.ended() == 3
            assert f"process {daemon.process.pid} is writing to this archive" in second.text()
        daemon.tell(signal.SIGKILL)
        daemon.ended()
    with running(tmp_path / "新浪 财经") as heir:
        assert heir.stop() == 0


def stripped(told: str) -> object:
    """What a fetch printed as JSON, without the seconds it took; articles have no order."""
    value = json.loads(told)
    value["articles_failed"].sort(key=str)
    for feed in value["feeds"]:
        del feed["seconds"]
    return value


def test_o4_fetch_beside_the_daemon_comes_to_the_same(tmp_path: Path, world: Server) -> None:
    world.routes["/b/1"] = lambda _: reply(500)
    alone = configure(tmp_path / "alone", world, ("a", "1d"), ("b", "1d"))
    beside_it = configure(tmp_path / "beside", world, ("a", "1d"), ("b", "1d"))
    with running(beside_it) as daemon:
        daemon.until("feed.polled", feed="a")
        daemon.until("feed.polled", feed="b")
        assert command(alone, "fetch").returncode == 1  # as far as the daemon is by now
        for name in "ab":
            world.routes[f"/{name}"] = lambda _, name=name: reply(200, listing(name, 1, 2, 3, 4))
            for n in (3, 4):
                told = reply(200, page(n, title=f"{name}{n}"), Content_Type="text/html")
                world.routes[f"/{name}/{n}"] = lambda _, told=told: told
        for call in ((), ("b", "a", "--limit", "0"), ("a", "http://b.example/b/2")):
            expected = command(alone, "fetch", *call, "--json")
            found = command(beside_it, "fetch", *call, "--json")
            assert found.returncode == expected.returncode
            assert stripped(found.stdout) == stripped(expected.stdout)
            assert f"the daemon (process {daemon.process.pid}) does it" in found.stderr
        assert command(beside_it, "fetch", "nobody").returncode == 2
        assert daemon.stop() == 0


def test_o4_other_commands_that_write_name_the_daemon_and_readers_work(tmp_path: Path, world: Server) -> None:
    folder = configure(tmp_path / ("very-long-" * 12), world, ("a", "1d"))
    (tmp_path / "posts").mkdir()
    (tmp_path / "posts/one.md").write_text("---\ntitle: 一\ndate: 2026-01-01 08:00:00\n---\n文")
    with running(folder) as daemon:
        daemon.until("feed.polled", feed="a")
        (key,) = rows(folder, "SELECT key FROM articles LIMIT 1")[0]
        writing = (("import", str(tmp_path / "posts")), ("forget", str(key), "--yes"), ("reindex",), ("rules", "apply"))
        for words in writing:
            told = command(folder, *words)
            assert (told.returncode, told.stdout) == (3, ""), (words, told.stderr)
            assert f"process {daemon.process.pid} is writing to this archive" in told.stderr, words
        for words in (("status",), ("backup", "copy.db"), ("verify",)):
            assert command(folder, *words).returncode == 0, words
        assert command(folder, "fetch", "--json").returncode == 0  # however long the way to the archive is
        assert daemon.stop() == 0
    assert list(folder.glob("*.socket")) == []


def test_o4_a_daemon_that_ends_meanwhile_is_told_as_such(tmp_path: Path, world: Server) -> None:
    with running(configure(tmp_path, world, ("a", "1d"), ("b", "1d"))) as daemon:
        daemon.until("feed.polled", feed="a")
        daemon.until("feed.polled", feed="b")
        world.routes["/a"] = lambda _: silent
        asked = len(world.asked)
        call = (sys.executable, "-m", "aggregator", "fetch", "--config", str(tmp_path / "config.yaml"))
        environ = {**os.environ, "PYTHONPATH": str(ROOT)}
        with subprocess.Popen(call, stderr=subprocess.PIPE, text=True, env=environ) as fetch:
            daemon.wait(lambda: len(world.asked) > asked + 1)
            assert daemon.stop() == 0
            _, told = fetch.communicate(timeout=60)
        assert fetch.returncode == 1
        assert "the daemon ended" in told


WRONG = [
    ("archive: a.db\nfeds: []\n", 2, "feds"),
    ("network: {timout: 3s}\n", 1, "network.timout"),
    (FEED.format("a", "1d").replace("http://", "htp://"), 2, "feeds[0].url"),
    (FEED.format("a", "1d") + FEED.format("a", "1d"), 3, "feeds[1].name"),
    (FEED.format("a", "0"), 2, "feeds[0].every"),
    (FEED.format("a", "-5m"), 2, "feeds[0].every"),
    ("  -\tname: a\n\tsource: feed\n", 3, "tab"),
    ("\ufeff", 1, "byte order mark"),
    (None, 0, "no such file"),
]


@pytest.mark.parametrize(("text", "line", "words"), WRONG, ids=[words for *_, words in WRONG])
def test_o5_a_wrong_configuration_is_told_before_anything_is_asked(
    tmp_path: Path, world: Server, text: str | None, line: int, words: str
) -> None:
    """By the commands that poll, with file, line and key; nothing is asked of anybody, and no archive is made."""
    configure(tmp_path, world, ("a", "1d"))
    file = tmp_path / "config.yaml"
    if text is None:
        file.unlink()
    elif text == "\ufeff":
        file.write_text(text + file.read_text())
    else:
        file.write_text(f"feeds:\n{text}" if text.startswith("  -") else text)
    for words_of_command in (("run",), ("fetch",)):
        told = command(tmp_path, *words_of_command)
        assert (told.returncode, told.stdout) == (2, ""), told.stderr
        assert (f"{file}:{line}: " if line else str(file)) in told.stderr
        assert words in told.stderr
    assert (world.asked, list(tmp_path.glob("archive.db*"))) == ([], [])
