"""What feedparser found, read without its magic: its dictionaries answer ``updated`` with ``published`` and warn."""

from __future__ import annotations

from typing import TypeAlias

Found: TypeAlias = dict[str, object]


def text_at(found: Found, key: str) -> str:
    """The text under a key, trimmed; "" for what is missing or no text."""
    value = dict.get(found, key)
    return value.strip() if isinstance(value, str) else ""


def one(found: Found, key: str) -> Found:
    """The dictionary under a key, an empty one for anything else."""
    value = dict.get(found, key)
    return value if isinstance(value, dict) else {}


def several(found: Found, key: str) -> list[Found]:
    """The dictionaries in the list under a key, [] for anything else."""
    value = dict.get(found, key)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
