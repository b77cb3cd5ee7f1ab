"""A word with the daemon: the socket beside the archive over which `fetch` asks it to poll.

Only who may write the archive may speak there. A question is a line of JSON, the answer is lines of JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

Answer = Callable[[Mapping[str, Any]], AsyncIterator[Mapping[str, Any]]]

_PATIENCE = 10.0  # seconds for the question, once somebody is there
_LONGEST = 8_000_000  # bytes of a line


@contextmanager
def _reached(archive: Path) -> Iterator[str]:
    """The socket's address, which may have 107 bytes: however long the way to the archive's folder is."""
    real = archive.resolve()
    folder = os.open(real.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{real.name}.socket"
    finally:
        os.close(folder)


@asynccontextmanager
async def answering(archive: Path, answer: Answer) -> AsyncIterator[None]:
    """Answer questions until the block ends; for the holder of the archive's lock only.

    Raises:
        OSError: there can be no socket there.
    """
    under_way: set[asyncio.Task[None]] = set()

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        under_way.add(task)
        try:
            await _converse(reader, writer, answer)
        finally:
            under_way.discard(task)
            writer.close()

    with _reached(archive) as address:
        with suppress(FileNotFoundError):
            Path(address).unlink()  # one that a killed daemon left
        server = await asyncio.start_unix_server(accepted, address, limit=_LONGEST)
        Path(address).chmod(0o600)
        try:
            yield
        finally:
            server.close()
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)
            Path(address).unlink(missing_ok=True)


async def _converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: Answer) -> None:
    """One question and its answer; whoever asked may have gone."""
    with suppress(OSError, ValueError, TimeoutError):
        question = json.loads(await asyncio.wait_for(reader.readline(), _PATIENCE))
        async for piece in answer(question):
            writer.write(json.dumps(piece, ensure_ascii=False).encode() + b"\n")
            await writer.drain()


async def ask(archive: Path, question: Mapping[str, Any]) -> AsyncIterator[dict[str, Any]]:
    """The pieces of the daemon's answer, as they come. It may end early, as the daemon may.

    Raises:
        OSError: nobody answers there, or this user may not ask.
    """
    with _reached(archive) as address:
        reader, writer = await asyncio.open_unix_connection(address, limit=_LONGEST)
    try:
        writer.write(json.dumps(question, ensure_ascii=False).encode() + b"\n")
        await writer.drain()
        while line := await reader.readline():
            yield json.loads(line)
    finally:
        writer.close()
