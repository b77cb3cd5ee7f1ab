"""Hostile networks: ids N1 to N9 and N15 to N17 of the catalogue of hostile inputs.

N10 to N14, which are about forbidden places, stand in ``test_hostile_places.py``.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import subprocess
import sys
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import brotli
import pytest
import zstandard
from bombs import ENCODINGS, bomb, twice
from certificates import certificate
from hostile import Route, Verdict, attack, listing
from sqlite_utils import Database
from stopwatch import Stopwatch
from web_server import Answer, Asked, beside, reply
from world import page

TESTS = Path(__file__).resolve().parent
OK = b"HTTP/1.1 200 OK\r\n"
CLOSE = b"Connection: close\r\n"
GROWTH = 64.0  # MB
CPU = 1.0  # seconds


def rejected(verdict: Verdict, kind: str) -> None:
    """The feed failed so, nothing came of it, and it is asked again."""
    assert (verdict.report.status, verdict.report.error_kind) == ("failed", kind)
    assert (verdict.feed["status"], verdict.feed["error_kind"]) == ("failed", kind)
    assert verdict.feed["next_due"]
    assert verdict.entries == []
    assert len(verdict.articles) == 2


def waiting(verdict: Verdict, kind: str) -> None:
    """The listing was read; the article with this answer failed so, and is tried again."""
    assert (verdict.report.status, verdict.report.new, verdict.report.failed) == ("ok", 1, 1)
    assert [(work["error_kind"], work["state"]) for work in verdict.work] == [(kind, "pending")]
    assert verdict.work[0]["next_try"]


def unsized(body: bytes, encoding: str, status: int = 200, location: str = "") -> bytes:
    """An answer that ends with its connection, so that no Content-Length gives its size away."""
    there = f"Location: {location}\r\n" if location else ""
    return f"HTTP/1.1 {status} Status\r\nContent-Encoding: {encoding}\r\n{there}".encode() + CLOSE + b"\r\n" + body


def measured(*answers: Route, kind: str = "page", deadline: float = 30.0) -> list[str]:
    """What fetches of the answers come to in one fresh process; the time of each and the growth are within bounds."""
    routes: dict[str, Route] = {f"/{number}": answer for number, answer in enumerate(answers)}
    with beside({"/": reply(200, gzip.compress(b"x" * 100_000), Content_Encoding="gzip"), **routes}) as server:
        words = [str(TESTS / "measured_fetch.py"), kind, str(deadline), *(server.url + path for path in ("/", *routes))]
        environ = {**os.environ, "PYTHONPATH": str(TESTS.parent)}
        done = subprocess.run([sys.executable, *words], capture_output=True, text=True, timeout=120, env=environ)
    assert not done.stderr
    results = json.loads(done.stdout)
    for one in results:
        print(one)
        assert one["cpu"] < CPU + (deadline if one["came_to"] == "timeout" else 0)
        assert one["wall"] < deadline + 2.0
        assert one["growth"] <= GROWTH
    return [one["came_to"] for one in results]


def streaming(first: bytes, more: Callable[[int], bytes], pause: float = 0.0) -> Callable[[Asked], Answer]:
    """An answer that begins with ``first`` and goes on with ``more(0)``, ``more(1)`` … until that is empty."""

    async def write(writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        number = 0
        while piece := more(number):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)
            number += 1

    return lambda _: write


# -- N1 to N5: bombs -----------------------------------------------------------------------------------------


def test_n1_gzip_bomb(tmp_path: Path) -> None:
    answer = unsized(bomb("gzip"), "gzip")
    assert measured(answer, kind="listing") == measured(answer, kind="page") == ["too_large"]
    rejected(attack(tmp_path, answer), "too_large")


def test_n2_brotli_bomb(tmp_path: Path) -> None:
    answer = unsized(bomb("br"), "br")
    assert measured(answer, kind="listing") == measured(answer, kind="page") == ["too_large"]
    rejected(attack(tmp_path, answer), "too_large")


def test_n3_zstd_bomb(tmp_path: Path) -> None:
    answer = unsized(bomb("zstd"), "zstd")
    assert measured(answer, kind="listing") == measured(answer, kind="page") == ["too_large"]
    waiting(attack(tmp_path, answer, on="article"), "too_large")


def test_n4_encoded_more_than_once(tmp_path: Path) -> None:
    encodings = ("gzip, gzip", ", ".join(["gzip"] * 50), "gzip\r\nContent-Encoding: gzip")
    answers = [unsized(twice(), encoding) for encoding in encodings]
    assert measured(*answers, kind="listing") == ["encoding"] * 3
    for number, answer in enumerate(answers):
        rejected(attack(made(tmp_path / str(number)), answer), "encoding")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_n5_bomb_as_the_body_of_a_302_404_or_304(tmp_path: Path, encoding: str) -> None:
    body = bomb(encoding)
    answers = [unsized(body, encoding, 302, "/"), unsized(body, encoding, 404), unsized(body, encoding, 304)]
    assert measured(*answers) == ["status 200", "not_found", "status 304"]
    rejected(attack(made(tmp_path / "gone"), unsized(body, encoding, 404)), "not_found")
    moved = attack(made(tmp_path / "moved"), unsized(body, encoding, 302, "/new"), more={"/new": listing_of_three()})
    assert (moved.report.status, moved.report.new) == ("ok", 1)


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def listing_of_three() -> bytes:
    return reply(200, listing("bad", 1, 2, 3))


# -- N6 to N8: without end ------------------------------------------------------------------------------------


async def silence(_: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


DRIPS: dict[str, Route] = {
    "body": streaming(OK + b"Content-Length: 100000\r\n\r\n", lambda _: b"<", 0.1),
    "chunks": streaming(OK + b"Transfer-Encoding: chunked\r\n\r\n", lambda _: b"1\r\n<\r\n", 0.1),
    "header lines": streaming(OK, lambda n: b"X-%d: a\r\n" % n, 0.1),
    "one header": streaming(OK + b"X: ", lambda _: b"a", 0.1),
    "status line": streaming(b"", lambda _: b"H", 0.1),
    "nothing": lambda _: silence,
    "interim answers": streaming(b"", lambda _: b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", 0.1),
}


@pytest.mark.parametrize("drip", DRIPS)
@pytest.mark.parametrize("on", ["listing", "article"])
def test_n6_drips_end_at_the_deadline(tmp_path: Path, drip: str, on: str) -> None:
    watch = Stopwatch()
    if on == "listing":
        rejected(attack(tmp_path, DRIPS[drip], deadline="1s"), "timeout")
    else:
        waiting(attack(tmp_path, DRIPS[drip], on="article", deadline="1s"), "timeout")
    assert watch.seconds < 6.0  # with two whole polls around it


def test_n7_endless_body(tmp_path: Path) -> None:
    items = b"<item>" * 10_000
    answers = [
        streaming(OK + b"\r\n", lambda _: items),
        streaming(OK + b"Transfer-Encoding: chunked\r\n\r\n", lambda _: b"%x\r\n%s\r\n" % (len(items), items)),
        streaming(OK + b"Content-Length: 99999999999999999\r\n\r\n", lambda _: items),
    ]
    assert measured(*answers, kind="listing") == ["too_large"] * 3
    rejected(attack(tmp_path, answers[0]), "too_large")


def test_n7_endless_framing_ends_at_the_deadline() -> None:
    answers = [
        streaming(OK + b"Transfer-Encoding: chunked\r\n\r\n", lambda _: b"1\r\n<\r\n" * 10_000),
        streaming(OK + b"Transfer-Encoding: chunked\r\n\r\n", lambda _: b"1;%s\r\n<\r\n" % (b"x" * 10_000)),
        streaming(b"", lambda _: b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 1_000),
    ]
    assert measured(*answers, deadline=1.0) == ["timeout"] * 3


HEADERS = ((110_000, 1), (1_000_000, 1), (50_000_000, 1), (90_000, 9_000), (400_000, 20_000), (50_000_000, 20_000))


def headed(size: int, count: int) -> Route:
    """An answer with so many headers of so many bytes in all."""
    whole = (b"X-Header: " + b"a" * (size // count - 12) + b"\r\n") * count + b"Content-Length: 7\r\n\r\n<rss/>\n"
    return streaming(OK, lambda n: whole[n * 100_000 : (n + 1) * 100_000])


def test_n8_headers_without_measure_cost_little() -> None:
    assert measured(*(headed(*each) for each in HEADERS)) == ["protocol"] * len(HEADERS)


@pytest.mark.parametrize(("size", "count"), HEADERS)
def test_n8_headers_without_measure_are_rejected(tmp_path: Path, size: int, count: int) -> None:
    rejected(attack(tmp_path, headed(size, count)), "protocol")


# -- N9: redirects -------------------------------------------------------------------------------------------


def asked(verdict: Verdict, path: str) -> list[str]:
    return [one.target for one in verdict.server.asked if one.target.startswith(path)]


def test_n9_redirects_in_a_circle(tmp_path: Path) -> None:
    verdict = attack(tmp_path, reply(302, Location="/round"), more={"/round": reply(301, Location="/bad#again")})
    rejected(verdict, "redirects")
    assert "circle" in str(verdict.feed["error"])
    assert asked(verdict, "/round") == ["/round"]


@pytest.mark.parametrize(("steps", "kind"), [(10, None), (11, "redirects"), (21, "redirects")])
def test_n9_a_chain_of_more_than_ten(tmp_path: Path, steps: int, kind: str | None) -> None:
    def step(one: Asked) -> bytes:
        left = int(one.target.partition("?")[2])
        return reply(302, Location=f"/step?{left - 1}") if left else listing_of_three()

    verdict = attack(tmp_path, reply(302, Location=f"/step?{steps - 1}"), more={"/step": step})
    assert verdict.report.error_kind == kind
    assert len(asked(verdict, "/step")) == 10
    if kind:
        rejected(verdict, kind)


@pytest.mark.parametrize("location", ["new", "./x/../new", "/new", "//bad.example/new", "HTTP://BAD.example:80/new#x"])
def test_n9_a_relative_place_is_found(tmp_path: Path, location: str) -> None:
    verdict = attack(tmp_path, reply(302, Location=location), more={"/new": listing_of_three()})
    assert (verdict.report.status, verdict.report.new) == ("ok", 1)


def test_n9_a_step_from_https_to_http_is_recorded_and_takes_no_credentials_along(tmp_path: Path) -> None:
    bare = "http://bad.example"
    links = [f"https://bad.example/{name}" for name in ("down", "over")]
    items = "".join(
        f"<item><title>第{n}号快讯</title><link>{link}</link></item>" for n, link in zip((7, 8), links, strict=True)
    )
    answers: dict[str, Route] = {
        "/down": reply(302, Location=f"{bare}/plain?token=abc"),
        "/over": reply(302, Location=f"{bare}/between?token=abc"),
        "/between": reply(302, Location="https://bad.example/end"),
        "/plain": reply(200, page(7)),
        "/end": reply(200, page(8)),
    }
    verdict = attack(
        tmp_path,
        reply(200, f"<rss version='2.0'><channel><title>t</title>{items}</channel></rss>".encode()),
        url="https://bad.example/bad",
        feed="headers: {Authorization: Basic c2VjcmV0}",
        more=answers,
    )
    assert (verdict.report.new, verdict.report.failed) == (2, 0), [work["error"] for work in verdict.work]
    rows = Database(tmp_path / "archive.db").query(
        "SELECT url, via, final_url FROM pages WHERE kind = 'article' AND url IN (?, ?)", links
    )
    assert [(row["url"], row["via"] and json.loads(row["via"]), row["final_url"]) for row in rows] == [
        (links[0], None, f"{bare}/plain?token=abc"),
        (links[1], [f"{bare}/between?token=***"], "https://bad.example/end"),
    ]
    told = {one.target.partition("?")[0]: "authorization" in one.headers for one in verdict.server.asked}
    assert {path: told[path] for path in answers} == {
        "/down": True, "/over": True, "/between": False, "/plain": False, "/end": True,
    }  # fmt: skip


# -- N15 to N17: what is not what it says ----------------------------------------------------------------------


async def loopback(host: str) -> Sequence[str]:
    return ["127.0.0.1"]


@pytest.mark.parametrize("fault", ["self-signed", "expired", "wrong name", "none"])
def test_n15_certificates_that_prove_nothing(tmp_path: Path, fault: str) -> None:
    names: list[str | None] = []
    cert, context = certificate(tmp_path, "own.example", expired=fault == "expired")
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    trusted = "" if fault == "self-signed" else f"ca_bundle: {cert}"
    host = "other.example" if fault == "wrong name" else "own.example"
    with beside({"/new": listing_of_three()}, context) as secure:
        verdict = attack(
            tmp_path,
            reply(302, Location=f"https://{host}:{secure.port}/new"),
            network=f"allow_private: [{host}]\n  {trusted}",
            resolve=loopback,
        )
    assert set(names) == {host}
    if fault == "none":
        assert (verdict.report.status, verdict.report.new) == ("ok", 1)
        assert [one.headers["host"] for one in secure.asked] == [f"own.example:{secure.port}"]
        return
    rejected(verdict, "tls")
    assert secure.asked == []
    assert "ca_bundle" in str(verdict.feed["error"])


PACKERS = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress, "zstd": zstandard.compress}


@pytest.mark.parametrize("encoding", PACKERS)
def test_n16_truncated_encoding(tmp_path: Path, encoding: str) -> None:
    whole = PACKERS[encoding](listing("bad", 1, 2, *range(3, 500)))
    for cut in (1, len(whole) // 2):
        rejected(attack(made(tmp_path / str(cut)), unsized(whole[:-cut], encoding)), "truncated")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (OK + b"Content-Length: 900\r\n" + CLOSE + b"\r\n" + listing("bad", 1, 2, 3), "truncated"),
        (OK + b"Transfer-Encoding: chunked\r\n" + CLOSE + b"\r\n200\r\n" + listing("bad", 1, 2, 3), "truncated"),
        (b"HTTP/9 what?\r\n" + CLOSE + b"\r\n" + listing("bad", 1, 2, 3), "protocol"),
        (unsized(listing("bad", 1, 2, 3), "gzip"), "encoding"),
    ],
    ids=["short length", "cut chunk", "status line", "plain text as gzip"],
)
def test_n17_answers_that_break_their_word(tmp_path: Path, answer: bytes, kind: str) -> None:
    rejected(attack(tmp_path, answer), kind)
