"""What the front page asks: the news of a day, its channels, and how the archive stands.

Nothing here looks at more than a day of an index, or at one row a feed.
"""

from __future__ import annotations

from dataclasses import dataclass

from aggregator.browse.archives import Connection, Row, rows

# When an article appeared: as its source says, else when we first saw it. The index ``articles_news`` has just this.
_AT = "coalesce(a.published, a.first_seen)"
_SHOWN = f"a.revision IS NOT NULL AND {_AT} >= :first AND {_AT} < :next"
_COVER = (
    "(SELECT i.sha256 FROM image_fetches g JOIN images i ON i.id = g.image"
    " WHERE g.url = r.cover AND i.bytes IS NOT NULL ORDER BY g.id DESC LIMIT 1)"
)
# What a line of news tells of an article ``a`` in its revision ``r``. ``before`` and ``after`` are the reprints that
# were seen before and after it; ``live`` is a line of the 7x24, often with the title of an article to come.
LINE = (
    f"a.id, r.title, r.media, r.published, a.first_seen, {_AT} AS at, f.name AS feed, r.n, r.reason, {_COVER} AS cover,"
    " a.key GLOB 'sina:live:*' AS live,"
    " (SELECT count(*) FROM links WHERE b = a.id) AS before, (SELECT count(*) FROM links WHERE a = a.id) AS after,"
    " (SELECT absence FROM rechecks WHERE article = a.id) AS absence"
)
LINE_FROM = "articles a JOIN revisions r ON r.id = a.revision LEFT JOIN feeds f ON f.id = a.home_feed"
_SIGN_OF_LIFE = (
    "EXISTS (SELECT 1 FROM commits WHERE at >= h.first AND at < h.next)"
    " OR EXISTS (SELECT 1 FROM feeds f CROSS JOIN poll_hours p ON p.feed = f.id AND p.hour = h.first WHERE f.active)"
)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of time, from its first instant up to the next one's, and perhaps of one feed."""

    first: str
    next: str
    feed: int | None = None

    @property
    def values(self) -> dict[str, object]:
        """As parameters."""
        return {"first": self.first, "next": self.next, "feed": self.feed}

    @property
    def condition(self) -> str:
        """As a condition on an article ``a``; the plus keeps SQLite from looking at all that a feed ever had."""
        return _SHOWN if self.feed is None else f"{_SHOWN} AND +a.home_feed = :feed"


def newest(connection: Connection, now: str) -> str | None:
    """When the last article appeared; the source's own word, but for what it dates into the future."""
    found = connection.execute(
        f"SELECT max({_AT}) FROM articles a WHERE a.revision IS NOT NULL AND {_AT} <= ?", [now]
    ).fetchone()
    return str(found[0]) if found[0] else None


def neighbours(connection: Connection, stretch: Stretch) -> tuple[str | None, str | None]:
    """When the last article before a stretch appeared, and the first one after it."""
    row = connection.execute(
        f"SELECT (SELECT max({_AT}) FROM articles a WHERE a.revision IS NOT NULL AND {_AT} < :first),"
        f" (SELECT min({_AT}) FROM articles a WHERE a.revision IS NOT NULL AND {_AT} >= :next)",
        stretch.values,
    ).fetchone()
    return row[0], row[1]


def count(connection: Connection, stretch: Stretch) -> int:
    """How many articles appeared."""
    found = connection.execute(f"SELECT count(*) FROM articles a WHERE {stretch.condition}", stretch.values)
    return int(found.fetchone()[0])


def by_feed(connection: Connection, day: Stretch) -> dict[int, int]:
    """How many articles of which home feed appeared."""
    found = connection.execute(f"SELECT a.home_feed, count(*) FROM articles a WHERE {_SHOWN} GROUP BY 1", day.values)
    return dict(found)


def lines(connection: Connection, stretch: Stretch, limit: int, offset: int) -> list[Row]:
    """The news of a stretch, newest first."""
    return rows(
        connection,
        f"SELECT {LINE} FROM {LINE_FROM} WHERE {stretch.condition}"
        f" ORDER BY {_AT} DESC, a.id DESC LIMIT :limit OFFSET :offset",
        {**stretch.values, "limit": limit, "offset": offset},
    )


def body(connection: Connection, article: int) -> Row:
    """The body of an article's current revision, and the rule it was read by."""
    found = rows(
        connection,
        "SELECT r.body, r.rule FROM articles a JOIN revisions r ON r.id = a.revision WHERE a.id = ?",
        [article],
    )
    return found[0] if found else {"body": "", "rule": None}


def channels(connection: Connection) -> list[Row]:
    """The feeds in use, in the configuration's order, with their health."""
    return rows(
        connection,
        "SELECT id, name, json_extract(categories, '$[2]') AS label, status, error, newest, last_polled, last_success,"
        " every, failures FROM feeds WHERE active AND source NOT IN ('url', 'import') ORDER BY position",
    )


def size(connection: Connection) -> Row:
    """How much there is, by the last numbers given: rows of these tables are never taken out."""
    (row,) = rows(
        connection,
        "SELECT (SELECT max(id) FROM articles) AS articles, (SELECT max(id) FROM revisions) AS revisions,"
        " (SELECT max(id) FROM entries) AS sightings, (SELECT min(at) FROM commits) AS since,"
        " (SELECT first_seen FROM articles ORDER BY id DESC LIMIT 1) AS last_new,"
        " (SELECT at FROM commits ORDER BY seq DESC LIMIT 1) AS last_commit,"
        " (SELECT max(last_polled) FROM feeds) AS last_polled,"
        " (SELECT count(*) FROM (SELECT 1 FROM work LIMIT 1000)) AS waiting",
    )
    return row


def silent_hours(connection: Connection, first: str, hours: int) -> list[str]:
    """The beginnings of the whole hours from ``first`` on in which nothing was polled, oldest first.

    Hours before the archive's first commit do not count.
    """
    found = connection.execute(
        "WITH RECURSIVE hour(n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM hour WHERE n + 1 < :hours),"
        " h(first, next) AS MATERIALIZED (SELECT strftime('%Y-%m-%dT%H:00:00Z', :first, n || ' hours'),"
        " strftime('%Y-%m-%dT%H:00:00Z', :first, (n + 1) || ' hours') FROM hour)"
        f" SELECT h.first FROM h WHERE h.next > (SELECT min(at) FROM commits) AND NOT ({_SIGN_OF_LIFE})",
        {"first": first, "hours": hours},
    )
    return [hour for (hour,) in found]


def gaps(connection: Connection, first: str) -> list[Row]:
    """Of how many times since ``first`` something may be missing: being read back (``open``), and given up (``lost``).

    Of the newest 1,000 gaps; one that is open counts whatever its age.
    """
    return rows(
        connection,
        "SELECT state, count(*) AS n FROM (SELECT state, until FROM gaps WHERE id > (SELECT max(id) - 1000 FROM gaps))"
        " WHERE state = 'open' OR (state = 'lost' AND until > ?) GROUP BY 1",
        [first],
    )
