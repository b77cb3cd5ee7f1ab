"""Pages no rule knows: our text against stock trafilatura's on the scrapinghub article benchmark, in one run."""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import trafilatura
from selectolax.lexbor import LexborHTMLParser
from world import START

from aggregator.articles.extract import extract
from aggregator.articles.guess import guessed
from aggregator.errors import ParseError
from aggregator.model import Page
from aggregator.text.html import body_html, plain

_WORD = re.compile(r"\w+")
Counts = tuple[float, float, float]


def shingles(text: str) -> Counter[tuple[str, ...]]:
    """The multiset of four words in a row; a shorter text is one shingle."""
    words = _WORD.findall(text)
    return Counter(tuple(words[at : at + 4]) for at in range(max(1, len(words) - 3)))


def compared(true: str, found: str) -> Counts:
    """Shingles right, too many and missing, as shares, so that a long page counts as much as a short one."""
    wanted, got = shingles(true), shingles(found)
    counts = ((wanted & got).total(), (got - wanted).total(), (wanted - got).total())
    total = sum(counts) or 1
    return counts[0] / total, counts[1] / total, counts[2] / total


def f1(pages: Iterable[Counts]) -> float:
    right, too_many, missing = (sum(column) for column in zip(*pages, strict=True))
    return 2 * right / (2 * right + too_many + missing)


def ours(body: bytes, url: str) -> str:
    try:
        return extract(Page(url, url, 200, {}, body, START)).text
    except ParseError:
        return ""


def test_our_text_is_at_least_as_good_as_stock_trafilaturas(shared: Path) -> None:
    folder = shared / "corpus/article-extraction"
    truth = json.loads((folder / "ground-truth.json").read_text(encoding="utf-8"))
    pages = {name: gzip.decompress((folder / f"html/{name}.html.gz").read_bytes()) for name in truth}
    stock = [compared(one["articleBody"], trafilatura.extract(pages[name]) or "") for name, one in truth.items()]
    mine = [compared(one["articleBody"], ours(pages[name], one["url"])) for name, one in truth.items()]
    print(f"article extraction, {len(truth)} pages: F1 ours {f1(mine):.4f}, stock trafilatura {f1(stock):.4f}")
    assert f1(mine) >= f1(stock)


def sentences(number: int) -> str:
    """Some words of no importance that stand nowhere else."""
    return (
        f"In year {number} the council of town {number} voted to rebuild bridge {number}, and work began at once. " * 2
    )


PAGE = f"""<html><head><title>t</title></head><body>
<nav><a href="/"><img src="/logo.png"></a><a href="/news">News</a></nav>
<article><h1>The bridge</h1>
<p>{sentences(1)}<a href="/vote">the vote</a> was <b>close</b>, see <code>bridge()</code>s.</p>
<figure><img src="/bridge.jpg" alt="a"><figcaption>A caption of the picture.</figcaption></figure>
<p>{sentences(2)}</p><ol><li>{sentences(3)}</li><li>{sentences(4)}</li></ol><p>{sentences(5)}</p>
</article><div id="comments"><div class="comment"><p>I do not agree. {sentences(6)}</p></div></div></body></html>"""


def test_a_guess_has_trafilaturas_text_with_links_and_the_pictures_between_its_paragraphs() -> None:
    body = guessed(PAGE, "https://site.example/a")
    tree = LexborHTMLParser(body)
    assert [node.attributes["src"] for node in tree.css("img")] == ["https://site.example/bridge.jpg"]
    assert [node.text() for node in tree.css("a")] == ["the vote"]
    assert [node.text() for node in tree.css("strong, code")] == ["close", "bridge()"]
    assert len(tree.css("ol > li")) == 2
    words = _WORD.findall(plain(body))
    found = trafilatura.bare_extraction(PAGE)
    assert found is not None
    assert words == _WORD.findall(found.text)  # type: ignore[union-attr]
    assert "agree" not in words
    assert 'href="https://site.example/vote"' in body_html(body, "https://site.example/a")


def test_a_page_without_an_article_is_none() -> None:
    assert guessed("<html><body></body></html>", "https://site.example/") == ""
