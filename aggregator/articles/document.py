"""The document: an article as the front-matter text the format prescribes, byte for byte (docs/format.md)."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import yaml

from aggregator.articles.inert import escape_braces, inert
from aggregator.errors import ParseError
from aggregator.text.characters import printable
from aggregator.text.dates import rfc1123
from aggregator.text.html import first_image

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # C where PyYAML was built with it: ten times faster
_FORBIDDEN = re.compile(r"[:/\\?*“”<>|\[\]]")
_BREAK = re.compile(r"\r\n|[\t\n\x0b\x0c\r\x85\u2028\u2029]")
_KEYS = ["title", "categories", "headimg", "author", "comments", "date", "thumbnail"]
# Words that some YAML reader takes for something else than text (YAML 1.1, YAML 1.2, js-yaml).
_NOT_TEXT = re.compile(
    r"(?:[-+]?(?:0[xob])?[\d_][\d_a-f]*(?:\.[\d_]*)?(?:e[-+]?\d+)?|[-+]?\.\d+(?:e[-+]?\d+)?|[-+]?\.(?:inf|nan)"
    r"|[-\d:. tz]+|~|null|true|false|yes|no|on|off|y|n|=|<<)\Z",
    re.I,
)
_NEEDS_QUOTES = re.compile(r"[-?:,\[\]{}#&*!|>'\"%@`\s]|.*(?:: |\s#|:\Z|\s\Z)", re.S)
# Between single quotes every YAML reader takes these as they are: letters, digits, blanks, Chinese punctuation.
PLAIN = re.compile(r"[\w ，。、：；！？（）《》「」『』【】·—…％%+.,=~-]*")
ADDRESS = re.compile(r"(?:https?://[A-Za-z0-9._~/?%=&+:,;@-]*)?")
# Hexo 8 cannot make an address of a name with a "%" (URIError). After a digit it stays, as the format has it: 涨5%.
_NO_PERCENT = re.compile(r"(?<!\d)%")
_MAX_NAME = 255  # bytes, the limit of ext4, XFS, APFS and NTFS alike


@dataclass(frozen=True, slots=True)
class Document:
    """What a document is made of. ``body`` comes from ``text.html.body_html``; ``date`` is an instant.

    ``placeholder`` is the cover of a body without images: ``picsum``, ``none``, or a URL.
    """

    key: str
    title: str
    categories: tuple[str, str, str]
    date: datetime
    body: str
    placeholder: str = "picsum"


def render(document: Document) -> str:
    """The document's text: UTF-8, LF, no final newline, as format version 2022 wants it.

    The front matter parses back to the same seven values in any YAML reader, or ``ParseError`` (kind ``document``) is
    raised and nothing is written.
    """
    title = safe_title(document.title)
    image = _image(document)
    front = _front(title, image, document)
    _check(front, title, image, document)
    return f"\n---\n{front}\n---\n\n<div>   \n{inert(document.body)}  \n</div>\n            "


def _front(title: str, image: str, document: Document) -> str:
    author = _plain_or_quoted(document.categories[1])
    front = "\n".join(
        [
            f"title: {_quoted(title)}",
            "categories: ",
            *(f" - {_plain_or_quoted(name)}" for name in document.categories),
            f"headimg: '{image}'",
            f"author: {author}",
            "comments: false",
            f"date: {rfc1123(document.date)}",
            f"thumbnail: '{image}'",
        ]
    )
    return escape_braces(front)


def safe_title(title: str) -> str:
    """The title as the document carries it: characters no file name may have become ``_``, line breaks blanks."""
    if not title.isprintable():  # no line break is, nor U+FEFF
        title = printable(_BREAK.sub(" ", title)).replace("\ufeff", "")
    return _FORBIDDEN.sub("_", title)


def files(document: Document) -> tuple[str, ...]:
    """Paths ``C1/C2/C3/name.md`` a document may have, the preferred first, then two that its key makes unique.

    Every name stays inside its folder, has at most 255 bytes, and does not begin with ``_`` or ``.`` (Hexo would not
    publish it).
    """
    folder = "/".join(_component(name) for name in document.categories)
    stem = _NO_PERCENT.sub("％", re.sub(r"[.#\n]", "", safe_title(document.title))).lstrip("_. ").rstrip()
    digest = hashlib.sha256(document.key.encode()).hexdigest()
    preferred = f"{stem}.md"
    unique = [f"{_cut(stem, _MAX_NAME - 4 - n)}-{digest[:n]}.md" for n in (8, 64)]
    fits = bool(stem) and len(preferred.encode()) <= _MAX_NAME
    return tuple(f"{folder}/{name}" for name in ([preferred] if fits else []) + unique)


def placeholder(key: str) -> str:
    """The picture of an article without one; its number follows from the key, so that it never changes."""
    number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") % 10001
    return f"https://picsum.photos/400/300?random={number}"


def _image(document: Document) -> str:
    image = first_image(document.body)
    if image is None:
        image = placeholder(document.key) if document.placeholder == "picsum" else document.placeholder
        image = "" if image == "none" else image
    image = _BREAK.sub("", printable(image))
    return image.replace("'", "%27").replace("{", "%7B").replace("}", "%7D")


def _quoted(title: str) -> str:
    """Single quotes, or double ones around a title with a ``'``; a title with both has its ``'`` doubled."""
    if "'" not in title:
        return f"'{title}'"
    return f'"{title}"' if '"' not in title else "'" + title.replace("'", "''") + "'"


@lru_cache(maxsize=1024)
def _plain_or_quoted(name: str) -> str:
    """A category as plain YAML where every reader gives back the same text, quoted elsewhere."""
    name = printable(_BREAK.sub(" ", name))
    if name and not _NEEDS_QUOTES.match(name) and not _NOT_TEXT.match(name):
        return name
    return "'" + name.replace("'", "''") + "'"


def _check(front: str, title: str, image: str, document: Document) -> None:
    """Read the front matter back, as its reader will; of plain values under known categories that needs no reading."""
    if PLAIN.fullmatch(title) and ADDRESS.fullmatch(image) and _reads_back(document.categories):
        return
    _read_back(front, title, image, document)


@lru_cache(maxsize=1024)
def _reads_back(categories: tuple[str, str, str]) -> bool:
    """Whether front matter with these categories comes back as it went in, where its title and picture are plain."""
    sample = Document("", "t", categories, datetime(2022, 7, 14, tzinfo=UTC), "")
    try:
        _read_back(_front("t", "", sample), "t", "", sample)
    except ParseError:
        return False
    return True


def _read_back(front: str, title: str, image: str, document: Document) -> None:
    c1, c2, c3 = (escape_braces(printable(_BREAK.sub(" ", name))) for name in document.categories)
    image = escape_braces(image)
    expected = [escape_braces(title), [c1, c2, c3], image, c2, False, rfc1123(document.date), image]
    try:
        read = yaml.load(front, Loader=_Loader)
    except yaml.YAMLError as error:
        raise _unreadable(document, str(error)) from error
    if not isinstance(read, dict) or list(read) != _KEYS or list(read.values()) != expected:
        raise _unreadable(document, "a value does not come back as it went in")


def _unreadable(document: Document, why: str) -> ParseError:
    return ParseError(
        f"the front matter would not parse back: {why}",
        kind="document",
        where=document.key,
        hint="Report the title and categories of this article as a bug; nothing was written",
    )


@lru_cache(maxsize=1024)
def _component(name: str) -> str:
    stem = _FORBIDDEN.sub("_", printable(_BREAK.sub(" ", name))).lstrip("_. ").rstrip(". ")
    return _cut(stem, _MAX_NAME) or "unnamed"


def _cut(text: str, limit: int) -> str:
    """The text cut to so many bytes of UTF-8, never inside a character."""
    return text.encode()[:limit].decode(errors="ignore")
