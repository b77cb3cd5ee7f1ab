"""Watching sites: how each page was read, and the event when a host's pages drift out of bounds or come back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from zlib import crc32

from aggregator.archive.lean import Database
from aggregator.archive.rows import Commit, Value, as_json, insert
from aggregator.articles.drift import BEFORE, WINDOWS, drifts
from aggregator.model import Reading, Signs

_JUDGED_EVERY = 5  # readings of a host; judging 550 of them takes some milliseconds
_KEPT = BEFORE + max(WINDOWS)


def observe(db: Database, stamp: Commit, article: int, host: str, page: int | None, reading: Reading) -> None:
    """Note how a page was read; every few pages of a host, judge whether it drifts. Inside the caller's transaction."""
    values: dict[str, Value] = {"article": article, "host": host, "page": page, "outcome": reading.outcome}
    values |= {"signs": as_json(asdict(reading.signs)) if reading.signs else None, "commit": stamp.seq}
    number = insert(db, "readings", values)
    counted = "SELECT count(*) FROM (SELECT 1 FROM readings WHERE host = ? LIMIT ?)"
    (count,) = db.execute(counted, [host, _KEPT]).fetchone()
    # Beyond that, counting would cost more with every reading: one in so many is judged, whatever the hosts' order.
    if (count if count < _KEPT else crc32(b"%d" % number)) % _JUDGED_EVERY == 0:
        _judge(db, stamp, host)


def observe_listing(db: Database, stamp: Callable[[], Commit], feed: str, oddities: Sequence[str]) -> None:
    """Compare a listing's oddities with those known of its feed. Inside the caller's transaction."""
    where = list_of(feed)
    _compare(db, stamp, where, {f"{where}: {oddity}": f"{where}: {oddity} in its items" for oddity in oddities})


def rename_list(db: Database, stamp: Callable[[], Commit], old: str, new: str) -> None:
    """What is odd about a feed's listing is so under its new name, and no longer under the old one.

    The events of before stay as they were noted. Inside the caller's transaction.
    """
    before, after = list_of(old), list_of(new)
    open_ones = db.execute(f"SELECT subject, message FROM ({OPEN_DRIFTS}) WHERE place = ? ORDER BY id", [before])
    for subject, message in open_ones.fetchall():
        _event(db, stamp(), "drift_over", before, subject, f"the feed is called {new} now")
        renamed = (text.replace(before, after, 1) for text in (subject, message))
        _event(db, stamp(), "drift", after, *renamed)


def list_of(feed: str) -> str:
    """The place of an event that is about a feed's listing."""
    return f"the list of {feed}"


def _judge(db: Database, stamp: Commit, host: str) -> None:
    """Compare the drifts of a host with those known."""
    found = {drift.subject: drift.message for drift in drifts(host, _readings(db, host))}
    _compare(db, lambda: stamp, host, found)


def _compare(db: Database, stamp: Callable[[], Commit], where: str, found: Mapping[str, str]) -> None:
    """Add an event for each drift that has begun at a place, and for each that is over."""
    known = {row[0] for row in db.execute(f"SELECT subject FROM ({OPEN_DRIFTS}) WHERE place = ?", [where])}
    for subject in sorted(found.keys() - known):
        _event(db, stamp(), "drift", where, subject, found[subject])
    for subject in sorted(known - found.keys()):
        _event(db, stamp(), "drift_over", where, subject, f"{subject}: as it was, or usual by now")


# The drifts that have not ended: per subject the last event counts.
OPEN_DRIFTS = (
    'SELECT place, subject, message, "commit", max(id) AS id, kind FROM events'
    " WHERE kind IN ('drift', 'drift_over') GROUP BY subject HAVING kind = 'drift'"
)


def _event(db: Database, stamp: Commit, kind: str, place: str, subject: str, message: str) -> None:
    values: dict[str, Value] = {"kind": kind, "place": place, "subject": subject, "message": message}
    insert(db, "events", {**values, "commit": stamp.seq})


def _readings(db: Database, host: str) -> list[Reading]:
    """The last readings of a host, newest last."""
    rows = db.execute(
        "SELECT outcome, signs FROM readings WHERE host = ? ORDER BY id DESC LIMIT ?", [host, _KEPT]
    ).fetchall()
    return [Reading(outcome, _signs(text)) for outcome, text in reversed(rows)]


def _signs(text: str | None) -> Signs | None:
    if text is None:
        return None
    values = json.loads(text)
    return Signs(**{**values, "lines": tuple(values["lines"])})
