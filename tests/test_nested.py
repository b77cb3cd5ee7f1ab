"""Markup read without a tree gives what a tree gives, in random and real texts with and without what needs one."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from time import thread_time

import pytest

from aggregator.text.characters import printable
from aggregator.text.html import body_html, body_with_text, clean, plain, within
from aggregator.text.nested import read

BASE = "https://wire.example/a/b"
# fmt: off
STARTS = """p div b strong ul li h2 blockquote em span center figure code P DIV font s del ins header aside mark details
dl dt dd table tbody tr td th caption colgroup picture label""".split()
STARTS += [
    'a href="../c?d=1&amp;e=2"', 'p style="color: red" onclick="x()"', 'span class="c"', 'h3 id="&quot;"',
    "a href='../c?d=1&e=\"2'", "p class=x&y", 'FONT COLOR=red\nsize="+1"', "div hidden", 'span title="" lang',
    'i title="&#20013;&hellip;&copy; R&D;"', "u data-a='&ampe;' Title=x/", 'b id="a" ID="b"',
]
LEAVES = [
    "文字", "  ", "\n", "\t", "&amp;", "&nbsp;", "&lt;b&gt;", '"', "'", ">", "\xa0", "　", "<!-- 注 -->", "<hr>",
    "<br>", "<br/>", "<br />", '<img src="a.png" alt="图">', '<img src="//h/b.jpg" width="3" />', "<wbr>",
    "<!--a-b &amp;&c-->", "<!---->", "<IMG SRC=a.png alt>", "<img src='b.png' alt='' />", "<col>", "<br clear=all/>",
    "S&P 500", "R&D&", "a & b", "&&", "&#8220;", "&#x4E2D;", "&hellip;", "&Tab;", "&#10;", "&NotEqualTilde;", "amp;",
    "<table><caption>表</caption>\n<tbody><tr>\n<td>甲</td> <th colspan=2><p>乙</p></th></tr></tbody></table>",
    "<dl><dt>甲</dt> <dd>乙</dd></dl>", "<style>\np > a { color: red }\n</style>", "<STYLE type=x>@import y</STYLE>",
]
BROKEN = """</p> <p> </b> <b> <table> <li> &copy <i <script> </br> &amp & &#13; &#0; &#150; &#xD800; &#x110000;
&unknown; &ampx &notit; <style> <style>a&gt;b</style>
<style><!--a--></style> <style></p></style> <!--a---> <!--a--b--> <td> </tr> <p/>
<table><tr><td>甲</td></tr></table>""".split()
# fmt: on
# An element that is on no list: a parser is needed, and nothing of it is left.
PARSED = "<x-y></x-y>"


def grown(dice: Random, depth: int = 0) -> str:
    """Random markup that is mostly well nested."""
    pieces = []
    for _ in range(dice.randint(0, 4)):
        if depth > 5 or dice.random() < 0.4:
            pieces.append(dice.choice(LEAVES if dice.random() < 0.97 else BROKEN))
        else:
            start = dice.choice(STARTS)
            pieces.append(f"<{start}>{grown(dice, depth + 1)}</{start.split()[0]}>")
    return "".join(pieces)


def differing(texts: Iterator[str]) -> tuple[int, list[str]]:
    """How many of the texts are read without a tree, and those that a tree gives otherwise."""
    known = [text for text in texts if "<" in text and read(printable(text)) is not None]
    ways: tuple[Callable[[str], str], ...] = (
        lambda text: clean(text, BASE),
        lambda text: within(text, BASE),
        lambda text: body_html(text, BASE),
        plain,
        lambda text: "\n\n".join(body_with_text(text, BASE)),
    )
    odd = [text for text in known if any(way(text) != way(text + PARSED) for way in ways)]
    return len(known), odd + [text for text in known if body_with_text(text, BASE)[1] != plain(body_html(text, BASE))]


def test_random_markup_is_read_as_by_a_parser() -> None:
    dice = Random(7)
    count, others = differing(grown(dice) for _ in range(6_000))
    assert others == []
    assert count > 500


def test_pieces_of_real_pages_and_feeds_are_read_as_by_a_parser() -> None:
    shared = Path(os.environ.get("AGGREGATOR_SHARED", "../shared")) / "corpus"
    if not shared.is_dir():
        pytest.skip("no corpora here")
    piece = re.compile(r"<!\[CDATA\[(.{1,20000}?)\]\]>|(<(?:p|div|li)\b[^>]*>.{0,500}?</(?:p|div|li)>)", re.S)
    pages = [path for path in sorted(shared.rglob("*")) if path.suffix in (".xml", ".html")]
    found = {a or b for path in pages for a, b in piece.findall(path.read_text("utf-8", "replace"))[:60]}
    count, others = differing(iter(sorted(found)))
    assert others == []
    assert count > 100


@pytest.mark.parametrize(
    "html",
    [
        "<p>a<p>b",
        "<p><div>a</div></p>",
        "<b><i>a</b></i>",
        '<a href="x">a<a href="y">b</a></a>',
        "<table><tr><td>a</td></tr></table>",
        "<li>a</li>",
        "<h2>a<h3>b</h3></h2>",
        "<p>a &copy b</p>",
        "<p>a &amp b</p>",
        "<p>a&</p>",
        "<p class = x>a</p>",
        "<table><tbody>a<tr><td>b</td></tr></tbody></table>",
        "<table><p>a</p></table>",
        '<p class="x" class="y">a</p>',
        "<p>a < b</p>",
        "<p/>a",
        "<br></br>",
        "<!-- a -- b -->",
        "<!--- a -->",
        "<pre>\na</pre>",
        "<script>a</script>",
        "<p>a\r\n</p>",
        "</p>",
        "<p",
    ],
)
def test_what_only_a_parser_can_tell_is_left_to_it(html: str) -> None:
    assert read(html) is None


@pytest.mark.parametrize(
    "html",
    [
        "<p>a</p>" + "字" * 1_000_000,
        "字" * 1_000_000 + "<",
        "<p " + 'a="b" ' * 200_000,
        "<p " + "a b=c " * 200_000 + "!>",
        "<!--" + "a" * 1_000_000,
        "&" * 10**6,
    ],
    ids=["tail", "no tag", "attributes", "closed", "comment", "ampersands"],
)
def test_a_long_text_is_read_in_linear_time(html: str) -> None:
    before = thread_time()
    read(html)
    assert thread_time() - before < 5  # quadratic, it takes hours
