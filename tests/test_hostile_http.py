"""Hostile and careless HTTP: ids H1 to H7 of the catalogue of hostile inputs."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, STDOUT
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path

import pytest
from hostile import Route, Verdict, attack, listing, live, program, routes
from web_server import Answer, Asked, Server, reply, serving
from world import Clock, page

from aggregator.archive import Reader

ONE, TWO, NEWS = listing("bad", 1, 2), listing("bad", 1, 2, 3), listing("bad", 1, 2, 3, 4)


def in_turn(*answers: bytes) -> Route:
    """Answers that come one after the other."""
    left = list(answers)
    return lambda _: left.pop(0)


def conditions(verdict: Verdict) -> Sequence[tuple[str | None, str | None]]:
    """What the requests for the attacked listing asked about: ETag and date; the honest one before is left out."""
    asked = [one.headers for one in verdict.server.asked if one.target == "/bad"][1:]
    return [(headers.get("if-none-match"), headers.get("if-modified-since")) for headers in asked]


def test_h1_a_304_that_nobody_asked_for_is_an_error_and_the_next_request_asks_for_all(tmp_path: Path) -> None:
    verdict = attack(tmp_path, reply(304, ETag='"1"'), polls=2)
    assert (verdict.report.status, verdict.report.error_kind, verdict.feed["etag"]) == ("failed", "protocol", None)
    assert conditions(verdict) == [(None, None)] * 2


def test_h1_after_such_a_304_the_listing_is_read_again(tmp_path: Path) -> None:
    verdict = attack(tmp_path, in_turn(reply(304), reply(200, TWO)), polls=2)
    assert (verdict.report.status, verdict.report.new) == ("ok", 1)


def test_h1_a_304_after_a_listing_that_could_not_be_read_hides_nothing(tmp_path: Path) -> None:
    def answer(asked: Asked) -> Answer:
        known = asked.headers.get("if-none-match")
        return reply(304) if known == '"broken"' else reply(200, b"<html>broken</html>", ETag='"broken"')

    verdict = attack(tmp_path, answer, polls=3)
    assert (verdict.report.status, conditions(verdict)) == ("not_a_feed", [(None, None)] * 3)


def test_h1_the_body_decides_whatever_the_validators_say(tmp_path: Path) -> None:
    changed = in_turn(reply(200, TWO, ETag='"1"'), reply(200, TWO, ETag='"2"'), reply(200, TWO))
    verdict = attack(tmp_path, changed, polls=3)
    assert (verdict.report.status, len(verdict.entries)) == ("unchanged", 1)
    assert conditions(verdict) == [(None, None), ('"1"', None), ('"2"', None)]
    assert verdict.feed["etag"] is None  # the last answer had none


def test_h1_a_new_body_under_an_old_etag_is_read(tmp_path: Path) -> None:
    same = in_turn(reply(200, TWO, ETag='"1"'), reply(200, NEWS, ETag='"1"'))
    verdict = attack(tmp_path, same, polls=2)
    assert (verdict.report.status, verdict.report.new) == ("ok", 1)


@pytest.mark.parametrize(
    "etag", ['W/"1"', "1", '"é"', '"\xd6\xa4"', '"\xc3\xa9"', '"a b"', '""', "x" * 1_000, '"a,b", W/"c"']
)
def test_h1_an_odd_etag_comes_back_as_it_was(tmp_path: Path, etag: str) -> None:
    def answer(asked: Asked) -> Answer:
        return reply(304) if "if-none-match" in asked.headers else reply(200, TWO, ETag=etag)

    verdict = attack(tmp_path, answer, polls=3)
    assert (verdict.report.status, conditions(verdict)) == ("unchanged", [(None, None), (etag, None), (etag, None)])


@pytest.mark.parametrize("etag", [f'"{"x" * 10_000}"', '"\x7f"', '"\x01"'])
def test_h1_an_etag_that_is_too_long_or_cannot_be_sent_is_not(tmp_path: Path, etag: str) -> None:
    verdict = attack(tmp_path, reply(200, TWO, ETag=etag), polls=3)
    assert conditions(verdict) == [(None, None)] * 3
    assert verdict.report.error_kind in (None, "protocol")


@pytest.mark.parametrize(
    ("date", "sent"),
    [
        ("Mon, 23 Nov 2026 07:00:00 GMT", True),
        ("whenever", True),
        ("Thu, 01 Jan 2099 00:00:00 GMT", False),
        ("Mon, 23 Nov 2026 12:00:00 GMT", False),
    ],
)
def test_h1_a_last_modified_from_the_future_hides_no_news(tmp_path: Path, date: str, sent: bool) -> None:
    bodies = [TWO, TWO, NEWS]

    def answer(asked: Asked) -> Answer:
        body = bodies.pop(0)
        return reply(304) if "if-modified-since" in asked.headers else reply(200, body, Last_Modified=date)

    verdict = attack(tmp_path, answer, polls=3)
    assert conditions(verdict)[1:] == [(None, date if sent else None)] * 2
    assert (verdict.report.status, verdict.report.new) == (("unchanged", 0) if sent else ("ok", 1))


@pytest.mark.parametrize("content_type", ["text/html", "image/png", ""])
def test_h6_a_wrong_content_type_is_parsed_by_its_content(tmp_path: Path, content_type: str) -> None:
    headers = {"Content_Type": content_type} if content_type else {}
    verdict = attack(tmp_path, reply(200, listing("bad", 1, 2, 3), **headers))
    assert (verdict.report.status, verdict.report.new) == ("ok", 1)
    assert [row["title"] for row in verdict.entries] == ["bad3"]


SECRET = "s3cr3t"
COOKIE = "c00k1e"
COMMANDS = ("fetch", "status", "feeds list --json")


def test_h7_nothing_secret_crosses_hosts_is_kept_or_told(tmp_path: Path) -> None:
    """The command line itself, with a feed whose address and headers are secret, led to another host and back."""
    config = tmp_path / "config.yaml"
    answers: dict[str, Route] = {
        "/bad": reply(302, Location=f"http://me:{SECRET}@good.example/there", Set_Cookie=f"id={COOKIE}"),
        "/there": reply(301, Location="http://bad.example/back", Set_Cookie=f"id={COOKIE}; Domain=example"),
        "/back": reply(200, listing("bad", 1, 2), Set_Cookie=f"id={COOKIE}"),
        "/failing": reply(302, Location="http://good.example/nothing", Set_Cookie=f"id={COOKIE}"),
        **{f"/bad/{n}": reply(200, page(n, title=f"bad{n}"), Set_Cookie=f"id={COOKIE}") for n in (1, 2)},
    }

    async def run() -> tuple[str, Server]:
        async with serving(routes(answers)) as server:
            config.write_text(SECRETIVE.format(server=server.url, secret=SECRET), encoding="utf-8")
            return "".join([await told(config, words) for words in COMMANDS]), server

    said, server = asyncio.run(run())
    assert "failing: not_found" in said
    assert SECRET not in said
    assert COOKIE not in said
    for one in server.asked:
        secrets = [one.headers.get(name) for name in ("x-key", "authorization", "cookie")]
        listed = one.target in ("/bad", "/back", "/failing")
        at_home = [SECRET, BASIC if listed else None, None]
        assert secrets == (at_home if one.headers["host"] == "bad.example" else [None] * 3), one.target
    assert {one.headers["host"] for one in server.asked} == {"bad.example", "good.example"}
    with Reader(tmp_path / "archive.db") as reader:
        assert reader.totals()["articles"] == 2
        kept = str(list(reader.feeds()) + list(reader.articles()))
        kept += str([reader.page(n) for n in range(1, 9)])
    assert SECRET not in kept
    files = {file.name: file.read_bytes() for file in tmp_path.iterdir() if file != config}
    assert not [name for name, content in files.items() if SECRET.encode() in content or COOKIE.encode() in content]


SECRETIVE = """
network:
  connect_to: {{good.example: "{server}", bad.example: "{server}"}}
