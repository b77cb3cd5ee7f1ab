"""RSS 2.0 as most publishers write it, read in about a tenth of feedparser's time, into the fields feedparser gives.

It answers only where the two are known to agree: well-formed XML without a DOCTYPE, RSS 2.0 with the elements, prefixes
and attributes of the tables below, each where and as often as it belongs, dates in the forms of RFC 822 and W3CDTF,
texts in which feedparser guesses nothing and repairs nothing. Anything else is feedparser's, for the whole text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias
from xml.etree.ElementTree import Element, ParseError, fromstring

from aggregator.sources.found import Found

Reader: TypeAlias = Callable[[Found, Element], None]

_ATOM = "http://www.w3.org/2005/Atom"
_CONTENT = "http://purl.org/rss/1.0/modules/content/"
_DC = "http://purl.org/dc/elements/1.1/"
_MEDIA = "http://search.yahoo.com/mrss/"
_SLASH = "http://purl.org/rss/1.0/modules/slash/"
_SY = "http://purl.org/rss/1.0/modules/syndication/"
_WFW = "http://wellformedweb.org/CommentAPI/"
# feedparser goes by the prefix, too: each namespace only under the one by which it is known.
_SPACES = {
    ("atom", _ATOM),
    ("content", _CONTENT),
    ("dc", _DC),
    ("media", _MEDIA),
    ("slash", _SLASH),
    ("sy", _SY),
    ("wfw", _WFW),
}
_NAMESPACE = re.compile(r"""xmlns(?::([a-z]+)\s*=\s*["']([^"'<>]*)["'])?""")  # both empty where it is another
_DECLARATION = re.compile(r"<!(?:DOCTYPE|ENTITY)", re.I)
_WITHOUT_C1 = re.compile("[\0-\x7f\xa0-\U0010ffff]*+")  # told in half the time of looking for one
_NOT_LATIN = re.compile("[^\0-\xff]")
_GUESSED = re.compile(r"</\w+>|&#?\w+;")  # what may make a title HTML in its eyes
_REFERENCE = re.compile(r"&\w+;")
_DATE = re.compile(
    r"(?:[A-Z][a-z]{2}, )?[0-9]{1,2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}(?::[0-9]{2})? (?:[+-][0-9]{4}|[A-Z]{1,3})"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}(?::[0-9]{2})?(?:Z|[+-][0-9]{2}:[0-9]{2}))?"
)
_LINK_ATTRIBUTES = frozenset({"href", "hreflang", "length", "rel", "title", "type"})


class _Other(Exception):
    """Something that this reader leaves to feedparser."""


def read(text: str, items: int) -> Found | None:
    """What feedparser finds in such a text, as far as it is used; ``None`` where that is not certain. Never raises.

    ``text`` is ``repair.repaired``; ``items`` is how many the outline sees in it.
    """
    if not _is_plain(text):
        return None
    try:
        found = _rss(fromstring(text))
    except (ParseError, _Other):
        return None
    entries = found["entries"]
    return found if isinstance(entries, list) and len(entries) == items else None


def _is_plain(text: str) -> bool:
    """Whether there is nothing in it that entities, unknown namespaces or encodings might change the meaning of."""
    if "<rss" not in text or _DECLARATION.search(text):
        return False
    return _SPACES.issuperset(_NAMESPACE.findall(text))


def _rss(root: Element) -> Found:
    if root.tag != "rss" or dict(root.attrib) != {"version": "2.0"} or len(root) != 1:
        raise _Other
    channel = root[0]
    if channel.tag != "channel" or channel.attrib:
        raise _Other
    entries = [_fields(_ITEM, child) for child in channel if child.tag == "item"]
    feed = _read(_CHANNEL, (child for child in channel if child.tag != "item"))
    return {"version": "rss20", "feed": feed, "entries": entries}


def _fields(readers: Mapping[str, Reader], element: Element) -> Found:
    """What an element without attributes holds."""
    if element.keys():
        raise _Other
    return _read(readers, element)


def _read(readers: Mapping[str, Reader], elements: Iterable[Element]) -> Found:
    found: Found = {}
    seen: set[str] = set()
    for element in elements:
        tag = element.tag
        reader = readers.get(tag)
        # Of a second title or link each parser makes something else.
        if reader is None or (tag in seen and tag not in _REPEATED):
            raise _Other
        seen.add(tag)
        reader(found, element)
    return found


def _text(element: Element, attributes: frozenset[str] = frozenset()) -> str:
    """An element's text, trimmed, where it is neither UTF-8 read as Latin-1 nor Windows-1252: feedparser mends both."""
    if len(element) or ((given := element.keys()) and not attributes.issuperset(given)):
        raise _Other
    text = (element.text or "").strip()
    if not text.isascii() and (_is_latin_utf8(text) or not (text.isprintable() or _WITHOUT_C1.fullmatch(text))):
        raise _Other
    return text


def _is_latin_utf8(text: str) -> bool:
    if _NOT_LATIN.search(text):
        return False
    try:
        text.encode("latin-1").decode()
    except UnicodeError:
        return False
    return True


def _address(text: str) -> str:
    """An address in which feedparser changes nothing."""
    if ":///" in text or _REFERENCE.search(text):
        raise _Other
    return text


def _literal(key: str) -> Reader:
    def reader(found: Found, element: Element) -> None:
        found[key] = _text(element)

    return reader


def _date(key: str) -> Reader:
    def reader(found: Found, element: Element) -> None:
        text = _text(element)
        if text and not _DATE.fullmatch(text):
            raise _Other
        found[key] = text

    return reader


def _ignored(found: Found, element: Element) -> None:
    _text(element)


