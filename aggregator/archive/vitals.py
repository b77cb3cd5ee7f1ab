"""Numbers by which a running daemon is watched: none costs more to ask for in a larger archive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from aggregator.archive import jobs
from aggregator.archive.lean import Database
from aggregator.health import Polled
from aggregator.text.dates import iso, parse_iso


class FeedVitals(NamedTuple):
    """A feed that is to be polled: its status, its last success, whether its next poll is due."""

    name: str
    status: str | None
    last_success: datetime | None
    due: bool

    @property
    def polled(self) -> Polled:
        """What its last poll came to."""
        return Polled(self.name, self.status)


class Lag(NamedTuple):
    """Seconds from an article's publication, by a clock of its source's (``intime``, ``published``), to first sight."""

    clock: str
    seconds: float


class JobVitals(NamedTuple):
    """A job of the daemon's: when it last came to its end, how often it has failed since."""

    name: str
    ended: datetime | None
    failures: int


@dataclass(frozen=True, slots=True)
class Vitals:
    """The state of an archive: its feeds, and how many articles and images wait (``pending``) or failed for good."""

    feeds: tuple[FeedVitals, ...]
    pending: int
    failed: int
    images: int
    deliveries: tuple[tuple[str, int, int], ...] = ()  # of each hook: its name, how many wait, how many were given up
    jobs: tuple[JobVitals, ...] = ()
    gaps: tuple[int, int] = (0, 0)  # times of which something may be missing: being read back, given up


@dataclass(frozen=True, slots=True)
class Growth:
    """What came since: rows by their numbers, so that nothing is counted twice."""

    entry: int = 0
    revision: int = 0
    entries: int = 0
    causes: tuple[tuple[str, int], ...] = ()
    lags: tuple[Lag, ...] = ()


def vitals(db: Database, now: datetime) -> Vitals:
    """The state at the moment."""
    feeds = db.execute(
        "SELECT name, status, last_success, coalesce(next_due, '') <= ? AND coalesce(status, '') <> 'gone' FROM feeds"
        " WHERE active AND enabled ORDER BY position",
        [iso(now)],
    )
    pending, failed, images = db.execute(
        "SELECT (SELECT count(*) FROM work WHERE state = 'pending'),"
        " (SELECT count(*) FROM work WHERE state = 'failed'), (SELECT count(*) FROM image_work WHERE state = 'pending')"
    ).fetchone()
    told = tuple(FeedVitals(name, status, parse_iso(at) if at else None, bool(due)) for name, status, at, due in feeds)
    deliveries = db.execute(
        "SELECT name, (SELECT count(*) FROM deliveries WHERE hook = h.id AND state = 'waiting'),"
        " (SELECT count(*) FROM deliveries WHERE hook = h.id AND state = 'dead') FROM hooks h WHERE active ORDER BY id"
    ).fetchall()
    known = tuple(JobVitals(name, ran.ended, ran.failures) for name, ran in jobs.runs(db).items())
    gaps = db.execute(
        "SELECT count(*) FILTER (WHERE state = 'open'), count(*) FILTER (WHERE state = 'lost') FROM gaps"
        " JOIN feeds f ON f.id = feed WHERE f.active AND f.enabled"
    ).fetchone()
    return Vitals(told, pending, failed, images, tuple(deliveries), known, gaps)


def newest(db: Database) -> Growth:
    """Where the archive stands: what is counted from now on comes behind it."""
    entry, revision = db.execute(
        "SELECT (SELECT coalesce(max(id), 0) FROM entries), (SELECT coalesce(max(id), 0) FROM revisions)"
    ).fetchone()
    return Growth(entry, revision)


def growth(db: Database, before: Growth) -> Growth:
    """What came behind ``before``."""
    now = newest(db)
    span = {"entry": before.entry, "entry_end": now.entry, "revision": before.revision, "revision_end": now.revision}
    (entries,) = db.execute("SELECT count(*) FROM entries WHERE id > :entry AND id <= :entry_end", span).fetchone()
    causes = db.execute(
        "SELECT cause, count(*) FROM revisions WHERE id > :revision AND id <= :revision_end GROUP BY cause", span
    ).fetchall()
    return Growth(now.entry, now.revision, entries, tuple(causes), tuple(_lags(db, span)))


def _lags(db: Database, span: dict[str, int]) -> Iterator[Lag]:
    """The lag of each article seen for the first time, but not of what a feed had listed before it was ever polled."""
    rows = db.execute(
        "SELECT intime, published, at FROM ("
        ' SELECT e.intime, e.published, c.at, e.feed, e."commit" AS seq FROM entries e'
        " JOIN articles a ON a.id = e.article"
        ' JOIN commits c ON c.seq = e."commit" WHERE e.id > :entry AND e.id <= :entry_end AND a."commit" = e."commit"'
        ') seen WHERE EXISTS (SELECT 1 FROM polls p WHERE p.feed = seen.feed AND p."commit" < seen.seq)',
        span,
    )
    for intime, published, at in rows:
        clock, told = ("intime", intime) if intime else ("published", published)
        if told:
            yield Lag(clock, (parse_iso(at) - parse_iso(told)).total_seconds())
