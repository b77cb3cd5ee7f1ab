"""What the pictures are drawn from. Each is bounded by an index or by the newest rows, not by the archive's size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aggregator.browse.archives import Connection, Row, rows
from aggregator.coverage import Missing, Watched
from aggregator.text.dates import parse_iso

NEWEST = 10_000  # articles that are looked at
_SIGHTINGS = 5_000  # likewise: half of them and nine in ten are no others among twice as many
_AT = "coalesce(a.published, a.first_seen)"
_GOOD = "('ok', 'unchanged', 'degraded', 'empty', 'stale')"


@dataclass(frozen=True, slots=True)
class Hour:
    """What is known of a feed's polls in an hour."""

    polls: int
    failed: int


def feeds(connection: Connection) -> list[Row]:
    """The feeds in use, in the configuration's order."""
    return rows(
        connection, "SELECT id, name FROM feeds WHERE active AND source NOT IN ('url', 'import') ORDER BY position"
    )


def now(connection: Connection) -> str | None:
    """When something was last polled or stored."""
    row = connection.execute(
        "SELECT max(coalesce((SELECT max(last_polled) FROM feeds), ''),"
        " coalesce((SELECT at FROM commits ORDER BY seq DESC LIMIT 1), ''))"
    ).fetchone()
    return str(row[0]) or None


def by_hour(connection: Connection, first: str, until: str) -> dict[tuple[int, int], int]:
    """How many articles appeared in which hour of the day in Shanghai, by home feed and hour; the newest 10,000."""
    found = connection.execute(
        "SELECT home_feed, cast(strftime('%H', at, '+8 hours') AS INTEGER), count(*) FROM"
        f" (SELECT a.home_feed, {_AT} AS at FROM articles a WHERE a.revision IS NOT NULL"
        f" AND {_AT} >= :first AND {_AT} < :until ORDER BY {_AT} DESC LIMIT :most)"
        " WHERE home_feed NOT NULL GROUP BY 1, 2",
        {"first": first, "until": until, "most": NEWEST},
    )
    return {(feed, hour): count for feed, hour, count in found}


def polls(connection: Connection, first: str) -> Mapping[tuple[int, str], Hour]:
    """The polls of each feed and hour from an hour on; an hour is its first instant."""
    found = connection.execute(
        "WITH polled(feed, hour, polls, failed) AS ("
        f" SELECT p.feed, p.hour, p.polls, iif(p.status IN {_GOOD}, 0, p.polls) FROM feeds f"
        " CROSS JOIN poll_hours p ON p.feed = f.id AND p.hour >= :first"
        " UNION ALL SELECT p.feed, strftime('%Y-%m-%dT%H:00:00Z', c.at), 1, p.error_kind IS NOT NULL"
        ' FROM commits c CROSS JOIN polls p ON p."commit" = c.seq WHERE c.at >= :first)'
        " SELECT feed, hour, sum(polls), sum(failed) FROM polled GROUP BY feed, hour",
        {"first": first},
    )
    return {(feed, hour): Hour(count, failed) for feed, hour, count, failed in found}


def watched(connection: Connection, first: str) -> dict[int, Watched]:
    """Since when and until when each feed that was ever read was watched, and the gaps that reach beyond ``first``."""
    found = connection.execute(
        'SELECT f.id, f.name, (SELECT c.at FROM polls p JOIN commits c ON c.seq = p."commit" WHERE p.feed = f.id'
        " AND p.error_kind IS NULL ORDER BY p.id LIMIT 1) AS begun, f.last_success FROM feeds f"
        " WHERE f.active AND f.last_success NOT NULL"
    )
    gaps: dict[int, list[Missing]] = {}
    for feed, since, until in connection.execute(
        "SELECT feed, since, min(until, coalesce(reached, until)) FROM gaps WHERE state <> 'filled'"
        " AND cause = 'no overlap' AND until > ?"
        " AND since < coalesce(reached, until) ORDER BY id DESC LIMIT ?",
        [first, NEWEST],
    ):
        gaps.setdefault(feed, []).append(Missing(parse_iso(since), parse_iso(until)))
    return {
        feed: Watched(name, parse_iso(begun or last), parse_iso(last), tuple(gaps.get(feed, ())), {}, {}, {})
        for feed, name, begun, last in found.fetchall()
    }


def lags(connection: Connection) -> list[tuple[int, float | None, float]]:
    """Of the newest 5,000 sightings: feed, Sina's lag and ours, in seconds from its ``ctime``; 0 where
    clocks run ahead of each other.

    Only what a feed announced for the first time, and not what it had listed before it was ever polled.
    """
    first = dict(
        connection.execute(
            'SELECT id, (SELECT "commit" FROM entries WHERE feed = f.id ORDER BY id LIMIT 1) FROM feeds f'
        )
    )
    found = connection.execute(
        'SELECT e.feed, e."commit", max(0, julianday(e.intime) - julianday(e.ctime)) * 86400,'
        " max(0, julianday(c.at) - julianday(e.ctime)) * 86400"
        ' FROM (SELECT id, feed, article, ctime, intime, "commit" FROM entries ORDER BY id DESC LIMIT :most) e'
        ' JOIN commits c ON c.seq = e."commit" WHERE e.ctime NOT NULL'
        " AND NOT EXISTS (SELECT 1 FROM entries WHERE article = e.article AND feed = e.feed AND id < e.id)",
        {"most": _SIGHTINGS},
    )
    return [(feed, source, ours) for feed, seq, source, ours in found if seq > first[feed]]
