"""The images of an article: which of them are kept, and what kind of image some bytes are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from urllib.parse import urldefrag

from selectolax.lexbor import LexborHTMLParser

from aggregator.articles.plaintext import kept
from aggregator.articles.rules import Rules
from aggregator.articles.tree import secure
from aggregator.errors import ParseError
from aggregator.model import Article, Images
from aggregator.text.urls import absolute

MOST = 100  # images of one article that are kept
EXTENSIONS = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/avif": "avif",
    "image/bmp": "bmp",
}
_ENCODED = str.maketrans({"'": "%27", "{": "%7B", "}": "%7D"})
_LONGEST = 2_000  # characters of an address
# The first bytes of each type (WHATWG MIME Sniffing, 6.1); those of AVIF are ISO 14496-12's ftyp box with its brand,
# and BMP's two letters alone would pass for words: its reserved zeros and the size of its second header follow.
_BYTES: tuple[tuple[str, re.Pattern[bytes]], ...] = (
    ("image/png", re.compile(rb"\x89PNG\r\n\x1a\n")),
    ("image/jpeg", re.compile(rb"\xff\xd8\xff")),
    ("image/gif", re.compile(rb"GIF8[79]a")),
    ("image/webp", re.compile(rb"RIFF....WEBPVP8", re.S)),
    ("image/avif", re.compile(rb"\0\0..ftyp(?:....)*?avi[fs]", re.S)),
    ("image/bmp", re.compile(rb"BM....\0\0\0\0....[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0", re.S)),
)
_HEAD = 512  # bytes in which a file says what it is
_SVG = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:\s|<\?[^>]*>|<!--.*?-->|<!doctype\s+svg[^>]*>)*<(?:\w+:)?svg[\s>]", re.I | re.S
)


def wanted(article: Article, images: Images, rules: Rules) -> tuple[str, ...]:
    """The addresses of an article's images to keep, in its text's order and at most 100.

    ``all`` are those of its text, ``cover`` is the first of them that may be a cover: what ``text`` leaves out (QR
    codes, players) holds none, nor do ``data:`` addresses.
    """
    if images == "none" or not article.html:
        return ()
    found = _addresses(kept(article.html, article.rule, rules))
    if images == "cover":
        found = islice((url for url in found if not rules.not_a_cover.search(url)), 1)
    return tuple(islice(dict.fromkeys(found), MOST))


def _addresses(body: str) -> Iterator[str]:
    for image in LexborHTMLParser(f"<!DOCTYPE html><body>{body}").css("img[src]"):
        address = address_of(image.attributes.get("src") or "")
        if address:
            yield address


def address_of(source: str) -> str | None:
    """The address at which the image of a stored body's ``src`` is asked for; ``None`` for what is none on the web.

    One for all spellings of a document: in its front matter a few characters are encoded that are not in its body.
    """
    address = absolute(source, None)
    if address is None or len(address) > _LONGEST:
        return None
    return urldefrag(secure(address)).url.translate(_ENCODED)


def file_of(sha256: str, media_type: str) -> str:
    """The path of a stored image's copy below a folder of copies: named by what it is, so that it never changes."""
    return f"{sha256[:2]}/{sha256}.{EXTENSIONS[media_type]}"


def type_of(body: bytes, where: str) -> str:
    """The media type of an image, by its bytes alone: what a server says of it does not count.

    Raises:
        ParseError: ``active_image`` for SVG, which may hold scripts; ``not_an_image`` for anything else.
    """
    head = body[:_HEAD]
    found = next((name for name, pattern in _BYTES if pattern.match(head)), None)
    if found:
        return found
    if _SVG.match(head):
        raise ParseError(
            "an SVG, which may hold scripts, is not kept",
            kind="active_image",
            where=where,
            hint="The document keeps its address",
        )
    raise ParseError(
        f"this is no image but {_what(head)}",
        kind="not_an_image",
        where=where,
        hint="Kept are PNG, JPEG, GIF, WebP, AVIF and BMP; it is asked again later",
    )


def _what(head: bytes) -> str:
    if not head:
        return "an empty answer"
    return (
        "a page or another text with tags" if head.lstrip().startswith(b"<") else f"something that begins {head[:8]!r}"
    )
