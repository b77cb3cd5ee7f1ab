"""Images of articles: through the same door as pages, each address asked once, each image stored once."""

from __future__ import annotations

import asyncio
import gzip
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import pytest
from forbidden import ADDRESSES, SPELLINGS, resolve, trap
from hostile import Route, program, routes
from test_keeping import changed
from web_server import Asked, beside, reply
from world import START, Clock, listened

from aggregator import __version__
from aggregator.app import App, open_app, poll_feed
from aggregator.archive.images import images_only_of
from aggregator.archive.opening import open_reader
from aggregator.archive.verifying import verify
from aggregator.articles.images import EXTENSIONS, MOST, type_of
from aggregator.config import parse
from aggregator.demo import Replica
from aggregator.demo.images import png
from aggregator.errors import ArchiveError, ParseError
from aggregator.pipeline import ImageOutcome, collect_images
from aggregator.schedule import Daemon

PNG = png("/w8h8/a.png")
OTHER = png("/w8h8/b.png")
HTML = b"<!DOCTYPE html><html><body>Forbidden</body></html>"
SVG = b'<?xml version="1.0"?><!-- a --><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
ALL = {"feed": "pages: false, images: all"}


def listing(*bodies: str) -> bytes:
    """A feed whose articles have these bodies."""
    items = "".join(
        f"<item><title>第{n}号</title><link>http://bad.example/{n}</link><guid>{n}</guid>"
        f"<description>{escape(body)}</description></item>"
        for n, body in enumerate(bodies)
    )
    return reply(200, f'<rss version="2.0"><channel><title>t</title>{items}</channel></rss>'.encode())


def pictures(*names: str) -> str:
    """A body with these images, between words."""
    return "".join(f'<p>文字。</p><img src="http://bad.example/{name}">' for name in names)


def fetched(
    folder: Path, bodies: Sequence[str], answers: Mapping[str, Route], *, polls: int = 1, **lines: str
) -> tuple[list[ImageOutcome], Counter[str]]:
    """Poll a feed of these articles and fetch their images; what became of them, and how often each path was asked."""

    async def run() -> tuple[list[ImageOutcome], Counter[str]]:
        clock = Clock()
        async with program(folder, clock, **{**ALL, **lines}) as (app, server):
            server.routes |= routes({"/bad": listing(*bodies), **answers})
            outcomes = []
            for _ in range(polls):
                report = await poll_feed(app, app.desk.feeds["bad"])
                assert (report.status, report.failed) in (("ok", 0), ("unchanged", 0))
                outcomes += await collect_images(app.desk)
                clock.move(hours=48)
            return outcomes, Counter(asked.target for asked in server.asked)

    return asyncio.run(run())


def rows(folder: Path, sql: str) -> list[tuple[object, ...]]:
    db = sqlite3.connect(folder / "archive.db")
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


def kinds(outcomes: Sequence[ImageOutcome]) -> dict[str, str | None]:
    return {one.url.rpartition("/")[2]: one.error.kind if one.error else None for one in outcomes}


def test_each_address_is_asked_once_and_each_image_stored_once(tmp_path: Path) -> None:
    bodies = [pictures("a.png", "a.png#top"), pictures("a.png", "copy.png"), pictures("b.png")]
    answers: dict[str, Route] = {"/a.png": reply(200, PNG), "/copy.png": reply(200, PNG), "/b.png": reply(200, OTHER)}
    outcomes, asked = fetched(tmp_path, bodies, answers, polls=2)
    assert kinds(outcomes) == {"a.png": None, "copy.png": None, "b.png": None}
    assert {path: asked[path] for path in answers} == dict.fromkeys(answers, 1)
    assert rows(tmp_path, "SELECT bytes, type, size FROM images ORDER BY size, id") == sorted(
        [(PNG, "image/png", len(PNG)), (OTHER, "image/png", len(OTHER))], key=lambda row: row[2]
    )
    assert rows(tmp_path, "SELECT count(*) FROM image_fetches") == [(3,)]
    assert rows(tmp_path, "SELECT count(*) FROM image_links") == [(4,)]
    assert rows(tmp_path, "SELECT count(*) FROM image_work") == [(0,)]
    db = open_reader(tmp_path / "archive.db")
    owned = [images_only_of(db, article) for (article,) in rows(tmp_path, "SELECT id FROM articles ORDER BY key")]
    db.close()
    # Two articles show the first image, under two addresses; the third has one of its own.
    assert [len(ids) for ids in owned] == [0, 0, 1]
    assert rows(tmp_path, f"SELECT bytes FROM images WHERE id = {owned[2][0]}") == [(OTHER,)]


