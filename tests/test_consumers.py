"""What becomes of hostile content where it is read: in a site of Hexo, a page of ours and Datasette, in a browser."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from html import escape, unescape
from pathlib import Path
from threading import Event
from time import monotonic

import pytest
from browser import Browser, Seen, browsing, files_served
from hexo_site import BY_HASH, BY_TITLE, address, front_matters, generate, modules
from payloads import TEMPLATES, THROUGH_HEXO, TITLES, heard, vectors
from selectolax.lexbor import LexborHTMLParser
from world import Clock, Site, desk, feed

from aggregator.archive import Reader
from aggregator.articles.document import safe_title
from aggregator.export.hexo import export
from aggregator.export.html import page_of
from aggregator.pipeline import poll
from aggregator.text.characters import one_line
from aggregator.text.dates import parse_iso

ROOT = Path(__file__).resolve().parent.parent
HARMLESS = "无害"
_EVERYWHERE = ("author", "category", "link", "description", "content:encoded")


def rss_of(payloads: Sequence[str]) -> bytes:
    """A feed with each payload in every field of an item; the first item is harmless."""
    items = "".join(_item(number, payload) for number, payload in enumerate((HARMLESS, *payloads)))
    space = "http://purl.org/rss/1.0/modules/content/"
    return (
        f'<rss version="2.0" xmlns:content="{space}"><channel><title>{HARMLESS}</title>{items}</channel></rss>'
    ).encode("utf-8", "replace")


def _item(number: int, payload: str) -> str:
    text = escape(payload)
    fields = "".join(f"<{name}>{text}</{name}>" for name in _EVERYWHERE)
    return f'<item><title>{number} {text}</title><guid isPermaLink="false">n{number}</guid>{fields}</item>'


def json_feed_of(items: Sequence[tuple[str, str]]) -> bytes:
    """A JSON Feed of titles and bodies: JSON can hold what XML cannot."""
    told = [{"id": f"n{n}", "title": title, "content_html": body} for n, (title, body) in enumerate(items)]
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": HARMLESS, "items": told}).encode()


def archived(path: Path, *listings: bytes) -> list[dict[str, object]]:
    """The articles an archive holds after polls of a feed that had these listings in turn, in the feed's order."""
    one = feed(pages="false")
    site = Site(Clock())

    async def run() -> None:
        async with desk(path, site, one) as opened:
            for listing in listings:
                site.answers[one.url] = listing
                report = await poll(opened, one)
                assert (report.status, report.failed) == ("ok", 0)
                site.clock.move(hours=1)

    asyncio.run(run())
    with Reader(path) as reader:
        found = [reader.article(str(row["key"])) for row in reader.articles()]
    return [row for row in found if row]


def exported(path: Path, folder: Path) -> Path:
    with Reader(path) as reader:
        done = export(reader.documents(), folder)
    assert done.unchanged == 0
    return folder


def looked_over(browser: Browser, addresses: Sequence[str], harmless: Seen, *, styles: bool = False) -> list[str]:
    """What the pages at these addresses have that a harmless one has not, named by the page.

    With ``styles`` a style element of the form a document may have is harmless.
    """
    found = {address: browser.look(address).beyond(harmless) for address in addresses}
    faults = {
        address: [fault for fault in beyond if not (styles and fault.startswith("plain style"))]
        for address, beyond in found.items()
    }
    return [f"{address}: {beyond[:3]}" for address, beyond in faults.items() if beyond]


def tell(what: str, total: int, faults: Sequence[str]) -> None:
    """Print how many came to nothing, and fail naming those that did not."""
    print(f"{what}: {total - len(faults)}/{total}")
    assert not faults, faults[:20]


def post_of(row: dict[str, object], permalink: str = BY_HASH) -> str:
    """The path of the page Hexo made of an article's document."""
    return address(str(row["file"]), parse_iso(str(row["date"])), permalink)


def test_the_browser_sees_what_runs(tmp_path: Path) -> None:
    raw = {
        "image": "<img src=x onerror=alert(1)>",
        "frame": "<iframe srcdoc='<script>parent.alert(1)</script>'></iframe>",
        "click": "<a href='java&#9;script:alert(1)'>a</a>",
        "pointer": "<p onmouseover=alert(1)>a</p>",
        "style": "<style>@import '//other.example/x'</style>",
        "refresh": "<meta http-equiv=refresh content='0;url=//other.example/'>",
        "harmless": "<p>a</p><img src='http://other.example/a.png'>",
    }
    for name, markup in raw.items():
        (tmp_path / f"{name}.html").write_text(f"<!DOCTYPE html><body>{markup}", encoding="utf-8")
    with files_served(tmp_path) as base, browsing(tmp_path / "profile") as browser:
        seen = {name: browser.look(f"{base}/{name}.html") for name in raw if name != "refresh"}
    assert [name for name, one in seen.items() if one.ran] == ["image", "frame", "pointer"]
    assert seen["style"].asked
    assert [name for name, one in seen.items() if not one.beyond(seen["harmless"])] == ["harmless"]


