"""Heavy work is done where it can be killed: late, greedy and dying work is an error of its own page, and no more."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier, get_ident

import pytest
from web_server import reply, serving

from aggregator.errors import ConfigError, FetchError, ParseError
from aggregator.model import Article, Entry, Page
from aggregator.workers import HEAVY, LIGHT, Worker

URL = "https://news.example/feed"
AT = datetime(2022, 7, 14, 7, 10, 7, tzinfo=UTC)


def page(size: int = HEAVY + 1, seconds: float = 0.0) -> Page:
    return Page(URL, URL, 200, {"content-type": "text/xml"}, b"x" * size, AT, seconds=seconds)


def process(_: Page | Entry) -> int:
    print("parsers may print")
    return os.getpid()


def meet(_: object, met: Barrier) -> int:
    return met.wait(30)


def hang(_: Page) -> None:
    re.match(r"(x+)+y", "x" * 60)  # in C, where no signal handler of Python's is ever asked


def devour(_: Page) -> int:
    return len(bytearray(3_000_000_000))


def sink(deep: Page | int) -> int:
    return sink(0) + 1


def crash(_: Page) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def leave(_: Page) -> None:
    os._exit(7)


def refuse(_: Page) -> None:
    raise FetchError("no", kind="blocked", where=URL, hint="wait", status=429, retry_at=AT)


def misparse(_: Page) -> None:
    raise ParseError("no", kind="api_error", where=URL)


def misconfigure(_: Page) -> None:
    raise ConfigError("no")


def stumble(_: Page) -> None:
    raise ZeroDivisionError("a mistake of the program's own")


def in_turn(*works: Callable[..., object], deadline: float = 20.0, subject: Page | None = None) -> list[object]:
    """What becomes of each piece of work: its result or its exception."""

    async def run() -> list[object]:
        results: list[object] = []
        async with Worker(deadline) as work:
            for one in works:
                try:
                    results.append(await work(one, subject or page()))
                except Exception as error:
                    results.append(error)
        return results

    return asyncio.run(run())


def test_light_work_is_done_here_and_heavy_work_elsewhere() -> None:
    here = os.getpid()
    assert in_turn(process, subject=page(HEAVY)) == [here]
    first, second = in_turn(process, process)
    assert first == second != here
    entry = Entry(None, URL, "", original="x" * HEAVY)

    async def of_entries() -> tuple[int, int]:
        async with Worker(20.0) as work:
            return await work(process, entry), await work(process, Entry(None, URL, "", original=f"{entry.original}x"))

    light, heavy = asyncio.run(of_entries())
    assert light == here != heavy


@pytest.mark.parametrize(
    ("work", "kind", "words"),
    [
        (hang, "too_slow", "longer than 1.0 s"),
        (devour, "too_heavy", "memory"),
        (sink, "too_heavy", "memory"),
        (crash, "too_heavy", "SIGSEGV"),
        (leave, "too_heavy", "exit code 7"),
    ],
)
def test_a_hostile_page_is_an_error_and_the_next_one_is_read(
    work: Callable[..., object], kind: str, words: str
) -> None:
    before, error, after = in_turn(process, work, process, deadline=1.0)
    assert isinstance(error, ParseError)
    assert (error.kind, error.where) == (kind, URL)
    assert words in error.message
    assert error.hint
    assert isinstance(before, int)
    assert isinstance(after, int)


def test_what_work_raises_comes_back_whole() -> None:
    fetch, parse, config, mistake = in_turn(refuse, misparse, misconfigure, stumble)
    assert isinstance(fetch, FetchError)
    assert (fetch.kind, fetch.where, fetch.hint) == ("blocked", URL, "wait")
    assert (fetch.status, fetch.retry_at, str(fetch)) == (429, AT, f"{URL}: no. wait")
    assert isinstance(parse, ParseError)
    assert (parse.kind, parse.message) == ("api_error", "no")
    assert isinstance(config, ConfigError)
    assert config.kind == "config"
    assert isinstance(mistake, ZeroDivisionError)


@pytest.mark.parametrize(("seconds", "left"), [(18.0, 2.0), (19.5, 1.0), (300.0, 1.0)])
def test_the_time_on_the_wire_is_part_of_the_time_for_reading(seconds: float, left: float) -> None:
    started = time.monotonic()
    (error,) = in_turn(hang, deadline=20.0, subject=page(seconds=seconds))
    assert isinstance(error, ParseError)
    assert f"longer than {left} s" in error.message
    assert left <= time.monotonic() - started < left + 8  # the rest is the other process's start


def test_work_that_nobody_waits_for_is_ended() -> None:
    async def run() -> None:
        async with Worker(60.0) as work:
            job = asyncio.create_task(work(hang, page()))
            while not list(children(os.getpid())):
                await asyncio.sleep(0.01)
            job.cancel()
            with pytest.raises(asyncio.CancelledError):
                await job
            assert list(children(os.getpid())) == []
            assert await work(process, page()) != os.getpid()

    asyncio.run(run())
    assert list(children(os.getpid())) == []


def children(pid: int) -> Iterator[int]:
    """The processes another one has started."""
    for listed in Path(f"/proc/{pid}/task").glob("*/children"):
        yield from map(int, listed.read_text().split())


def until(condition: Callable[[], object], seconds: float = 30.0) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


def test_killed_programs_leave_no_process_behind() -> None:
    script = (
        "import asyncio, test_workers as t\n"
        "async def run():\n"
        "    async with t.Worker(600.0) as work:\n"
        "        print(await work(t.process, t.page()), flush=True)\n"
        "        await work(t.hang, t.page())\n"
        "asyncio.run(run())\n"
    )
    paths = os.pathsep.join(filter(None, sys.path))
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": paths}
    ) as program:
        assert program.stdout is not None
        other = int(program.stdout.readline())
        assert until(lambda: busy(other, 0.5))
        program.kill()
    assert until(lambda: not alive(other), 5.0)


CONFIG = """
archive: archive.db
network: {{deadline: 120s, connect_to: {{news.example: "{server}"}}}}
feeds:
  - {{name: long, source: feed, url: "http://news.example/feed", categories: [甲, 乙, 丙]}}
