"""What waits for work, as SQL with the values of ``at``."""

from __future__ import annotations

from datetime import datetime, timedelta

from aggregator.text.dates import iso

# A listing is had within a minute or not at all. After a crash its feed waits so long, and no longer: if it was this
# feed that brought the program down, the others are polled before it is tried again.
LEASE = timedelta(minutes=5)
# No server may ask for more than a day. A next poll further ahead than that, twice the interval and some grace comes
# from a clock that was wrong.
_FAR = 2 * 86_400  # seconds
# A clock is put right by seconds now and then: a time that lies ahead by so little was told by a right one.
_SLIP = timedelta(minutes=1)
# Who asks only now and then, as cron does, takes what is due so many seconds later, or a tenth of its interval if that
# is less. A time that a server has told is kept to.
EARLY = 30
_FILLED_EVERY = timedelta(days=30)  # exchanges publish their holidays late and close for storms

FEEDS = (
    "SELECT name, host FROM feeds WHERE active AND enabled"
    " AND (coalesce(claimed_until, '') <= :now OR claimed_until > :lease)"
    " AND (probe_at <= :now OR coalesce(status, '') <> 'gone'"
    "  AND (coalesce(next_due, '') <= :now OR last_polled > :ahead"
    "   OR :early > 0 AND due_why IN ('every', 'arrivals', 'failing')"
    "  AND julianday(next_due) - julianday(:now) <= min(:early, every / 10.0) / 86400.0"
    "   OR julianday(next_due) - julianday(:now) > (:far + 2 * coalesce(slowest, every)) / 86400.0))"
    " ORDER BY next_due, position"
)
"""The feeds whose next poll is due, longest waiting first, each with the host it is asked at."""

ARTICLES = (
    "SELECT article FROM work JOIN articles ON articles.id = work.article WHERE state = 'pending' AND next_try <= :now"
    " AND coalesce(claimed_until, '') <= :now AND host NOT IN (SELECT host FROM hosts WHERE next_allowed_at > :now)"
    " AND (:feed IS NULL OR EXISTS (SELECT 1 FROM entries JOIN feeds ON feeds.id = entries.feed"
    " WHERE entries.article = work.article AND feeds.name = :feed))"
)
"""The articles whose page is to be fetched."""

LOOKS = (
    "SELECT k.article FROM rechecks k INDEXED BY rechecks_due CROSS JOIN articles a ON a.id = k.article"
    " CROSS JOIN feeds f ON f.id = a.home_feed"
    " WHERE k.due <= :now AND coalesce(k.claimed_until, '') <= :now AND f.recheck <> '[]'"
    " AND f.enabled AND (f.active OR f.source = 'url') AND (:feed IS NULL OR f.name = :feed)"
    " AND k.host NOT IN (SELECT host FROM hosts WHERE next_allowed_at > :now)"
    " AND k.article NOT IN (SELECT article FROM work WHERE state = 'pending')"
)
"""The articles whose page is to be looked at again; by what is due, whatever SQLite has learnt of the tables."""

IMAGES = (
    "FROM image_work WHERE state = 'pending' AND next_try <= :now AND coalesce(claimed_until, '') <= :now"
    " AND host NOT IN (SELECT host FROM hosts WHERE next_allowed_at > :now)"
)
"""The images that are to be fetched."""

CALENDARS = "SELECT 1 FROM calendars WHERE version = :version AND filled > :filled"
"""Whether the trading sessions of this version of the calendars were filled in lately."""


def at(now: datetime, feed: str | None = None, early: int = 0) -> dict[str, str | int | None]:
    """The values of a question: asked at an instant, of a feed's articles only if one is named.

    ``early``: seconds by which a feed may be due later, see ``EARLY``.
    """
    return {
        "now": iso(now),
        "feed": feed,
        "early": early,
        "lease": iso(now + LEASE + _SLIP),
        "ahead": iso(now + _SLIP),
        "far": _FAR,
        "filled": iso(now - _FILLED_EVERY),
    }
