"""Signals: heard at any moment, and the process ends, whatever it does."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import threading

import pytest

from aggregator.signals import Signals


def test_o3_told_to_end_whoever_waits_is_woken_and_the_code_is_known() -> None:
    async def waiting(signals: Signals, number: int) -> None:
        signals.attach()
        asyncio.get_running_loop().call_later(0.01, os.kill, os.getpid(), number)
        await asyncio.wait_for(signals.ending.wait(), 60)

    for number, code in ((signal.SIGTERM, 0), (signal.SIGINT, 130)):
        signals = Signals(60, lambda _: None)
        before = signal.getsignal(number)
        with signals.heard():
            asyncio.run(waiting(signals, number))
        assert signals.code == code
        assert signal.getsignal(number) is before


def test_o3_what_comes_before_the_loop_is_not_lost() -> None:
    signals = Signals(60, lambda _: None)
    with signals.heard():
        signal.raise_signal(signal.SIGHUP)
        signal.raise_signal(signal.SIGTERM)

        async def waiting() -> None:
            signals.attach()
            await asyncio.wait_for(asyncio.gather(signals.ending.wait(), signals.reloading.wait()), 60)

        asyncio.run(waiting())


def test_o3_a_second_signal_ends_the_process_at_once() -> None:
    left: list[int] = []
    with Signals(60, left.append).heard():
        signal.raise_signal(signal.SIGTERM)
        assert left == []
        signal.raise_signal(signal.SIGINT)
        assert left == [130]


def test_o3_it_leaves_only_when_it_was_told_to_end() -> None:
    left: list[int] = []
    signals = Signals(60, left.append)
    with signals.heard():
        signals.leave()
        assert left == []
        signal.raise_signal(signal.SIGINT)
        signals.leave()
    assert left == [130]


def test_o3_a_busy_program_ends_when_its_time_is_up() -> None:
    gone = threading.Event()
    with Signals(0.05, lambda code: gone.set()).heard():
        signal.raise_signal(signal.SIGTERM)
        while not gone.is_set():  # a loop that is never left, as a parser may be in one
            re.match(r"(a+)+$", "a" * 12 + "b")


def test_o3_what_ends_by_itself_is_left_alone() -> None:
    left: list[int] = []
    signals = Signals(0.05, left.append)
    with signals.heard():
        signal.raise_signal(signal.SIGTERM)
        assert signals._last is not None
        last = signals._last
    last.join(60)
    assert left == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_o3_asyncio_itself_takes_no_signal_away(number: int) -> None:
    signals = Signals(60, lambda _: None)

    async def told() -> None:
        signals.attach()
        signal.raise_signal(number)
        await asyncio.wait_for(signals.ending.wait(), 60)

    with signals.heard():
        asyncio.run(told())
    assert signals.code is not None
