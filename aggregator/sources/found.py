"""What feedparser found, read without its magic: its dictionaries answer ``updated`` with ``published`` and warn."""

from __future__ import annotations

import re
from typing import TypeAlias

Found: TypeAlias = dict[str, object]


def text_at(found: Found, key: str) -> str:
    """The text under a key, trimmed; "" for what is missing or no text."""
    value = dict.get(found, key)
    return value.strip() if isinstance(value, str) else ""


def number_at(found: Found, key: str) -> int | None:
    """The whole number under a key, ``None`` for anything else or one of more than nine digits."""
    text = text_at(found, key)
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None


def one(found: Found, key: str) -> Found:
    """The dictionary under a key, an empty one for anything else."""
    value = dict.get(found, key)
    return value if isinstance(value, dict) else {}


def several(found: Found, key: str) -> list[Found]:
    """The dictionaries in the list under a key, [] for anything else."""
    value = dict.get(found, key)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
