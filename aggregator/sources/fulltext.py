"""Whether what a listing carries is the whole article (``pages: auto`` then fetches no page)."""

from __future__ import annotations

import re
from html import unescape

from aggregator.text.html import plain

LEAST = 200  # characters of plain text; a shorter content may as well be a lead
_TAG = re.compile(r"<[^<>]*>")  # what cleaned HTML holds of "<" and ">" is tags, or ">" in a text
_CUT = ("...", "…")


def is_whole(content: str) -> bool:
    """At least 200 characters of plain text that do not end in an ellipsis."""
    if len(content) < LEAST:
        return False
    loose = unescape(_TAG.sub("\n", content))  # at least as long as the plain text
    if len(loose) < LEAST:
        return False
    dense = "".join(loose.split()).rstrip("]>）)")  # at most as long
    if len(dense) >= LEAST and not dense.endswith(_CUT):
        return True
    text = plain(content).rstrip(" ]>）)")
    return len(text) >= LEAST and not text.endswith(_CUT)
