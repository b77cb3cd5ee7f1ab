"""Time as it would pass on a machine with nothing else to do, so that a bound on it can be tight."""

from __future__ import annotations

import time
from pathlib import Path

_SCHEDSTAT = Path("/proc/thread-self/schedstat")  # ns on a CPU, ns runnable but waiting for one, turns


class Stopwatch:
    """Counts from its making, in the thread that made it: the time that passes, less that thread's waits for a CPU.

    Waiting for anything else (a timer, a socket, a disk, another thread) counts.
    """

    def __init__(self) -> None:
        self._began = _unhindered()

    @property
    def seconds(self) -> float:
        """The seconds so far."""
        return _unhindered() - self._began


def _unhindered() -> float:
    waited = int(_SCHEDSTAT.read_text().split()[1]) if _SCHEDSTAT.exists() else 0
    return time.monotonic() - waited / 1e9
