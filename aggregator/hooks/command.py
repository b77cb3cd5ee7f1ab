"""A hook that is a command: no shell, the event on its standard input, little around it, and an end in any case."""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress

from aggregator.errors import AggregatorError

SECONDS = 30.0  # a command may take
_OUTPUT = 4_000  # bytes of what it says that are kept
_HANDED_ON = ("PATH", "HOME", "LANG", "TZ")  # of the environment; nothing else, since it may hold secrets


class CommandError(AggregatorError):
    """A command did not do its work: kinds ``missing``, ``exit``, ``timeout``. ``hint`` is what it said."""

    kind = "exit"


def environment(environ: Mapping[str, str], hook: str, event: str, id: str) -> dict[str, str]:
    """What a command finds around it. Only names and ids of ours are in it, no word of a stranger's."""
    kept = {name: environ[name] for name in _HANDED_ON if name in environ}
    return {**kept, "AGGREGATOR_HOOK": hook, "AGGREGATOR_EVENT": event, "AGGREGATOR_EVENT_ID": id}


async def run(argv: Sequence[str], given: bytes, environ: Mapping[str, str], seconds: float = SECONDS) -> str:
    """Run a command with ``given`` on its standard input; what it said, at most 4,000 bytes of it.

    It is killed with all it started when it takes too long, or when this is cancelled.

    Raises:
        CommandError: it cannot be started, takes too long, or ends with another code than 0.
    """
    process = await _started(argv, environ)
    said = bytearray()
    talk = [asyncio.create_task(_give(process, given)), asyncio.create_task(_hear(process, said))]
    try:
        code = await asyncio.wait_for(process.wait(), seconds)
    except TimeoutError:
        raise CommandError(f"it took more than {seconds:g} s and was killed", kind="timeout") from None
    finally:
        _kill(process)
        await _ended(process, talk)
    if code:
        raise CommandError(f"it ended with {code}", hint=_text(said))
    return _text(said)


async def _started(argv: Sequence[str], environ: Mapping[str, str]) -> Process:
    """The process. Were it cancelled while it starts, asyncio would kill it alone and wait for all that it started."""
    starting = asyncio.create_task(
        asyncio.create_subprocess_exec(
            *argv, stdin=PIPE, stdout=PIPE, stderr=STDOUT, env=dict(environ), start_new_session=True
        )
    )
    try:
        return await asyncio.shield(starting)
    except OSError as error:
        raise CommandError(f"it cannot be started: {error.strerror}", kind="missing") from None
    except asyncio.CancelledError:
        with suppress(OSError):
            process = await starting
            _kill(process)
            await process.wait()
        raise


def _kill(process: Process) -> None:
    """Kill a process with all that it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


async def _give(process: Process, given: bytes) -> None:
    assert process.stdin is not None
    with suppress(OSError):  # it need not read
        process.stdin.write(given)
        await process.stdin.drain()
    process.stdin.close()


async def _hear(process: Process, said: bytearray) -> None:
    """Keep the beginning of what it says, and let it go on saying."""
    assert process.stdout is not None
    while piece := await process.stdout.read(65_536):
        said += piece[: _OUTPUT - len(said)]


async def _ended(process: Process, talk: Sequence[asyncio.Task[None]]) -> None:
    """Wait for the process; what left its group and still holds the pipe is not waited for."""
    await process.wait()
    await asyncio.wait(talk, timeout=0.3)
    for one in talk:
        one.cancel()
    await asyncio.gather(*talk, return_exceptions=True)


def _text(said: bytes | bytearray) -> str:
    return bytes(said).decode("utf-8", "replace").strip()
