"""Commands that read what a person gives them, or look at what a feed answers, end at the deadline as a poll does."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest
from test_cli import aggregator
from test_doctor import examine, rows, wrong
from web_server import reply
from world import item, rss

from aggregator.doctor.golden import write_golden
from aggregator.errors import ConfigError
from aggregator.workers import HEAVY

CONFIG = "archive: a.db\nnetwork: {deadline: 1s}\nfeeds: []\n"
URL = "https://wire.example/news/1.html"


@cache
def long_page() -> bytes:
    """A page that takes some twenty seconds to read, and is smaller than a page may be."""
    text = "".join(
        f"<p>第{n}号工厂今日投产，<a href='/{n}'>年产能</a>为{n}万吨，预计明年达产。</p>" for n in range(20_000)
    )
    return f"<html><head><title>第1号快讯</title></head><body><article>{text}</article></body></html>".encode()


@cache
def long_feed() -> bytes:
    """A feed that takes some ten seconds."""
    items = "".join(f"<item><title>{n}</title><guid>{n}</guid></item>" for n in range(100_000))
    return f'<rss version="2.0"><channel><title>t</title>{items}</channel></rss>'.encode()


@pytest.mark.parametrize(
    "words",
    [("parse", "long.xml"), ("article", "long.html", "--url", URL), ("rules", "test", "long.html", "--url", URL)],
)
def test_what_takes_too_long_is_an_error_of_its_kind(tmp_path: Path, words: Sequence[str]) -> None:
    (tmp_path / "config.yaml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "long.xml").write_bytes(long_feed())
    (tmp_path / "long.html").write_bytes(long_page())
    done = aggregator(tmp_path, *words, "--json", "--config", "config.yaml")
    assert done.returncode == 1, done.stderr
    error = json.loads(done.stdout)["error"]
    assert error["kind"] == "too_slow"
    assert "longer than 1.0 s" in error["message"]
    assert "Traceback" not in done.stderr


def test_what_is_heavy_and_honest_comes_out_as_ever(tmp_path: Path) -> None:
    padded = rss(item(1)).replace(b"<item>", b"<!--" + b"x" * HEAVY + b"--><item>")
    (tmp_path / "light.xml").write_bytes(rss(item(1)))
    (tmp_path / "heavy.xml").write_bytes(padded)
    light, heavy = (aggregator(tmp_path, "parse", name, "--json") for name in ("light.xml", "heavy.xml"))
    assert heavy.returncode == 0, heavy.stderr
    assert json.loads(heavy.stdout) == json.loads(light.stdout)


def test_the_doctor_tells_of_a_listing_and_a_page_that_take_too_long(tmp_path: Path) -> None:
    routes = {
        "/feed.xml": reply(200, rss(item(1))),
        "/news/1.html": reply(200, long_page(), Content_Type="text/html"),
        "/long.xml": reply(200, long_feed()),
    }
    for folder, path in (("page", "feed.xml"), ("listing", "long.xml")):
        (tmp_path / folder).mkdir()
        feed = rows(f"http://wire.example/{path}")
        done, _ = examine(tmp_path / folder, feed, routes, "  deadline: 1s\n")
        (told,) = wrong(done.findings).values()
        assert "too_slow: reading it took longer than" in told[0]
        if folder == "page":
            with pytest.raises(ConfigError, match="no test case, it is too_slow"):
                write_golden(done, URL, tmp_path / "case", lambda _: {})
