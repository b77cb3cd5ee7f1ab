"""Run as a program: fetch URLs with the real client, and print what each came to and what it cost as JSON.

``python measured_fetch.py KIND DEADLINE WARM-UP URL…``. Cost is CPU and wall time of the fetch in seconds (the latter
as ``stopwatch`` has it), and by how many MB the process's peak of memory is then above that after all imports and a
fetch of WARM-UP. The peak is the kernel's VmHWM, which is what ru_maxrss reports but for what a process inherits
there from the one that started it.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from stopwatch import Stopwatch

from aggregator.errors import FetchError
from aggregator.model import Request, Validators
from aggregator.web import Client, Network


def peak() -> float:
    """The most memory this process has had so far, in MB."""
    found = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    assert found
    return int(found[1]) * 1024 / 1e6


async def main(kind: str, deadline: float, warm_up: str, urls: Sequence[str]) -> list[dict[str, object]]:
    """The warm-up, then the fetches."""
    network = Network(allow_private=("127.0.0.1",), deadline=deadline)
    async with Client(network) as fetch:
        await fetch(Request(warm_up))
        before = peak()
        return [await cost(fetch, url, kind, before) for url in urls]


async def cost(fetch: Client, url: str, kind: str, before: float) -> dict[str, object]:
    """One fetch; ``before`` is the peak that growth is counted from."""
    started, watch = time.process_time(), Stopwatch()
    request = Request(url, "listing" if kind == "listing" else "page", validators=Validators('"1"'))
    try:
        came_to = f"status {(await fetch(request)).status}"
    except FetchError as error:
        came_to = error.kind
    cpu, wall = time.process_time() - started, watch.seconds
    return {"came_to": came_to, "cpu": round(cpu, 3), "wall": round(wall, 2), "growth": round(peak() - before, 1)}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(sys.argv[1], float(sys.argv[2]), sys.argv[3], sys.argv[4:]))))
