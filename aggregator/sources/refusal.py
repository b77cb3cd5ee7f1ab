"""What a body is when it is no listing: the one error every parser raises, saying what came instead."""

from __future__ import annotations

import re

from aggregator.errors import ParseError
from aggregator.model import Page
from aggregator.text.characters import one_line
from aggregator.text.html import plain

# Marks of pages that ask for proof of being human, answered with status 200 (docs/sina.md section 6 for Sina's).
_CHALLENGES = re.compile(
    "安全验证|人机验证|滑动验证|访问过于频繁|verify you are human|just a moment\\.\\.\\.|cf-chl|g-recaptcha|h-captcha",
    re.I,
)
_MAGIC = (
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "gzip data"),
)
_TITLE = re.compile(r"<title[^>]*>([^<]{0,500})", re.I)
_ELEMENT = re.compile(r"<([A-Za-z_][\w:.-]{0,60})[\s/>]")
_HTML = frozenset({"html", "head", "body", "meta", "script", "div", "p", "br", "title", "h1", "center"})
_FEEDS = frozenset({"rss", "feed", "rdf:rdf", "channel"})
_HEAD = 100_000  # characters looked at for a challenge


def root_of(text: str) -> str:
    """The name of a document's first element, "" without one; comments, declarations and instructions are skipped."""
    at = 0
    while True:
        at = text.find("<", at)
        if at < 0:
            return ""
        if text.startswith("<!--", at):
            at = text.find("-->", at)
            if at < 0:
                return ""
        elif text.startswith("<?", at) or text.startswith("<!", at):
            at += 2
        else:
            found = _ELEMENT.match(text, at)
            if found:
                return found[1]
            at += 1


def is_html(text: str) -> bool:
    """Whether a text is an HTML page or a piece of one."""
    if re.match(r"\s*[\[{]", text):
        return False
    root = root_of(text).lower()
    return root in _HTML or (root not in _FEEDS and bool(re.match(r"\s*<!doctype html", text, re.I)))


def refused(page: Page, text: str) -> ParseError:
    """The error for a body that is no listing: kind ``blocked`` for a challenge page, else ``not_a_feed``."""
    html = is_html(text)
    if html and _CHALLENGES.search(text[:_HEAD]):
        return ParseError(
            f"the server answers with a challenge page instead of the listing{_quoted_title(text)}",
            kind="blocked",
            where=page.url,
            hint="Poll it less often, or open it in a browser from this address",
        )
    return ParseError(
        f"this is no feed but {_looks_like(page.body, text, html=html)}",
        kind="not_a_feed",
        where=page.url,
        hint="Check the feed's url; each kind of list of Sina's has its own source, such as sina-roll",
    )


def _looks_like(body: bytes, text: str, *, html: bool) -> str:
    """A few words for a body of another kind."""
    if not text.strip("\0 \t\r\n\ufeff"):
        return "an empty answer"
    for magic, name in _MAGIC:
        if body.startswith(magic):
            return name
    if html:
        return f"an HTML page{_quoted_title(text)}"
    if re.match(r"\s*[\[{]", text):
        return "JSON of another kind"
    root = root_of(text)
    if root:
        return f"XML with the root element <{root}>"
    return f"text that begins with {one_line(text[:200])[:40]!r}"


def _quoted_title(text: str) -> str:
    found = _TITLE.search(text[:_HEAD])
    title = one_line(plain(found[1]))[:80] if found else ""
    return f" titled “{title}”" if title else ""
