"""A front-matter document read back: the present layout, and the older ones that archives of such files hold."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import yaml

from aggregator.errors import ParseError
from aggregator.text.characters import one_line
from aggregator.text.dates import instant

_Loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # every value as the text it is written as
# Hexo's separators: the first one may be left out, and older files begin without the empty line.
_LAYOUT = re.compile(r"\A\s*(?:---[ \t]*\n)?(?P<front>(?:[^\n]*\n)*?)---[ \t]*(?:\n(?P<body>.*))?\Z", re.S)
_WRAPPED = re.compile(r"\A\n?<div>[ ]*\n(?P<body>.*?)[ ]{0,2}\n</div>\s*\Z", re.S)
_LINE = re.compile(r"(?m)^(?P<name>title|author|date|headimg|thumbnail):[ \t]*(?P<value>.*)$")
_ITEM = re.compile(r"(?m)^[ \t]*-[ \t]+(?P<value>.*)$")
_QUOTED = re.compile(r"""(?P<quote>['"])(?P<text>.*)(?P=quote)""", re.S)


@dataclass(frozen=True, slots=True)
class Imported:
    """What a document says. ``text`` is all of it, as it was; ``date`` is unknown where it tells none or a local one.

    ``title`` is without the character references of braces; what a file name may not hold has been ``_`` since.
    """

    text: str
    title: str
    categories: tuple[str, ...]
    author: str | None
    date: datetime | None
    date_text: str | None
    image: str | None
    body: str


def read_document(data: bytes, where: str, zone: str) -> Imported:
    """A document out of a file's bytes (UTF-8). A date without an offset is a wall clock's in ``zone``.

    Front matter that no YAML reader takes (a title with both kinds of quotes, as older programs wrote) is read line by
    line.

    Raises:
        ParseError: ``not_a_document``, when there is no front matter with a title, or the bytes are not UTF-8.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _refused(where, f"it is not UTF-8 (byte {error.start})") from error
    found = _LAYOUT.match(text.removeprefix("\ufeff").replace("\r\n", "\n"))
    if found is None:
        raise _refused(where, "there is no line --- that ends its front matter")
    front = _front(found["front"])
    title = front.get("title")
    if not isinstance(title, str) or not title.strip():
        raise _refused(where, "its front matter has no title")
    names = front.get("categories") or []
    listed = names if isinstance(names, list) else [names]
    wrapped = _WRAPPED.match(found["body"] or "")
    date_text = _text(front.get("date"))
    return Imported(
        text=text,
        title=one_line(_braces(title)),
        categories=tuple(one_line(_braces(str(name))) for name in listed),
        author=_text(front.get("author")),
        date=instant(date_text, zone) if date_text else None,
        date_text=date_text,
        image=_text(front.get("headimg") or front.get("thumbnail")),
        body=wrapped["body"] if wrapped else (found["body"] or "").strip("\n"),
    )


def _front(text: str) -> dict[str, object]:
    try:
        read = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError:
        read = None
    if isinstance(read, dict):
        return {str(name): value for name, value in read.items()}
    return _line_by_line(text)


def _line_by_line(text: str) -> dict[str, object]:
    values: dict[str, object] = {found["name"]: _unquoted(found["value"]) for found in _LINE.finditer(text)}
    return {**values, "categories": [_unquoted(found["value"]) for found in _ITEM.finditer(text)]}


def _unquoted(value: str) -> str:
    found = _QUOTED.fullmatch(value.strip())
    return found["text"] if found else value.strip()


def _text(value: object) -> str | None:
    text = one_line(_braces(value)) if isinstance(value, str) else ""
    return text or None


def _braces(text: str) -> str:
    return text.replace("&#123;", "{").replace("&#125;", "}")


def _refused(where: str, why: str) -> ParseError:
    hint = "A document begins with front matter between lines of ---, as docs/format.md shows"
    return ParseError(f"this is no front-matter document: {why}", kind="not_a_document", where=where, hint=hint)
