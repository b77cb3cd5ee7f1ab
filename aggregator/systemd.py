"""What systemd wants to be told of a service: that it is ready, alive, reading its configuration again, ending."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress


class Notifier:
    """Tells whoever started the process, as sd_notify(3) says; tells nobody where nobody wants to be told.

    ``environ`` is the environment of the process, ``process`` its id. ``watchdog`` is the seconds after which systemd
    takes a silent service for dead, ``None`` where it does not care.
    """

    def __init__(self, environ: Mapping[str, str], process: int) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self.watchdog = _watchdog(environ, process) if self._address else None

    def ready(self, status: str) -> None:
        """It works, for the first time or again after ``reloading``."""
        self._tell("READY=1", f"STATUS={status}")

    def reloading(self, monotonic: Callable[[], int] = time.monotonic_ns) -> None:
        """It reads its configuration again; ``ready`` ends that."""
        self._tell("RELOADING=1", f"MONOTONIC_USEC={monotonic() // 1_000}")

    def stopping(self) -> None:
        """It has begun to end."""
        self._tell("STOPPING=1")

    def alive(self) -> None:
        """It still works; to be said more often than every ``watchdog`` seconds."""
        self._tell("WATCHDOG=1")

    def _tell(self, *lines: str) -> None:
        if not self._address:
            return
        # Who listens may have gone; the work goes on. A full queue must not hold it up either.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as out:
            out.sendto("\n".join(line.replace("\n", " ") for line in lines).encode(), self._address)


def _watchdog(environ: Mapping[str, str], process: int) -> float | None:
    """Seconds, as sd_watchdog_enabled(3) reads them."""
    try:
        meant = int(environ.get("WATCHDOG_PID", process)) == process
        seconds = int(environ["WATCHDOG_USEC"]) / 1e6
    except (KeyError, ValueError):
        return None
    return seconds if meant and seconds > 0 else None
