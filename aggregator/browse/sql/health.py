"""How feeds are: what the page of feeds and that of a feed ask."""

from __future__ import annotations

from aggregator.browse.archives import Connection, Row, rows

_POLLS = 50
_FEED = (
    "SELECT f.*, h.next_allowed_at, h.reason AS held_why FROM feeds f LEFT JOIN hosts h USING (host)"
    " WHERE f.source NOT IN ('url', 'import')"
)


def feeds(connection: Connection) -> list[Row]:
    """All feeds, those in use first, in the configuration's order."""
    return rows(connection, f"{_FEED} ORDER BY f.active DESC, f.position LIMIT 1000")


def feed(connection: Connection, name: str) -> Row | None:
    """A feed by its name."""
    return next(iter(rows(connection, f"{_FEED} AND f.name = ?", [name])), None)


def polls(connection: Connection, number: int) -> list[Row]:
    """A feed's last polls at which something happened, the newest first."""
    return rows(
        connection,
        "SELECT c.at, p.status, p.listed, p.new, p.changed, p.error_kind, p.error, p.warnings, p.page FROM polls p"
        ' JOIN commits c ON c.seq = p."commit" WHERE p.feed = ? ORDER BY p.id DESC LIMIT ?',
        [number, _POLLS],
    )


def last_answer(connection: Connection, number: int) -> Row | None:
    """The last answer of a feed that is kept: a listing that could not be read, else its newest item."""
    found = rows(
        connection,
        "SELECT g.id, g.kind, g.url, g.status, g.size, coalesce(g.fetched_at, c.at) AS at, g.sha256, g.codec"
        " FROM (SELECT page FROM (SELECT page FROM polls WHERE feed = :feed ORDER BY id DESC LIMIT 200)"
        ' WHERE page NOT NULL LIMIT 1) p JOIN pages g ON g.id = p.page JOIN commits c ON c.seq = g."commit"'
        " UNION ALL SELECT g.id, g.kind, g.url, g.status, g.size, coalesce(g.fetched_at, c.at), g.sha256, g.codec"
        " FROM (SELECT page FROM entries WHERE feed = :feed ORDER BY id DESC LIMIT 1) e JOIN pages g ON g.id = e.page"
        ' JOIN commits c ON c.seq = g."commit"',
        {"feed": number},
    )
    return found[0] if found else None


def waiting(connection: Connection, number: int) -> list[Row]:
    """The feed's articles that could not be had so far; of its newest 200 sightings."""
    return rows(
        connection,
        "SELECT DISTINCT a.id, e.title, w.state, w.tries, w.next_try, w.error_kind, w.error FROM"
        " (SELECT article, title FROM entries WHERE feed = ? ORDER BY id DESC LIMIT 200) e"
        " JOIN work w ON w.article = e.article JOIN articles a ON a.id = e.article LIMIT 50",
        [number],
    )
