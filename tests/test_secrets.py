"""Nothing that is secret in a feed's address, headers or cookies is stored or told, whatever goes wrong."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hostile import attack
from web_server import reply
from world import page

SECRET = b"s3cr3t"
URL = "http://me:s3cr3t@bad.example/bad?token=s3cr3t&page=1"
HEADERS = 'headers: {Authorization: "Bearer s3cr3t", X-Key: s3cr3t}, cookies_file: secret/jar.txt'
JAR = "# Netscape HTTP Cookie File\nbad.example\tFALSE\t/\tFALSE\t0\tsid\ts3cr3t\n"
CHALLENGE = b"<!doctype html><title>Just a moment...</title><p>Checking your browser (cf-chl)</p>"
UNLINKED = (
    '<rss version="2.0"><channel><title>t</title><item><title>bad3</title><guid isPermaLink="false">3</guid>'
    f'<description>{"words " * 60}&lt;img src="a.png"&gt;</description></item></channel></rss>'
).encode()


ANSWERS = [
    reply(404),
    reply(429),
    reply(500),
    reply(304),
    reply(302, Location="/bad?token=s3cr3t&page=1"),
    reply(302, Location="http://127.0.0.1:1/?token=s3cr3t"),
    reply(302, Location="ftp://me:s3cr3t@bad.example/"),
    reply(302, Location="http://me:s3cr3t/@bad.example/"),
    reply(302, Location="http://bad.example/other"),
    reply(200, b"plain", Content_Encoding="gzip"),
    reply(200, gzip.compress(b"x" * 900)[:-4], Content_Encoding="gzip"),
    b"garbage\r\n\r\nConnection: close",
    reply(200, page(1), Content_Type="text/html"),
    reply(200, CHALLENGE, Content_Type="text/html"),
    reply(200, b""),
    reply(200, b"\x89PNG\r\n\x1a\n"),
    reply(200, UNLINKED),
]


@pytest.mark.parametrize("answer", ANSWERS, ids=range(len(ANSWERS)))
def test_no_secret_of_a_feed_is_stored(tmp_path: Path, answer: bytes) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/jar.txt").write_text(JAR)
    verdict = attack(tmp_path, answer, url=URL, feed=HEADERS)
    assert (verdict.report.error_kind is None) == (UNLINKED in answer)
    assert SECRET.decode() not in str(verdict.report)
    asked = [one for one in verdict.server.asked if one.target.startswith("/bad?")]
    assert {one.headers["authorization"] for one in asked} == {"Bearer s3cr3t"}
    assert {one.headers["cookie"] for one in asked} == {"sid=s3cr3t"}
    for file in filter(Path.is_file, tmp_path.iterdir()):
        assert SECRET not in file.read_bytes(), file.name
    assert verdict.feed["url"] == "http://bad.example/bad?token=***&page=1"
