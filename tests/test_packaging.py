"""What is told to systemd, over a real socket; and that the unit and the container file fit the program."""

from __future__ import annotations

import configparser
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from aggregator.cli import app
from aggregator.systemd import Notifier

PACKAGING = Path(__file__).resolve().parent.parent / "packaging"
UNIT = (PACKAGING / "aggregator.service").read_text(encoding="utf-8")
ROOT = PACKAGING.parent


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """The socket on which a manager of services listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.setblocking(False)
        yield listening


def heard(manager: socket.socket) -> list[str]:
    told = []
    try:
        while True:
            told.append(manager.recv(4096).decode())
    except BlockingIOError:
        return told


def now() -> int:
    """Microseconds of the clock that systemd means."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1_000


def test_o3_systemd_is_told_what_it_wants_to_know(manager: socket.socket) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": manager.getsockname()}, 1)
    notifier.ready("polling 3 feeds\nREADY=0")
    notifier.alive()
    before = now()
    notifier.reloading()
    notifier.stopping()
    ready, alive, reloading, stopping = heard(manager)
    assert ready == "READY=1\nSTATUS=polling 3 feeds READY=0"
    assert (alive, stopping) == ("WATCHDOG=1", "STOPPING=1")
    first, instant = reloading.split("\n")
    assert first == "RELOADING=1"
    assert before <= int(instant.removeprefix("MONOTONIC_USEC=")) <= now()


def test_o3_an_abstract_socket_is_meant_by_an_at_sign() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0aggregator-test-{os.getpid()}")
        listening.setblocking(False)
        Notifier({"NOTIFY_SOCKET": f"@aggregator-test-{os.getpid()}"}, 1).alive()
        assert heard(listening) == ["WATCHDOG=1"]


def test_o3_nobody_who_listens_or_a_full_queue_stops_nothing(manager: socket.socket) -> None:
    Notifier({}, 1).ready("")
    Notifier({"NOTIFY_SOCKET": "/nowhere/at-all"}, 1).ready("")
    notifier = Notifier({"NOTIFY_SOCKET": manager.getsockname()}, 1)
    for _ in range(10_000):  # more than any queue holds
        notifier.alive()
    assert 0 < len(heard(manager)) < 10_000


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({"WATCHDOG_USEC": "120000000"}, 120.0),
        ({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": "7"}, 0.5),
        ({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": "8"}, None),  # meant for another process
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_o3_the_watchdog_is_asked_for_as_systemd_says(environ: dict[str, str], seconds: float | None) -> None:
    assert Notifier({"NOTIFY_SOCKET": "/run/x", **environ}, 7).watchdog == seconds
    assert Notifier(environ, 7).watchdog is None


def unit() -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(UNIT)
    return parser


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze on this machine")
def test_o3_systemd_finds_no_fault_in_the_unit(tmp_path: Path) -> None:
    installed = shlex.split(unit()["Service"]["ExecStart"])[0]
    copy = tmp_path / "aggregator.service"
    copy.write_text(UNIT.replace(installed, sys.executable))  # it must be there to be verified
    told = subprocess.run(["systemd-analyze", "verify", str(copy)], capture_output=True, text=True)
    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")


def test_o3_the_unit_starts_watches_and_reloads_what_there_is() -> None:
    service = unit()["Service"]
    assert service["Type"] == "notify"
    assert float(service["WatchdogSec"].removesuffix("min")) == 2
    assert service["ExecReload"] == "/bin/kill -HUP $MAINPID"
    assert (service["StateDirectory"], service["UMask"]) == ("aggregator", "0027")
    assert "@resources" not in service["SystemCallFilter"]  # setrlimit(2), by which a worker bounds its memory
    assert_known(shlex.split(service["ExecStart"])[1:])


def test_o3_the_container_file_copies_and_starts_what_there_is() -> None:
    lines = (PACKAGING / "Containerfile").read_text(encoding="utf-8").replace("\\\n", "").splitlines()
    steps = [line.split(maxsplit=1) for line in lines if line and not line.startswith("#")]
    assert steps[0][0] == "FROM"
    for verb, words in steps:
        for source in words.split()[:-1] if verb == "COPY" else ():
            assert (ROOT / source).exists(), source
    said = dict(steps)
    assert json.loads(said["ENTRYPOINT"]) == ["aggregator"]  # its own process 1: signals reach it
    assert_known(json.loads(said["CMD"]))
    assert said["STOPSIGNAL"] == "SIGTERM"
    assert [verb for verb, _ in steps].index("USER") > [verb for verb, _ in steps].index("RUN")
    wanted = re.search(r"requires-python = \">=([\d.]+)\"", (ROOT / "pyproject.toml").read_text())
    version = re.search(r"python:([\d.]+)", said["FROM"])
    assert wanted is not None
    assert version is not None
    assert tuple(map(int, version[1].split("."))) >= tuple(map(int, wanted[1].split(".")))


def assert_known(call: list[str]) -> None:
    """A command line of ours, whose command and options exist."""
    command = typer.main.get_command(app).commands[call[0]]  # type: ignore[attr-defined]
    options = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in call if word.startswith("-")} <= options