"""


@pytest.mark.parametrize(
    ("command", "number", "code", "words"),
    [("run", signal.SIGTERM, 0, "daemon.stopped"), ("fetch", signal.SIGINT, 130, "interrupted")],
)
def test_stopping_does_not_wait_for_heavy_work(
    tmp_path: Path, command: str, number: signal.Signals, code: int, words: str
) -> None:
    """The whole group is signalled, as a terminal and systemd do, in the middle of a feed that takes half a minute."""
    items = "".join(f"<item><title>{n}</title><guid>{n}</guid></item>" for n in range(300_000))
    feed = f'<rss version="2.0"><channel><title>t</title>{items}</channel></rss>'.encode()

    async def run() -> tuple[int, str, float]:
        async with serving({"/feed": reply(200, feed)}) as server:
            (tmp_path / "config.yaml").write_text(CONFIG.format(server=server.url), encoding="utf-8")
            program = subprocess.Popen(
                [sys.executable, "-m", "aggregator", command, "--config", str(tmp_path / "config.yaml")],
                stderr=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
            assert await asyncio.to_thread(until, lambda: any(map(busy, children(program.pid))))
            started = time.monotonic()
            os.killpg(program.pid, number)
            _, said = await asyncio.to_thread(program.communicate, timeout=60)
            return program.returncode, said.decode(), time.monotonic() - started

    returned, said, seconds = asyncio.run(run())
    assert returned == code, said
    assert words in said
    assert "Traceback" not in said
    assert seconds < 8  # four of them are what a poll gets to end by itself


def busy(pid: int, seconds: float = 2.0) -> bool:
    """Whether a process has worked for so long."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) / os.sysconf("SC_CLK_TCK") > seconds


@pytest.mark.parametrize(
    "subject",
    [
        page(LIGHT + 1),
        page(HEAVY),
        (Entry("1", None, ""),) * (HEAVY // 1000 + 1),
        Article(URL, "", html="x" * (HEAVY + 1)),
    ],
    ids=["a page", "a larger one", "entries", "an article"],
)
def test_what_takes_a_while_is_done_beside_the_loop(subject: object) -> None:
    """The work waits for somebody whom only the loop can bring."""

    async def run() -> None:
        met = Barrier(2)
        async with Worker(30.0, beside=True) as work:
            working = asyncio.create_task(work(meet, subject, met))
            await asyncio.sleep(0)
            await asyncio.to_thread(met.wait, 30)
            assert await working in (0, 1)

    asyncio.run(run())


def test_what_is_quickly_done_is_done_at_once() -> None:
    async def run() -> list[int]:
        async with Worker(30.0, beside=True) as work:
            return [await work(thread, one) for one in (Entry("1", None, ""), (), page(LIGHT), page(LIGHT))]

    *rest, first, then = asyncio.run(run())
    assert {*rest, then} == {get_ident()}
    assert first != then  # it might have had modules to load


def thread(_: object) -> int:
    return get_ident()
