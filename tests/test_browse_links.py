"""An archive is walked by its links, under a name as people give them and beside another; and with Datasette alone."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
from collections import deque
from html import unescape
from pathlib import Path
from urllib.parse import urldefrag, urlsplit

import httpx
import pytest
from selectolax.lexbor import LexborHTMLParser
from test_browse import ALONE
from test_consumers import archived, browse, rss_of
from test_front_page import query
from test_pages import CHINESE

pytest.importorskip("datasette", reason="the extra [browse] is not installed")
EACH = 1  # of the links of a form are followed
_HIDDEN = re.compile(r"_show_hidden|/(revisions_fts|_sqlite|sqlite_)")  # and what SQLite makes of them
_DENIED = re.compile(r"/images(/\d+)?$")  # a table whose rows are pictures: nobody sees it (docs/security.md)


def form(address: str) -> str:
    """What links have in common that lead to pages of one kind: numbers, names and what is asked do not matter."""
    parts = urlsplit(address)
    path = re.sub(r"/-/document/.*", "/-/document/*", re.sub(r"\d+|sina[^/.]*|[0-9a-f]{64}", "*", parts.path))
    asked = parts.query.partition("=")[0] if "/-/" in parts.path or not parts.query.startswith("_") else "_"
    return f"{path}?{asked}"


def test_no_link_leads_nowhere(demo_archive: Path, tmp_path: Path) -> None:
    from datasette.app import Datasette

    from aggregator.browse.serving import plugged

    named = tmp_path / "新浪 2026.db"
    shutil.copy(demo_archive, named)
    archived(tmp_path / "b.db", rss_of(["另一个档案", "又一篇"]), rss_of(["另一个档案（更正）", "又一篇"]))

    async def walk() -> dict[str, int]:
        plugged()
        client = Datasette([str(named), str(tmp_path / "b.db")]).client
        ahead, forms, found = deque(["/"]), dict[str, int](), dict[str, int]()
        while ahead:
            address = ahead.popleft()
            kind = form(address)
            if address in found or forms.get(kind, 0) >= EACH:
                continue
            forms[kind] = forms.get(kind, 0) + 1
            answer = await client.get(address, headers=CHINESE, follow_redirects=True)
            found[address] = answer.status_code
            if "html" in answer.headers["content-type"]:
                ahead.extend(links(answer.text, str(answer.url)))
        return found

    found = asyncio.run(walk())
    wrong = {address: status for address, status in found.items() if status != 200}
    assert {address: status for address, status in wrong.items() if not _DENIED.search(address)} == {}
    seen = " ".join(found)
    for part in ("+2026/-/diff/", "+2026/articles/", "+2026/-/image/", "+2026/-/page/", "+2026/feed", "+2026/missing"):
        assert part in seen
    for part in ("/b/-/news", "/b/-/figures", "/b/articles/", ".csv", ".json"):
        assert part in seen
    print(f"links: {len(found)}/{len(found)} pages of {len({form(one) for one in found})} kinds")


def links(html: str, base: str) -> list[str]:
    """Addresses on this server that a page leads to or loads, without what names a place on it."""
    nodes = LexborHTMLParser(html).css("a[href], img[src], link[href], script[src]")
    said = [unescape(str(node.attributes.get("href") or node.attributes.get("src") or "")) for node in nodes]
    joined = [str(httpx.URL(base).join(urldefrag(one).url)) for one in said if not one.startswith(("#", "data:"))]
    local = [urlsplit(one) for one in joined if urlsplit(one).hostname == "localhost"]
    shown = [one for one in local if not _HIDDEN.search(f"{one.path}?{one.query}")]
    return [one.path + (f"?{one.query}" if one.query else "") for one in shown]


def plain(archive: Path, address: str) -> str:
    """What a Datasette of its own answers that has no plugin at all."""
    call = [sys.executable, "-c", ALONE, str(archive), "--get", address]
    return subprocess.run(call, capture_output=True, text=True, check=True).stdout


def test_with_no_plugin_at_all_tables_make_sense(demo_archive: Path) -> None:
    database, table = plain(demo_archive, "/archive"), plain(demo_archive, "/archive/v1_articles?_sort_desc=id")
    for text in (database, table):
        assert "Powered by" in text
        assert "news.css" not in text
    for name in ("v1_articles", "v1_revisions", "v1_entries", "v1_polls", "articles", "feeds", "gaps"):
        assert f'href="/archive/{name}"' in database
    (title, media) = query(demo_archive, "SELECT title, media FROM v1_articles ORDER BY id DESC LIMIT 1")[0]
    assert title in unescape(table)
    assert media in table
    row = plain(demo_archive, "/archive/articles/1")
    assert query(demo_archive, "SELECT title FROM articles WHERE id = 1")[0][0] in unescape(row)
    assert "sina-domestic" in plain(demo_archive, "/archive/feeds")


@pytest.mark.parametrize("remote", [False, True])
def test_the_configuration_says_whether_pages_may_load_images_of_others(tmp_path: Path, remote: bool) -> None:
    archived(tmp_path / "archive.db", rss_of(["一篇"]))
    with browse(tmp_path, more=f"browse: {{remote_images: {str(remote).lower()}}}\n") as base:
        policy = httpx.get(f"{base}/archive/-/news", trust_env=False).headers["content-security-policy"]
    assert ("img-src 'self' data: http: https:;" in policy) == remote
    assert ("img-src 'self' data:;" in policy) == (not remote)
