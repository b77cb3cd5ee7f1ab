"""Whether a page is the article that was asked for: before anything is read from a page of Sina's, it must prove it.

An address with a content id is proven by that id in what the page says about itself: ``publishid``, ``og:url``, the
comment id, ``sudameta``, ``mobile-agent``, the id of its own scripts. Nothing else counts, not even the address we
ended up at: a challenge page answers there too.

Older addresses (``/china/jrxw/20140318/011918532340.shtml``) hold no content id, and the pages of the GB2312 era say
nothing about themselves. For them: an address the page claims must be the one asked for (or the one we were
redirected to); without one, the day the page shows must be the day in the address, give or take one, because an
article of 23:59 may lie in the next day's folder; without a day either, a page that claims some content id is another
article, and one that claims nothing is judged by its rule: it needs the title and body of one.

A page of another host gives its own address, or shows the title its listing announced. Where neither is to be had (no
title was announced), it must at least stand at the address asked for. Everywhere an empty answer, a challenge page or a
home page is no article.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlsplit

from selectolax.lexbor import LexborHTMLParser

from aggregator.articles.rules import Rule, Rules, claim_of
from aggregator.articles.tree import first_text, texts, words
from aggregator.errors import ParseError
from aggregator.text.urls import absolute, canonical, comos_id, host_of, is_sina

_ADDRESSES = (('meta[property="og:url"]', "content"), ('link[rel="canonical"]', "href"))
_SCRIPT_CLAIM = re.compile(r"""\b_*(?:newsid|docid)["']?\s*[:=]\s*["']([^"'\n]{1,120})["']""", re.I)
_BARE = re.compile(r"i?([a-z]{7}\d{7})\Z")
_DAY_IN_URL = re.compile(r"/((?:19|20)\d\d)-?([01]\d)-?([0-3]\d)/")
_DAY = re.compile(r"((?:19|20)\d\d)\s*[年./-]\s*(\d{1,2})\s*[月./-]\s*(\d{1,2})")


@dataclass(frozen=True, slots=True)
class Witness:
    """A page under question: its tree, the address asked for, the one redirects led to, and the title expected.

    ``arrived`` and ``title`` are "" when they are unknown.
    """

    tree: LexborHTMLParser
    asked: str
    arrived: str
    title: str
    rules: Rules

    @property
    def claims(self) -> list[tuple[str, str]]:
        """Where the page may say which article it is."""
        own = (claim for row in self._rows for claim in row.identity)
        return [claim_of(claim) for claim in (*self.rules.identity, *own)]

    @property
    def times(self) -> list[str]:
        """Where the page may show its day."""
        return [selector for row in self._rows for selector in row.time]

    @property
    def challenges(self) -> list[re.Pattern[str]]:
        """What a challenge page says."""
        return [self.rules.challenge, *(re.compile(row.challenge) for row in self._rows if row.challenge)]

    @property
    def _rows(self) -> tuple[Rule, ...]:
        return self.rules.rows_for(host_of(self.asked), host_of(self.arrived))


def prove(page: Witness) -> None:
    """Return if the page is the article asked for.

    Raises ``ParseError`` (``wrong_page``) that says what the page is instead.
    """
    wanted = comos_id(page.asked) if is_sina(host_of(page.asked)) else None
    if wanted:
        proven = wanted in set(_ids(page))
    elif _is_empty(page.tree) or _is_challenge(page):
        proven = False
    elif is_sina(host_of(page.asked)):
        proven = _is_old_article(page)
    else:
        proven = _is_what_it_claims(page)
    if not proven:
        raise _wrong(page)


def evidence(page: Witness) -> Iterator[tuple[str, str]]:
    """Yield each place at which the page says which article it is, with what it says there."""
    for selector, attribute in page.claims:
        for value in _values(page.tree, [(selector, attribute)]):
            yield f"{selector} @{attribute}", value


def _ids(page: Witness) -> Iterator[str]:
    """The content ids by which the page names itself."""
    for value in _values(page.tree, page.claims):
        bare = _BARE.match(value)
        found = bare[1] if bare else comos_id(value)
        if found:
            yield found
    for script in page.tree.css("script:not([src])"):
        for claim in _SCRIPT_CLAIM.findall(script.text() or ""):
            found = comos_id(claim)
            if found:
                yield found


def _values(tree: LexborHTMLParser, places: Iterable[tuple[str, str]]) -> Iterator[str]:
    for selector, attribute in places:
        for node in tree.css(selector):
            value = (node.attributes.get(attribute) or "").strip()
            if value:
                yield value


