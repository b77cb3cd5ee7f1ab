"""The pages in a real browser: what they show, ask for and run, by mouse and by keyboard, without scripts, too."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import searching
from browser import Browser, browsing
from hexo_site import modules
from test_consumers import browse
from test_front_page import SHANGHAI, query

pytest.importorskip("datasette", reason="the extra [browse] is not installed")
WORDS = ("央行", "数字经济", "LPR报价")


@pytest.fixture(scope="module")
def site(demo_archive: Path) -> Iterator[str]:
    """``aggregator browse`` on the demo's archive."""
    with browse(demo_archive.parent) as base:
        yield base


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browsing(tmp_path_factory.mktemp("profile")) as one:
        one.page.set_extra_http_headers({"accept-language": "zh-CN"})
        yield one


@pytest.fixture
def seen(browser: Browser) -> Iterator[list[str]]:
    """What pages of a test ask of others, fail to load and say on the console: nothing."""
    wrong: list[str] = []
    listeners = {
        "request": lambda request: urlsplit(request.url).hostname == "127.0.0.1" or wrong.append(request.url),
        "console": lambda message: wrong.append(message.text),
        "pageerror": lambda error: wrong.append(str(error)),
        "response": lambda answer: answer.status < 400 or wrong.append(f"{answer.status} {answer.url}"),
    }
    for name, listener in listeners.items():
        browser.page.on(name, listener)
    yield wrong
    for name, listener in listeners.items():
        browser.page.remove_listener(name, listener)
    assert wrong == []


def test_from_the_front_page_to_an_article_and_what_changed_in_it(browser: Browser, site: str, seen: list[str]) -> None:
    page = browser.page
    page.goto(f"{site}/")
    assert page.locator("h1").inner_text().endswith(("一", "二", "三", "四", "五", "六", "日"))
    assert page.locator(".leads img").count() == 5
    assert page.evaluate("() => [...document.images].slice(0, 5).every(image => image.naturalWidth > 100)")
    first = page.locator(".lines .headline").first
    title = first.inner_text()
    first.click()
    assert page.locator("article h1").inner_text() == title
    page.goto(f"{site}/")
    page.get_by_role("link", name="有修订").first.click()
    assert page.locator("del").count() > 0
    assert page.locator("ins").count() > 0
    page.get_by_role("link", name="回到文章").click()
    assert page.locator("article.reading").count() == 1


# Pages whose use by eyes, ears and keys is examined; "edited" is an article with more than one version.
EXAMINED = (
    *("", "archive/articles/{edited}", "archive/-/diff/{edited}", "archive/-/search?q=央行", "archive/-/figures"),
    *("archive/-/feeds", "archive/-/feeds/sina-macro", "archive", "archive/articles?media__contains=财讯"),
    *("archive/edited", "archive/by_day", "archive/revisions/1", "archive/nothing"),
)


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_axe_finds_nothing_to_object_to(
    browser: Browser, site: str, seen: list[str], demo_archive: Path, scheme: str, width: int
) -> None:
    axe = (modules("axe-core") / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
    ((edited,),) = query(demo_archive, "SELECT article FROM revisions WHERE n > 1 ORDER BY id LIMIT 1")
    page = browser.page
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 800})
    try:
        found = {}
        for path in EXAMINED:
            page.goto(f"{site}/{path.format(edited=edited)}")
            seen[:] = [one for one in seen if "/nothing" not in one and "404" not in one]
            page.evaluate(f"() => {{ {axe} }}")  # as a debugger would: the page's own policy lets no script in
            told = page.evaluate("() => axe.run({resultTypes: ['violations']})")
            assert len(told["passes"]) > 10, path
            found[path] = [(one["impact"], one["id"], one["nodes"][0]["html"]) for one in told["violations"]]
    finally:
        page.emulate_media(color_scheme="null")
        page.set_viewport_size({"width": 1000, "height": 800})
    assert {path: faults for path, faults in found.items() if faults} == {}
    print(f"axe {scheme}: {len(EXAMINED)}/{len(EXAMINED)} pages")


