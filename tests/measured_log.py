"""S8 at its full length: a reader holds a transaction for 20,000 commits, then goes. Prints the size of the log.

usage: python tests/measured_log.py [COMMITS]
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from sqlite_utils import Database
from test_archive import WIRE, announced, found
from world import Clock

from aggregator.archive import SqliteArchive
from aggregator.archive.connecting import log_size


async def measure(path: Path, commits: int) -> None:
    archive = await SqliteArchive.open(path, Clock(), parser="p", rules="r")
    await archive.enrol([WIRE])
    await archive.note(WIRE, found(announced(0)))
    reader = Database(path)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM articles").fetchone()
    for number in range(1, commits + 1):
        await archive.note(WIRE, found(announced(number)))
        if number % (commits // 10) == 0:
            print(f"{number} commits: log {log_size(path) / 1e6:.1f} MB", flush=True)
    reader.close()
    for number in range(commits + 1, commits + 4):
        await archive.note(WIRE, found(announced(number)))
    print(f"3 commits after the reader went: log {log_size(path) / 1e6:.1f} MB")
    await archive.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder) / "a.db", int(sys.argv[1]) if len(sys.argv) > 1 else 20_000))