def test_nothing_is_asked_for_unless_a_feed_wants_it(tmp_path: Path) -> None:
    outcomes, asked = fetched(tmp_path, [pictures("a.png")], {"/a.png": reply(200, PNG)}, feed="pages: false")
    assert (outcomes, asked["/a.png"]) == ([], 0)
    outcomes, _ = fetched(
        tmp_path, [pictures("a.png")], {"/a.png": reply(200, PNG)}, feed="pages: false", defaults="images: all"
    )
    assert outcomes == []  # the article was read before


def test_the_cover_is_the_first_image_of_the_article_itself(tmp_path: Path) -> None:
    qr = '<div class="appendQr_wrap"><img src="http://bad.example/other.png"></div>'
    inline = '<img src="data:image/png;base64,iVBORw0KGgo=">'
    body = f"{qr}{inline}{pictures('logo.png', 'a.png', 'b.png')}"
    names = ("other.png", "logo.png", "a.png", "b.png")
    answers: dict[str, Route] = {f"/{name}": reply(200, png(name)) for name in names}
    for wanted, expected in (("cover", {"a.png"}), ("all", {"logo.png", "a.png", "b.png"})):
        (tmp_path / wanted).mkdir()
        outcomes, asked = fetched(tmp_path / wanted, [body], answers, feed=f"pages: false, images: {wanted}")
        assert set(kinds(outcomes)) == expected
        assert {name for name in names if asked[f"/{name}"]} == expected


def test_what_is_no_image_fails_by_name_and_the_article_stands(tmp_path: Path) -> None:
    answers: dict[str, Route] = {
        "/html.jpg": reply(200, HTML, Content_Type="image/jpeg"),
        "/drawing.svg": reply(200, SVG, Content_Type="image/svg+xml"),
        "/svg.png": reply(200, SVG, Content_Type="image/png"),
        "/empty.png": reply(200),
        "/big.png": reply(200, PNG + bytes(2_000)),
        "/zipped.png": reply(200, gzip.compress(bytes(10_000_000)), Content_Encoding="gzip"),
        "/cut.png": reply(200, PNG, Content_Length=str(len(PNG) + 9), Connection="close"),
        "/forbidden.png": reply(403, HTML),
        "/lost.png": reply(404),
        "/good.png": reply(200, PNG, Content_Type="text/html"),
    }
    names = [path[1:] for path in answers]
    outcomes, _ = fetched(tmp_path, [pictures(*names)], answers, network="max_image: 1kB")
    expected = {
        "html.jpg": "not_an_image",
        "drawing.svg": "active_image",
        "svg.png": "active_image",
        "empty.png": "not_an_image",
        "big.png": "too_large",
        "zipped.png": "too_large",
        "cut.png": "truncated",
        "forbidden.png": "blocked",
        "lost.png": "not_found",
        "good.png": None,
    }
    assert kinds(outcomes) == expected
    stored = rows(tmp_path, "SELECT replace(url, 'http://bad.example/', ''), error_kind, state, tries FROM image_work")
    assert {name: kind for name, kind, *_ in stored} == {name: kind for name, kind in expected.items() if kind}
    final = {"active_image", "too_large"}
    assert {(state, tries) for _, kind, state, tries in stored if kind in final} == {("failed", 1)}
    assert {(state, tries) for _, kind, state, tries in stored if kind not in final} == {("pending", 1)}
    assert rows(tmp_path, "SELECT count(*) FROM articles WHERE document IS NOT NULL") == [(1,)]
    assert rows(tmp_path, "SELECT count(*) FROM hosts WHERE next_allowed_at IS NOT NULL") == [(0,)]


