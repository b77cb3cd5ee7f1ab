"""The page of an article and the comparison of two of its versions."""

from __future__ import annotations

import asyncio
import re
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from test_front_page import query
from test_pages import CHINESE, asked
from world import Clock, Site, desk, feed, item, rss

from aggregator.pipeline import poll

pytest.importorskip("datasette", reason="the extra [browse] is not installed")
ATTRIBUTE = re.compile(r"""\s(?:src|srcset|poster|background|style|class|id|on\w+)=""")


def read(archive: Path, address: str, **headers: str) -> Any:
    (answer,) = asked(f"/{archive.stem}/{address}", of=(archive,), **{**CHINESE, **headers})
    return answer


def body_of(text: str) -> str:
    return text.partition('<div class="body">')[2].partition("</article>")[0]


def test_images_come_from_the_store_and_the_code_is_left_out(demo_archive: Path) -> None:
    ((number,),) = query(
        demo_archive, "SELECT article FROM image_links GROUP BY article ORDER BY count(*) DESC, article LIMIT 1"
    )
    text = read(demo_archive, f"articles/{number}").text
    sources = re.findall(r'<img [^>]*?src="([^"]+)"', body_of(text))
    assert len(sources) > 1
    assert all(source.startswith("/archive/-/image/") for source in sources)
    assert "appendQr" not in body_of(text)
    assert "343233024" not in body_of(text)
    assert not re.search(r'(?:src|href)="(?!/|#|https?://[^"]*"[^>]*>)', body_of(text))


def test_a_page_tells_where_an_article_comes_from(demo_archive: Path) -> None:
    sql = (
        "SELECT a.id, r.title, r.url, r.editor, p.sha256 FROM articles a JOIN revisions r ON r.id = a.revision"
        " JOIN pages p ON p.id = r.page WHERE r.editor NOT NULL AND json_array_length(r.symbols) > 0 LIMIT 1"
    )
    ((number, title, url, editor, digest),) = query(demo_archive, sql)
    text = unescape(read(demo_archive, f"articles/{number}").text)
    for shown in (title, f'href="{url}" rel="noopener noreferrer"', f"责任编辑：</span> {editor}", digest):
        assert shown in text
    for (symbol,) in query(demo_archive, "SELECT symbol FROM symbols WHERE article = ?", number):
        assert f'href="/archive/-/search?symbol={quote(symbol, safe="")}"' in text
    sightings = query(
        demo_archive, "SELECT f.name FROM entries e JOIN feeds f ON f.id = e.feed WHERE e.article = ?", number
    )
    assert text.count('<a href="/archive/-/news?feed=') == len(sightings)


def test_the_document_is_there_as_text_to_copy(demo_archive: Path) -> None:
    ((number, document),) = query(demo_archive, "SELECT id, document FROM articles WHERE document NOT NULL LIMIT 1")
    text = read(demo_archive, f"articles/{number}").text
    shown = text.partition('<pre id="document" tabindex="0">')[2].partition("</pre>")[0]
    assert unescape(shown) == document
    assert '<button type="button" data-copies="document"' in text


