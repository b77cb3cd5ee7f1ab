"""A month of a newsroom in virtual time: the short form of ``month.py``."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from math import ceil
from pathlib import Path
from random import Random

import pytest
from month import MOST_GETS, Log, Month, archived, figures, live, missed, one_round, unlike
from newsroom_month import START, Hours, Newsroom, Wire, feeds
from web_server import Answer, Asked, reply, serving

from aggregator.app import open_app
from aggregator.config import parse
from aggregator.errors import FetchError
from aggregator.model import Request

DAYS, ARTICLES_A_DAY, SEED = 30, 10, 20_260_301


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Month:
    """30 days with 5 % of faulty answers, restarts and kills; polled every 20 to 30 minutes."""
    return live(tmp_path_factory.mktemp("month") / "archive.db", DAYS, ARTICLES_A_DAY, (20, 30), SEED, 3)


def test_the_month_was_one_worth_living(month: Month) -> None:
    told = figures(month)
    faulty = sum(count for name, count in month.wire.asked.items() if name.endswith("faulty"))
    good = sum(count for name, count in month.wire.asked.items() if name.endswith("good"))
    assert told["articles"] == DAYS * ARTICLES_A_DAY
    assert len(month.room.begun) > DAYS * ARTICLES_A_DAY * 1.1
    assert 0.04 < faulty / (faulty + good) < 0.06
    assert {name for name in month.wire.asked if name.startswith("fault ")} == {
        "fault http",
        "fault other",
        "fault rate_limited",
        "fault timeout",
        "fault truncated",
    }
    assert month.restarts >= 5
    assert month.kills >= 2


def test_every_version_of_its_ledger_is_archived_once_or_could_not_be_seen(month: Month) -> None:
    held, gone = archived(month.path), missed(month)
    assert {version: count for version, count in held.items() if count > 1} == {}
    assert held.keys() == month.wire.shown.keys()
    assert {version for version, reason in gone.items() if not reason} == set()
    assert held.keys() | gone.keys() == month.room.begun.keys()


def test_a_page_is_asked_for_once_per_announced_version(month: Month) -> None:
    assert month.wire.asked["page good"] / len(month.wire.listed) <= MOST_GETS


def test_at_ten_thousand_random_instants_the_archive_as_of_then_is_what_it_was_then(month: Month) -> None:
    assert unlike(month, 10_000, SEED) == []


def test_the_same_seed_gives_the_same_month() -> None:
    def lived() -> Iterator[tuple[object, object]]:
        for _ in range(2):
            with tempfile.TemporaryDirectory() as folder:
                one = live(Path(folder) / "archive.db", 1, 20, (20, 30), 7, 2)
                yield one.log.instants, one.log.changes

    first, second = lived()
    assert first == second


# --- a day of it over loopback, through the real client ------------------------------------------------

_CONFIG = """
archive: archive.db
network:
  deadline: 5s
  timeout: 1s
  per_host: {{interval: 0s, connections: 1}}
  connect_to: {{{hosts}}}
feeds:
{feeds}
"""
_HOSTS = ("feed.mix.sina.com.cn", "finance.sina.com.cn", "news.sina.com.cn")


class Everywhere(dict[str, Callable[[Asked], Answer]]):
    """Routes of a server that answers all paths alike."""

    def __init__(self, route: Callable[[Asked], Answer]) -> None:
        super().__init__()
        self._route = route

    def get(self, key: str, default: object = None) -> Callable[[Asked], Answer]:  # type: ignore[override]
        return self._route


def over_http(wire: Wire, asked: Asked) -> Answer:
    """The wire's answer as the server of that host gives it."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        try:
            page = await wire(Request(f"https://{asked.headers['host']}{asked.target}"))
            writer.write(reply(200, page.body, Content_Type=page.headers["content-type"]))
        except FetchError as error:
            if error.kind == "timeout":
                await asyncio.sleep(3)
            until = ceil((error.retry_at - wire.clock()).total_seconds()) if error.retry_at else 0
            statuses = {"http": 500, "not_found": 404, "rate_limited": 429, "held": 429}
            if error.kind in statuses:
                writer.write(reply(statuses[error.kind], b"no", Retry_After=str(until)))
            else:
                writer.write(reply(200, b"<html>", Content_Length="99999"))
        await writer.drain()

    return answer


async def a_day(folder: Path) -> Month:
    hours = Hours()
    room = Newsroom(hours, Random("day"))
    room.schedule(1, 20)
    wire = Wire(hours, room, Random("day's network"))
    month = Month(folder / "archive.db", room, wire, Log(folder / "archive.db", hours), feeds(3))
    hours.after = room.work
    dice = Random("day's program")
    async with serving() as server:
        server.routes = Everywhere(lambda asked: over_http(wire, asked))
        rows = (
            f'  - {{name: {one.name}, source: sina-roll, url: "{one.url}", categories: [甲, 乙, 丙]}}'
            for one in feeds(3)
        )
        hosts = ", ".join(f'"{host}": "{server.url}"' for host in _HOSTS)
        settings = parse(_CONFIG.format(hosts=hosts, feeds="\n".join(rows)), folder / "config.yaml")
        for _ in range(4):
            async with open_app(settings, clock=hours) as app:
                for _ in range(17):
                    wire.round += 1
                    await one_round(month, app.desk)
                    hours.move(timedelta(minutes=dice.uniform(20, 30)))
    assert hours() > START + timedelta(hours=26)
    return month


def test_a_day_of_it_through_the_real_client_over_loopback(tmp_path: Path) -> None:
    month = asyncio.run(a_day(tmp_path))
    held, gone = archived(month.path), missed(month)
    assert {version: count for version, count in held.items() if count > 1} == {}
    assert held.keys() == month.wire.shown.keys()
    assert {version for version, reason in gone.items() if not reason} == set()
    assert len(held) >= 15
    assert month.wire.asked["list faulty"] >= 3
    assert month.wire.asked["while held"] == 0  # by a client that heeds Retry-After