def test_a_failed_image_is_tried_as_often_as_an_article(tmp_path: Path) -> None:
    outcomes, asked = fetched(tmp_path, [pictures("a.png")], {"/a.png": reply(403)}, polls=9)
    assert asked["/a.png"] == len(outcomes) == 6
    assert rows(tmp_path, "SELECT state, tries, error_kind FROM image_work") == [("failed", 6, "blocked")]


def test_a_host_that_asks_for_fewer_requests_is_left_alone(tmp_path: Path) -> None:
    busy = reply(503, Retry_After="600")
    outcomes, _ = fetched(tmp_path, [pictures("a.png", "b.png")], {"/a.png": busy, "/b.png": busy})
    assert {one.error.kind for one in outcomes if one.error} <= {"rate_limited", "held"}
    assert rows(tmp_path, "SELECT DISTINCT state, tries FROM image_work") == [("pending", 0)]
    assert rows(tmp_path, "SELECT host FROM hosts WHERE next_allowed_at IS NOT NULL") == [("bad.example",)]


def test_images_are_asked_for_as_the_feed_is(tmp_path: Path) -> None:
    async def run() -> list[str | None]:
        async with program(tmp_path, Clock(), feed="pages: false, images: all, headers: {X-Key: hush}") as (
            app,
            server,
        ):
            body = pictures("a.png") + '<img src="http://good.example/b.png">'
            server.routes |= routes({"/bad": listing(body), "/a.png": reply(200, PNG), "/b.png": reply(200, OTHER)})
            await poll_feed(app, app.desk.feeds["bad"])
            await collect_images(app.desk)
            asked = {one.target: one.headers.get("x-key") for one in server.asked}
            return [asked["/a.png"], asked["/b.png"]]

    assert asyncio.run(run()) == ["hush", None]


def test_no_more_than_a_hundred_of_an_article(tmp_path: Path) -> None:
    outcomes, _ = fetched(tmp_path, [pictures(*(f"{n}.png" for n in range(MOST + 20)))], {})
    assert set(kinds(outcomes)) == {f"{n}.png" for n in range(MOST)}


def test_images_lead_to_no_forbidden_place(tmp_path: Path) -> None:
    hosts = [f"[{address}]" if ":" in address else address for address in ADDRESSES]
    with trap() as hole:
        places = [
            place.replace("PORT", str(hole.port)) for place in (*SPELLINGS, *(f"http://{h}:PORT/" for h in hosts))
        ]
        hops: dict[str, Route] = {
            f"/to/{n}": reply(302, Location=place)
            for n, place in enumerate(places)
            if place.isprintable() and place.isascii()
        }
        bodies = ["".join(f'<img src="{escape(place)}">' for place in places[at : at + 50]) for at in (0, 50, 100)]
        bodies += [pictures(*(path[1:] for path in list(hops)[at : at + 50])) for at in (0, 50, 100)]

        async def run() -> list[ImageOutcome]:
            async with program(tmp_path, Clock(), resolve, **ALL) as (app, server):
                server.routes |= routes({"/bad": listing(*bodies), **hops})
                await poll_feed(app, app.desk.feeds["bad"])
                return await collect_images(app.desk)

        outcomes = asyncio.run(run())
        assert hole.caught() == 0
    print(f"{len(outcomes)} addresses of images")
    assert len(outcomes) > len(hops) + 60
    assert {one.error.kind if one.error else None for one in outcomes} <= {"refused", "scheme", "not_found", "dns"}


def test_robots_txt_speaks_of_images_too(tmp_path: Path) -> None:
    robots = reply(200, b"User-agent: *\nDisallow: /private/\n")
    answers: dict[str, Route] = {"/robots.txt": robots, "/private/a.png": reply(200, PNG), "/b.png": reply(200, PNG)}
    outcomes, asked = fetched(tmp_path, [pictures("private/a.png", "b.png")], answers, network="robots: true")
    assert kinds(outcomes) == {"a.png": "robots", "b.png": None}
    assert asked["/private/a.png"] == 0
    outcomes, _ = fetched(tmp_path, [pictures("private/a.png", "b.png")], answers)
    assert kinds(outcomes) == {"a.png": None}  # robots: false again


