"""Rules as data: rows of a configuration over the built-in ones, and what is said of rows that cannot be used."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest
from world import START

from aggregator.articles.extract import extract
from aggregator.articles.rules import Rule, Rules, built_in, with_rows
from aggregator.config import parse
from aggregator.config.settings import RuleRow
from aggregator.errors import ConfigError, ParseError
from aggregator.model import Page

ROOT = Path(__file__).resolve().parent.parent
ID = "nabcdef1234567"
DOC = f"https://finance.sina.com.cn/roll/2026-11-23/doc-i{ID}.shtml"
# The finance template with its body's id renamed, as a redesign would.
MOVED = f"""<!DOCTYPE html><html><head><meta name="publishid" content="{ID}"><title>题_新浪财经</title></head><body>
<h1 class="main-title">题</h1><div id="article_content"><div class="story-2027"><p>　　正文在此。</p></div></div>
</body></html>"""


def page(html: str, url: str = DOC, arrived: str = "") -> Page:
    return Page(url, arrived or url, 200, {"content-type": "text/html; charset=utf-8"}, html.encode(), START)


def configured(rows: str) -> Rules:
    return parse(f"feeds: []\nrules:\n{rows}", Path("config.yaml")).site_rules()


def test_a_renamed_body_is_mended_by_two_lines_of_configuration() -> None:
    with pytest.raises(ParseError, match="no rule finds a body"):
        extract(page(MOVED))
    rules = configured("  - name: sina-finance-2018\n    body: ['#article_content .story-2027']\n")
    article = extract(page(MOVED), rules=rules)
    assert (article.text, article.title, article.rule) == ("正文在此。", "题", "sina-finance-2018")
    assert article.rules_version == rules.version


def test_a_changed_row_keeps_the_keys_it_does_not_give_and_its_place() -> None:
    rules = configured("  - name: sina-2014\n    time: .when\n")
    row, before = rules.named("sina-2014"), built_in().named("sina-2014")
    assert row is not None
    assert before is not None
    assert (row.time, row.body, row.mark) == ((".when",), before.body, before.mark)
    assert [one.name for one in rules.rows] == [one.name for one in built_in().rows]


def test_a_row_of_ones_own_is_tried_first() -> None:
    rules = configured("  - {name: mine, hosts: [finance.sina.com.cn], body: .story-2027}\n")
    assert extract(page(MOVED), rules=rules).rule == "mine"


def test_the_version_follows_the_rows_and_nothing_else() -> None:
    one = configured("  - name: sina-2014\n    time: .when\n")
    same = configured("  - {time: [.when], name: sina-2014}\n")
    other = configured("  - name: sina-2014\n    time: .then\n")
    assert re.fullmatch(re.escape(built_in().version) + r"\+[0-9a-f]{8}", one.version)
    assert one.version == same.version != other.version
    assert with_rows(built_in(), []).version == built_in().version


def test_a_row_can_add_evidence_and_a_challenge() -> None:
    url = "https://news.example.org/a/1"
    rules = configured("  - name: mine\n    hosts: news.example.org\n    body: .b\n    challenge: 请登录后阅读\n")
    with pytest.raises(ParseError, match="challenge page"):
        extract(page("<title>新闻</title><div class=b>请登录后阅读全文</div>", url), rules=rules)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("  - {name: mine, hosts: [a.example], body: ['div >']}", "rules[0].body: is no CSS selector: div >"),
        ("  - {name: mine, hosts: [a.example], between: ['(', ')']}", "rules[0].between: is no regular expression"),
        ("  - {name: mine, hosts: [a.example], between: ['a']}", "must be a list of two"),
        ("  - {name: mine, hosts: [a.example], identity: ['#a']}", "must be a selector and an attribute"),
        ("  - {name: mine, bodi: .a}", "did you mean `body`?"),
        ("  - {hosts: [a.example]}", "rules[0].name: is missing"),
        ("  - {name: mine, body: .a}", "rules[0]: needs `hosts`"),
        ("  - {name: mine, hosts: [a.example]}", "rules[0]: needs `body`"),
        ("  - {name: mine, hosts: [a], body: .a}\n  - {name: mine, hosts: [b], body: .a}", "is already the name"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_with_its_line(row: str, said: str) -> None:
    with pytest.raises(ConfigError) as failed:
        configured(row)
    assert said in failed.value.message
    assert failed.value.message.startswith("config.yaml:3:" if "already" not in said else "config.yaml:4:")


@pytest.mark.parametrize(
    ("html", "arrived", "title", "proven"),
    [
        ('<link rel=canonical href="/a/1"><title>别的</title>', "", "工厂投产", True),
        ("<h1>工厂今日投产！</h1><title>站</title>", "", "工厂今日投产", True),
        ("<title>某某公司：工厂今日投产 - 某站</title>", "", "工厂今日投产", True),
        ("<title>某站</title><p>正文说工厂今日投产。</p>", "", "工厂今日投产", True),
        ("<title>某站</title><p>最新：工厂今日投产。</p>", "https://news.example.org/list", "工厂今日投产", False),
        ("<h1>工厂今日投产</h1>", "https://news.example.org/", "工厂今日投产", False),
        ("<h1>站内公告</h1><p>页面不存在</p>", "", "工厂今日投产", False),
        ("<h1>站内公告</h1>", "", "", True),
        ("<h1>站内公告</h1>", "https://news.example.org/b/2", "", False),
    ],
)
def test_a_page_without_evidence_of_being_the_article_is_none(
    html: str, arrived: str, title: str, proven: bool
) -> None:
    body = "".join(f"<p>第{n}段，说明背景、规模与前景，足够让人以为这是一篇文章。</p>" for n in range(8))
    one = page(f"<html><body>{html}<article>{body}</article></body></html>", "https://news.example.org/a/1", arrived)
    outcome = nullcontext() if proven else pytest.raises(ParseError, match="not the article asked for")
    with outcome:
        assert extract(one, title=title).text


def test_every_key_of_a_row_is_documented_and_configurable() -> None:
    text = (ROOT / "docs/rules.md").read_text(encoding="utf-8")
    assert set(RuleRow.model_fields) == set(Rule.__dataclass_fields__)
    assert [key for key in RuleRow.model_fields if f"`{key}`" not in text] == []


def test_what_a_text_is_looked_through_for_holds_the_part_by_which_it_is_told() -> None:
    assert all(part in pattern.pattern for part, pattern in built_in().promotions)


def test_the_commands_show_what_each_selector_finds(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(MOVED, encoding="utf-8")
    (tmp_path / "config.yaml").write_text(
        "feeds: []\nrules:\n  - name: sina-finance-2018\n    body: .story-2027\n", encoding="utf-8"
    )

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "aggregator", "rules", *words]
        home = {"HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
        return subprocess.run(command, cwd=tmp_path, env=home, capture_output=True, text=True, timeout=60)

    listed = json.loads(run("list", "--json").stdout)
    assert listed["version"].startswith(f"{built_in().version}+")
    tried = run("test", "page.html", "--url", DOC, "--json")
    steps = {(step["part"], step["by"]): step["found"] for step in json.loads(tried.stdout)["steps"]}
    assert tried.returncode == 0
    assert steps["sina-finance-2018.body", ".story-2027"] == "5 characters"
    assert steps["identity", 'meta[name="publishid"] @content'] == ID
    assert steps["sina-2014.mark", "#navtimeSource, .article_16, .time-source"] == ""
    assert steps["rule", ""] == "sina-finance-2018"
    (tmp_path / "config.yaml").unlink()
    failed = run("test", "page.html", "--url", DOC)
    assert (failed.returncode, "extract_failed" in failed.stderr) == (1, True)
    assert "--url" in run("test", "page.html").stderr