@pytest.mark.parametrize("words", WORDS)
def test_a_search_finds_what_the_reference_matcher_finds(
    browser: Browser, site: str, seen: list[str], demo_archive: Path, words: str
) -> None:
    from aggregator.articles.plaintext import text_of
    from aggregator.articles.rules import built_in

    sql = "SELECT r.title, r.body, r.summary, r.rule, r.media FROM articles a JOIN revisions r ON r.id = a.revision"
    rows = [
        (title, summary or text_of(body, rule, built_in()), media or "")
        for title, body, summary, rule, media in query(demo_archive, sql)
    ]
    expected = len(searching.Corpus.of(rows).matches(words))
    page = browser.page
    page.goto(f"{site}/")
    page.fill("#q", words)
    page.press("#q", "Enter")
    shown = page.locator('[role="status"]').inner_text()
    found = int((re.search(r"(\d+) 篇", shown) or [0, 0])[1])
    assert found == expected
    counted = page.locator(".hits li").count()
    while page.locator("a[rel=next]").count():
        page.click("a[rel=next]")
        counted += page.locator(".hits li").count()
    assert counted == expected


@dataclass
class Visitor:
    """Somebody at the front page, whose clicks are counted; sending the search box off is one."""

    page: Any
    site: str
    clicks: int = 0

    def begin(self) -> None:
        self.page.goto(f"{self.site}/")
        self.clicks = 0

    def click(self, place: Any) -> None:
        place.click()
        self.clicks += 1
        assert self.clicks <= 3

    def search(self, words: str) -> None:
        self.page.fill("#q", words)
        self.click(self.page.locator(".find button"))


@pytest.fixture(scope="module")
def last_day(demo_archive: Path) -> str:
    """The day that the front page begins with: the last one with news."""
    sql = (
        f"SELECT max({SHANGHAI}) FROM articles WHERE revision NOT NULL AND published <= strftime('%Y-%m-%dT%H:%M:%SZ')"
    )
    return str(query(demo_archive, sql)[0][0])


@pytest.fixture
def visitor(browser: Browser, site: str, seen: list[str]) -> Visitor:
    one = Visitor(browser.page, site)
    one.begin()
    return one


def test_task_1_the_central_banks_news_of_the_day(visitor: Visitor, last_day: str) -> None:
    page = visitor.page
    visitor.search("央行")
    visitor.click(page.get_by_role("link", name=f"只看 {last_day}"))
    days = [one[:10] for one in page.locator(".hits time").all_inner_texts()]
    assert set(days) == {last_day}
    assert page.locator(".hits li:has(mark)").count() == len(days)


def test_task_2_what_changed_after_publication(visitor: Visitor) -> None:
    page = visitor.page
    visitor.click(page.get_by_role("link", name="发表后的修订"))
    visitor.click(page.locator("td.col-version a").first)
    assert page.locator("main ins").count() > 0


def test_task_3_which_feed_is_ill_and_why(visitor: Visitor) -> None:
    page = visitor.page
    visitor.click(page.locator(".channels a.bad"))
    assert page.locator("h1").inner_text() == "sina-macro"
    assert "接口应答了错误代码" in page.locator("main").inner_text()


def test_task_4_a_week_as_a_table(visitor: Visitor, demo_archive: Path, last_day: str) -> None:
    with visitor.page.expect_download() as download:
        visitor.click(visitor.page.get_by_role("link", name="CSV"))
    with Path(download.value.path()).open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    sql = f"SELECT count(*) FROM articles WHERE document NOT NULL AND {SHANGHAI} BETWEEN date(?, '-6 days') AND ?"
    assert [(len(rows),)] == query(demo_archive, sql, last_day, last_day)
    assert len(rows) > 50


