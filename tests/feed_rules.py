"""What a published feed must be: RFC 4287 for Atom with what the W3C's validator refuses beyond it, JSON Feed 1.1.

Written from the standards and apart from our writers, so that the two can disagree.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from lxml import etree, html

ATOM = "{http://www.w3.org/2005/Atom}"
_ONE = {"feed": ("id", "title", "updated"), "entry": ("id", "title", "updated")}
_AT_MOST_ONE = {
    "feed": ("generator", "icon", "logo", "rights", "subtitle"),
    "entry": ("content", "published", "rights", "source", "summary"),
}
_PEOPLE = ("author", "contributor")
_SEVERAL = {"feed": (*_PEOPLE, "category", "link", "entry"), "entry": (*_PEOPLE, "category", "link")}
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
# RFC 2141, which the validator goes by.
_URN = re.compile(r"urn:[a-z0-9][a-z0-9-]{1,31}:([a-z0-9()+,\-.:=@;$_!*']|%[0-9a-f]{2})+", re.I)
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*:/{0,2}(\[[0-9a-f:.]+\])?([\w\-.~:/?#@!$&'()*+,;=]|%[0-9a-fA-F]{2})+", re.I)
_MIME = re.compile(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+(;.*)?", re.I)
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_DANGEROUS = {"script", "style", "iframe", "object", "embed", "form", "meta", "link", "base", "applet", "frame"}


def atom_faults(feed: bytes) -> list[str]:
    """Everything that is wrong with an Atom document; nothing where it is valid."""
    try:
        root = etree.fromstring(feed, etree.XMLParser(resolve_entities=False, huge_tree=True))
    except etree.XMLSyntaxError as error:
        return [f"not well-formed: {error}"]
    if root.tag != f"{ATOM}feed":
        return [f"the root is {root.tag}"]
    return [*_container(root, "feed"), *_unique(root), *_everywhere(root)]


def _container(element: Any, kind: str) -> Iterator[str]:
    counts = Counter(child.tag for child in element)
    for name in _ONE[kind]:
        if counts[f"{ATOM}{name}"] != 1:
            yield f"{kind} has {counts[f'{ATOM}{name}']} {name}"
    for name in _AT_MOST_ONE[kind]:
        if counts[f"{ATOM}{name}"] > 1:
            yield f"{kind} has several {name}"
    known = {f"{ATOM}{name}" for name in (*_ONE[kind], *_AT_MOST_ONE[kind], *_SEVERAL[kind])}
    yield from (f"{kind} holds {tag}" for tag in counts if tag.startswith(ATOM) and tag not in known)
    if kind == "feed":
        for entry in element.iterfind(f"{ATOM}entry"):
            yield from _entry(element, entry)


def _entry(feed: Any, entry: Any) -> Iterator[str]:
    yield from _container(entry, "entry")
    if not any(one.find(f"{ATOM}author") is not None for one in (feed, entry)):
        yield "an entry without an author"
    alternates = [one for one in entry.iterfind(f"{ATOM}link") if one.get("rel", "alternate") == "alternate"]
    if entry.find(f"{ATOM}content") is None and not alternates:
        yield "an entry with neither content nor an alternate link"
    kinds = Counter((one.get("type"), one.get("hreflang")) for one in alternates)
    if any(count > 1 for count in kinds.values()):
        yield "two alternate links of one kind"


def _unique(feed: Any) -> Iterator[str]:
    ids = Counter(one.text for one in feed.iter(f"{ATOM}id"))
    yield from (f"id used {count} times: {name}" for name, count in ids.items() if count > 1)


def _everywhere(feed: Any) -> Iterator[str]:
    for element in feed.iter(f"{ATOM}*"):
        check = _CHECKS.get(element.tag.removeprefix(ATOM))
        yield from check(element) if check else ()


def _id(element: Any) -> Iterator[str]:
    text = element.text or ""
    if not (_URN if text.lower().startswith("urn:") else _ADDRESS).fullmatch(text):
        yield f"no IRI: {text!r}"


def _instant(element: Any) -> Iterator[str]:
    if not _is_instant(element.text or ""):
        yield f"no instant: {element.text!r}"


def _is_instant(text: str) -> bool:
    if not _INSTANT.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _person(element: Any) -> Iterator[str]:
    names = [one.text or "" for one in element.iterfind(f"{ATOM}name")]
    if len(names) != 1 or not names[0].strip():
        yield f"a person with the names {names}"
    if any(not _EMAIL.fullmatch(one.text or "") for one in element.iterfind(f"{ATOM}email")):
        yield "an email that is none"


def _words(element: Any) -> Iterator[str]:
    """A text construct, or content: its type, and what may stand in it."""
    kind = element.get("type", "text")
    if kind not in ("text", "html", "xhtml") and not (element.tag == f"{ATOM}content" and _MIME.fullmatch(kind)):
        yield f"type {kind}"
    if kind in ("text", "html") and len(element):
        yield f"elements inside {kind}"
    if kind == "html":
        yield from _markup(element.text or "")
    elif element.tag == f"{ATOM}title" and not (element.text or "").strip():
        yield "a blank title"


def _markup(text: str) -> Iterator[str]:
    if not text.strip():
        return
    for node in html.fragments_fromstring(text):
        for one in node.iter(etree.Element) if not isinstance(node, str) else ():
            if one.tag in _DANGEROUS or any(name.startswith("on") for name in one.attrib):
                yield f"dangerous: <{one.tag}>"
            yield from (f"leads nowhere: {one.get(name)}" for name in ("href", "src") if _relative(one.get(name)))


def _relative(address: str | None) -> bool:
    return address is not None and not urlsplit(address).scheme


def _link(element: Any) -> Iterator[str]:
    if not _ADDRESS.fullmatch(element.get("href", "")):
        yield f"a link to {element.get('href')!r}"
    if element.get("type") and not _MIME.fullmatch(element.get("type")):
        yield f"a link of type {element.get('type')}"


def _category(element: Any) -> Iterator[str]:
    if not element.get("term", "").strip():
        yield "a category without a term"


_CHECKS = {
    **{"id": _id, "updated": _instant, "published": _instant, "author": _person, "contributor": _person},
    **dict.fromkeys(("title", "subtitle", "summary", "rights", "content"), _words),
    **{"link": _link, "category": _category},
}


def json_feed_faults(feed: bytes) -> list[str]:
    """Everything that is wrong with a JSON Feed; nothing where it is valid."""
    found = json.loads(feed)
    if found.get("version") != "https://jsonfeed.org/version/1.1" or not isinstance(found.get("items"), list):
        return ["no JSON Feed 1.1"]
    faults = [] if isinstance(found.get("title"), str) and found["title"].strip() else ["no title"]
    ids = Counter(item.get("id") for item in found["items"])
    faults += [f"id used {count} times: {name}" for name, count in ids.items() if count > 1]
    return [*faults, *(fault for item in found["items"] for fault in _item(item))]


def _item(item: dict[str, Any]) -> Iterator[str]:
    if not isinstance(item.get("id"), str) or not item["id"]:
        yield f"an id that is none: {item.get('id')!r}"
    if not any(isinstance(item.get(name), str) for name in ("content_html", "content_text")):
        yield "an item without content"
    yield from _markup(item.get("content_html") or "")
    for name in ("date_published", "date_modified"):
        if name in item and not _is_instant(item[name]):
            yield f"no instant: {item[name]!r}"
    if "url" in item and not _ADDRESS.fullmatch(item["url"]):
        yield f"a link to {item['url']!r}"
    if not all(isinstance(one, str) and one.strip() for one in item.get("tags", [])):
        yield "a tag that is none"
    if not all(one.get("name") for one in item.get("authors", [{"name": "-"}])):
        yield "an author without a name"
