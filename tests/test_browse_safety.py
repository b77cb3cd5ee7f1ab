"""Browsing is safe: what pages may do in a browser, what a visitor may do to the archive, and who gets in."""

from __future__ import annotations

import asyncio
import base64
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from browser import browsing
from payloads import THROUGH_HEXO, vectors
from selectolax.lexbor import LexborHTMLParser
from test_consumers import archived, browse, rss_of
from world import Clock, Site, desk, feed, item, link, page, rss

from aggregator.archive import Reader
from aggregator.archive.opening import open_writer
from aggregator.pipeline import poll

pytest.importorskip("datasette", reason="the extra [browse] is not installed")
ROOT = Path(__file__).resolve().parent.parent
PAGES = (
    *(
        "/",
        "/archive",
        "/archive/articles",
        "/archive/articles/1",
        "/archive/latest",
        "/archive/-/news",
        "/archive/nowhere",
    ),
    *("/archive/articles.json", "/archive/articles.csv", "/-/versions.json", "/robots.txt", "/archive/v1_articles"),
    *("/archive/search?q=央行", "/-/static/app.css", "/archive?sql=select+1", "/archive/revisions/1"),
)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("safety") / "archive.db"
    wire = feed()
    site = Site(Clock(), {wire.url: rss(item(1), item(2)), link(1): page(1), link(2): page(2)})

    async def run() -> None:
        async with desk(path, site, wire) as one:
            await poll(one, wire)

    asyncio.run(run())
    return path


def asked(archive: Path, *addresses: str, sql: bool = False) -> list[Any]:
    from aggregator.browse.serving import datasette_for

    async def answers() -> list[Any]:
        served = datasette_for(archive, sql=sql)
        return [await served.client.get(address) for address in addresses]

    return asyncio.run(answers())


def test_x3_every_answer_binds_the_browser(archive: Path) -> None:
    for address, answer in zip(PAGES, asked(archive, *PAGES), strict=True):
        policy = dict(re.findall(r"([a-z-]+) ([^;]*)", answer.headers["content-security-policy"]))
        assert policy["default-src"] == "'none'", address
        assert policy["script-src"] == "'self'", address
        assert policy["frame-ancestors"] == "'none'", address
        assert (policy["base-uri"], policy["form-action"]) == ("'none'", "'self'"), address
        assert "http" not in answer.headers["content-security-policy"], address
        assert answer.headers["x-content-type-options"] == "nosniff", address
        assert answer.headers["x-frame-options"] == "DENY", address
        assert answer.headers["referrer-policy"] == "no-referrer", address
        assert answer.headers["x-robots-tag"].startswith("noindex"), address


def test_x3_no_page_has_a_script_in_it(archive: Path) -> None:
    for address, answer in zip(PAGES, asked(archive, *PAGES, sql=True), strict=True):
        assert re.findall(r"<script(?![^>]*\ssrc=)[^>]*>", answer.text) == [], address
        assert re.findall(r"<[^>]+\son\w+=", answer.text) == [], address


def test_robots_stay_away(archive: Path) -> None:
    (answer,) = asked(archive, "/robots.txt")
    assert (answer.status_code, answer.text) == (200, "User-agent: *\nDisallow: /\n")


CSP = "content-security-policy"
HOSTILE = {
    "runaway": "with recursive c(x) as (select 1 union all select x + 1 from c) select max(x) from c",
    "attach": "attach database '/etc/passwd' as p",
    "extension": "select load_extension('/tmp/x.so')",
    "enormous": "select randomblob(900000000)",
    "write": "delete from articles",
    "pragma": "pragma journal_mode = delete",
}


def test_x4_nobody_writes_sql_unless_told(archive: Path) -> None:
    addresses = [f"/archive.json?sql={quote(sql)}" for sql in HOSTILE.values()]
    addresses += ["/archive.json?sql=select+1", "/archive/articles.json?_where=1%3D1", "/_memory.json?sql=select+1"]
    assert [
        (at, one.status_code) for at, one in zip(addresses, asked(archive, *addresses), strict=True) if one.is_success
    ] == []


def test_x4_where_it_is_allowed_it_ends_and_changes_nothing(archive: Path) -> None:
    before = sqlite3.connect(archive).execute("SELECT count(*) FROM articles").fetchone()
    addresses = [f"/archive.json?sql={quote(sql)}" for sql in HOSTILE.values()]
    *hostile, harmless = asked(archive, *addresses, "/archive.json?sql=select+1&_shape=arrays", sql=True)
    assert {name: answer.status_code for name, answer in zip(HOSTILE, hostile, strict=True)} == dict.fromkeys(
        HOSTILE, 400
    )
    assert harmless.json()["rows"] == [[1]]
    assert sqlite3.connect(archive).execute("SELECT count(*) FROM articles").fetchone() == before


def test_the_connection_reads_only_and_sees_what_is_written(archive: Path) -> None:
    from aggregator.browse.serving import datasette_for

    async def opened() -> list[str]:
        database = datasette_for(archive).get_database("archive")
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            await database.execute_fn(lambda conn: conn.execute("DELETE FROM articles"))
        assert database.is_mutable
        return [row[0] for row in await database.execute("PRAGMA journal_mode")]

    assert asyncio.run(opened()) == ["wal"]


