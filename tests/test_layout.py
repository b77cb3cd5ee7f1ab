"""No article's body can lay a link over what stands beside it in pages of ours, as a browser shows them."""

from __future__ import annotations

from html import escape
from pathlib import Path

import pytest
from browser import Browser, browsing, files_served
from test_consumers import archived, browse, json_feed_of

from aggregator.export.html import page_of
from aggregator.text.html import body_html, clean, within
from aggregator.text.styles import plain_style

TRAP = "https://trap.example/"
# What takes room of others; each made the trap take the click in a page with the body as it came.
OVERLAYS = [
    "position:absolute;inset:0;z-index:9",
    "position:absolute;top:0;left:0;width:100%;height:3000px",
    "position : fixed; inset: 0",
    "position:/**/fixed;inset:0",
    "POSITION:Absolute;Top:-2000px;Left:-500px;Width:5000px;Height:9000px",
    "position:relative;display:block;top:-3000px;height:6000px",
    "display:block;position:relative;margin-top:-3000px;height:6000px",
    "display:block;transform:translateY(-3000px);height:6000px",
    "display:block;transform:scale(500)",
    "display:block;translate:0 -3000px;height:6000px",
    "display:block;scale:500",
    "display:inline-block;zoom:1;position:relative;margin:-3000px 0 0 -500px;padding:3000px 2000px",
    "font-size:4000px;line-height:0;position:relative",
    "position:relative;padding:3000px",
    "display:block;box-sizing:content-box;position:relative;bottom:3000px;height:6000px",
]
_TAKEN = """([x, y]) => {
  const node = document.elementFromPoint(x, y);
  return node && node.closest('a') ? node.closest('a').href : '';
}"""
_CLICKS = """() => {
  window.clicked = [];
  addEventListener('click', event => {
    event.preventDefault();
    window.clicked.push(event.target.closest('a') ? event.target.closest('a').href : '');
  }, true);
}"""


def trap(style: str, more: str = "") -> str:
    return f'<p>文</p><a {more} style="{escape(style)}" href="{TRAP}">陷阱 <b>!</b></a><p>文</p>'


def takes(browser: Browser, address: str, ours: str) -> list[str]:
    """Where clicks on our links lead, which ``ours`` selects, but for those that lead where they say."""
    browser.page.goto(address, wait_until="load")
    browser.page.evaluate(_CLICKS)
    wrong = []
    links = browser.page.query_selector_all(ours)
    assert links
    for link in links:
        box = link.bounding_box()
        middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        browser.page.mouse.click(*middle)
        wanted = link.evaluate("node => node.href")
        seen = {browser.page.evaluate("() => window.clicked.pop() ?? ''"), browser.page.evaluate(_TAKEN, list(middle))}
        wrong += sorted(seen - {wanted})
    return wrong


def test_in_a_page_with_the_body_as_it_came_each_overlay_takes_the_click(tmp_path: Path) -> None:
    for number, style in enumerate(OVERLAYS):
        page = page_of({"title": "题", "url": "https://news.example/a", "body": "<p>BODY</p>"})
        (tmp_path / f"{number}.html").write_text(page.replace("<p>BODY</p>", trap(style)), encoding="utf-8")
    with files_served(tmp_path) as base, browsing(tmp_path / "profile") as browser:
        found = {style: takes(browser, f"{base}/{n}.html", ".about a") for n, style in enumerate(OVERLAYS)}
    assert [style for style, wrong in found.items() if TRAP not in wrong] == []


def test_a_link_over_the_whole_page_takes_no_click_on_ours(tmp_path: Path) -> None:
    pytest.importorskip("datasette", reason="the extra [browse] is not installed")
    bodies = [trap(style, more) for style in OVERLAYS for more in ("", 'class="dropdown-menu about modal hd"')]
    rows = archived(tmp_path / "archive.db", json_feed_of([(f"题{n}", body) for n, body in enumerate(bodies)]))
    assert len(rows) == len(bodies)
    assert sum(TRAP in str(row["body"]) for row in rows) == len(bodies)
    for number, row in enumerate(rows):
        (tmp_path / f"{number}.html").write_text(page_of(row | {"url": "https://news.example/a"}), encoding="utf-8")
    with files_served(tmp_path) as base, browse(tmp_path) as own, browsing(tmp_path / "profile") as browser:
        shown = [takes(browser, f"{base}/{n}.html", ".about a") for n in range(len(rows))]
        read = [takes(browser, f"{own}/archive/articles/{row['id']}", "header a, nav a") for row in rows]
    assert [wrong for wrong in (*shown, *read) if wrong] == []
    print(f"overlays: {len(shown)} in show --html, {len(read)} in browse")


@pytest.mark.parametrize(
    ("style", "left"),
    [
        ("color: red", "color: red"),
        ("TEXT-ALIGN : Center ;; color:#FF0000; position:absolute", "text-align: center; color: #ff0000"),
        ("text-indent:2em;font-weight:700;background-color:rgb(1, 2, 3)", "text-indent: 2em; font-weight: 700; "
         "background-color: rgb(1, 2, 3)"),
        ("text-indent:-9999px; text-indent: 99em", ""),
        ("color: url(x); color: var(--x); color: red !important; co\\6cor: red", ""),
        ("margin:-9px;float:left;display:none;font-size:99px;line-height:0;opacity:0;content:'x'", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_of_a_style_stays_how_text_looks(style: str, left: str) -> None:
    assert plain_style(style) == plain_style(left) == left


def test_only_pages_of_ours_lose_layout() -> None:
    markup = (
        '<p class="a" style="margin: 0; color: red">甲</p><img class style="width: 9px" src="https://a.example/b.png">'
    )
    assert clean(markup) == markup
    assert body_html(markup, None).count("style=") == 2
    assert within(markup) == '<p style="color: red">甲</p><img src="https://a.example/b.png">'
