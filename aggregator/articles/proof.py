"""Whether a page is the article that was asked for: before anything is read from a page of Sina's, it must prove it.

An address with a content id is proven by that id in what the page says about itself: ``publishid``, ``og:url``, the
comment id, ``sudameta``, ``mobile-agent``, the id of its own scripts. Nothing else counts, not even the address we
ended up at: a challenge page answers there too.

Older addresses (``/china/jrxw/20140318/011918532340.shtml``) hold no content id, and the pages of the GB2312 era say
nothing about themselves. For them: an address the page claims must be the one asked for (or the one we were
redirected to); without one, the day the page shows must be the day in the address, give or take one, because an
article of 23:59 may lie in the next day's folder; without a day either, a page that claims some content id is another
article, and one that claims nothing is judged by its rule: it needs the title and body of one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from urllib.parse import urlsplit

from selectolax.lexbor import LexborHTMLParser

from aggregator.articles.rules import CHALLENGE, CHALLENGE_LENGTH, rows_for
from aggregator.articles.tree import first_text, texts, words
from aggregator.errors import ParseError
from aggregator.text.urls import absolute, canonical, comos_id, host_of, is_sina

_CLAIMS: tuple[tuple[str, str], ...] = (
    ('meta[name="publishid"]', "content"),
    ('meta[property="og:url"]', "content"),
    ('meta[name="comment"]', "content"),
    ('meta[name="sudameta"]', "content"),
    ('meta[name="mobile-agent"]', "content"),
    ('meta[http-equiv="mobile-agent"]', "content"),
    ('link[rel="canonical"]', "href"),
    ('link[rel="alternate"][type="text/markdown"]', "href"),
    ("#artibodyTitle[docid]", "docid"),
)
_ADDRESSES = (('meta[property="og:url"]', "content"), ('link[rel="canonical"]', "href"))
_SCRIPT_CLAIM = re.compile(r"""\b_*(?:newsid|docid)["']?\s*[:=]\s*["']([^"'\n]{1,120})["']""", re.I)
_BARE = re.compile(r"i?([a-z]{7}\d{7})\Z")
_DAY_IN_URL = re.compile(r"/((?:19|20)\d\d)-?([01]\d)-?([0-3]\d)/")
_DAY = re.compile(r"((?:19|20)\d\d)\s*[年./-]\s*(\d{1,2})\s*[月./-]\s*(\d{1,2})")


def prove(tree: LexborHTMLParser, asked: str, arrived: str = "") -> None:
    """Return if the page is the article at ``asked``; ``arrived`` is the address after redirects.

    Raises ``ParseError`` (``wrong_page``) that says what the page is instead. Pages of other hosts than Sina's need no
    proof, but an empty answer or a challenge page is no article anywhere.
    """
    wanted = comos_id(asked) if is_sina(host_of(asked)) else None
    if wanted:
        proven = wanted in set(_ids(tree))
    else:
        proven = not _is_empty(tree) and not _is_challenge(tree)
        if proven and is_sina(host_of(asked)):
            proven = _is_old_article(tree, asked, arrived)
    if not proven:
        raise _wrong(tree, asked, arrived)


def _ids(tree: LexborHTMLParser) -> Iterator[str]:
    """The content ids by which the page names itself."""
    for value in _values(tree, _CLAIMS):
        bare = _BARE.match(value)
        found = bare[1] if bare else comos_id(value)
        if found:
            yield found
    for script in tree.css("script:not([src])"):
        for claim in _SCRIPT_CLAIM.findall(script.text() or ""):
            found = comos_id(claim)
            if found:
                yield found


def _values(tree: LexborHTMLParser, places: tuple[tuple[str, str], ...]) -> Iterator[str]:
    for selector, attribute in places:
        for node in tree.css(selector):
            value = (node.attributes.get(attribute) or "").strip()
            if value:
                yield value


def _is_old_article(tree: LexborHTMLParser, asked: str, arrived: str) -> bool:
    """Whether nothing speaks against the page being the article at an address without a content id."""
    claimed = [address for value in _values(tree, _ADDRESSES) if (address := absolute(value, asked))]
    if claimed:
        places = {_place(asked), _place(arrived)} - {"/", ""}
        return any(_place(address) in places for address in claimed)
    asked_day, shown_day = _day(_DAY_IN_URL, urlsplit(asked).path), _shown_day(tree, asked, arrived)
    if asked_day and shown_day:
        return abs((asked_day - shown_day).days) <= 1
    return not any(_ids(tree)) and not _is_front(arrived)


def _place(address: str) -> str:
    """The path of an address: hosts and schemes of one article differ, its path does not."""
    parts = urlsplit(canonical(address)) if address else None
    return f"{parts.path}?{parts.query}".removesuffix("?") if parts else ""


def _shown_day(tree: LexborHTMLParser, asked: str, arrived: str) -> date | None:
    """The day the page shows where a row for the host looks for it."""
    selectors = [selector for rule in rows_for(host_of(asked), host_of(arrived)) for selector in rule.time]
    days = (_day(_DAY, text) for text in texts(tree, selectors))
    return next((day for day in days if day), None)


def _day(pattern: re.Pattern[str], text: str) -> date | None:
    found = pattern.search(text)
    if not found:
        return None
    try:
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return None


def _is_empty(tree: LexborHTMLParser) -> bool:
    """Whether there is nothing at all to see."""
    return not _seen(tree) and not first_text(tree, ["title"]) and tree.css_first("img, video, iframe") is None


def _is_challenge(tree: LexborHTMLParser) -> bool:
    """Whether this is a page that wants to know if we are human: a short one that says so."""
    seen = _seen(tree)
    return len(seen) <= CHALLENGE_LENGTH and bool(
        CHALLENGE.search(first_text(tree, ["title"])) or CHALLENGE.search(seen)
    )


def _seen(tree: LexborHTMLParser) -> str:
    """The text of the body without scripts and styles."""
    if tree.body is None:
        return ""
    body = tree.body.clone()
    body.strip_tags(["script", "style", "noscript", "template"], recursive=True)
    return words(body)


def _is_front(address: str) -> bool:
    return bool(host_of(address)) and urlsplit(address).path in ("", "/", "/index.html", "/index.shtml")


def _wrong(tree: LexborHTMLParser, asked: str, arrived: str) -> ParseError:
    return ParseError(
        f"the page is not the article asked for but {_what(tree, asked, arrived)}",
        kind="wrong_page",
        where=asked,
        hint="It is tried again later; open the link in a browser to see whether the article is still there",
    )


def _what(tree: LexborHTMLParser, asked: str, arrived: str) -> str:
    """What the page is instead, in a few words."""
    title = first_text(tree, ["title"])[:60]
    claimed = next(_values(tree, _ADDRESSES), "")
    other = next(_ids(tree), None)
    if _is_empty(tree):
        return "an empty answer"
    if _is_challenge(tree):
        return f"a challenge page ({title or 'without a title'})"
    if other and other != comos_id(asked):
        return f"another article, {other} ({title})"
    if _is_front(claimed or arrived):
        return f"a home page ({title})"
    return f"a page that names {claimed or 'no article'} ({title or 'without a title'})"
