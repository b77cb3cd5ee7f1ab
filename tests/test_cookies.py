"""A feed's cookies: out of a file, each to where it belongs and nowhere else, and never told."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from web_server import reply, serving
from world import item, page, rss

from aggregator.app import open_app
from aggregator.config import parse
from aggregator.errors import ConfigError
from aggregator.model import Cookie
from aggregator.pipeline import poll
from aggregator.web.cookies import cookies_for

MAGIC = "# Netscape HTTP Cookie File\n"
FEED = "feeds:\n  - name: a\n    source: feed\n    url: https://wire.example/feed.xml\n    cookies_file: jar.txt\n"
NOW = datetime(2026, 11, 23, tzinfo=UTC)


def line(domain: str, text: str, path: str = "/", *, secure: bool = False, expires: str = "0") -> str:
    name, _, value = text.partition("=")
    flags = ["FALSE", "TRUE"]
    return "\t".join((domain, flags[domain.startswith(".")], path, flags[secure], expires, name, value)) + "\n"


def kept(folder: Path, *lines: str) -> tuple[Cookie, ...]:
    (folder / "jar.txt").write_text(MAGIC + "".join(lines), encoding="utf-8")
    return parse(FEED, folder / "config.yaml").feed_list()[0].cookies.kept


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("https://wire.example/", "a=1"),
        ("https://www.wire.example/", "a=1; own=2"),
        ("http://www.wire.example/", "own=2"),
        ("https://wire.example/news", "b=3; a=1"),
        ("https://wire.example/news/1?x=/y", "b=3; a=1"),
        ("https://wire.example/newsroom", "a=1"),
        ("https://sub.www.wire.example/", "a=1"),
        ("https://notwire.example/", ""),
        ("https://wire.example.evil.example/", ""),
        ("https://evil.example/wire.example/news", ""),
        ("https://10.1.2.3/", ""),
        ("https://1.2.3/", ""),
        ("https://any.com/", ""),
        ("https://later.example/", "late=8"),
    ],
)
def test_a_cookie_goes_where_its_own_domain_path_and_scheme_say(tmp_path: Path, url: str, sent: str) -> None:
    cookies = kept(
        tmp_path,
        line(".Wire.example", "a=1", secure=True),
        line("www.wire.example", "own=2"),
        line(".wire.example", "b=3", "/news"),
        line(".wire.example", "old=4", expires="1700000000"),
        line(".2.3", "part-of-an-address=5"),
        line(".com", "everybody=6"),
        line("", "nobody=7"),
        line(".", "nobody=9"),
        "#HttpOnly_" + line("later.example", "late=8", expires="4102444800"),
    )
    assert cookies_for(httpx.URL(url), cookies, NOW) == sent


def test_a_session_cookie_and_one_without_a_name_are_sent_as_they_stand(tmp_path: Path) -> None:
    cookies = kept(tmp_path, line("wire.example", "a=b=c", expires=""), line("wire.example", "=bare"))
    assert sorted(cookies_for(httpx.URL("https://wire.example/"), cookies, NOW).split("; ")) == ["a=b=c", "bare"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "there is none at"),
        (b"", "must be a cookies.txt"),
        (b"<html>s3cr3t</html>", "must be a cookies.txt"),
        (f"{MAGIC}wire.example FALSE / FALSE 0 sid s3cr3t\n".encode(), "seven columns parted by tabs"),
        (f"{MAGIC}{line('wire.example', 'sid=s3cr3t', expires='s3cr3t')}".encode(), "expiry"),
        (f"{MAGIC}wire.example\tTRUE\t/\tFALSE\t0\tsid\ts3cr3t\n".encode(), "TRUE where it begins with a dot"),
        (f"{MAGIC}{line('wire.example', 'sid=s3cr3t')}\udcff".encode("utf-8", "surrogateescape"), "cookies.txt"),
        (f"{MAGIC}{line('wire.example', 'sid=s3cr3t' + chr(0))}".encode(), "control characters"),
        (MAGIC.encode() + b"#" * 1_000_000, "larger than 1000 kB"),
    ],
)
def test_a_file_that_cannot_be_used_is_a_mistake_with_its_line(
    tmp_path: Path, content: bytes | None, told: str, recwarn: pytest.WarningsRecorder
) -> None:
    if content is not None:
        (tmp_path / "jar.txt").write_bytes(content)
    with pytest.raises(ConfigError) as error:
        parse(FEED, tmp_path / "config.yaml")
    assert str(error.value).startswith(f"{tmp_path}/config.yaml:5: feeds[0].cookies_file: ")
    assert told in str(error.value)
    assert str(tmp_path / "jar.txt") in str(error.value)
    assert "s3cr3t" not in str(error.value)
    assert len(recwarn) == 0


def test_cookies_are_not_shown_with_the_feed(tmp_path: Path) -> None:
    (tmp_path / "jar.txt").write_text(MAGIC + line("wire.example", "sid=s3cr3t"), encoding="utf-8")
    settings = parse(FEED, tmp_path / "config.yaml")
    shown = f"{settings!r} {settings.feed_list()!r} {settings.model_dump()} {settings.model_dump_json()}"
    assert "jar.txt" in shown
    assert "s3cr3t" not in shown


def test_each_hop_of_a_poll_gets_its_own_hosts_cookies_and_what_servers_set_is_not_kept(tmp_path: Path) -> None:
    lines = (line("a.example", "sid=1"), line("b.example", "other=2"), line(".wire.example", "news=3"))
    (tmp_path / "jar.txt").write_text(MAGIC + "".join(lines), encoding="utf-8")
    given = {"Set_Cookie": "given=9; Path=/"}

    async def run() -> list[tuple[str, str | None]]:
        routes: Mapping[str, bytes] = {
            "/feed": reply(302, Location="http://b.example/moved", **given),
            "/moved": reply(302, Location="http://c.example/end", **given),
            "/end": reply(200, rss(item(1)).replace(b"https://wire.example", b"http://wire.example"), **given),
            "/news/1.html": reply(200, page(1), Content_Type="text/html", **given),
        }
        async with serving(routes) as server:
            places = ", ".join(f'{name}.example: "{server.url}"' for name in ("a", "b", "c", "wire"))
            row = (
                "{name: a, source: feed, url: 'http://a.example/feed', cookies_file: jar.txt, headers: {Cookie: own=0}}"
            )
            text = f"archive: a.db\nnetwork: {{connect_to: {{{places}}}}}\nfeeds: [{row}]\n"
            async with open_app(parse(text, tmp_path / "config.yaml")) as app:
                for _ in range(2):
                    assert (await poll(app.desk, app.desk.feeds["a"])).error is None
            return [(asked.target, asked.headers.get("cookie")) for asked in server.asked]

    hops = [("/feed", "own=0; sid=1"), ("/moved", "other=2"), ("/end", None)]
    assert asyncio.run(run()) == [*hops, ("/news/1.html", "news=3"), *hops]
