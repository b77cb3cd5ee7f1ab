"""Heavy work in a process of its own that can be killed: a hostile body costs its own poll, never the program.

Python can neither stop a parser that hangs in C nor bound its memory, the kernel can do both. The process is started on
first need and used again. It dies with the program, however that ends: the kernel kills it together with the thread
that started it, and it reads end of file where it waits for work.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, TypeVar

from aggregator.errors import ParseError
from aggregator.model import Article, Entry, Page, Pending

T = TypeVar("T")

TINY = 10_000  # bytes; up to so many the work takes a few milliseconds
LIGHT = 100_000  # bytes; up to so many the work takes some hundredths of a second, and is done at once
HEAVY = 1_000_000  # bytes; up to so many it is done in a thread, bounded by ``text.weight``
_ENTRY = 1_000  # bytes that an entry of a list of them counts for, where its text is not read
MEMORY = 2_000_000_000  # bytes of address space; a feed of 100,000 items in 20 MB needs a quarter of it
KEPT = 250_000_000  # bytes in use; a process that has more is not used again, because it hardly gives any back
LEAST = 1.0  # seconds that work gets, however long its page was on the wire
START = 30.0  # seconds for an interpreter and the modules of the work: half a second on an idle machine
_PR_SET_PDEATHSIG = 1  # prctl(2)


class Worker:
    """Does pure work on a page or an entry, as ``Desk.work``: ``async with Worker(deadline) as work``.

    What is heavier than ``HEAVY`` is done in the other process, one job at a time. ``deadline`` is the seconds that
    fetching a page and working on it may take together. What is heavier than ``LIGHT``, an article or a list of entries
    as well, is done in a thread, one at a time: Python lets the others go on every few milliseconds. Not so without
    ``beside``: then nobody minds waiting, and no pages pile up that came faster than they are read.
    """

    def __init__(self, deadline: float, *, memory: int = MEMORY, beside: bool = False) -> None:
        self._deadline = deadline
        self._memory = memory
        self._turn = asyncio.Lock()
        self._beside = beside
        self._pause = asyncio.Lock()
        self._known: set[Callable[..., object]] = set()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="work")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def __call__(self, work: Callable[..., T], /, *args: object) -> T:
        """The result of ``work(*args)``; the other process must be able to import ``work``.

        Raises:
            ParseError: kind ``too_slow`` when the time is up, ``too_heavy`` when the memory does not suffice or the
                process dies. Whatever else the work raises is raised here.
        """
        weight = _weight(args[0]) if args else 0
        is_small = weight <= HEAVY or not isinstance(args[0], (Page, Entry))
        if weight <= TINY or (is_small and not self._beside):
            return work(*args)
        if weight <= LIGHT and work in self._known:
            return await self._here(work, args)
        if is_small:
            done = await asyncio.get_running_loop().run_in_executor(self._thread, partial(work, *args))
            self._known.add(work)  # until now it might have had modules to load, which takes a tenth of a second
            return done
        async with self._turn:
            answer = await self._answer(work, args)
        if isinstance(answer.error, (MemoryError, RecursionError)):
            raise _too_heavy(args[0], f"it takes more than {self._memory // 1_000_000} MB of memory")
        if answer.error is not None:
            raise answer.error
        result: T = answer.result
        return result

    async def _here(self, work: Callable[..., T], args: tuple[object, ...]) -> T:
        """Do it at once, and let the loop turn before the next: what came together would else be done in one go."""
        async with self._pause:
            result = work(*args)
            await asyncio.sleep(0)
            return result

    async def _answer(self, work: Callable[..., object], args: tuple[object, ...]) -> _Answer:
        """What the process answers; it is ended when it does not, or when nobody waits for it any more."""
        seconds = self._seconds(args[0])
        try:
            answer = await self._asked(work, args, seconds)
        except TimeoutError:
            self._end()
            raise _too_slow(args[0], seconds) from None
        except (EOFError, OSError, pickle.UnpicklingError):
            raise _too_heavy(args[0], f"the process that read it died ({self._end()})") from None
        except BaseException:
            self._end()
            raise
        if answer.memory > KEPT:
            self._end()
        return answer

    async def _asked(self, work: Callable[..., object], args: tuple[object, ...], seconds: float) -> _Answer:
        process = self._process or self._start()
        async with asyncio.timeout(START):
            await asyncio.to_thread(_introduce, process, work)
        async with asyncio.timeout(seconds):
            return await asyncio.to_thread(_ask, process, args)

    def _seconds(self, subject: object) -> float:
        spent = subject.seconds if isinstance(subject, Page) else 0.0
        return max(self._deadline - spent, LEAST)

    def _start(self) -> subprocess.Popen[bytes]:
        command = f"from aggregator.workers import serve; serve({self._memory}, {os.getpid()})"
        paths = os.pathsep.join(path for path in sys.path if path)
        with _signals_blocked():
            self._process = subprocess.Popen(
                (sys.executable, "-P", "-c", command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": paths},
            )
        return self._process

    def _end(self) -> str:
        """Kill the process, if there is one, and say how it ended."""
        process, self._process = self._process, None
        if process is None:
            return ""
        process.kill()
        code = process.wait()
        for pipe in _pipes(process):
            with suppress(OSError):  # what was left to be written has no reader
                pipe.close()
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"


@dataclass(frozen=True, slots=True)
class _Answer:
    """What became of the work, and the bytes of memory in use after it."""

    result: Any = None
    error: BaseException | None = None
    memory: int = 0


@contextmanager
def _signals_blocked() -> Iterator[None]:
    """What is started here never sees Ctrl-C or SIGTERM: when to end it is the program's business."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _introduce(process: subprocess.Popen[bytes], work: Callable[..., object]) -> None:
    """Name the work to be done; importing it is not part of its time."""
    asked, told = _pipes(process)
    pickle.dump(work, asked)
    asked.flush()
    if not told.read(1):
        raise EOFError