def test_task_5_the_last_article_on_a_stock(visitor: Visitor, demo_archive: Path) -> None:
    sql = "SELECT title FROM symbols JOIN articles a ON a.id = article WHERE symbol = ? ORDER BY published DESC"
    wanted, *others = (title for (title,) in query(demo_archive, sql, "sh600519"))
    assert others
    page = visitor.page
    visitor.search("600519")
    visitor.click(page.get_by_role("link", name="sh600519"))
    visitor.click(page.locator(".hits .headline").first)
    assert page.locator("article h1").inner_text() == wanted
    assert "sh600519" in page.locator(".chips").first.inner_text()


def test_task_6_whether_anything_is_missing(visitor: Visitor) -> None:
    page = visitor.page
    assert page.locator(".facts").get_by_text("近 48 小时空缺").count() == 1
    visitor.click(page.get_by_role("link", name="可能缺了什么"))
    assert page.locator("h1").count() == 1
    assert page.url.endswith("/archive/missing")
    visitor.begin()
    visitor.click(page.get_by_role("link", name="覆盖日历"))
    assert page.url.endswith("/archive/-/figures#coverage")
    assert page.locator("#coverage svg").first.is_visible()


def test_facets_narrow_and_widen_again(browser: Browser, site: str, seen: list[str]) -> None:
    page = browser.page
    page.goto(f"{site}/archive/-/search?q={quote('增长')}")
    before = page.locator('[role="status"]').inner_text()
    facet = page.locator(".facets li").first
    count = facet.locator(".numbers").inner_text()
    facet.locator("a").click()
    assert page.locator('[role="status"]').inner_text().startswith(f"{count} 篇")
    page.locator('.facets a[aria-current="true"]').click()
    assert page.locator('[role="status"]').inner_text() == before


def test_the_language_is_switched_and_stays(browser: Browser, site: str, seen: list[str]) -> None:
    page = browser.page
    page.goto(f"{site}/archive/-/search?q=LPR")
    page.click("text=English")
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.url.endswith("/archive/-/search?q=LPR")
    page.goto(f"{site}/")
    assert page.get_by_role("link", name="Front page").count() == 1
    page.click("text=中文")
    assert page.locator("html").get_attribute("lang") == "zh-CN"


def test_the_keyboard_leads_to_headlines_and_to_the_search_box(browser: Browser, site: str, seen: list[str]) -> None:
    page = browser.page
    page.goto(f"{site}/")
    focused = "() => document.activeElement.textContent"
    titles = page.locator("main a.headline").all_inner_texts()
    page.keyboard.press("j")
    assert page.evaluate(focused) == titles[0]
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    assert page.evaluate(focused) == titles[1]
    page.keyboard.press("Enter")
    page.wait_for_selector("article.reading")
    assert page.locator("article h1").inner_text() == titles[1]
    page.keyboard.press("/")
    assert page.evaluate("() => document.activeElement.id") == "q"
    page.keyboard.type("jk/")
    assert page.input_value("#q") == "jk/"
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    assert page.locator("details.keys[open]").count() == 1
    page.keyboard.press("h")
    page.wait_for_selector(".dateline")


@pytest.mark.parametrize("path", ["", "archive/articles/1", "archive/-/search?q=LPR"])
def test_no_page_is_wider_than_a_telephone(browser: Browser, site: str, seen: list[str], path: str) -> None:
    page = browser.page
    for width in (390, 320):
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(f"{site}/{path}")
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    page.set_viewport_size({"width": 1000, "height": 800})


def test_pages_work_without_scripts(browser: Browser, site: str) -> None:
    page = browser.page
    page.route("**/*.js*", lambda route: route.abort())
    try:
        page.goto(f"{site}/archive/-/news")
        page.locator(".lines .headline").first.click()
        page.locator("details.document summary").click()
        assert page.locator("#document").inner_text().startswith("---")
        page.fill("#q", "央行")
        page.click(".find button")
        assert page.locator(".hits li").count() > 0
    finally:
        page.unroute("**/*.js*")
