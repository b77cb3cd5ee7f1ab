"""When work that failed is tried again: after 1 minute, 10 minutes, 1 hour, 6 hours and a day; then it stays failed."""

from __future__ import annotations

from datetime import datetime, timedelta

from aggregator.archive.rows import Value, when
from aggregator.errors import AggregatorError, FetchError

RETRY_AFTER = (60, 600, 3_600, 21_600, 86_400)  # seconds; then it stays failed, visible
LEASE = timedelta(minutes=15)
_HELD = frozenset({"held", "rate_limited"})  # the host's trouble: no try is counted, the work waits


def failed(
    now: datetime, tries: int, error: AggregatorError, *, waits: frozenset[str], final: frozenset[str]
) -> dict[str, Value]:
    """The columns of a row of work that has failed once more, after ``tries`` failures.

    Kinds of error in ``waits`` are the host's trouble, as ``held`` and ``rate_limited`` always are: no try is counted.
    Those in ``final`` would come to the same again.
    """
    values: dict[str, Value] = {"claimed_until": None, "error_kind": error.kind, "error": str(error)}
    if error.kind in _HELD | waits:
        return values | {"state": "pending", "next_try": when(_ready(now, error))}
    over = error.kind in final or tries >= len(RETRY_AFTER)
    next_try = None if over else now + timedelta(seconds=RETRY_AFTER[tries])
    return values | {"state": "failed" if over else "pending", "next_try": when(next_try), "tries": tries + 1}


def _ready(now: datetime, error: AggregatorError) -> datetime:
    """When the host may be asked again, by its own word."""
    at = error.retry_at if isinstance(error, FetchError) else None
    return max(at, now) if at else now + timedelta(seconds=RETRY_AFTER[0])
