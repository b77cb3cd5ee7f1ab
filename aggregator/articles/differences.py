"""How two readings of one article differ, field by field, and whether the difference is an edit by its source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from aggregator.model import Article
from aggregator.text.dates import iso

# What a source corrects. Not `modified`, which moves with every save and every counter, nor keywords and cover, which
# sites choose by themselves.
_CORRECTED = ("original_title", "published", "author", "media", "editor", "symbols")
_DERIVED = ("modified", "editor_code", "keywords", "cover", "html", "rule")


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that two readings give differently, as it is stored; ``None`` is unknown. "text" holds fingerprints."""

    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Reading:
    """An article as it was read at one time, and the fingerprint of its text."""

    article: Article
    fingerprint: str


def is_edit(before: Reading, after: Reading) -> bool:
    """Whether the source has changed the article: other words, another title, or a field that is another one now.

    A field that only is no longer found is none: templates lose fields, sources hardly ever take one back.
    """
    if any(one.field in ("title", "reason", "text") for one in _named(before, after, ("title", "reason"))):
        return True
    return any(one.after is not None for one in _named(before, after, _CORRECTED) if one.field != "text")


def differences(before: Reading, after: Reading) -> list[Difference]:
    """Everything in which two readings differ that is derived from the page."""
    return list(_named(before, after, ("title", "reason", *_CORRECTED, *_DERIVED)))


def _named(before: Reading, after: Reading, names: tuple[str, ...]) -> Iterator[Difference]:
    for name in names:
        was, now = _shown(getattr(before.article, name)), _shown(getattr(after.article, name))
        if was != now:
            yield Difference(name, was, now)
    if before.fingerprint != after.fingerprint:
        yield Difference("text", before.fingerprint, after.fingerprint)


def _shown(value: object) -> str | None:
    """A field's value for comparing: instants in whole seconds, lists without their order, nothing is ``None``."""
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, tuple):
        return ", ".join(sorted(map(str, value))) or None
    return str(value) if value else None
