"""The news of a day."""

from __future__ import annotations

from aggregator.browse.archives import Connection, Row, rows

_LATEST = (
    "SELECT a.id, a.title, a.media, a.published, a.first_seen, f.name AS feed FROM articles a"
    " LEFT JOIN feeds f ON f.id = a.home_feed WHERE a.revision IS NOT NULL AND a.reason IS NOT 'dropped'"
    " ORDER BY a.published DESC LIMIT :limit"
)


def latest(connection: Connection, limit: int) -> list[Row]:
    """The articles published last."""
    return rows(connection, _LATEST, {"limit": limit})