def _unread(found: Found, element: Element) -> None:
    """An element of attributes of which nothing is used."""
    odd = any(name.lower() in ("base", "lang") or "{" in name for name in element.attrib)
    if odd or len(element) or (element.text or "").strip():
        raise _Other


def _title(found: Found, element: Element) -> None:
    text = _text(element)
    if _GUESSED.search(text):
        raise _Other
    found["title"] = text
    found["title_detail"] = {"type": "text/plain", "base": "", "value": text}


def _description(found: Found, element: Element) -> None:
    found["summary_detail"] = {"type": "text/html", "base": "", "value": _text(element)}


def _encoded(found: Found, element: Element) -> None:
    found["content"] = [{"type": "text/html", "base": "", "value": _text(element)}]


def _link(found: Found, element: Element) -> None:
    address = _address(_text(element))
    link: Found = {"rel": "alternate", "type": "text/html"}
    if address:
        link["href"] = address
    _append(found, "links", link)
    found["link"] = address


def _atom_link(found: Found, element: Element) -> None:
    given = element.attrib
    if _text(element, _LINK_ATTRIBUTES) or not given.get("href"):
        raise _Other
    rel = given.get("rel", "alternate").lower()
    kind = given.get("type", "application/atom+xml" if rel == "self" else "text/html").lower()
    link: Found = {**given, "href": _address(given["href"]), "rel": rel, "type": kind}
    if rel == "alternate":  # which of two links is the entry's page then depends on their order
        raise _Other
    _append(found, "links", link)


def _guid(found: Found, element: Element) -> None:
    text = _text(element, frozenset({"isPermaLink"}))
    is_link = element.attrib.get("isPermaLink", "true") == "true"
    found["id"] = _address(text) if is_link else text
    found["guidislink"] = is_link and "link" not in found
    if is_link:
        found.setdefault("link", text)


def _author(found: Found, element: Element) -> None:
    text = _text(element)
    if "author" in found:  # by another name
        raise _Other
    found["author"] = text
    # Of one with an address only the text is used (``entries.names``).
    found["authors"] = [{"name": text} if text and "@" not in text else {}]


def _category(found: Found, element: Element) -> None:
    text = _text(element, frozenset({"domain"}))
    if text:
        _append(found, "tags", {"term": text})
    elif element.attrib:
        raise _Other


def _source(found: Found, element: Element) -> None:
    text = _text(element, frozenset({"url"}))
    found["source"] = {"title": text} if text else {}


def _enclosure(found: Found, element: Element) -> None:
    if _text(element, frozenset({"url", "length", "type"})):
        raise _Other
    given = element.attrib
    link: Found = {"rel": "enclosure", "type": given.get("type", "").lower(), "length": given.get("length", "")}
    if given.get("url"):
        link["href"] = given["url"]
    _append(found, "links", link)


def _media_content(found: Found, element: Element) -> None:
    _unread(found, element)
    lowered = {name.lower(): value for name, value in element.attrib.items()}
    if len(lowered) != len(element.attrib):
        raise _Other
    media: Found = {**lowered, "type": lowered.get("type", "").lower()}
    _append(found, "media_content", media)


def _image(found: Found, element: Element) -> None:
    found["image"] = _fields(_IMAGE, element)


def _append(found: Found, key: str, value: Found) -> None:
    values = found.setdefault(key, [])
    if isinstance(values, list):
        values.append(value)


_ITEM: Mapping[str, Reader] = {
    "title": _title,
    "link": _link,
    "guid": _guid,
    "description": _description,
    f"{{{_CONTENT}}}encoded": _encoded,
    "pubDate": _date("published"),
    f"{{{_DC}}}date": _date("updated"),
    "author": _author,
    f"{{{_DC}}}creator": _author,
    f"{{{_DC}}}publisher": _literal("publisher"),
    "category": _category,
    f"{{{_DC}}}subject": _category,
    "source": _source,
    "enclosure": _enclosure,
    f"{{{_ATOM}}}link": _atom_link,
    f"{{{_MEDIA}}}content": _media_content,
    f"{{{_MEDIA}}}thumbnail": _unread,
    "comments": _ignored,
    f"{{{_DC}}}identifier": _ignored,
    f"{{{_SLASH}}}comments": _ignored,
    f"{{{_WFW}}}comment": _ignored,
    f"{{{_WFW}}}commentRss": _ignored,
}
_CHANNEL: Mapping[str, Reader] = {
    "title": _title,
    "link": _link,
    "description": _literal("subtitle"),
    "language": _literal("language"),
    "pubDate": _date("published"),
    "lastBuildDate": _date("updated"),
    "ttl": _literal("ttl"),
    f"{{{_SY}}}updatePeriod": _literal("sy_updateperiod"),
    f"{{{_SY}}}updateFrequency": _literal("sy_updatefrequency"),
    "generator": _literal("generator"),
    "managingEditor": _author,
    "webMaster": _literal("publisher"),
    f"{{{_ATOM}}}link": _atom_link,
    "category": _ignored,
    "cloud": _unread,
    "copyright": _ignored,
    "image": _image,
    "docs": _ignored,
    "rating": _ignored,
}
_IMAGE: Mapping[str, Reader] = {
    "url": lambda found, element: found.update(href=_address(_text(element))),
    "title": _ignored,
    "link": _ignored,
    "description": _ignored,
    "width": _ignored,
    "height": _ignored,
}
_REPEATED = frozenset(
    {"category", f"{{{_DC}}}subject", "enclosure", f"{{{_ATOM}}}link", f"{{{_MEDIA}}}content", f"{{{_MEDIA}}}thumbnail"}
)
