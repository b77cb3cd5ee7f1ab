"""Any words whatever through a document and back: the seven values of its front matter, the body a reader sees."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from aggregator.articles.document import ADDRESS, PLAIN, Document, files, placeholder, render, safe_title
from aggregator.articles.inert import inert
from aggregator.text.dates import instant
from aggregator.text.html import body_html, first_image

_DOCUMENT = re.compile(r"\A\n---\n(?P<front>.*?)\n---\n\n<div>   \n(?P<body>.*)  \n</div>\n {12}\Z", re.S)
_BREAK = r"\r\n|[\t\n\x0b\x0c\r\x85\u2028\u2029]"
_UNPRINTABLE = r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"

_MEANINGFUL = (
    *(
        "---",
        "...",
        "\n",
        "\r\n",
        "\u2028",
        "\x85",
        ": ",
        " #",
        "'",
        '"',
        "''",
        "\\",
        "- ",
        "? ",
        "!!js/function",
        "&a",
        "*a",
    ),
    *(
        "|",
        ">",
        "%",
        "@",
        "`",
        "~",
        "null",
        "yes",
        "0o17",
        "1e3",
        "0x1F",
        "2026-11-23",
        "12:30:45",
        "[",
        "]",
        "{",
        "}",
        "{{",
    ),
    *(
        "{% raw %}",
        "&#123;",
        "&lt;",
        "<",
        "evil: 1",
        "新",
        "😀",
        "\ufeff",
        "\0",
        "\ud800",
        "\u202e",
        "e\u0301",
        "=",
        "<<",
    ),
)
words = st.text(st.characters()) | st.lists(st.sampled_from(_MEANINGFUL) | st.text(max_size=3), max_size=8).map("".join)
_MARKUP = (
    *(
        "<p>",
        "</p>",
        "<b>",
        "</b>",
        "<div>",
        "</div>",
        "<br>",
        "<ul><li>",
        "</ul>",
        "<table><tr><td>",
        "</table>",
        "<pre>",
    ),
    *(
        '<img src="/a.png" alt="{a}\n\nb">',
        '<a href="http://x.example/?a=1&b=2">',
        "</a>",
        "<!-- c\n\nd -->",
        "<!--x-->",
    ),
    *(
        "<style>p{color:red}</style>",
        "<blockquote>",
        "\n",
        "\n\n",
        "    ",
        "\t",
        "```",
        "~~~",
        "# 一",
        "* 二",
        "&amp;lt;",
    ),
    *(
        "&#123;",
        "{{7*7}}",
        "{%x%}",
        "\u3000\u3000",
        "\xa0",
        "正文。",
        "&nbsp;",
        "&copy;",
        '<p class="a=b" title="href=x">',
        "</div>",
    ),
)
markup = st.lists(st.sampled_from(_MARKUP) | st.text(max_size=4), max_size=14).map("".join)
instants = st.datetimes(datetime(1800, 1, 2), datetime(2199, 12, 30)).map(
    lambda at: at.replace(microsecond=0, tzinfo=UTC)
)
documents = st.builds(
    lambda key, title, categories, at, body: Document(key, title, categories, at, body_html(body, "http://x.example/")),
    st.text(),
    words,
    st.tuples(words, words, words),
    instants,
    markup,
)


def braces(text: str) -> str:
    return text.replace("{", "&#123;").replace("}", "&#125;")


def unbraced(text: str) -> str:
    return text.replace("&#123;", "{").replace("&#125;", "}")


def name(text: str) -> str:
    """A category as it may be written: in one line, without what no file may hold."""
    return braces(re.sub(_UNPRINTABLE, "", re.sub(_BREAK, " ", text)))


def seen(body: str) -> str | None:
    """What a browser makes of a body, in a post as Hexo writes it; comments apart, which nobody sees."""
    body = re.sub(r"<!--.*?-->", "<!---->", body, flags=re.S)
    return LexborHTMLParser(f"<!DOCTYPE html><body><div>   \n{unbraced(body)}  \n</div>").html


@given(documents)
@example(Document("k", "'\"", ("y", "~", "1_000"), datetime(1800, 1, 2, tzinfo=UTC), "<p>a\n\n    b\n\n</p># c\n"))
def test_a_document_says_what_it_was_made_of(document: Document) -> None:
    text = render(document)
    assert text.encode()
    found = _DOCUMENT.match(text)
    assert found
    values = yaml.safe_load(found["front"])
    assert list(values) == ["title", "categories", "headimg", "author", "comments", "date", "thumbnail"]
    assert values["title"] == braces(safe_title(document.title))
    assert values["categories"] == [name(one) for one in document.categories]
    assert values["author"] == values["categories"][1]
    assert values["comments"] is False
    assert instant(values["date"]) == document.date
    image = first_image(document.body)
    assert values["headimg"] == values["thumbnail"]
    assert image is not None or values["headimg"] == placeholder(document.key)
    assert not re.search(r"[{}]", text)
    assert seen(found["body"]) == seen(document.body)


@given(documents)
def test_a_document_is_the_same_every_time_and_stays_in_its_folder(document: Document) -> None:
    assert render(document) == render(document)
    preferred, *others = files(document)
    for path in (preferred, *others):
        parts = path.split("/")
        assert len(parts) == 4
        assert not {"", ".", ".."}.intersection(parts)
        assert all(len(part.encode()) <= 255 and not part.startswith(("_", ".")) for part in parts)


@given(markup)
def test_a_body_that_passes_have_nothing_to_do_in_is_written_as_where_they_have(body: str) -> None:
    """Behind a line with an attribute, a fence and a blank line every pass is made, over the rest as well."""
    body = body_html(body, "http://x.example/")
    first = '<p title="href=">```</p>\n\n<p>甲</p>\n'
    assert inert(first + body).endswith(f"<p>甲</p>\n{inert(body)}")


def test_what_is_not_read_back_reads_back_whatever_it_consists_of() -> None:
    """Titles and pictures that are taken for plain, of every character they may have, in their place and alone."""
    letters = [one for one in map(chr, range(0x110000)) if PLAIN.fullmatch(one)]
    assert len(letters) > 100_000
    for loader in (yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        for start in range(0, len(letters), 1_000):
            text = "".join(letters[start : start + 1_000])
            assert yaml.load(f"title: '{text}'\nnext: ''", Loader=loader) == {"title": text, "next": ""}
        for one in filter(str.isascii, letters):
            for text in (one, one * 3, f"a{one}", f"{one}a", f"---{one}"):
                assert yaml.load(f"title: '{text}'\nnext: ''", Loader=loader) == {"title": text, "next": ""}
        address = "https://" + "".join(one for one in map(chr, range(128)) if ADDRESS.fullmatch(f"http://{one}"))
        assert yaml.load(f"headimg: '{address}'", Loader=loader) == {"headimg": address}