def test_images_bytes_are_in_no_table_that_is_shown(archive: Path) -> None:
    answers = asked(archive, "/archive/images", "/archive/images.json?_size=max", "/archive/images/1.json")
    assert [answer.status_code for answer in answers] == [403] * 3


@contextmanager
def served(archive: Path, *options: str, **environment: str) -> Iterator[str]:
    """``browse`` with options; its address."""
    (archive.parent / "config.yaml").write_text(f"archive: {archive.name}\nfeeds: []\n", encoding="utf-8")
    with browse(archive.parent, *options, **environment) as base:
        yield base


def test_whoever_asks_by_another_name_is_refused(archive: Path) -> None:
    with served(archive) as base:
        assert httpx.get(f"{base}/archive.json").status_code == 200
        assert httpx.get(f"{base}/archive.json", headers={"host": "localhost:8001"}).status_code == 200
        for host in ("evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil.example"):
            assert httpx.get(f"{base}/archive.json", headers={"host": host}).status_code == 421, host


def test_with_a_password_nothing_is_read_without_it(archive: Path) -> None:
    with served(archive, "--password-env", "ARCHIVE_PASSWORD", ARCHIVE_PASSWORD="秘密: x") as base:
        for address in ("/", "/archive/articles.json", "/-/static/app.css", "/archive/feed/wire.atom"):
            refused = httpx.get(f"{base}{address}")
            assert (refused.status_code, refused.headers["www-authenticate"][:5]) == (401, "Basic"), address
        for wrong in ("", "秘密", "秘密: x "):
            word = base64.b64encode(f"reader:{wrong}".encode()).decode()
            assert httpx.get(f"{base}/archive", headers={"authorization": f"Basic {word}"}).status_code == 401
        for header in ("Basic", "Basic %%%", "Bearer " + base64.b64encode("a:秘密: x".encode()).decode()):
            assert httpx.get(f"{base}/archive", headers={"authorization": header}).status_code == 401
        right = base64.b64encode("anyone:秘密: x".encode()).decode()
        shown = httpx.get(f"{base}/archive", headers={"authorization": f"Basic {right}", "host": "news.example"})
        assert (shown.status_code, shown.headers["cache-control"]) == (200, "private, no-store")


@pytest.mark.parametrize("value", [None, ""])
def test_a_password_that_is_not_there_is_a_mistake(archive: Path, value: str | None) -> None:
    (archive.parent / "config.yaml").write_text("archive: archive.db\nfeeds: []\n", encoding="utf-8")
    environment = {name: said for name, said in os.environ.items() if name != "NO_SUCH"} | {"PYTHONPATH": str(ROOT)}
    environment |= {} if value is None else {"NO_SUCH": value}
    command = [sys.executable, "-m", "aggregator", "browse", "--config", "config.yaml", "--password-env", "NO_SUCH"]
    done = subprocess.run(command, cwd=archive.parent, env=environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, "NO_SUCH" in done.stderr) == (2, True)


def test_reading_neither_stops_the_writer_nor_lets_the_log_grow(tmp_path: Path) -> None:
    """A writer makes hundreds of commits while pages are read one after the other: none waits, the log is folded in."""
    path = tmp_path / "archive.db"
    db = open_writer(path)
    db.execute("PRAGMA wal_autocheckpoint = 100")
    ended = Event()
    trouble: list[BaseException] = []
    read: list[int] = []

    def reader() -> None:
        from aggregator.browse.serving import datasette_for

        async def answers() -> None:
            one = datasette_for(path)
            while not ended.is_set():
                for address in ("/archive/commits.json?_shape=array", "/archive/-/news", "/archive/coverage.json"):
                    read.append((await one.client.get(address)).status_code)

        try:
            asyncio.run(answers())
        except BaseException as error:
            trouble.append(error)

    thread = Thread(target=reader)
    thread.start()
    largest = 0
    try:
        db.execute("PRAGMA busy_timeout = 0")  # waiting for a reader would be an error
        number = 0
        while number < 400 or len(read) < 30:
            assert thread.is_alive(), trouble
            number += 1
            db.execute("BEGIN IMMEDIATE")
            db.execute("INSERT INTO commits (seq, at) VALUES (?, ?)", [number, "2026-11-24T00:00:00Z"])
            db.execute(
                'INSERT INTO pages (kind, url, sha256, codec, size, bytes, "commit")'
                " VALUES ('item', 'x', 'y', 'zstd', 9, zeroblob(20000), ?)",
                [number],
            )
            db.execute("COMMIT")
            largest = max(largest, path.with_name("archive.db-wal").stat().st_size)
    finally:
        ended.set()
        thread.join()
        db.close()
    assert trouble == []
    assert set(read) == {200}
    written = number * 24_000
    assert largest < written / 4, (largest, written)
    print(
        f"browse beside a writer: {number} commits, {len(read)} pages,"
        f" log at most {largest / 1e6:.1f} of {written / 1e6:.1f} MB"
    )


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> tuple[Path, list[str]]:
    """An archive with a vector in every field of an article and, in its second version, another; and the vectors."""
    payloads = [*vectors(shared), *THROUGH_HEXO]
    assert len(payloads) >= 216
    folder = tmp_path_factory.mktemp("hostile")
    rows = archived(folder / "archive.db", rss_of(payloads), rss_of([*payloads[1:], payloads[0]]))
    assert len(rows) > len(payloads)
    return folder, payloads


