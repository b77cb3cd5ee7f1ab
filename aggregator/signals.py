"""What the process is told from outside: to end (SIGTERM, Ctrl-C), or to read its configuration again (SIGHUP)."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

CODES = {signal.SIGTERM: 0, signal.SIGINT: 130}


class Signals:
    """The wishes of whoever runs the program, to be waited for: ``ending`` and ``reloading``.

    Heard from ``heard()`` on, also before there is a loop and while it is busy. Told to end, the process is gone after
    ``longest`` seconds whatever it does then, and at once when it is told again: what was committed is safe, the rest
    is done after the next start. ``leave`` ends it, with the exit code.
    """

    def __init__(self, longest: float, leave: Callable[[int], object] = os._exit) -> None:
        self.ending = asyncio.Event()
        self.reloading = asyncio.Event()
        self.code: int | None = None  # to exit with, once told to end
        self._longest = longest
        self._exit = leave
        self._loop: asyncio.AbstractEventLoop | None = None
        self._last: threading.Timer | None = None

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Listen, in the main thread; afterwards signals mean what they meant before."""
        handlers = {**dict.fromkeys(CODES, self._end), signal.SIGHUP: self._reload}
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            yield
        finally:
            if self._last is not None:
                self._last.cancel()
            for number, old in before.items():
                signal.signal(number, old)

    def attach(self) -> None:
        """Wake the running loop from now on."""
        self._loop = asyncio.get_running_loop()

    def leave(self) -> None:
        """End the process where it was told to: all is stored, and to take the interpreter down may take seconds."""
        if self.code is not None:
            self._exit(self.code)

    def _end(self, number: int, _: FrameType | None) -> None:
        again, self.code = self.code is not None, CODES[signal.Signals(number)]
        if again:
            self._exit(self.code)
        # A thread of its own, because the loop may be what does not end.
        self._last = threading.Timer(self._longest, self._exit, [self.code])
        self._last.daemon = True
        self._last.start()
        self._wake(self.ending)

    def _reload(self, number: int, _: FrameType | None) -> None:
        self._wake(self.reloading)

    def _wake(self, event: asyncio.Event) -> None:
        if self._loop is None or self._loop.is_closed():
            event.set()
        else:
            self._loop.call_soon_threadsafe(event.set)  # also where the loop sleeps
