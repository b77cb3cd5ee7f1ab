"""Addresses that move, or only say so: id H4 of the catalogue of hostile inputs."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from hostile import Route, listing, program, routes
from sqlite_utils import Database
from web_server import Asked, Server, reply
from world import Clock

from aggregator.app import App
from aggregator.archive import Reader
from aggregator.model import Report
from aggregator.pipeline import poll

BAD = "http://bad.example"
NEW = f"{BAD}/new"
HTML = reply(200, b"<html><title>Welcome</title><body>Our new site</body></html>", Content_Type="text/html")
Life = Callable[["Feed"], Awaitable[None]]


def here(*numbers: int, **headers: str) -> bytes:
    return reply(200, listing("bad", *(numbers or (1, 2))), **headers)


def to(place: str, status: int = 301) -> bytes:
    return reply(status, Location=place)


class Feed:
    """The feed "bad" of a program that lives, its server, and what is known of it."""

    def __init__(self, app: App, server: Server, clock: Clock) -> None:
        self._app, self.server, self._clock = app, server, clock

    async def polls(self, times: int = 1, **answers: Route) -> list[Report]:
        """Let paths answer so from now on, and poll that many times, five minutes apart."""
        self.server.routes |= routes({f"/{path}": answer for path, answer in answers.items()})
        self.server.asked.clear()
        reports = []
        for _ in range(times):
            self._clock.move(minutes=5)
            reports.append(await poll(self._app.desk, self._app.desk.feeds["bad"]))
        return reports

    @property
    def asked(self) -> list[str]:
        """The paths asked in the last ``polls``, articles left out."""
        return [one.target for one in self.server.asked if not one.target.startswith("/bad/")]

    @property
    def row(self) -> dict[str, object]:
        with Reader(self._app.settings.archive) as reader:
            return next(row for row in reader.feeds() if row["name"] == "bad")

    @property
    def moved_to(self) -> object:
        assert self.row["url"] == f"{BAD}/bad"
        return self.row["moved_to"]


def living(folder: Path, life: Life, **lines: str) -> None:
    async def run() -> None:
        clock = Clock()
        async with program(folder, clock, **lines) as (app, server):
            await life(Feed(app, server, clock))
            with Reader(app.settings.archive) as reader:
                assert {str(row["url"]) for row in reader.articles()} >= {f"{BAD}/bad/1", f"{BAD}/bad/2"}

    asyncio.run(run())


@pytest.mark.parametrize("status", [301, 308])
def test_h4_a_move_is_believed_after_three_polls_and_the_old_address_kept(tmp_path: Path, status: int) -> None:
    async def life(feed: Feed) -> None:
        await feed.polls(1, bad=here())
        reports = await feed.polls(3, bad=to("/new", status), new=here())
        assert [one.remark for one in reports] == [
            None,
            None,
            f"moved for good to {NEW}: change its url in config.yaml",
        ]
        assert (feed.asked, feed.moved_to) == (["/bad", "/new"] * 3, NEW)
        (report,) = await feed.polls(1, new=here(1, 2, 3))
        assert (feed.asked, report.status, report.new, report.remark) == (["/new"], "ok", 1, None)

    living(tmp_path, life)
    db = Database(tmp_path / "archive.db")
    told = [row["error"] for row in db.query("SELECT error FROM polls WHERE error IS NOT NULL")]
    db.close()
    assert told == [f"moved for good to {NEW}: change its url in config.yaml"]


def test_h4_status_tells_what_to_change(tmp_path: Path) -> None:
    async def life(feed: Feed) -> None:
        await feed.polls(3, bad=to("/new"), new=here())

    living(tmp_path, life)
    config = tmp_path / "config.yaml"
    config.write_text(
        f"feeds: [{{name: bad, source: feed, url: '{BAD}/bad', categories: [甲, 乙, 丙]}}]", encoding="utf-8"
    )
    command = [sys.executable, "-m", "aggregator", "status", "--config", str(config)]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert f"bad: moved to {NEW}: change the url in config.yaml" in told.stderr


def test_h4_a_chain_of_permanent_redirects_counts_up_to_the_first_that_is_none(tmp_path: Path) -> None:
    async def life(feed: Feed) -> None:
        await feed.polls(3, bad=to("/a", 308), a=to("/b"), b=to("/c", 302), c=to("/d"), d=here())
        assert feed.moved_to == f"{BAD}/b"
        await feed.polls(1)
        assert feed.asked == ["/b", "/c", "/d"]

    living(tmp_path, life)


@pytest.mark.parametrize("status", [302, 303, 307])
def test_h4_a_redirect_for_now_is_never_a_move(tmp_path: Path, status: int) -> None:
    async def life(feed: Feed) -> None:
        await feed.polls(10, bad=to("/new", status), new=here())
        assert (feed.asked, feed.moved_to) == (["/bad", "/new"] * 10, None)

    living(tmp_path, life)


@pytest.mark.parametrize(
    "between",
    [
        here(),
        to("/other"),
        to("/new", 302),
        reply(500),
        reply(404),
        to("/page"),
    ],
)
def test_h4_one_poll_that_disagrees_or_fails_begins_the_count_again(tmp_path: Path, between: bytes) -> None:
    async def life(feed: Feed) -> None:
        new = to("/new")
        for bad, times in ((new, 2), (between, 1), (new, 2)):
            await feed.polls(times, bad=bad, new=here(), other=here(), page=HTML)
            assert feed.moved_to is None
        await feed.polls(1)
        assert feed.moved_to == NEW

    living(tmp_path, life)


@pytest.mark.parametrize("target", [HTML, reply(200, b"\x89PNG\r\n"), reply(200, b""), reply(404), to("/bad")])
def test_h4_a_move_to_what_is_no_listing_is_never_believed(tmp_path: Path, target: bytes) -> None:
    async def life(feed: Feed) -> None:
        await feed.polls(1, bad=here())
        reports = await feed.polls(6, bad=to("/new"), new=target)
        assert {one.status for one in reports} <= {"not_a_feed", "failed"}
        assert (feed.moved_to, feed.row["moving_polls"]) == (None, 0)
        assert [one.status for one in await feed.polls(1, bad=here())] == ["unchanged"]

    living(tmp_path, life)


def test_h4_unchanged_polls_agree_too(tmp_path: Path) -> None:
    async def life(feed: Feed) -> None:
        await feed.polls(1, bad=here(ETag='"1"'))
        reports = await feed.polls(3, bad=to("/new"), new=conditional)
        assert [one.status for one in reports] == ["unchanged"] * 3
        # The first one only said "unchanged"; the second was asked to show the listing, and did.
        assert ["if-none-match" in one.headers for one in feed.server.asked[1::2]] == [True, False, True]
        assert feed.moved_to == NEW

    def conditional(asked: Asked) -> bytes:
        return reply(304) if asked.headers.get("if-none-match") == '"1"' else here(ETag='"1"')

    living(tmp_path, life)


def test_h4_an_address_that_only_ever_says_unchanged_is_not_believed(tmp_path: Path) -> None:
    async def life(feed: Feed) -> None:
        await feed.polls(1, bad=here(ETag='"1"'))
        await feed.polls(9, bad=to("/new"), new=reply(304))
        assert feed.moved_to is None

    living(tmp_path, life)


@pytest.mark.parametrize(
    "now", [reply(404), reply(410), HTML, to("/new"), to("ftp://bad.example/"), to("http://10.0.0.1/")]
)
def test_h4_a_move_that_leads_nowhere_any_more_is_forgotten_where_the_old_address_answers(
    tmp_path: Path, now: bytes
) -> None:
    async def life(feed: Feed) -> None:
        await feed.polls(3, bad=to("/new"), new=here(ETag='"n"'))
        assert feed.moved_to == NEW
        (report,) = await feed.polls(1, bad=here(1, 2, 3), new=now)
        assert (report.status, report.new, feed.moved_to) == ("ok", 1, None)
        assert feed.asked == ["/new", "/bad"]
        assert "if-none-match" not in feed.server.asked[1].headers
        assert str(report.remark).startswith(f"no longer at {NEW}, where it had moved (")
        await feed.polls(1)
        assert feed.asked == ["/bad"]

    living(tmp_path, life)


def test_h4_a_feed_that_is_nowhere_keeps_its_last_address(tmp_path: Path) -> None:
    async def life(feed: Feed) -> None:
        await feed.polls(3, bad=to("/new"), new=here())
        (report,) = await feed.polls(1, new=reply(404), bad=to("/new"))
        assert (report.status, report.error_kind, feed.moved_to) == ("failed", "not_found", NEW)
        (report,) = await feed.polls(1, new=reply(410))
        assert (report.status, feed.moved_to, feed.row["next_due"]) == ("gone", NEW, None)
        (report,) = await feed.polls(1, new=here(1, 2, 3))
        assert (report.status, report.new, feed.moved_to) == ("ok", 1, NEW)

    living(tmp_path, life)


@pytest.mark.parametrize("trouble", [reply(500), reply(429), reply(200, b"x", Content_Length="9", Connection="close")])
def test_h4_trouble_that_passes_does_not_end_a_move(tmp_path: Path, trouble: bytes) -> None:
    async def life(feed: Feed) -> None:
        await feed.polls(3, bad=to("/new"), new=here())
        await feed.polls(1, bad=here(1, 2, 3), new=trouble)
        assert (feed.asked, feed.moved_to) == (["/new"], NEW)

    living(tmp_path, life)


def test_h4_a_move_that_is_taken_back_is_taken_back_after_three_polls(tmp_path: Path) -> None:
    async def life(feed: Feed) -> None:
        await feed.polls(3, bad=to("/new"), new=here())
        reports = await feed.polls(3, bad=here(), new=to("/bad"))
        assert (reports[-1].remark, feed.moved_to) == ("back at its configured address", None)
        await feed.polls(1)
        assert feed.asked == ["/bad"]

    living(tmp_path, life)


def test_h4_what_is_secret_does_not_move_to_another_host(tmp_path: Path) -> None:
    async def life(feed: Feed) -> None:
        await feed.polls(3, bad=to("http://good.example/new"), new=here())
        assert (feed.moved_to, feed.row["host"]) == ("http://good.example/new", "good.example")
        await feed.polls(1)
        assert feed.asked == ["/new"]
        assert "x-key" not in feed.server.asked[0].headers
        await feed.polls(1, new=reply(404), bad=here())
        assert ["x-key" in one.headers for one in feed.server.asked] == [False, True]
        assert feed.row["host"] == "bad.example"

    living(tmp_path, life, feed="headers: {X-Key: k}")


def test_h4_an_address_with_a_secret_in_it_is_not_kept(tmp_path: Path) -> None:
    async def life(feed: Feed) -> None:
        await feed.polls(5, bad=to("/new?token=s3cret"), new=here())
        assert (feed.moved_to, feed.row["moving_to"]) == (None, None)

    living(tmp_path, life)
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"s3cret" not in stored


def test_h4_another_url_in_the_configuration_ends_the_move(tmp_path: Path) -> None:
    async def life(feed: Feed) -> None:
        await feed.polls(3, bad=to("/new"), new=here())

    async def after(feed: Feed) -> None:
        await feed.polls(1, elsewhere=here())
        assert (feed.asked, feed.row["moved_to"], feed.row["host"]) == (["/elsewhere"], None, "bad.example")

    async def still(feed: Feed) -> None:
        await feed.polls(1, new=here())
        assert (feed.asked, feed.moved_to) == (["/new"], NEW)

    living(tmp_path, life)
    living(tmp_path, still)
    living(tmp_path, after, url=f"{BAD}/elsewhere")