feeds:
  - {{name: bad, source: feed, url: "http://me:{secret}@bad.example/bad", categories: [甲, 乙, 丙],
     headers: {{X-Key: {secret}}}}}
  - {{name: failing, source: feed, url: "http://me:{secret}@bad.example/failing", categories: [甲, 乙, 丁],
     headers: {{X-Key: {secret}}}}}
"""
BASIC = f"Basic {b64encode(f'me:{SECRET}'.encode()).decode()}"


async def told(config: Path, words: str) -> str:
    """All that a command prints."""
    command = [sys.executable, "-m", "aggregator", *words.split(), "--config", str(config)]
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=STDOUT)
    out, _ = await process.communicate()
    return out.decode()


def test_h7_while_the_archive_is_open_its_log_holds_no_secret_either(tmp_path: Path) -> None:
    url, headers = f"http://me:{SECRET}@bad.example/bad", f"headers: {{X-Key: {SECRET}, Cookie: {SECRET}}}"

    async def run() -> dict[str, bytes]:
        clock = Clock()
        async with program(tmp_path, clock, url=url, feed=headers) as (app, server):
            answer = reply(302, Location=f"http://me:{SECRET}@good.example/good", Set_Cookie=f"id={COOKIE}")
            server.routes |= routes({"/bad": answer})
            await live(app, clock, hours=1)
            return {file.name: file.read_bytes() for file in tmp_path.iterdir()}

    files = asyncio.run(run())
    assert files["archive.db-wal"]
    assert not [name for name, content in files.items() if SECRET.encode() in content or COOKIE.encode() in content]
