"""Content that wants to be more than text: ids X1, X2, X5 to X7, X10 and X11 of the catalogue of hostile inputs.

What becomes of it in a browser, in Hexo and in Datasette is ``test_consumers.py``.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from html import escape
from pathlib import Path

import pytest
import yaml
from hostile import Route, Row, Verdict, attack, program, routes
from payloads import TEMPLATES, THROUGH_HEXO, TITLES, heard, vectors
from selectolax.lexbor import LexborHTMLParser
from sqlite_utils import Database
from web_server import reply, serving
from world import START, Clock

from aggregator.archive import Reader
from aggregator.articles.document import Document, files, safe_title
from aggregator.articles.inert import inert
from aggregator.errors import ArchiveError
from aggregator.export.hexo import export
from aggregator.export.html import page_of
from aggregator.model import Report
from aggregator.pipeline import poll
from aggregator.text.characters import one_line
from aggregator.text.html import body_html, clean

ROOT = Path(__file__).resolve().parent.parent
SITE = "https://site.example/news/1.html"
FORBIDDEN = (
    "script, iframe, frame, frameset, object, embed, applet, base, meta, link, form, input, button, svg, math"
    ", template, noscript, textarea, select, portal, xmp, plaintext"
)
_PLAIN_STYLE = re.compile(r"(?!.*url\()[^@\\<]*", re.S)
_SPACE = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\ufeff]+")
_RUNS = re.compile(r"(?:javascript|vbscript|data):", re.I)
_PICTURE = re.compile(r"data:image/(?:png|gif|jpe?g|webp);base64,", re.I)


def dangers(html: str, *, styles: bool) -> list[str]:
    """What a browser would find in a fragment that may run, load or move something."""
    body = LexborHTMLParser(f"<!DOCTYPE html><body>{html}").body
    assert body is not None
    found = [node.tag or "" for node in body.css(FORBIDDEN)]
    for node in body.css("*"):
        if node.tag == "style" and not (
            styles and re.fullmatch(r"[^@\\<]*", node.text()) and "url(" not in node.text()
        ):
            found.append(f"style {node.text()}")
        for name, value in node.attributes.items():
            address = _SPACE.sub("", value or "")
            runs = _RUNS.match(address) and not (node.tag == "img" and name == "src" and _PICTURE.match(address))
            if name.startswith("on") or name in ("srcdoc", "formaction", "ping", "style:import") or runs:
                found.append(f"{node.tag} {name}={value}")
    return found


def rss_of(payloads: Sequence[str]) -> bytes:
    fields = ("author", "category", "link", "description", "content:encoded")
    items = "".join(
        f"<item><title>{escape(one)}</title><guid>x{n}</guid>"
        + "".join(f"<{name}>{escape(one)}</{name}>" for name in fields)
        + "</item>"
        for n, one in enumerate(payloads)
    )
    space = "http://purl.org/rss/1.0/modules/content/"
    text = f'<rss version="2.0" xmlns:content="{space}"><channel><title>x</title>{items}</channel></rss>'
    return text.encode("utf-8", "replace")


def atom_of(payloads: Sequence[str]) -> bytes:
    """Every second entry says that its texts are plain, which is no reason to print them as they are."""
    entries = "".join(
        f'<entry><id>x{n}</id><title type="{kind}">{text}</title><author><name>{text}</name></author>'
        f'<category term="{escape(text)}"/><link href="{escape(text)}"/>'
        f'<summary type="{kind}">{text}</summary><content type="{kind}">{text}</content></entry>'
        for n, one in enumerate(payloads)
        for kind, text in [("text" if n % 2 else "html", escape(one))]
    )
    return f'<feed xmlns="http://www.w3.org/2005/Atom"><title>x</title>{entries}</feed>'.encode("utf-8", "replace")


def json_feed_of(payloads: Sequence[str]) -> bytes:
    items = [
        {"id": f"x{n}", "title": one, "url": one, "summary": one, "content_html": one, "tags": [one]}
        | {"authors": [{"name": one, "url": one}]}
        for n, one in enumerate(payloads)
    ]
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "x", "items": items}).encode()


def met(folder: Path, body: bytes) -> Verdict:
    """What becomes of a feed whose listing carries its articles."""
    verdict = attack(folder, reply(200, body), feed="pages: false")
    assert (verdict.report.status, verdict.report.failed, verdict.work) == ("ok", 0, [])
    return verdict


def shown(folder: Path) -> Iterator[dict[str, object]]:
    with Reader(folder / "archive.db") as reader:
        for row in reader.articles():
            article = reader.article(str(row["key"]))
            assert article is not None
            yield article


@pytest.mark.parametrize("listing", [rss_of, atom_of, json_feed_of])
def test_x1_no_vector_leaves_anything_that_runs(
    tmp_path: Path, shared: Path, listing: Callable[[Sequence[str]], bytes]
) -> None:
    payloads = [*vectors(shared), *THROUGH_HEXO]
    verdict = met(tmp_path, listing(payloads))
    assert len(verdict.entries) == len(payloads)
    faults = [row["title"] for row in verdict.entries if dangers(str(row["summary"] or ""), styles=False)]
    for article in shown(tmp_path):
        document = str(article["document"]).partition("\n---\n\n")[2]
        page = page_of(article).partition("</style>")[2]
        if dangers(document, styles=True) or dangers(page, styles=False):
            faults.append(article["title"])
    print(f"xss in {listing.__name__}: {len(payloads) - len(faults)}/{len(payloads)}")
    assert faults == []


OWN = (
    '<a href="java&#9;script:alert(1)">a</a>',
    '<a href="\x01javascript:alert(1)">a</a>',
    '<a href="&#x6A;avascript&colon;alert(1)">a</a>',
    '<a href="data:text/html,<script>alert(1)</script>">a</a>',
    '<a href="vbscript:x">a</a><a href="livescript:x">a</a><a href="blob:x">a</a>',
    '<iframe srcdoc="<script>alert(1)</script>"></iframe><p srcdoc="<script>">a</p>',
    '<svg><a xlink:href="javascript:alert(1)"><text>a</text></a><animate attributeName=href values=javascript:x></svg>',
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>",
    '<math href="javascript:alert(1)">a</math>',
    '<form action="javas\ncript:alert(1)"><input type=submit></form>',
    '<button formaction="javascript:alert(1)">a</button>',
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>"></noscript>',
    '<noscript><!--</noscript><img src=x onerror=alert(1)>--></noscript>',
    "<textarea><img title='</textarea><img src=x onerror=alert(1)>'></textarea>",
    "<template><img src=x onerror=alert(1)></template>",
    '<div><template shadowrootmode="open"><img src=x onerror=alert(1)></template></div>',
    "<xmp><p title='</xmp><img src=x onerror=alert(1)>'></xmp>",
    "<select><style></select><img src=x onerror=alert(1)></style>",
    "<!--><img src=x onerror=alert(1)>-->", "<!--a--!><img src=x onerror=alert(1)>-->",
    "<![CDATA[<img src=x onerror=alert(1)>]]>", "<?xml <img src=x onerror=alert(1)> ?>",
    "<p/onmouseover=alert(1)>a", "<p\x0conmouseover=alert(1)>a", "<img src='x'onerror=alert(1)>",
    '<img src="x` `<script>alert(1)</script>"` `>', "<a href=`javascript:alert(1)`>a</a>",
    "<base href='javascript:/a/'><a href='//%0aalert(1)//'>a</a>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>", "<link rel=import href=//evil.example/>",
    "<style>@import '//evil.example/x'</style>", "<style>p{background:url(//evil.example/x)}</style>",
    "<style></style><img src=x onerror=alert(1)>", "<style><!--</style><img src=x onerror=alert(1)>--></style>",
    "<p style='background:url(javascript:alert(1))'>a", "<p style='width:expression(alert(1))'>a",
    "<p style='position:fixed;top:0;left:0;width:100%;height:100%'>a",
    "<video poster=javascript:alert(1) onloadstart=alert(1)><source onerror=alert(1)></video>",
    "<details open ontoggle=alert(1)>a</details>", "<marquee onstart=alert(1)>a</marquee>",
    "<a href=//evil.example target=a rel=opener>a</a>", "<a ping=//evil.example href=/>a</a>",
    "<object data=javascript:alert(1)></object><embed src=javascript:alert(1)>", "<isindex action=javascript:alert(1)>",
    "<img srcset='javascript:alert(1) 1x'>", "<table background=javascript:alert(1)><tr><td>a</table>",
    "<p x-data='alert(1)' v-html='x' @click='x' :href='x' ng-init='x' data-ng-init='x' hx-get='//evil.example'>a</p>",
)  # fmt: skip


@pytest.mark.parametrize("payload", OWN)
def test_x2_links_frames_and_tricks_of_parsers_are_gone(payload: str) -> None:
    for made, styles in ((clean(payload, SITE), False), (body_html(payload, SITE), True)):
        assert dangers(made, styles=styles) == []
        assert dangers(clean(made), styles=False) == []
        tree = LexborHTMLParser(f"<!DOCTYPE html><body>{made}")
        for node in tree.css("*"):
            left = set(node.attributes) & {"x-data", "v-html", "@click", ":href", "ng-init", "data-ng-init", "hx-get"}
            assert not left
            assert node.attributes.get("target", "_blank") == "_blank"
            assert "opener" not in (node.attributes.get("rel") or "").split()
        assert "evil.example/x" not in made
        assert "fixed" not in made


def test_x2_all_vectors_of_our_own_in_a_feed(tmp_path: Path) -> None:
    verdict = met(tmp_path, json_feed_of(OWN))
    assert len(verdict.entries) == len(OWN)
    for article in shown(tmp_path):
        assert dangers(str(article["document"]).partition("\n---\n\n")[2], styles=True) == []


def test_x2_what_is_no_attack_stays() -> None:
    kept = (
        '<p cms-style="font-L" data-link>　　甲<a href="https://site.example/a?b=1&c=2" target="_blank">乙</a></p>'
        '<img data-original="//n.sinaimg.cn/a.png" alt=\'"甲"接"乙"\' src="https://n.sinaimg.cn/a.png">'
        '<a href="mailto:a@site.example" title="a > b">丙</a><a href="#f">丁</a><p style="color: red">戊</p>'
    )
    assert clean(kept, SITE) == kept.replace('alt=\'"甲"接"乙"\'', 'alt="&quot;甲&quot;接&quot;乙&quot;"').replace(
        "a > b", "a &gt; b"
    )


def test_x5_templates_reach_a_document_as_text(tmp_path: Path) -> None:
    verdict = met(tmp_path, json_feed_of(TEMPLATES))
    assert len(verdict.articles) == 2 + len(TEMPLATES)
    articles = [article for article in shown(tmp_path) if str(article["home_feed"]) == "bad"][2:]
    for payload, article in zip(TEMPLATES, articles, strict=True):
        document = str(article["document"])
        assert not set("{}") & set(document)
        body = LexborHTMLParser(document.partition("\n---\n\n")[2]).body
        assert body is not None
        assert body.text().strip() == payload


def test_x5_a_body_is_the_same_to_a_browser_whatever_is_done_against_hexo() -> None:
    for body in (body_html(one, SITE) for one in (*THROUGH_HEXO, *TEMPLATES, *OWN)):
        written = inert(body)
        assert not set("{}") & set(written)
        assert "\ufffc" not in written
        assert not re.search("`{3}|~{3}", written)
        without_comments = [re.sub(r"<!--.*?-->|<style>.*?</style>", "", text, flags=re.S) for text in (body, written)]
        trees = [LexborHTMLParser(f"<!DOCTYPE html><body>{text}").html for text in without_comments]
        assert trees[0] == trees[1]


@pytest.mark.parametrize(
    ("body", "written"),
    [
        ("<p>甲</p>\n\n<p>乙</p>\n\n", "<p>甲</p>\n\n<p>乙</p>\n\n"),
        ("<p>甲</p>\n\n\n            <style>\n            a\n            </style>\n\n<!-- 乙 -->\n\n<p>丙</p>", ""),
        ("<p>甲</p>\n\n<img src='a'>\n\n</div>\n", ""),
        ("甲\n乙\n丙", ""),
        ("甲\n\n乙\n\n丙", "甲\n&#10;乙\n&#10;丙"),
        ("甲\n \t\n\n乙", "甲\n \t&#10;&#10;乙"),
        ("甲\n\n    乙\n丙", "甲\n&#10;    乙\n丙"),
        ("甲\n\n<!-- 乙 -->\n丙", "甲\n&#10;<!-- 乙 -->\n丙"),
        ("甲\n\n<pre>乙</pre>\n丙", "甲\n&#10;<pre>乙</pre>\n丙"),
        ("甲\n\n    <div>乙</div><br>\n    <p>\n\n    </p>\n<p>丙", ""),
        ("<div>甲\n\n    </div>\n<p>乙", "<div>甲\n&#10;    </div>\n<p>乙"),
        ("甲\n\n    <div>乙\n", "甲\n&#10;    <div>乙\n"),
        ("甲\n\n<b>乙</b>", "甲\n&#10;<b>乙</b>"),
        ("甲\n\n<!-- 乙\n丙 -->\n\n<p>丁", "甲\n&#10;<!-- 乙\n丙 -->\n&#10;<p>丁"),
        ('<p title="甲\n\n乙">', '<p title="甲&#10;&#10;乙">'),
        ("```\n~~~~ ~~", "&#96;&#96;&#96;\n&#126;&#126;&#126;&#126; ~~"),
        ('<a title="rel=" href="https://a/?src=b&rel=">', '<a title="rel&#61;" href="https://a/?src=b&rel&#61;">'),
    ],
)  # fmt: skip
def test_x5_blank_lines_stay_where_markdown_goes_on_to_see_html(body: str, written: str) -> None:
    assert inert(body) == (written or body)


def test_x6_titles_come_back_from_the_front_matter(tmp_path: Path) -> None:
    met(tmp_path, json_feed_of(TITLES))
    articles = [article for article in shown(tmp_path) if str(article["home_feed"]) == "bad"][2:]
    keys = "title categories headimg author comments date thumbnail".split()
    for title, article in zip(TITLES, articles, strict=True):
        front, _, _ = str(article["document"]).removeprefix("\n---\n").partition("\n---\n\n")
        read = yaml.safe_load(front)
        assert list(read) == keys, title
        want = safe_title(one_line(heard(title))).replace("{", "&#123;").replace("}", "&#125;")
        assert read["title"] == want or not want


NAMES = (
    "../../x", "..\\..\\x", "/etc/passwd", "a/../../b", "%2e%2e%2fx", "a" * 300, "新" * 100, "😀" * 80, "CON",
    "nul.txt", ".", "..", "...", "a\0b", "\0", "_draft", ".hidden", "-rf", "~", "a b", "Ａ", "Case", "case", "CASE",
    "é", "e\u0301", "İ", "i\u0307", "ﬀ", "ff", "同题", "同题", "同题", "“_x", "#", "a\u202eb", "a\nb", " ",
    "*?|<>:", "x" * 250, "x" * 250,
)  # fmt: skip


def test_x7_names_of_files_stay_in_their_folder_apart_and_short(tmp_path: Path) -> None:
    verdict = met(tmp_path, json_feed_of(NAMES))
    assert len(verdict.articles) == 2 + len(NAMES)
    folder = tmp_path / "posts"
    with Reader(tmp_path / "archive.db") as reader:
        paths = [name for name, _ in reader.documents()]
        export(reader.documents(), folder)
    written = [path for path in folder.rglob("*") if path.is_file() and path != folder / ".export"]
    assert len(written) == len(paths) == len(NAMES) + 5
    for path in written:
        assert path.resolve().is_relative_to(folder.resolve())
        parts = path.relative_to(folder).parts
        assert len(parts) == 4
        for part in parts:
            assert len(part.encode()) <= 255
            assert not part.startswith(("_", "."))
            assert part.isprintable() or not re.search(r"[\x00-\x1f\x7f-\x9f]", part)
    alike = {unicodedata.normalize("NFC", str(path)).casefold() for path in written}
    assert len(alike) == len(written)


@pytest.mark.parametrize(
    ("title", "name"),
    [("7月涨18.0%。", "7月涨180%。"), ("{% foo %}", "{％ foo ％}"), ("%2e%2e", "％2e％2e"), ("“一”#1", "一_1")],
)
def test_x7_the_name_is_the_title_but_for_what_hexo_cannot_publish(title: str, name: str) -> None:
    document = Document("k", title, ("甲", "乙", "丙"), START, "")
    assert files(document)[0] == f"甲/乙/丙/{name}.md"


def test_x7_a_link_in_the_folder_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine", encoding="utf-8")
    folder = tmp_path / "posts"
    (folder / "a").mkdir(parents=True)
    (folder / "a/b.md").symlink_to(victim)
    (folder / f".export-{os.getpid()}.tmp").symlink_to(victim)
    (folder / ".export").symlink_to(victim)
    with pytest.raises(ArchiveError):
        export([("a/b.md", "theirs")], folder)
    (folder / ".export").unlink()
    export([("a/b.md", "theirs")], folder)
    assert victim.read_text(encoding="utf-8") == "mine"
    assert not (folder / "a/b.md").is_symlink()
    (folder / "c").symlink_to(tmp_path)
    with pytest.raises(ArchiveError, match="leads outside"):
        export([("c/x.md", "theirs")], folder)
    with pytest.raises(ArchiveError, match="leads outside"):
        export([("../x.md", "theirs")], folder)
    assert not (tmp_path / "x.md").exists()


KEYS = ("a] int); drop table e;--", "", "rowid", "id", "\u0000", "select", "a'b\"c", "新", "x" * 5_000)


def roll_of(unknown: dict[str, object]) -> bytes:
    row = {"docid": "comos:abcdefg1234567", "url": "https://bad.example/bad/9", "title": "t", "ctime": "1657782607"}
    status = {"code": 0, "msg": "succ"} | unknown
    result = {"status": status, "timestamp": "x", "total": 1, "data": [row | {"intime": "1657782607"} | unknown]}
    return json.dumps({"result": result | unknown} | unknown).encode()


@pytest.mark.parametrize("source", ["feed", "sina-roll"])
def test_x10_unknown_keys_never_change_the_schema(tmp_path: Path, source: str) -> None:
    unknown: dict[str, object] = {key: {"nested": [key, 1, None]} for key in KEYS}
    item = {**unknown, "id": "x", "title": "t", "content_html": "c"}
    feed = {**unknown, "version": "https://jsonfeed.org/version/1.1", "items": [item]}
    body = json.dumps(feed).encode() if source == "feed" else roll_of(unknown)
    url = "http://bad.example/bad?pageid=153&lid=2516"

    async def schemas() -> tuple[list[Row], Report, list[Row]]:
        clock = Clock()
        async with program(tmp_path, clock, source=source, url=url, feed="pages: false") as (app, server):
            before = rows_of(app.settings.archive, SCHEMA)
            server.routes |= routes({"/bad": reply(200, body)})
            report = await poll(app.desk, app.desk.feeds["bad"])
            return before, report, rows_of(app.settings.archive, SCHEMA)

    before, report, after = asyncio.run(schemas())
    assert (report.status, report.new, report.failed) == ("stale" if source == "sina-roll" else "ok", 1, 0)
    assert after == before
    (kept,) = rows_of(tmp_path / "archive.db", "SELECT id FROM pages WHERE kind = 'item'")
    with Reader(tmp_path / "archive.db") as reader:
        raw = (reader.page(int(str(kept["id"]))) or b"").decode()
    assert {key: value for key, value in json.loads(raw).items() if key in unknown and key != "id"} == {
        key: value for key, value in unknown.items() if key != "id"
    }


SCHEMA = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY 1, 2"


def rows_of(archive: Path, sql: str) -> list[Row]:
    db = Database(archive)
    found = list(db.query(sql))
    db.close()
    return found


SECRET = "s3cr3t"
TERMINAL = "\x1b[31mred\x1b]0;title\x07\x9b2J\r\n2026-01-01 ERROR forged\u202egnol\u2028\x85\x0bend"


def noisy() -> dict[str, Route]:
    """A listing whose words are for a terminal, and pages that fail in as many ways; all addresses hold a secret."""
    addresses = [f"http://me:{SECRET}@bad.example/{n}?token={SECRET}" for n in range(4)]
    items = [
        {"id": f"n{n}{TERMINAL}", "title": f"{n} {TERMINAL}", "url": address, "authors": [{"name": TERMINAL}]}
        for n, address in enumerate([*addresses, f"http://bad.example/4?{TERMINAL}"])
    ]
    feed = {"version": "https://jsonfeed.org/version/1.1", "title": f"[/x]{TERMINAL}", "items": items}
    forged = f"<!doctype html><title>{TERMINAL}</title><link rel=canonical href='http://b/?token={SECRET}&{TERMINAL}'>"
    return {
        "/good": reply(200, json.dumps(feed).encode()),
        "/0": reply(500),
        "/1": reply(200, forged.encode(), Content_Type="text/html"),
        "/2": reply(302, Location=f"http://me:{SECRET}@10.0.0.1/?token={SECRET}"),
        "/3": reply(200, b"<p>" + TERMINAL.encode() * 9, Content_Type=f"text/html; charset={SECRET}"),
        "/bad": reply(200, forged.encode(), Content_Type="text/html"),
    }


COMMANDS = ("fetch", "status", "status --json", "parse feed.json")


def test_x11_what_strangers_write_is_one_line_without_controls_and_secrets(tmp_path: Path) -> None:
    async def told() -> dict[str, str]:
        async with serving() as server:
            server.routes |= routes(noisy())
            feeds = "".join(
                f"  - {{name: {name}, source: feed, categories: [a, b, c],"
                f' url: "http://me:{SECRET}@bad.example/{name}?token={SECRET}"}}\n'
                for name in ("good", "bad")
            )
            network = f'network: {{connect_to: {{bad.example: "{server.url}"}}}}'
            (tmp_path / "config.yaml").write_text(f"archive: archive.db\n{network}\nfeeds:\n{feeds}", encoding="utf-8")
            return {words: await said(tmp_path, *words.split()) for words in COMMANDS}

    (tmp_path / "feed.json").write_bytes(noisy()["/good"].partition(b"\r\n\r\n")[2])  # type: ignore[union-attr]
    outputs = asyncio.run(told())
    assert "not_a_feed" in outputs["fetch"]
    assert all(f"/{n}?token=***" in outputs["fetch"] for n in range(3))
    for text in outputs.values():
        assert not re.search(r"[^\S\n ]|[^\n\u3000 -~\xa1-\uffff]|[\u200e\u200f\u2028-\u202e\u2066-\u2069]", text)
        assert not re.search("^2026-01-01 ERROR forged", text, re.M)
    assert SECRET not in outputs["fetch"] + outputs["status"]


async def said(folder: Path, *words: str) -> str:
    """All that a command of the program prints."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "aggregator", *words),
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(ROOT), "COLUMNS": "300"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 120)
    text = output.decode()
    assert "Traceback" not in text, text
    return text
