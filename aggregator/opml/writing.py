"""The feeds of config.yaml -> an OPML 2.0 file: valid for other readers, and whole for this program."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlsplit, urlunsplit

from aggregator.config import Settings
from aggregator.config.feedrow import FeedRow
from aggregator.model import Feed
from aggregator.opml.terms import NAMESPACE, SETTINGS, declaration, folders_of, source_of
from aggregator.text.dates import rfc1123
from aggregator.text.urls import host_of

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;", "\t": "&#9;"})
_SPEC = "http://opml.org/spec2.opml"
Attributes = Mapping[str, str]


def write(settings: Settings, created: datetime, *, secrets: bool = False) -> str:
    """The file's text, in UTF-8 as it says: the same for the same feeds and ``created``.

    Feeds stand in the order of the configuration, so a folder may come twice. Unless ``secrets`` are asked for, headers
    and the user and password of an address are left out.
    """
    feeds = list(zip(settings.feeds, settings.feed_list(), strict=True))
    shared = _shared_prefixes([row.opml for row, _ in feeds])
    spaces = {"xmlns:aggregator": NAMESPACE, **{f"xmlns:{prefix}": space for prefix, space in shared.items()}}
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<opml version="2.0"{_written(spaces)}>',
        "  <head>",
        "    <title>Feeds of aggregator</title>",
        f"    <dateCreated>{rfc1123(created)}</dateCreated>",
        f"    <docs>{_SPEC}</docs>",
        "  </head>",
        "  <body>",
        *_body([(_folders(row, feed), _attributes(row, feed, shared, secrets)) for row, feed in feeds]),
        "  </body>",
        "</opml>",
    ]
    return "\n".join(lines) + "\n"


def _body(outlines: Sequence[tuple[Sequence[str], Attributes]]) -> Iterator[str]:
    """Each feed in its folders; what follows in the same ones goes on in them."""
    opened: list[str] = []
    for folders, attributes in outlines:
        same = next((n for n, pair in enumerate(zip(opened, folders, strict=False)) if pair[0] != pair[1]), None)
        depth = min(len(opened), len(folders)) if same is None else same
        while len(opened) > depth:
            opened.pop()
            yield f"{_indent(opened)}</outline>"
        for name in folders[depth:]:
            yield f"{_indent(opened)}<outline{_written({'text': name})}>"
            opened.append(name)
        yield f"{_indent(opened)}<outline{_written(attributes)}/>"
    while opened:
        opened.pop()
        yield f"{_indent(opened)}</outline>"


def _indent(opened: Sequence[str]) -> str:
    return "  " * (len(opened) + 2)


def _written(attributes: Attributes) -> str:
    return "".join(f' {name}="{value.translate(_ESCAPES)}"' for name, value in attributes.items())


def _folders(row: FeedRow, feed: Feed) -> list[str]:
    found = folders_of(feed.categories, host_of(feed.url))
    # Without any folder a category attribute would file it; so the one that says "in none" is written out.
    return found or ([feed.categories[0]] if any(name.lower() == "category" for name in row.opml) else [])


def _attributes(row: FeedRow, feed: Feed, shared: Mapping[str, str], secrets: bool) -> Attributes:
    """An outline's attributes: what every reader knows, what was kept of an import, and our own settings."""
    kept = {name: value for name, value in row.opml.items() if not name.startswith("xmlns:")}
    known = {"text": feed.name, "title": kept.pop("title", feed.name), "type": kept.pop("type", "rss")}
    known["xmlUrl"] = feed.url if secrets else _without_credentials(feed.url)
    prefixes = {name.split(":")[0] for name in kept if ":" in name and not name.startswith("xml:")} - set(shared)
    spaces = {f"xmlns:{prefix}": _space(prefix, row.opml) for prefix in sorted(prefixes)}
    return {**known, **spaces, **kept, **_settings(feed, secrets)}


def _settings(feed: Feed, secrets: bool) -> Attributes:
    """Our own settings that an import into an empty configuration would not come to by itself."""
    bare = {"name": feed.name, "source": "feed", "url": feed.url}
    plain = Settings.model_validate({"feeds": [bare]}).feed_list()[0]
    bared = replace(feed, fallback=tuple(replace(way, url=_without_credentials(way.url)) for way in feed.fallback))
    found: dict[str, str] = {}
    for key, (text_of, _) in SETTINGS.items():
        value = getattr(feed if secrets else bared, key)
        usual = source_of(feed.url) if key == "source" else getattr(plain, key)
        by_news = key == "every" and feed.slowest is not None  # the file's `interval`, nothing of the feed's own
        if value != usual and not by_news and (secrets or key != "headers"):
            found[f"aggregator:{key}"] = text_of(value)
    return found


def _shared_prefixes(rows: Sequence[Attributes]) -> Mapping[str, str]:
    """The prefixes that mean the same wherever they are used: declared once, on the root."""
    spaces: dict[str, set[str]] = {}
    for row in rows:
        for name in row:
            prefix, colon, _ = name.partition(":")
            if colon and prefix not in ("xml", "xmlns"):
                spaces.setdefault(prefix, set()).add(_space(prefix, row))
    return {prefix: next(iter(found)) for prefix, found in sorted(spaces.items()) if len(found) == 1}


def _space(prefix: str, row: Attributes) -> str:
    return declaration(prefix, row.get(f"xmlns:{prefix}", ""))


def _without_credentials(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])) if "@" in parts.netloc else url