SINA = """
archive: archive.db
network: {{connect_to: {{{hosts}}}}}
defaults: {{images: all}}
feeds:
  - {{name: one, source: sina-roll, url: "https://feed.mix.sina.com.cn/api/roll/get?pageid=155&lid=1686"}}
  - {{name: two, source: sina-roll, url: "https://feed.mix.sina.com.cn/api/roll/get?pageid=384&lid=2519", images: none}}
"""


def test_the_images_of_a_small_sina(tmp_path: Path) -> None:
    async def run(replica: Replica) -> list[ImageOutcome]:
        hosts = ", ".join(f'"{host}": "{replica.address}"' for host in replica.hosts)
        settings = parse(SINA.format(hosts=hosts), tmp_path / "config.yaml")
        async with open_app(settings) as app:
            for feed in app.desk.feeds.values():
                await poll_feed(app, feed)
            return await collect_images(app.desk)

    with Replica(lambda: START) as replica:
        outcomes = asyncio.run(run(replica))
        asked = {path: n for (_, host, path), n in replica.requests.items() if host == "n.sinaimg.cn"}
    assert len(outcomes) >= 20
    assert [one for one in outcomes if one.error] == []
    assert set(asked.values()) == {1}
    assert not [path for path in asked if "cece9e13" in path]  # the QR code below each article
    linked = rows(tmp_path, "SELECT count(DISTINCT url) FROM image_links")
    assert linked == [(len(asked),)] == [(len(outcomes),)]


def test_an_image_host_that_wants_a_referer_gets_it(tmp_path: Path) -> None:
    def picky(asked: Asked) -> bytes:
        return reply(200, PNG) if asked.headers.get("referer") == "https://finance.sina.com.cn/" else reply(403)

    sources = ("//n.sinaimg.cn/a.png", "http://n.sinaimg.cn/a.png", "//bad.example/b.png")
    body = "<p>文。</p>" + "".join(f'<img src="{source}">' for source in sources)
    with beside({"/a.png": picky, "/b.png": picky}) as server:
        for network, expected in (("timeout: 4s", None), ("referer: ''", "blocked")):
            folder = tmp_path / str(expected)
            folder.mkdir()
            config = f"""
archive: archive.db
network: {{connect_to: {{n.sinaimg.cn: "{server.url}", bad.example: "{server.url}"}}, {network}}}
feeds: [{{name: one, source: feed, url: "http://bad.example/bad", pages: false, images: all}}]
"""
            server.routes |= routes({"/bad": listing(body)})
            outcomes = asyncio.run(_once(config, folder))
            # One address, however it is written; other hosts are told nothing of where we come from.
            assert kinds(outcomes) == {"a.png": expected, "b.png": "blocked"}


async def _once(config: str, folder: Path) -> list[ImageOutcome]:
    async with open_app(parse(config, folder / "config.yaml")) as app:
        await poll_feed(app, app.desk.feeds["one"])
        return await collect_images(app.desk)


def test_the_daemon_fetches_images_beside_its_polls(tmp_path: Path) -> None:
    log, said = listened()

    async def run() -> None:
        async with program(tmp_path, Clock(), **ALL) as (app, server):
            server.routes |= routes({"/bad": listing(pictures("a.png", "b.png")), "/a.png": reply(200, PNG)})
            daemon = Daemon(app, log)
            async with asyncio.timeout(30):
                while not any(one["event"] == "images.fetched" for one in said):
                    await daemon.tick()
                    await asyncio.sleep(0.01)
            await daemon.drain()

    asyncio.run(run())
    assert "1 images stored, 1 failed (1 not_found)" in [one.get("message") for one in said]
    assert rows(tmp_path, "SELECT count(*) FROM images") == [(1,)]


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from aggregator.app import open_app, poll_feed
from aggregator.config import load
from aggregator.pipeline import Budget, collect_images

async def run():
    async with open_app(load(Path(sys.argv[1]))) as app:
        for feed in app.desk.feeds.values():
            await poll_feed(app, feed)
        await collect_images(app.desk, Budget(1))
        await app.archive.pending_images(1)  # under way
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(run())
"""


def test_a_crash_between_article_and_images_loses_none(tmp_path: Path) -> None:
    names = [f"{n}.png" for n in range(5)]
    answers = {f"/{name}": reply(200, png(name)) for name in names}
    with beside({"/bad": listing(pictures(*names)), **answers}) as server:
        config = tmp_path / "config.yaml"
        config.write_text(
            f"""
