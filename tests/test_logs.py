"""The log: events with fields, one a line, whoever writes them; no secret in it, and nothing a terminal obeys."""

from __future__ import annotations

import asyncio
import gc
import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aggregator.config import parse
from aggregator.errors import FetchError
from aggregator.logs import Form, Log, begin
from aggregator.text.characters import OBEYED

SECRET = "s3cr3t-Wörter"
CONFIG = """
network: {proxy: "http://me:s3cr3t-W%C3%B6rter@127.0.0.1:1"}
feeds:
  - name: a
    source: feed
    url: "https://bad.example/feed?token=hush-hush&page=1"
    headers: {Authorization: "Bearer 0123456789"}
    cookies_file: jar.txt
"""
JAR = "# Netscape HTTP Cookie File\nbad.example\tFALSE\t/\tFALSE\t0\tsid\tcookie-monster\n"
PLANTED = (SECRET, "hush-hush", "0123456789", "cookie-monster", "swordfish")
DRESSED = (
    f"proxy http://me:{SECRET}@127.0.0.1:1 refused",
    "https://bad.example/feed?token=hush-hush&page=1",
    "ftp://me:swordfish@bad.example/",
    "Authorization: Bearer 0123456789",
    "headers=[(b'Authorization', b'Basic swordfish==')]",
    "{'Cookie': 'sid=cookie-monster; other=swordfish'}",
    "set-cookie: a=swordfish; path=/",
    "password=swordfish, api_key='swordfish'",
    "write to swordfish@wire.example",
    f"{SECRET} alone, and hush-hush",
)
OBEYED_ONES = "\x1b[31m\x07\u202eright to left\u2066 \r\n\tline\u2028two\x85\x00\ud800"


@pytest.fixture
def restored() -> Iterator[None]:
    """The process's logging as it was, after a test that set it up."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    logging.captureWarnings(False)
    logging.raiseExceptions = True
    root.handlers[:], root.level = before
    logging.getLogger("aggregator").setLevel(logging.NOTSET)


def started(folder: Path, form: Form) -> tuple[Log, io.StringIO]:
    (folder / "jar.txt").write_text(JAR)
    out = io.StringIO()
    return begin(out, form, parse(CONFIG, folder / "config.yaml").secrets()), out


def as_event(log: Log, text: str) -> None:
    log.info("feed.polled", feed=text, listed=3)


def as_name(log: Log, text: str) -> None:
    log.warning(text, **{text: text})


def as_error(log: Log, text: str) -> None:
    log.error("feed.failed", error=FetchError(text, where=text, hint=text))


def as_structure(log: Log, text: str) -> None:
    log.info("config.reloaded", added=[text, (text,)], changed={text: {text}})


def as_bound(log: Log, text: str) -> None:
    log.bind(feed=text, password=text, headers={"X-Key": text}).info("feed.polled")


def with_traceback(log: Log, text: str) -> None:
    try:
        raise ValueError(text) from OSError(text)
    except ValueError:
        log.exception("daemon.failed")


def by_httpx(log: Log, text: str) -> None:
    logging.getLogger("httpx").warning("HTTP Request: %s %s", "GET", text)


def by_apscheduler(log: Log, text: str) -> None:
    try:
        raise RuntimeError(text)
    except RuntimeError:
        logging.getLogger("apscheduler.executors.default").exception('Job "%s" raised an exception', text)


def by_warnings(log: Log, text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(text, stacklevel=1)


def by_a_task_nobody_waited_for(log: Log, text: str) -> None:
    async def failing() -> None:
        raise ValueError(text)

    async def forgetful() -> None:
        task = asyncio.create_task(failing(), name=text)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        del task
        gc.collect()

    asyncio.run(forgetful())


PATHS: list[Callable[[Log, str], None]] = [
    as_event,
    as_name,
    as_error,
    as_structure,
    as_bound,
    with_traceback,
    by_httpx,
    by_apscheduler,
    by_warnings,
    by_a_task_nobody_waited_for,
]


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize("write", PATHS, ids=lambda path: path.__name__)
def test_o3_neither_secrets_nor_control_characters_reach_the_log(
    tmp_path: Path, write: Callable[[Log, str], None], form: Form
) -> None:
    log, out = started(tmp_path, form)
    for text in DRESSED:
        write(log, f"{text} {OBEYED_ONES}{text}")
    lines = out.getvalue().splitlines()
    assert len(out.getvalue().split("\n")) - 1 == len(lines) == len(DRESSED)
    assert [secret for secret in PLANTED if secret in out.getvalue()] == []
    assert [line for line in lines if OBEYED.search(line)] == []
    if form == "json":
        assert all({"timestamp", "level", "event"} <= json.loads(line).keys() for line in lines)


@pytest.mark.usefixtures("restored")
def test_an_event_has_its_numbers_as_fields(tmp_path: Path) -> None:
    log, out = started(tmp_path, "json")
    log.info("feed.polled", feed="新浪", status="ok", listed=50, seconds=0.25, error=None, author="\x1b甲")
    told = json.loads(out.getvalue())
    assert told.pop("timestamp").endswith("Z")
    assert told == {
        "level": "info",
        "event": "feed.polled",
        "feed": "新浪",
        "status": "ok",
        "listed": 50,
        "seconds": 0.25,
        "error": None,
        "author": "\x1b甲",
    }


@pytest.mark.usefixtures("restored")
def test_a_console_shows_the_same_in_one_line(tmp_path: Path) -> None:
    log, out = started(tmp_path, "console")
    log.info("feed.polled", feed="新浪", listed=50, why="two words")
    assert out.getvalue().rstrip().endswith("[info     ] feed.polled          feed=新浪 listed=50 why='two words'")


@pytest.mark.usefixtures("restored")
def test_a_value_is_cut_and_its_secret_with_it(tmp_path: Path) -> None:
    log, out = started(tmp_path, "json")
    log.info("feed.polled", title="x" * 1_995 + SECRET + "y" * 3_000_000)
    told = json.loads(out.getvalue())["title"]
    assert told == "x" * 2_000 + "… (3002008 characters)"


@pytest.mark.usefixtures("restored")
def test_begun_again_the_log_has_one_line_an_event(tmp_path: Path) -> None:
    started(tmp_path, "json")
    log, out = started(tmp_path, "json")
    log.info("daemon.started")
    assert len(out.getvalue().splitlines()) == 1
