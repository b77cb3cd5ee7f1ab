"""The daemon for forty minutes of virtual time: it keeps nothing of a poll, no connection, no thread. Id O6."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from daemon import ROOT


def test_o6_two_hundred_and_forty_polls_leave_nothing_behind() -> None:
    call = [sys.executable, str(ROOT / "tests" / "benchmarks" / "soak.py"), "--polls", "240", "--json"]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(call, capture_output=True, text=True, env=environ)
    assert done.returncode == 0, done.stdout[-500:] + done.stderr[-2000:]
    told = json.loads(done.stdout)
    assert told["wrong"] == []
    assert len(told["samples"]) >= 9
    assert told["articles"] > 100
    assert {"backup", "optimise"} <= told["jobs"].keys()