def _ask(process: subprocess.Popen[bytes], args: tuple[object, ...]) -> _Answer:
    asked, told = _pipes(process)
    pickle.dump(args, asked)
    asked.flush()
    answer: _Answer = pickle.load(told)
    return answer


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    assert process.stdin is not None
    assert process.stdout is not None
    return process.stdin, process.stdout


def serve(memory: int, program: int) -> None:
    """What the other process does, within so many bytes of address space, until there is nothing more to read.

    ``program`` is the process that started it, and with which it dies.
    """
    import ctypes  # which the program itself does not need

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != program:
        return  # killed before it could be said
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    asked, told = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # whatever a parser prints is no answer
    with suppress(EOFError):
        while work := pickle.load(asked):
            told.write(b"+")
            told.flush()
            pickle.dump(_done(work, pickle.load(asked)), told)
            told.flush()


def _done(work: Callable[..., object], args: tuple[object, ...]) -> _Answer:
    try:
        return _Answer(work(*args), memory=_in_use())
    except Exception as error:
        return _Answer(error=error, memory=_in_use())


def _in_use() -> int:
    """Bytes of this process in memory (proc(5), statm)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def _weight(subject: object) -> int:
    """The bytes (of an entry: characters) the work has to read, about."""
    if isinstance(subject, Page):
        return len(subject.body)
    if isinstance(subject, Article):
        return len(subject.html)
    if isinstance(subject, tuple):
        return sum(_weight(one.entry) if isinstance(one, Pending) else _ENTRY for one in subject)
    return len(subject.original or "") if isinstance(subject, Entry) else 0


def _too_slow(subject: object, seconds: float) -> ParseError:
    return ParseError(
        f"reading it took longer than {seconds:.1f} s",
        kind="too_slow",
        where=_where(subject),
        hint="It is tried again later; network.deadline is the time for fetching and reading together",
    )


def _too_heavy(subject: object, why: str) -> ParseError:
    hint = "It is tried again later; real listings and articles are lighter"
    return ParseError(f"it cannot be read: {why}", kind="too_heavy", where=_where(subject), hint=hint)


def _where(subject: object) -> str:
    if isinstance(subject, Page):
        return subject.url
    return (subject.link or subject.id or "") if isinstance(subject, Entry) else ""
