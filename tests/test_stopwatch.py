"""The stopwatch counts what a thread does and waits for, and leaves out only its time in line for a CPU."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from stopwatch import _SCHEDSTAT, Stopwatch

BURN = "import time\nwhile time.process_time() < 60: pass"


def test_sleep_and_work_count() -> None:
    watch = Stopwatch()
    time.sleep(0.2)
    began = time.thread_time()
    while time.thread_time() - began < 0.2:
        pass
    assert watch.seconds >= 0.4


@pytest.mark.skipif(not _SCHEDSTAT.exists(), reason="this kernel does not tell how long a thread waited for a CPU")
def test_time_in_line_for_a_cpu_does_not_count() -> None:
    crowd = [subprocess.Popen([sys.executable, "-c", BURN]) for _ in range(3 * len(os.sched_getaffinity(0)))]
    try:
        watch, began = Stopwatch(), time.monotonic()
        used = time.thread_time()
        while time.thread_time() - used < 0.5:
            pass
        seconds, passed = watch.seconds, time.monotonic() - began
    finally:
        for one in crowd:
            one.kill()
            one.wait()
    assert passed > 0.8  # there was a crowd
    assert 0.5 <= seconds < 0.7
