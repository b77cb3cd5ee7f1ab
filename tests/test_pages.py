"""The pages to read: what is around them, and which requests they answer."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import searching

pytest.importorskip("datasette", reason="the extra [browse] is not installed")
PACKAGE = Path(__file__).resolve().parent.parent / "aggregator" / "browse"
CHINESE = {"accept-language": "zh-CN,zh;q=0.9,en;q=0.8"}
NAME = "新浪 2026.db"
TITLES = ("央行全面降准", "数字<b>经济")
Answers = list[Any]


def archived(
    folder: Path, name: str = "新浪 2026.db", titles: tuple[str, ...] = ("央行全面降准", "数字<b>经济")
) -> Path:
    """A small archive under a name as people give them."""
    searching.archive(folder / name, [(title, "公开市场操作", "新浪财经") for title in titles])
    return folder / name


def asked(*addresses: str, of: tuple[Path, ...], **headers: str) -> Answers:
    """What ``datasette FILE…`` with the plugin answers."""
    from datasette.app import Datasette

    from aggregator.browse.serving import plugged

    async def answers() -> Answers:
        plugged()
        served = Datasette([str(path) for path in of])
        return [await served.client.get(address, headers=headers) for address in addresses]

    return asyncio.run(answers())


def test_pages_of_archives_of_any_name_and_of_two_at_once(tmp_path: Path) -> None:
    one, two = archived(tmp_path), archived(tmp_path, "b.db", ("另一个档案",))
    first, second = asked("/~E6~96~B0~E6~B5~AA+2026/-/news", "/b/-/news", of=(one, two))
    assert (first.status_code, second.status_code) == (200, 200)
    assert "数字&lt;b&gt;经济" in first.text
    assert "另一个档案" in second.text
    assert 'href="/b/-/news"' in first.text
    assert 'href="/~E6~96~B0~E6~B5~AA+2026/-/news"' in second.text


def test_what_is_not_there_is_said_in_the_visitors_language_and_logs_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = archived(tmp_path, "a.db")
    missing = ("/a/articles/999", "/a/nothing", "/nowhere", "/a/-/search?as_of=yesterday", "/a/articles?_sort=nothing")
    answers = asked(*missing, of=(path,), **CHINESE)
    assert [answer.status_code for answer in answers] == [404, 404, 404, 404, 400]
    for answer in answers:
        assert '<html lang="zh-CN">' in answer.text
        assert 'href="/a/-/search"' in answer.text
    slow = "with recursive c(x) as (select 1 union all select x + 1 from c) select max(x) from c"
    (told, plain) = asked(f"/a.json?sql={slow}", "/a/nothing.json", of=(path,))
    assert (told.status_code, plain.status_code) == (403, 404)
    assert plain.json()["ok"] is False
    out = "".join(capfd.readouterr())
    assert "Traceback" not in out
    assert "locals" not in out


def test_addresses_of_other_databases_are_datasettes_own(tmp_path: Path) -> None:
    import sqlite3

    other = tmp_path / "other.db"
    sqlite3.connect(other).execute("CREATE TABLE articles (id INTEGER PRIMARY KEY, title TEXT)").connection.close()
    news, front = asked("/other/-/news", "/", of=(archived(tmp_path, "a.db"), other))
    assert news.status_code in (400, 404)
    assert "Powered by" in front.text


def test_the_language_is_what_the_browser_likes_until_one_is_chosen(tmp_path: Path) -> None:
    path = archived(tmp_path, "a.db")
    (chinese,) = asked("/a/-/news", of=(path,), **CHINESE)
    (english,) = asked("/a/-/news", of=(path,), **{"accept-language": "fr, en;q=0.8, zh;q=0.5"})
    (neither,) = asked("/a/-/news", of=(path,), **{"accept-language": "fr"})
    (chosen,) = asked("/a/-/news", of=(path,), cookie="lang=zh", **{"accept-language": "en"})
    (asked_for,) = asked("/a/-/news?lang=zh", of=(path,), cookie="lang=en")
    for page, language in ((chinese, "zh-CN"), (english, "en"), (neither, "en"), (chosen, "zh-CN")):
        assert f'<html lang="{language}">' in page.text
    assert '<html lang="zh-CN">' in asked_for.text
    assert asked_for.headers["set-cookie"].startswith("lang=zh; HttpOnly")
    assert "set-cookie" not in chinese.headers


@pytest.mark.parametrize(
    ("back", "where"),
    [
        ("/a/articles?_size=5", "/a/articles?_size=5"),
        ("//evil.example/", "/"),
        ("https://evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("", "/"),
    ],
)
def test_choosing_a_language_leads_back_and_nowhere_else(tmp_path: Path, back: str, where: str) -> None:
    from urllib.parse import quote

    (answer,) = asked(f"/-/aggregator/language?lang=zh&next={quote(back)}", of=(archived(tmp_path, "a.db"),))
    assert answer.status_code == 302
    assert answer.headers["location"] == where
    assert answer.headers["set-cookie"].startswith("lang=zh")


def test_files_are_kept_by_their_content_and_nothing_else_is_served(tmp_path: Path) -> None:
    path = archived(tmp_path, "a.db")
    (page,) = asked("/a/-/news", of=(path,))
    found = sorted(set(re.findall(r"/-/aggregator/static/[a-z]+\.[a-z]+\?[0-9a-f]+", page.text)))
    assert len(found) == 3
    for answer in asked(*found, of=(path,)):
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["x-content-type-options"] == "nosniff"
    for answer in asked("/-/aggregator/static/layout.css", of=(path,)):
        assert answer.status_code == 404


def test_every_text_is_there_in_both_languages_and_every_text_asked_for_exists() -> None:
    from aggregator.browse.language import texts

    known: Mapping[str, Mapping[str, str]] = texts()
    for key, forms in known.items():
        assert {"zh", "en"} <= set(forms) <= {"zh", "en", "en_one"}, key
        fields: Callable[[str], list[str]] = re.compile(r"\{(\w+)").findall
        assert sorted(fields(forms["zh"])) == sorted(fields(forms["en"])), key
    said = [path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.html")]
    said += [path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")]
    for key in re.findall(r'\bt\("(\w+)"[,)]|\.say\("(\w+)"[,)]', "\n".join(said)):
        assert (key[0] or key[1]) in known


def test_templates_of_ours_have_no_inline_script_style_or_handler() -> None:
    for path in set((PACKAGE / "templates").rglob("*.html")) - set((PACKAGE / "templates").glob("row-*")):
        markup = path.read_text(encoding="utf-8")
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|\|\s*safe", markup), path
        assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", markup)), path
