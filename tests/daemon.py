"""`aggregator run` as a process of its own: its log as events, its end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 120.0  # seconds for what takes one on an idle machine


class Daemon:
    """The running program; ``folder`` holds its config.yaml, and its log as log.jsonl."""

    def __init__(self, folder: Path, environ: Mapping[str, str] = {}) -> None:
        self.folder = folder
        self._log = folder / "log.jsonl"
        self._since = self._log.stat().st_size if self._log.exists() else 0
        call = (sys.executable, "-m", "aggregator", "run", "--config", str(folder / "config.yaml"))
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                call, stderr=log, env={**os.environ, "PYTHONPATH": str(ROOT), **environ}, cwd=folder
            )

    def events(self, name: str = "") -> list[dict[str, Any]]:
        """What this run has logged, as JSON; with this name."""
        with self._log.open("rb") as file:
            file.seek(self._since)
            lines = file.read().decode().split("\n")[:-1]
        return [event for event in map(json.loads, lines) if name in ("", event["event"])]

    def text(self) -> str:
        """The same as it stands there, also where it is no JSON."""
        return self._log.read_bytes()[self._since :].decode()

    def until(self, name: str, **fields: object) -> dict[str, Any]:
        """Wait for an event with these fields."""
        found: list[dict[str, Any]] = []

        def come() -> bool:
            found[:] = [one for one in self.events(name) if fields.items() <= one.items()]
            return bool(found)

        self.wait(come)
        return found[0]

    def wait(self, come: Callable[[], object]) -> None:
        """Wait for a condition while the program runs."""
        end = time.monotonic() + PATIENCE
        while not come():
            assert self.process.poll() is None, f"it ended with {self.process.returncode}: {self.text()[-2000:]}"
            assert time.monotonic() < end, f"in vain: {self.text()[-2000:]}"
            time.sleep(0.01)

    def tell(self, number: int) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def ended(self) -> int:
        """Its exit code, once it has ended."""
        return self.process.wait(PATIENCE)

    def stop(self) -> int:
        """Tell it to end; its exit code."""
        self.tell(signal.SIGTERM)
        return self.ended()


@contextmanager
def running(folder: Path, environ: Mapping[str, str] = {}) -> Iterator[Daemon]:
    """The daemon, polling by now; killed at the end where it still runs."""
    daemon = Daemon(folder, environ)
    try:
        daemon.until("daemon.started")
        yield daemon
    finally:
        daemon.process.kill()
        daemon.process.wait()


def command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Another command of the program with the same configuration, ended."""
    call = (sys.executable, "-m", "aggregator", *words, "--config", str(folder / "config.yaml"))
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(call, capture_output=True, text=True, env=environ, cwd=folder, timeout=PATIENCE)
