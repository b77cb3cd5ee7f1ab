"""What the page of an article asks beyond what the archive's own reader tells: names, versions, where it came from."""

from __future__ import annotations

from aggregator.archive.revisions import kept
from aggregator.browse.archives import Connection, Row, rows


def key_of(connection: Connection, article: int) -> str | None:
    """The key of an article by its number."""
    found = connection.execute("SELECT key FROM articles WHERE id = ?", [article]).fetchone()
    return str(found[0]) if found else None


def versions(connection: Connection, article: int) -> list[Row]:
    """An article's versions without their texts, oldest first; those that were erased are left out."""
    return rows(
        connection,
        "SELECT r.id, r.n, r.cause, r.title, r.page, r.parser, r.rules, r.rule, r.verdict, c.at AS seen"
        ' FROM revisions r JOIN commits c ON c.seq = r."commit"'
        f" WHERE r.article = ? AND {kept('r')} ORDER BY r.n",
        [article],
    )


def page(connection: Connection, number: int | None) -> Row | None:
    """Where and when a page was fetched, and whether its bytes are still kept."""
    found = rows(
        connection,
        "SELECT id, kind, url, via, final_url, status, fetched_at, sha256, size, bytes IS NOT NULL AS there"
        " FROM pages WHERE id = ?",
        [number],
    )
    return found[0] if found else None


def sightings(connection: Connection, article: int, until: int | None) -> list[Row]:
    """What feeds announced of an article, in the order in which we saw it; at most 100, those of a commit or before."""
    return rows(
        connection,
        "SELECT f.name AS feed, e.title, e.ctime, e.mtime, e.intime, e.published, c.at AS seen FROM entries e"
        ' JOIN feeds f ON f.id = e.feed JOIN commits c ON c.seq = e."commit"'
        ' WHERE e.article = :article AND (:until IS NULL OR e."commit" <= :until) ORDER BY e.id LIMIT 100',
        {"article": article, "until": until},
    )


def events(connection: Connection, article: int) -> list[Row]:
    """What happened to an article's page: that it was gone, or there again; oldest first."""
    return rows(
        connection,
        'SELECT e.kind, e.message, e.status, c.at FROM events e JOIN commits c ON c.seq = e."commit"'
        " WHERE e.article = ? ORDER BY e.id LIMIT 50",
        [article],
    )