def test_reprints_stand_on_a_time_line(demo_archive: Path) -> None:
    for a, b in query(demo_archive, "SELECT a, b FROM links"):
        for one, other in ((a, b), (b, a)):
            text = read(demo_archive, f"articles/{one}").text
            line = text.partition("转载时间线")[2].partition("</ol>")[0]
            assert line.count("<li") == 2
            assert f'href="/archive/articles/{other}"' in line
            assert line.count('class="own"') == 1


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An article whose text came, was changed in a figure an hour later, and has what a page may not load."""
    path = tmp_path_factory.mktemp("edited") / "编 辑.db"
    clock = Clock()
    wire = feed(pages="false")
    loud = (
        '<p style="color:red" class="masthead" id="q">公司预计全年净利润3.06亿元。</p>'
        '<img src="https://images.example/a.png"><video src="https://images.example/a.mp4"'
        ' poster="https://images.example/a.png"></video><table background="https://images.example/b.png"><tr><td>表'
        "</td></tr></table>"
    )

    def listing(title: str, body: str) -> bytes:
        return rss(item(1, title, extra=f"<description><![CDATA[{body}]]></description>"))

    site = Site(clock, {wire.url: listing("业绩预告", loud)})

    async def run() -> None:
        async with desk(path, site, wire) as one:
            await poll(one, wire)
            clock.move(hours=1)
            site.answers[wire.url] = listing("业绩预告（更正）", loud.replace("3.06", "3.60"))
            await poll(one, wire)

    asyncio.run(run())
    assert query(path, "SELECT max(n) FROM revisions") == [(2,)]
    return path


def test_nothing_is_loaded_from_elsewhere(edited: Path) -> None:
    text = asked("/~E7~BC~96+~E8~BE~91/articles/1", of=(edited,), **CHINESE)[0].text
    body = body_of(text)
    assert "3.60亿元" in body
    assert "images.example" not in body
    for element in re.findall(r"<(?!img)\w+[^>]*>", body.partition("</div>\n")[0]):
        assert not ATTRIBUTE.search(element), element
    assert re.search(r'<img src="/-/aggregator/static/absent.svg\?\w+" alt="" loading="lazy" class="absent">', body)
    assert "有 1 张图片未存档" in text


def test_images_of_other_hosts_are_loaded_where_that_is_wanted(edited: Path) -> None:
    from aggregator.browse.serving import datasette_for

    async def answer() -> str:
        served = datasette_for(edited, remote_images=True)
        return str((await served.client.get("/archive/articles/1")).text)

    body = body_of(asyncio.run(answer()))
    assert '<img src="https://images.example/a.png" alt="" loading="lazy" referrerpolicy="no-referrer">' in body
    assert body.count("images.example") == 1


def test_versions_and_instants(edited: Path) -> None:
    base = "/~E7~BC~96+~E8~BE~91/articles/1"
    now, first, then, before, odd, fourth = asked(
        base,
        f"{base}?n=1",
        f"{base}?as_of=2026-11-23T16:30",
        f"{base}?as_of=2026-11-22",
        f"{base}?as_of=gestern",
        f"{base}?n=4",
        of=(edited,),
        **CHINESE,
    )
    assert "3.60亿元" in body_of(now.text)
    assert "业绩预告（更正）" in now.text
    for old in (first, then):
        assert "3.06亿元" in body_of(old.text)
        assert "更正" not in old.text.partition("<aside")[0].partition("<h1>")[2].partition("</h1>")[0]
    assert "这是第 1 版，现在是第 2 版" in first.text
    assert [one.status_code for one in (before, odd, fourth)] == [404, 404, 404]
    assert "那时档案还没有内容" in before.text


def test_a_comparison_shows_what_changed_in_facts_and_words(edited: Path) -> None:
    base = "/~E7~BC~96+~E8~BE~91/-/diff/1"
    last, back, whole, odd = asked(
        base, f"{base}?from=2&to=1", f"{base}?whole=1", f"{base}?from=7", of=(edited,), **CHINESE
    )
    assert "<del>3.06亿元</del><ins>3.60亿元</ins>" in last.text
    assert "<ins>（更正）</ins>" in last.text
    assert "实质" in last.text
    assert "<td>数额</td>" in last.text
    assert "<del>3.60亿元</del><ins>3.06亿元</ins>" in back.text
    assert whole.status_code == 200
    assert "略去" not in whole.text
    assert odd.status_code == 404


def test_articles_without_a_text_say_why(demo_archive: Path) -> None:
    ((waiting,),) = query(demo_archive, "SELECT id FROM articles WHERE revision IS NULL LIMIT 1")
    ((bare, reason),) = query(demo_archive, "SELECT id, reason FROM articles WHERE reason NOT NULL LIMIT 1")
    assert "正文尚未取得" in read(demo_archive, f"articles/{waiting}").text
    assert f"只保存了链接（{reason}）" in read(demo_archive, f"articles/{bare}").text
    assert read(demo_archive, "articles/99999").status_code == 404
    assert read(demo_archive, "-/diff/99999").status_code == 404
    assert read(demo_archive, f"-/diff/{waiting}").status_code == 404
    assert read(demo_archive, f"articles/{10**40}").status_code == 404


def test_every_kind_of_evidence_field_and_cause_has_its_words() -> None:
    from typing import get_args

    from aggregator.articles.differences import _CORRECTED, _DERIVED
    from aggregator.articles.verdict import EvidenceKind, Judgement, Where
    from aggregator.browse.language import texts
    from aggregator.model.feeds import Status

    wanted = [f"kind_{one}" for one in get_args(EvidenceKind)] + [f"where_{one}" for one in get_args(Where)]
    wanted += [f"verdict_{one}" for one in get_args(Judgement)] + [f"status_{one}" for one in get_args(Status)]
    wanted += [f"field_{one}" for one in ("reason", *_CORRECTED, *_DERIVED) if one != "html"]
    wanted += [f"cause_{one}" for one in ("first", "changed", "imported", "parser")]
    assert [key for key in wanted if key not in texts()] == []
