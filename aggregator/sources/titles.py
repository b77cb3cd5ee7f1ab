"""Titles of entries: bounded, so that no listing can fill a page of ours with one line."""

from __future__ import annotations

LONGEST = 1000  # characters; the longest headline known is under 200


def shortened(title: str) -> tuple[str, list[str]]:
    """The title cut at ``LONGEST`` characters, and the remark that says so, if it was cut."""
    if len(title) <= LONGEST:
        return title, []
    return title[:LONGEST], [f"title of {len(title)} characters cut at {LONGEST}"]