archive: archive.db
network: {{connect_to: {{bad.example: "{server.url}"}}}}
feeds: [{{name: one, source: feed, url: "http://bad.example/bad", pages: false, images: all}}]
""",
            encoding="utf-8",
        )
        died = subprocess.run([sys.executable, "-c", KILLED, str(config)], timeout=60, check=False)
        assert died.returncode == -signal.SIGKILL
        assert rows(tmp_path, "SELECT count(*) FROM images") == [(1,)]
        outcomes = asyncio.run(_once(config.read_text(encoding="utf-8"), tmp_path))
        assert len(outcomes) == 4
        asked = Counter(one.target for one in server.asked)
    assert {asked[path] for path in answers} == {1}
    assert rows(tmp_path, "SELECT count(*) FROM images") == [(5,)]


def test_a_full_disk_is_told_as_one(tmp_path: Path) -> None:
    async def run(app: App) -> None:
        await poll_feed(app, app.desk.feeds["bad"])
        (pages,) = await app.archive._run(lambda db: db.execute("PRAGMA page_count").fetchone())
        await app.archive._run(lambda db: db.execute(f"PRAGMA max_page_count = {pages + 1}").fetchone())
        await collect_images(app.desk)

    async def world() -> None:
        async with program(tmp_path, Clock(), **ALL) as (app, server):
            names = [f"{n}.png" for n in range(9)]
            images: dict[str, Route] = {f"/{name}": reply(200, PNG + name.encode() * 9_000) for name in names}
            server.routes |= routes({"/bad": listing(pictures(*names)), **images})
            try:
                await run(app)
            finally:
                await app.archive._run(lambda db: db.execute("PRAGMA max_page_count = 1000000").fetchone())

    with pytest.raises(ArchiveError) as refused:
        asyncio.run(world())
    assert refused.value.kind == "disk_full"


def test_verify_looks_at_images_too(tmp_path: Path) -> None:
    fetched(tmp_path, [pictures("a.png", "b.png")], {"/a.png": reply(200, PNG), "/b.png": reply(200, OTHER)})
    path = tmp_path / "archive.db"
    whole = verify(path, __version__)
    assert (whole.damages, whole.counts["images"]) == ((), 2)
    for sql, damaged in (
        ("UPDATE images SET bytes = zeroblob(9) WHERE id = 1", {"images"}),
        ("UPDATE images SET bytes = NULL WHERE id = 1", {"images"}),
        ("INSERT INTO tombstones VALUES (1, 'images', 1, 'x', 'forget', 1)", {"commits"}),  # nobody sealed it
    ):
        changed(path, sql)
        assert {damage.table for damage in verify(path, __version__).damages} == damaged


TYPES = {
    "image/png": PNG,
    "image/jpeg": b"\xff\xd8\xff\xe0\0\x10JFIF\0",
    "image/gif": b"GIF89a\1\0\1\0",
    "image/webp": b"RIFF\x24\0\0\0WEBPVP8 \x18\0\0\0",
    "image/avif": b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf",
    "image/bmp": b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0",
}


@pytest.mark.parametrize("name", EXTENSIONS)
def test_images_are_known_by_their_bytes(name: str) -> None:
    assert type_of(TYPES[name], "here") == name


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "not_an_image"),
        (HTML, "not_an_image"),
        (b"BMW is a maker of cars", "not_an_image"),
        (b"GIF88a", "not_an_image"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "not_an_image"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "not_an_image"),
        (b"<html><svg></svg></html>", "not_an_image"),
        (SVG, "active_image"),
        (b"\xef\xbb\xbf \n<svg:svg xmlns:svg='http://www.w3.org/2000/svg'/>", "active_image"),
        (b"<!DOCTYPE svg PUBLIC 'a' 'b'><svg>", "active_image"),
        (b"<" * 5_000_000, "not_an_image"),
    ],
)
def test_what_is_not_kept(body: bytes, kind: str) -> None:
    with pytest.raises(ParseError) as told:
        type_of(body, "http://host.example/a.png?token=hush")
    assert told.value.kind == kind
    assert "hush" not in str(told.value)