def test_x1_nothing_runs_in_a_site_of_hexo(tmp_path: Path, shared: Path) -> None:
    modules()
    payloads = [*vectors(shared), *THROUGH_HEXO]
    rows = archived(tmp_path / "archive.db", rss_of(payloads))
    assert len(rows) == 1 + len(payloads)
    public = generate(tmp_path / "site", exported(tmp_path / "archive.db", tmp_path / "posts"))
    pages = [post_of(row) for row in rows]
    assert [page for page in pages if not (public / page / "index.html").is_file()] == []
    lists = [f"{page.parent.relative_to(public)}/" for page in public.glob("page/*/index.html")]
    assert len(lists) == len(payloads) // 40
    with files_served(public) as base, browsing(tmp_path / "profile") as browser:
        first, *others = [f"{base}/{page}" for page in pages]
        harmless = browser.look(first)
        faults = looked_over(browser, others, harmless, styles=True)
        listed = [one for page in lists for one in browser.look(f"{base}/{page}").ran]
    tell("xss in Hexo", len(payloads), faults)
    assert listed == []


def test_x1_nothing_runs_in_a_page_of_an_article(tmp_path: Path, shared: Path) -> None:
    payloads = [*vectors(shared), *THROUGH_HEXO]
    rows = archived(tmp_path / "archive.db", rss_of(payloads))
    for number, row in enumerate(rows):
        (tmp_path / f"{number}.html").write_text(page_of(row), encoding="utf-8")
    with files_served(tmp_path) as base, browsing(tmp_path / "profile") as browser:
        first, *others = [f"{base}/{number}.html" for number in range(len(rows))]
        faults = looked_over(browser, others, browser.look(first))
    tell("xss in show --html", len(payloads), faults)


def test_x1_nothing_runs_on_the_reading_page_of_browse(tmp_path: Path, shared: Path) -> None:
    pytest.importorskip("datasette", reason="the extra [browse] is not installed")
    payloads = [*vectors(shared), *THROUGH_HEXO]
    rows = archived(tmp_path / "archive.db", rss_of(payloads))
    with browse(tmp_path) as base, browsing(tmp_path / "profile") as browser:
        first, *others = [f"{base}/archive/articles/{row['id']}" for row in rows]
        faults = looked_over(browser, others, browser.look(first))
        tables = [browser.look(f"{base}/archive/{name}").ran for name in ("articles", "entries", "revisions")]
    tell("xss in browse", len(payloads), faults)
    assert tables == [(), (), ()]


@contextmanager
def browse(folder: Path, *options: str, more: str = "", **environment: str) -> Iterator[str]:
    """``aggregator browse`` on the archive in a folder, as its own process, with ``more`` configured; its address."""
    (folder / "config.yaml").write_text(f"archive: archive.db\nfeeds: []\n{more}", encoding="utf-8")
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    command = [sys.executable, "-m", "aggregator", "browse", "--config", "config.yaml", "--port", str(port), *options]
    process = subprocess.Popen(command, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT), **environment})
    try:
        _wait_for(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Until somebody answers at the port."""
    end = monotonic() + 30
    while monotonic() < end and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        Event().wait(0.05)
    raise AssertionError(f"nobody listens at {port}")


def test_x5_x6_templates_and_titles_come_out_of_hexo_as_text(tmp_path: Path) -> None:
    modules()
    items = [
        (HARMLESS, HARMLESS),
        *((t, f"<p>{escape(t)}</p>") for t in TEMPLATES),
        *((t, "<p>文</p>") for t in TITLES),
    ]
    rows = archived(tmp_path / "archive.db", json_feed_of(items))
    posts = exported(tmp_path / "archive.db", tmp_path / "posts")
    files = [posts / str(row["file"]) for row in rows]
    public = generate(tmp_path / "site", posts, BY_TITLE)
    shown = [shown_by(public / post_of(row, BY_TITLE) / "index.html") for row in rows]
    wanted = [safe_title(one_line(heard(title))) for title, _ in items]

    bodies = [body for _, body in shown[1 : 1 + len(TEMPLATES)]]
    tell("templates in Hexo's bodies", len(TEMPLATES), [t for t, b in zip(TEMPLATES, bodies, strict=True) if t != b])
    titles = [title for title, _ in shown]
    wrong = [(want, title) for want, title in zip(wanted, titles, strict=True) if unescape(title) != want and want]
    tell("titles in Hexo", len(TEMPLATES) + len(TITLES), wrong)
    for file, read, want in zip(files, front_matters(files), wanted, strict=True):
        _, _, below = file.read_text(encoding="utf-8").partition("\n---\n\n")
        assert list(read) == [*"title categories headimg author comments date thumbnail _content".split()], want
        assert (unescape(str(read["title"])), read["_content"]) == (want, "\n" + below)


def shown_by(page: Path) -> tuple[str, str]:
    """Title and text a post's page shows; themes escape a title once more, so its braces are references still."""
    tree = LexborHTMLParser(page.read_text(encoding="utf-8"))
    title, body = tree.css_first("h1.article-title"), tree.css_first(".article-entry")
    assert body is not None
    return (title.text().strip() if title else ""), body.text().strip()
