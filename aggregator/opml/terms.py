"""What the words of an outline mean in config.yaml, and back: folders, and the settings other readers do not know.

Folders become the three categories, missing ones the feed's host: in A it is filed under A, host, host; in A/B under A,
B, host; in A/B/C/D under A, B and C－D. A feed in no folder has no categories of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from aggregator.config import UNFILED

NAMESPACE = "urn:aggregator:feed"  # of the settings below, as attributes
JOINED = "－"
_XML = "http://www.w3.org/XML/1998/namespace"
_XMLNS = "http://www.w3.org/2000/xmlns/"
_SOURCES = {
    "sina-roll": re.compile(r"https?://feed\.mix\.sina\.com\.cn/api/roll/get\?", re.I),
    "sina-live": re.compile(
        r"https?://(?:zhibo\.sina\.com\.cn/api/zhibo/feed\?|app\.cj\.sina\.com\.cn/api/news/pc)", re.I
    ),
    "sina-column": re.compile(r"https?://finance\.sina\.com\.cn/roll/(?:c/\d+\.shtml|index\.d\.html)", re.I),
    "sina-company": re.compile(r"https?://(?:vip\.stock|money)\.finance\.sina\.com\.cn/corp/", re.I),
}
_UNITS = ((86_400, "d"), (3600, "h"), (60, "m"))


def categories_of(folders: Sequence[str], host: str) -> list[str] | None:
    """The three categories of a feed that stands in these folders; ``None`` for a feed in none."""
    named = [name for name in folders if name]
    if not named:
        return None
    deepest = [JOINED.join(named[2:])] if named[2:] else []
    found = [*named[:2], *deepest]
    return found + [host] * (3 - len(found))


def folders_of(categories: Sequence[str], host: str) -> list[str]:
    """The fewest folders from which the same categories come back."""
    if list(categories) == [UNFILED, host, host]:
        return []
    number = 3
    while number > 1 and categories[number - 1] == host:
        number -= 1
    return list(categories[:number])


def source_of(url: str) -> str:
    """The source of a feed of which only the address is known."""
    return next((name for name, shape in _SOURCES.items() if shape.match(url)), "feed")


def declaration(prefix: str, space: str) -> str:
    """The namespace to declare for a prefix: its own, or one made up where it has none or none that it may have."""
    return space if space not in ("", NAMESPACE, _XML, _XMLNS) else f"urn:undeclared:{prefix}"


def _switch(value: object) -> str:
    return str(value).lower()


def _duration(value: object) -> str:
    seconds = int(str(value))
    found = next(((seconds // size, unit) for size, unit in _UNITS if not seconds % size), (seconds, "s"))
    return f"{found[0]}{found[1]}"


def _json(value: object) -> str:
    return json.dumps(dict(value) if isinstance(value, Mapping) else value, ensure_ascii=False)


def _terms(value: object) -> str:
    """The terms of ``keep`` and ``drop`` as the configuration writes them."""
    terms = value if isinstance(value, tuple) else ()
    return _json([term.text if term.part == "any" else {term.part: term.text} for term in terms])


def _ways(value: object) -> str:
    ways = value if isinstance(value, tuple) else ()
    return _json([{"source": way.source, "url": way.url} for way in ways])


def _from_switch(text: str) -> object:
    return {"true": True, "false": False}.get(text, text)


def _from_json(text: str) -> object:
    try:
        found: object = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return found


# A feed's settings that become attributes where they are not what an empty configuration would make them: how each is
# written, and read. What cannot be read stays a text, and the configuration's own check says what is wrong with it.
SETTINGS: Mapping[str, tuple[Callable[[object], str], Callable[[str], object]]] = MappingProxyType(
    {
        "source": (str, str),
        "every": (_duration, str),
        "enabled": (_switch, _from_switch),
        "pages": (str, _from_switch),
        "zone": (str, str),
        "expect_newest_within": (_duration, str),
        "recheck": (_json, _from_json),
        "images": (str, str),
        "retry_after_scope": (str, str),
        "encoding": (str, str),
        "headers": (_json, _from_json),
        "keep": (_terms, _from_json),
        "drop": (_terms, _from_json),
        "fallback": (_ways, _from_json),
    }
)
