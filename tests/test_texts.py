"""Strangers' text: markup or none comes to the same, controls are gone, and no length makes it slow."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.articles.plaintext import text_of
from aggregator.articles.rules import built_in
from aggregator.sources.entries import names
from aggregator.text.characters import escape_text, one_line, printable
from aggregator.text.dates import instant
from aggregator.text.html import body_html, clean, plain
from aggregator.text.urls import absolute, canonical, tidy

without_markup = st.text(st.characters(exclude_characters="<&") | st.sampled_from(" \n\r\t\u3000\xa0\x00\x85\u2028"))


@given(without_markup)
def test_text_without_markup_is_read_as_a_tree_would_read_it(text: str) -> None:
    assert clean(f"{text}<b></b>") == f"{clean(text)}<b></b>"
    assert plain(f"{text}<b></b>") == plain(text)


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
