"""The daemon as one user, readers as another: it works, or the right that is missing is named."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest
from daemon import PATIENCE, ROOT, running
from hostile import listing
from web_server import Server, beside, reply
from world import page

from aggregator.archive import Reader
from aggregator.archive.opening import open_damaged, open_reader, open_writer
from aggregator.errors import ArchiveError

OTHER, GROUP = 65534, 54321
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user and back")


@contextmanager
def other_user(*groups: int) -> Iterator[None]:
    """For the block this process has the rights of another user, in these groups only."""
    before = os.getgroups()
    os.setgroups(list(groups))
    os.setegid(OTHER)
    os.seteuid(OTHER)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(before)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of the daemon's that its group may read, as the unit makes it (StateDirectory, UMask=0027).

    Not in pytest's own, which every pytest that starts shuts to other users.
    """
    with TemporaryDirectory(prefix="other-users-") as above:
        Path(above).chmod(0o711)
        place = Path(above) / "state"
        place.mkdir()
        os.chown(place, 0, GROUP)
        place.chmod(0o2750)  # what is made in it belongs to the group, too
        umask = os.umask(0o027)
        yield place
        os.umask(umask)


def test_a_reader_of_the_group_reads_while_the_daemon_runs_and_is_told_what_it_lacks_without_one(folder: Path) -> None:
    writer = open_writer(folder / "archive.db")
    try:
        writer.execute("INSERT INTO commits (at, digest) VALUES ('2026-11-26T00:00:00.000Z', '-')")
        with other_user(GROUP), Reader(folder / "archive.db") as reader:
            assert reader.head() is not None
            with pytest.raises(PermissionError):
                (folder / "archive.db").open("ab")
    finally:
        writer.close()
    with other_user(GROUP), pytest.raises(ArchiveError) as told:
        Reader(folder / "archive.db")
    assert told.value.kind == "no_rights"
    assert "while a daemon runs" in str(told.value.hint)


@pytest.mark.parametrize("opened", [open_reader, open_damaged, open_writer])
def test_who_may_not_enter_the_folder_is_told_so(folder: Path, opened: object) -> None:
    open_writer(folder / "archive.db").close()
    with other_user(), pytest.raises(ArchiveError) as told:
        opened(folder / "archive.db")  # type: ignore[operator]
    assert told.value.kind == "no_rights"
    assert told.value.where == str(folder / "archive.db")
    assert told.value.hint


def test_who_may_not_read_the_file_is_told_so(folder: Path) -> None:
    open_writer(folder / "archive.db").close()
    (folder / "archive.db").chmod(0o600)
    with other_user(GROUP), pytest.raises(ArchiveError) as told:
        open_reader(folder / "archive.db")
    assert told.value.kind == "no_rights"


@cache
def interpreter() -> str:
    """A Python that the other user may start; with the test's packages, whoever's it is."""
    version = f"python3.{sys.version_info.minor}"
    for one in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        try:
            told = subprocess.run([one, "-m", "aggregator", "status", "--help"], capture_output=True, **as_other())
        except OSError:  # it is not there, or not for that user
            continue
        if told.returncode == 0:
            return one
    pytest.skip("the other user may not start any Python here that has the program's packages")


def as_other(*groups: int) -> dict[str, Any]:
    """What makes a process another user's, in these groups."""
    packages = f"{ROOT}:{sysconfig.get_path('purelib')}"
    environ: Mapping[str, str] = {"PYTHONPATH": packages, "PATH": "/usr/bin:/bin", "COLUMNS": "300"}
    return {"user": OTHER, "group": OTHER, "extra_groups": list(groups), "env": environ, "cwd": "/"}


@pytest.fixture
def archive(folder: Path) -> Iterator[Path]:
    """The configuration of a daemon whose feed has two articles."""
    with beside({"/a": reply(200, listing("a", 1, 2))}) as server:
        for n in (1, 2):
            answer = reply(200, page(n, title=f"a{n}"), Content_Type="text/html")
            server.routes[f"/a/{n}"] = lambda _, answer=answer: answer
        yield configured(folder, server)


def configured(folder: Path, server: Server) -> Path:
    feed = '{name: a, source: feed, url: "http://a.example/a"}'
    text = f'network: {{connect_to: {{a.example: "{server.url}"}}}}\nfeeds: [{feed}]\n'
    (folder / "config.yaml").write_text(text, encoding="utf-8")
    return folder / "config.yaml"


def asked(config: Path, *words: str, groups: tuple[int, ...] = (GROUP,)) -> subprocess.CompletedProcess[str]:
    """A command by the other user, ended."""
    call = [interpreter(), "-m", "aggregator", *words, "--config", str(config)]
    return subprocess.run(call, capture_output=True, text=True, timeout=PATIENCE, **as_other(*groups))


def test_status_works_for_the_group_beside_the_daemon_and_says_what_it_lacks_without(archive: Path) -> None:
    with running(archive.parent) as daemon:
        daemon.until("feed.polled", feed="a", new=2)
        told = asked(archive, "status", "--json")
        assert told.returncode == 0, told.stderr
        assert json.loads(told.stdout)["totals"]["articles"] == 2
        assert "a " in asked(archive, "status").stdout
        assert asked(archive, "search", "工厂", "--json").returncode == 0
        assert daemon.stop() == 0
    for command in ("status", "browse"):
        told = asked(archive, command)
        assert told.returncode == 3
        assert f"Give this user ({OTHER}) the right to write the file and its folder" in told.stderr
        assert "or read while a daemon runs" in told.stderr
    for command in ("status", "browse"):
        told = asked(archive, command, groups=())
        assert told.returncode == 2  # not even the configuration
        assert str(archive) in told.stderr
        assert "Traceback" not in told.stderr


@pytest.mark.skipif(find_spec("datasette") is None, reason="the extra [browse] is not installed")
def test_browse_works_for_the_group_beside_the_daemon(archive: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    call = [interpreter(), "-m", "aggregator", "browse", "--port", str(port), "--config", str(archive)]
    with running(archive.parent) as daemon:
        daemon.until("feed.polled", feed="a", new=2)
        browse = subprocess.Popen(call, stderr=subprocess.PIPE, text=True, **as_other(GROUP))
        try:
            found: list[httpx.Response] = []

            def come() -> bool:
                assert browse.poll() is None, browse.stderr and browse.stderr.read()
                try:
                    address = f"http://127.0.0.1:{port}/archive/articles.json?_shape=array"
                    found[:] = [httpx.get(address, trust_env=False, timeout=PATIENCE)]
                except httpx.ConnectError:
                    return False
                return True

            daemon.wait(come)
            assert found[0].status_code == 200
            assert sorted(row["title"] for row in found[0].json()) == ["a1", "a2"]
        finally:
            browse.kill()
            browse.wait()
            if browse.stderr:
                browse.stderr.close()
        assert daemon.stop() == 0
