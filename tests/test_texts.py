"""Strangers' text: markup or none comes to the same, controls are gone, and no length makes it slow."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.articles.plaintext import kept, text_of, without
from aggregator.articles.rules import built_in
from aggregator.sources.entries import names
from aggregator.text.characters import escape_text, one_line, printable
from aggregator.text.dates import instant
from aggregator.text.html import body_html, clean, plain
from aggregator.text.urls import absolute, canonical, tidy

without_markup = st.text(st.characters(exclude_characters="<&") | st.sampled_from(" \n\r\t\u3000\xa0\x00\x85\u2028"))


@pytest.mark.parametrize(("length", "left"), [(1, 0), (120, 0), (121, 121)])
def test_counters_are_no_longer_than_a_line(length: int, left: int) -> None:
    assert len(text_of(f"<p>{'|' * length}</p><p>正文</p>", None, built_in()).removesuffix("正文").strip()) == left


_ADDRESS = """http:// https:// HTTP:// ftp:// // / a b.example www. WWW. www.www. example.com finance.sina.com.cn
go.rss.sina.com.cn/redirect.php?url= . .. - _ ~ : :80 :443 :8080 @ [ ] ? # = & ; % %2F %41 %e4%b8%ad 中 \\ ' " < ^ |
utm_a=b A Z 0 1.2.3.4 ::1""".split()
addresses = st.lists(st.sampled_from([*_ADDRESS, " ", "\n", "\ud800", "\xa0"]), max_size=9).map("".join)


@given(addresses | st.text(max_size=30))
def test_an_address_is_the_same_whether_there_is_anything_to_tidy_in_it_or_not(address: str) -> None:
    for one in (address, f"https://b.example/{address}", f"http://{address}"):
        assert tidy(one) == tidy(f"{one}\xa0")
        assert absolute(one, "https://a.example/x/y") == absolute(f"{one}\xa0", "https://a.example/x/y")
        assert canonical(one) == canonical(f"{one}\xa0")


@given(without_markup)
def test_text_without_markup_is_read_as_a_tree_would_read_it(text: str) -> None:
    assert clean(f"{text}<b></b>") == f"{clean(text)}<b></b>"
    assert plain(f"{text}<b></b>") == plain(text)


_TAGS = """p div span b i a ul ol li table tr td tbody caption ins style STYLE script pre br hr img image h1 h2
    blockquote center font object svg math textarea title select template noscript iframe ruby rt dl
    form""".split()
_BETWEEN = (
    *(
        '<p class="art-kaihu x">',
        '<div id="quote_1">',
        "<p class='show_author'>",
        '<ins class="sinaads" id=b>',
        "kaihu",
    ),
    *('<img src="a.png">', '<p class="KAIHU">', '<i id="a" data-x="b">'),
    *(
        "文字",
        "&amp;",
        "&lt;style&gt;",
        "&#60;style>",
        "&nbsp;",
        "&#1;",
        "&",
        "<",
        "<!-- 注 -->",
        "<!--<style>-->",
        "<!--",
    ),
    *("]]>", "\n", "\u3000", "<?x?>", "</", "\x0b", ">", '"', "</p>", "</br>", "<p/>", "<ins class>", "&#x3c;ins>"),
)


def test_what_rules_remove_is_found_without_a_tree_where_it_is_looked_for_without_one() -> None:
    dice = random.Random(7)
    selectors = ["b", "B", "tbody", "li > b", "div, INS", "h1 ~ p", "br", "img", "p:empty", "\\62", "[data-x]", "i.x"]
    selectors += ["[class=x]", "[CLASS~='x']", "p[data-x='.kaihu'], #a", "[class*=kaihu i]", "i#a b"]
    rules = [replace(built_in(), remove=(*built_in().remove, one)) for one in selectors]
    taken = 0
    for _ in range(1_100):
        tags = [f"<{dice.choice(('', '', '/'))}{dice.choice(_TAGS)}>" for _ in range(8)]
        body = body_html("".join(dice.choices([*tags, *_BETWEEN], k=dice.randint(1, 14))), None)
        for known in rules:
            found = kept(body, None, known)
            rest = without(body, known.remove)
            assert text_of(body, None, known) == text_of(rest, None, replace(known, remove=())), (
                body,
                known.remove[-1],
            )
            if found is body:
                taken += 1
                assert plain(found) == plain(rest), (body, known.remove[-1])
    assert taken > 5_000


@pytest.mark.parametrize("reference", ["&#1;", "&#x7f;", "&#xfffe;", "&#xFDD0;", "\x01", "\x7f"])
def test_no_control_character_comes_out_of_html(reference: str) -> None:
    html = f'<p title="a{reference}b">a{reference}b</p>'
    assert clean(html) == '<p title="ab">ab</p>'
    assert body_html(html, None) == '<p title="ab">ab</p>'
    assert plain(html) == "ab"


def person(text: str) -> list[str]:
    return list(names({"author": text}))


READERS: tuple[Callable[[str], object], ...] = (
    one_line,
    printable,
    escape_text,
    clean,
    plain,
    lambda text: text_of(text, None, built_in()),
    person,
    instant,
    tidy,
    canonical,
    lambda text: absolute(text, "https://news.example/"),
    lambda text: body_html(text, "https://news.example/"),
)


@pytest.mark.parametrize("piece", [" ", "a", " \n", "&", "<", "@", "a@", "(", "1 ", "http:", "/..", "来源："])
def test_a_long_text_takes_no_longer_than_it_is_long(piece: str) -> None:
    text = "x" + piece * (300_000 // len(piece))
    started = time.process_time()
    for read in READERS:
        read(text)
    assert time.process_time() - started < 10  # seconds for all; a quadratic one takes minutes
