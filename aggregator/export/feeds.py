"""Articles as a feed with full text, for any reader: Atom 1.0 (RFC 4287) and JSON Feed 1.1."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import IO
from urllib.parse import quote
from xml.sax.saxutils import XMLGenerator
from xml.sax.xmlreader import AttributesImpl

from aggregator.text.characters import one_line, printable
from aggregator.text.html import clean

Row = Mapping[str, object]
_ATOM = "http://www.w3.org/2005/Atom"
_NONE = AttributesImpl({})
_HOST = re.compile(r"[a-z][a-z0-9+.-]*://(\[[0-9a-f:.]+\])?", re.IGNORECASE)
_NO_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_EPOCH = "1970-01-01T00:00:00Z"  # RFC 4287 wants an instant also of a feed without entries


@dataclass(frozen=True, slots=True)
class Head:
    """What a feed says of itself. ``id`` is an IRI that stays; ``address`` where it is published, if anywhere."""

    id: str
    title: str
    address: str | None = None


def entry_id(key: str) -> str:
    """The id of an article in feeds of ours: the same in every one, and after every edit.

    A URN as RFC 2141 has it, by which the W3C's validator goes: without a bare tilde.
    """
    return f"urn:aggregator:{quote(key.encode('utf-8', 'replace'), safe=':').replace('~', '%7E')}"


def write_atom(stream: IO[bytes], head: Head, rows: list[Row]) -> int:
    """Write the articles as an Atom feed, in the order given; how many. ``updated`` is when this revision was seen."""
    xml = XMLGenerator(stream, "utf-8", short_empty_elements=True)
    xml.startDocument()
    xml.startElement("feed", AttributesImpl({"xmlns": _ATOM}))
    _text(xml, "id", head.id)
    _text(xml, "title", head.title)
    _text(xml, "updated", max((str(row["seen"]) for row in rows), default=_EPOCH))
    _text(xml, "generator", "aggregator")
    if head.address:
        _empty(xml, "link", {"rel": "self", "href": head.address})
    for row in rows:
        _entry(xml, row)
    xml.endElement("feed")
    xml.endDocument()
    return len(rows)


def _entry(xml: XMLGenerator, row: Row) -> None:
    xml.startElement("entry", _NONE)
    _text(xml, "id", entry_id(str(row["key"])))
    _text(xml, "title", _title(row))
    _text(xml, "updated", str(row["seen"]))
    if row["published"]:
        _text(xml, "published", str(row["published"]))
    xml.startElement("author", _NONE)
    _text(xml, "name", _author(row))
    xml.endElement("author")
    if row["url"]:
        _empty(xml, "link", {"rel": "alternate", "type": "text/html", "href": _iri(str(row["url"]))})
    for name in _names(row["categories"]) + _names(row["keywords"]) + _names(row["symbols"]):
        _empty(xml, "category", {"term": name})
    _text(xml, "content", _body(row), {"type": "html"})
    xml.endElement("entry")


def _text(xml: XMLGenerator, name: str, text: str, attributes: dict[str, str] | None = None) -> None:
    xml.startElement(name, AttributesImpl(attributes or {}))
    xml.characters(printable(text))
    xml.endElement(name)


def _empty(xml: XMLGenerator, name: str, attributes: dict[str, str]) -> None:
    xml.startElement(name, AttributesImpl({key: printable(value) for key, value in attributes.items()}))
    xml.endElement(name)


def write_json_feed(stream: IO[bytes], head: Head, rows: Iterable[Row]) -> int:
    """Write the articles as a JSON Feed, in the order given; how many."""
    items = [_item(row) for row in rows]
    feed = {"version": "https://jsonfeed.org/version/1.1", "title": head.title}
    if head.address:
        feed["feed_url"] = head.address
    stream.write(json.dumps({**feed, "items": items}, ensure_ascii=False, indent=1).encode("utf-8", "replace"))
    return len(items)


def _item(row: Row) -> dict[str, object]:
    item = {
        "id": entry_id(str(row["key"])),
        "url": _iri(str(row["url"])) if row["url"] else None,
        "title": _title(row),
        "content_html": _body(row),
        "date_published": row["published"],
        "date_modified": row["seen"],
        "authors": [{"name": _author(row)}],
        "tags": _names(row["categories"]) + _names(row["keywords"]) + _names(row["symbols"]),
        "language": "zh-CN" if row["key"] and str(row["key"]).startswith("sina:") else None,
    }
    return {name: value for name, value in item.items() if value not in (None, [])}


def _title(row: Row) -> str:
    return one_line(str(row["title"])) or entry_id(str(row["key"]))  # neither standard knows a blank title


def _author(row: Row) -> str:
    return one_line(str(row["author"] or row["media"] or row["feed"] or "")) or "unknown"


def _body(row: Row) -> str:
    """The body through the cleaner once more: what is stored was made for a document, this is for a page."""
    return clean(str(row["body"] or ""), str(row["url"] or "")) or clean(str(row["text"] or ""))


def _iri(address: str) -> str:
    """An address without what a URI may not hold (RFC 3986): blanks, quotes and brackets that a listing left in."""
    host = _HOST.match(address)
    start = host.end() if host else 0
    rest = _NO_ESCAPE.sub("%25", address[start:])
    return address[:start] + quote(rest, safe="%/:?#@!$&'()*+,;=~", errors="replace")


def _names(value: object) -> list[str]:
    """The terms that say something."""
    terms = [one_line(str(one)) for one in value] if isinstance(value, list) else []
    return [term for term in terms if term]