# Pages on which an article's title, text or address may stand; {} is a number from 1 on, as often as wanted.
HELD = {
    "/archive/{}?_size=max": ("articles", "v1_articles", "v1_entries", "v1_revisions"),
    "/archive/{}?_size=260&_all=1": ("articles", "entries", "revisions"),  # columns that are left out else
    "/archive/{}": ("latest", "as_of?as_of=2100-01-01", "by_day?day=2026-11-23", "edited", "reprints", "missing"),
    "/archive/articles?_search={}": ("alert",),
    "/archive/-/news?page={}": range(1, 4),
    "/archive/-/search?sort=time&page={}": range(1, 14),
    "/archive/-/diff/{}": range(2, 250, 31),
    "/archive/revisions/{}": (2, 300),
    "/archive/-/{}": ("figures", "feeds", "feeds/wire", "news?feed=wire"),
    "/{}": ("", "archive"),
}


def test_x3_nothing_runs_on_any_page(hostile: tuple[Path, list[str]], tmp_path: Path) -> None:
    folder, payloads = hostile
    addresses = [form.format(one) for form, those in HELD.items() for one in those]
    with browse(folder) as base, browsing(tmp_path / "profile") as browser:
        ran = {address: browser.look(f"{base}{address}").ran for address in addresses}
    assert {address: found for address, found in ran.items() if found} == {}
    print(f"xss in tables, queries and pages: {len(payloads)} vectors on {len(addresses)} pages")


def test_x3_what_is_sent_as_it_came_may_run_nothing(hostile: tuple[Path, list[str]]) -> None:
    folder, _ = hostile
    with Reader(folder / "archive.db") as reader:
        keys = [quote(str(row["key"]), safe="") for row in reader.articles()]
    addresses = [f"/archive/-/document/{key}.md" for key in keys]
    addresses += [f"/archive/-/page/{number}" for number in range(1, len(keys))]
    data = ("feed.atom", "feed.json", "feed/wire.atom", "-/articles.json", "-/articles.csv")
    for address, answer in zip(data, asked(folder / "archive.db", *(f"/archive/{one}" for one in data)), strict=True):
        assert re.match(r"application/(atom\+xml|feed\+json|json);|text/csv;", answer.headers["content-type"]), address
        assert re.match(r"(sandbox; )?default-src 'none'; (?!.*script-src 'unsafe)", answer.headers[CSP]), address
        assert answer.headers["x-content-type-options"] == "nosniff", address
    for address, answer in zip(addresses, asked(folder / "archive.db", *addresses), strict=True):
        assert answer.status_code == 200, address
        assert answer.headers["content-type"].startswith("text/plain"), address
        assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'"), address
        assert answer.headers["x-content-type-options"] == "nosniff", address


def test_x3_comparisons_and_words_searched_for_are_text(hostile: tuple[Path, list[str]]) -> None:
    """Whatever stands there, the elements of a page are those of its templates; and no query goes into an attribute."""
    folder, payloads = hostile
    known = {"html", "head", "meta", "title", "link", "script", "body", "main", "article", "section", "aside", "header"}
    known |= set("h1 h2 h3 p a span small strong br ol ul li dl dt dd div time mark ins del form label input".split())
    known |= set("select option button nav footer details summary kbd table thead tbody tr th td".split())
    addresses = [f"/archive/-/diff/{number}" for number in range(2, len(payloads) + 2)]
    addresses += [f"/archive/-/search?q={quote(one)}&as_of={quote(one)}&feed={quote(one)}" for one in payloads]
    for address, answer in zip(addresses, asked(folder / "archive.db", *addresses), strict=True):
        assert answer.status_code in (200, 404), address
        nodes = LexborHTMLParser(answer.content).css("*")
        assert {str(node.tag) for node in nodes} <= known, address
        names = {name for node in nodes for name in node.attributes}
        assert not {name for name in names if name.startswith("on") or name == "style"}, address
        links = [str(node.attributes.get("href")) for node in nodes if "href" in node.attributes]
        assert all(link.startswith(("/", "#", "?")) for link in links), address


def test_the_menus_of_tables_work_without_a_script_in_the_page(archive: Path, tmp_path: Path) -> None:
    with served(archive) as base, browsing(tmp_path / "profile") as browser:
        browser.page.goto(f"{base}/archive/articles", wait_until="load")
        browser.page.click("th[data-column=media] .dropdown-menu-icon")
        assert browser.page.is_visible("text=Facet by this")
        assert browser._ran == []
