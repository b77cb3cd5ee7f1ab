"""The clock of the real world."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> datetime:
    """The instant that it is."""
    return datetime.now(UTC)
