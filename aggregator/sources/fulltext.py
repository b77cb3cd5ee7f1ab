"""Whether what a listing carries is the whole article (``pages: auto`` then fetches no page)."""

from __future__ import annotations

from aggregator.text.html import plain

LEAST = 200  # characters of plain text; a shorter content may as well be a lead
_CUT = ("...", "…")


def is_whole(content: str) -> bool:
    """At least 200 characters of plain text that do not end in an ellipsis."""
    if len(content) < LEAST:
        return False
    text = plain(content).rstrip(" ]>）)")
    return len(text) >= LEAST and not text.endswith(_CUT)
