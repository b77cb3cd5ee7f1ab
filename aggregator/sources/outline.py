"""Where the items of an XML feed begin and end, told by one scan of its text, without a parser.

It serves three ends: an entry's raw slice is kept, a feed's digest covers its items only, and a feed cut in the middle
is told from a whole one, so that half an item never becomes an entry.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from aggregator.sources.refusal import root_of

_TOKEN = re.compile(r"<!--|<!\[CDATA\[|<(?P<end>/?)(?:[A-Za-z_][\w.-]*+:)?(?:item|entry)(?=[\s/>])")
_ENDS = {"<!--": "-->", "<![CDATA[": "]]>"}


@dataclass(frozen=True, slots=True)
class Outline:
    """The items as (start, end) offsets; ``root`` names the first element; ``opened`` is where an unended item is."""

    root: str
    items: tuple[tuple[int, int], ...]
    opened: int | None


def outline(text: str) -> Outline:
    """The outline of a feed's text, in linear time. Markup in comments and CDATA sections does not count."""
    items: list[tuple[int, int]] = []
    opened: int | None = None
    at = 0
    while found := _TOKEN.search(text, at):
        skipped = _ENDS.get(found[0])
        at = text.find(skipped or ">", found.end())
        if at < 0:
            if not skipped and not found["end"]:
                opened = found.start()
            break
        at += len(skipped or ">")
        if skipped:
            continue
        if not found["end"] and text[at - 2] != "/":
            opened = found.start()
            continue
        start = opened if found["end"] else found.start()
        if start is not None:
            items.append((start, at))
        opened = None
    return Outline(root_of(text), tuple(items), opened)


def around(text: str, seen: Outline) -> str:
    """The feed's text before its first item and behind its last one."""
    return text[: seen.items[0][0]] + text[seen.items[-1][1] :] if seen.items else text


def mended(text: str, seen: Outline) -> str | None:
    """A text that ends before its root element does, cut back to its whole items and closed; ``None`` for a whole text.

    Without any whole item there is nothing to cut back to: then only the item that has begun is dropped.
    """
    if not seen.root or re.search(rf"</{re.escape(seen.root)}\s*>|<{re.escape(seen.root)}\b[^<>]*/>", text):
        return None
    end = seen.items[-1][1] if seen.items else seen.opened
    if end is None:
        return text
    kept = text[:end]
    if seen.root.lower() == "rss" and "</channel" not in kept:
        kept += "</channel>"
    return f"{kept}</{seen.root}>"