def _is_old_article(page: Witness) -> bool:
    """Whether nothing speaks against the page being the article at an address without a content id."""
    claimed = _claimed(page)
    if claimed:
        return _is_claimed(page, claimed)
    asked_day, shown_day = _day(_DAY_IN_URL, urlsplit(page.asked).path), _shown_day(page)
    if asked_day and shown_day:
        return abs((asked_day - shown_day).days) <= 1
    return not any(_ids(page)) and not is_front(page.arrived)


def _is_what_it_claims(page: Witness) -> bool:
    """Whether a page of any other host gives evidence of being the article."""
    if is_front(page.arrived):
        return False
    if _is_claimed(page, _claimed(page)):
        return True
    stayed = _place(page.asked) == _place(page.arrived or page.asked)
    return _bears(page.tree, page.title, anywhere=stayed) if _letters(page.title) else stayed


def _claimed(page: Witness) -> list[str]:
    """The addresses the page gives as its own."""
    return [address for value in _values(page.tree, _ADDRESSES) if (address := absolute(value, page.asked))]


def _is_claimed(page: Witness, claimed: Iterable[str]) -> bool:
    places = {_place(page.asked), _place(page.arrived)} - {"/", ""}
    return any(_place(address) in places for address in claimed)


def _bears(tree: LexborHTMLParser, title: str, *, anywhere: bool) -> bool:
    """Whether the page shows a title: most of it in a headline, or as it stands ``anywhere`` in its text.

    Where a redirect has led elsewhere only headlines count: a front page has the titles of the day in its text.
    """
    wanted = _letters(title)
    if anywhere and wanted in _letters(seen(tree)):
        return True
    headlines = (*texts(tree, ["h1", "title"]), *_values(tree, [('meta[property="og:title"]', "content")]))
    return any(_alike(wanted, _letters(line)) for line in headlines)


def _alike(wanted: str, shown: str) -> bool:
    """Whether at least half of a title's pairs of characters stand in a headline too: editors shorten and lengthen."""
    pairs = {wanted[at : at + 2] for at in range(max(len(wanted) - 1, 1))}
    return sum(pair in shown for pair in pairs) * 2 >= len(pairs)


def _letters(text: str) -> str:
    """The letters and digits of a text alone, in one width and case."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())


def _place(address: str) -> str:
    """The path of an address: hosts and schemes of one article differ, its path does not."""
    parts = urlsplit(canonical(address)) if address else None
    return f"{parts.path}?{parts.query}".removesuffix("?") if parts else ""


def _shown_day(page: Witness) -> date | None:
    """The day the page shows where a row for the host looks for it."""
    days = (_day(_DAY, text) for text in texts(page.tree, page.times))
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
    return not seen(tree) and not first_text(tree, ["title"]) and tree.css_first("img, video, iframe") is None


def _is_challenge(page: Witness) -> bool:
    """Whether this is a page that wants to know if we are human: a short one that says so."""
    shown = seen(page.tree)
    said = (first_text(page.tree, ["title"]), shown)
    return len(shown) <= page.rules.challenge_length and any(
        pattern.search(text) for pattern in page.challenges for text in said
    )


def seen(tree: LexborHTMLParser) -> str:
    """The text of the body without scripts and styles."""
    if tree.body is None:
        return ""
    body = tree.body.clone()
    body.strip_tags(["script", "style", "noscript", "template"], recursive=True)
    return words(body)


def is_front(address: str) -> bool:
    """Whether an address is a host's home page."""
    return bool(host_of(address)) and urlsplit(address).path in ("", "/", "/index.html", "/index.shtml")


def _wrong(page: Witness) -> ParseError:
    return ParseError(
        f"the page is not the article asked for but {_what(page)}",
        kind="wrong_page",
        where=page.asked,
        hint="It is tried again later; open the link in a browser to see whether the article is still there",
    )


def _what(page: Witness) -> str:
    """What the page is instead, in a few words."""
    title = first_text(page.tree, ["title"])[:60]
    claimed = next(_values(page.tree, _ADDRESSES), "")
    other = next(_ids(page), None)
    if _is_empty(page.tree):
        return "an empty answer"
    if _is_challenge(page):
        return f"a challenge page ({title or 'without a title'})"
    if other and other != comos_id(page.asked):
        return f"another article, {other} ({title})"
    if is_front(claimed or page.arrived):
        return f"a home page ({title})"
    return f"a page that names {claimed or 'no article'} ({title or 'without a title'})"
