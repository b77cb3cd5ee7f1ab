"""Looking again: when each article's page is asked for once more, and what is done when it is not there any more.

The plan is the home feed's ``recheck``: so many seconds after the article was first seen. Due times are in the archive.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from typing import TYPE_CHECKING

from aggregator.archive import images
from aggregator.archive.lean import Database
from aggregator.archive.questions import LOOKS, at
from aggregator.archive.revising import revise
from aggregator.archive.rows import Commit, Value, add_page, commit, insert, transaction, update, when
from aggregator.archive.tasks import tasks_of
from aggregator.errors import AggregatorError, FetchError
from aggregator.model import Clock, Page, Pending, Settled, Validators
from aggregator.text.dates import iso, parse_iso
from aggregator.text.urls import host_of

if TYPE_CHECKING:
    from aggregator.articles.verdict import Verdict

CONFIRM = timedelta(
    hours=1
)  # one answer may be an accident: an article is gone when a second look, so much later, agrees
RETRY = timedelta(hours=1)  # after a look that failed
MOST_TRIES = 3  # at one look; then its next one is waited for
LEASE = timedelta(minutes=15)

_TOLD = ("absence", "absent_since", "absent_because", "checks", "last_checked")


@dataclass(frozen=True, slots=True)
class Recheck:
    """An article whose page is to be looked at again, under a lease. ``sha256`` is of the page its revision is from."""

    task: Pending
    validators: Validators
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Absence:
    """What tells that an article's page is not there: in a few words, the HTTP status, and the page if one came."""

    message: str
    status: int | None
    page: Page | None = None


def next_look(first_seen: datetime, steps: Sequence[int], now: datetime) -> datetime | None:
    """When a page that was read just now is looked at again: the first of the plan's instants still to come.

    Looks that were missed meanwhile are made up for by the one that was made. ``None`` when the plan is over.
    """
    return min((at for step in steps if (at := first_seen + timedelta(seconds=step)) > now), default=None)


def due(db: Database, clock: Clock, feed: str | None) -> int:
    """How many pages wait to be looked at again now."""
    row = db.execute(f"SELECT count(*) FROM ({LOOKS})", at(clock(), feed)).fetchone()
    return int(row[0])


def is_due(db: Database, clock: Clock) -> bool:
    """Whether any page waits to be looked at again now."""
    return db.execute(f"{LOOKS} LIMIT 1", at(clock())).fetchone() is not None


def claim(db: Database, clock: Clock, feed: str | None, limit: int) -> list[Recheck]:
    """Up to ``limit`` articles to look at again, newest first, claimed so that nobody else is handed them meanwhile.

    None that waits for its page anyway.
    """
    with transaction(db):
        now = clock()
        order = "ORDER BY a.date DESC, a.id LIMIT :limit"
        rows = db.execute(f"{LOOKS} {order}", at(now, feed) | {"limit": limit}).fetchall()
        claims = [(iso(now + LEASE), row[0]) for row in rows]
        db.conn.executemany("UPDATE rechecks SET claimed_until = ? WHERE article = ?", claims)
        return [_recheck(db, task) for task in tasks_of(db, [row[0] for row in rows])]


def _recheck(db: Database, task: Pending) -> Recheck:
    etag, last_modified, sha256 = db.execute(
        "SELECT etag, last_modified, p.sha256 FROM rechecks k JOIN articles a ON a.id = k.article"
        " JOIN revisions r ON r.id = a.revision LEFT JOIN pages p ON p.id = r.page WHERE k.article = ?",
        [task.article],
    ).fetchone()
    return Recheck(task, Validators(etag, last_modified), sha256)


def plan(db: Database, stamp: Callable[[], Commit], now: datetime, task: Pending, page: Page | None) -> None:
    """Plan the next look at an article that has been read just now, out of ``page`` if that came off the network.

    One that was gone is back. Inside the caller's transaction.
    """
    at = _next(db, task, now)
    known = db.execute("SELECT absence FROM rechecks WHERE article = ?", [task.article]).fetchone()
    if known is None and at is None:
        return
    if known and known[0] == "gone":
        _event(db, stamp(), "back", task, Absence("its page is there again", page.status if page else None), None)
    values: dict[str, Value] = {"due": at, "last_checked": iso(now), **_SETTLED}
    if page is not None and not page.unchanged:
        values |= {"etag": page.validators.etag, "last_modified": page.validators.last_modified}
    _set(db, task, values)


_SETTLED: dict[str, Value] = {"claimed_until": None, "tries": 0, "error_kind": None, "error": None}
_SETTLED |= {"absence": None, "absent_since": None, "evidence": None}


def looked(db: Database, clock: Clock, task: Pending, page: Page) -> None:
    """A look that found the page as it was: it is counted, and nothing else is kept."""
    with transaction(db):
        plan(db, cache(partial(commit, db, clock)), clock(), task, page)
        _count(db, task)


def settle(
    db: Database, clock: Clock, task: Pending, done: Settled, parser: str, verdict: Verdict | None = None
) -> bool:
    """A look that read the page; whether the article was edited, which is a new revision."""
    with transaction(db):
        stamp = cache(partial(commit, db, clock))
        _, fresh = revise(db, stamp, task, done, parser, verdict)
        images.queue(db, stamp, task.article, done.images)
        plan(db, stamp, clock(), task, done.page if isinstance(done.page, Page) else None)
        _count(db, task)
        return fresh


def absent(db: Database, clock: Clock, task: Pending, found: Absence, *, worked: bool) -> str | None:
    """The page of an article is not there: "missing", or "gone" when a second look agrees, which is an event.

    The text stays. Of a link without a text nothing can go missing: then this is one look more. ``worked``: the task
    was work, which is done.
    """
    with transaction(db):
        now = clock()
        state = _absence(db, cache(partial(commit, db, clock)), now, task, found)
        if worked:
            db.execute("DELETE FROM work WHERE article = ?", [task.article])
        else:
            _count(db, task)
        return state


def _absence(db: Database, stamp: Callable[[], Commit], now: datetime, task: Pending, found: Absence) -> str | None:
    if not task.has_text:
        plan(db, stamp, now, task, None)
        return None
    known = db.execute("SELECT absence, absent_since FROM rechecks WHERE article = ?", [task.article]).fetchone()
    state, since = (known[0], parse_iso(known[1])) if known and known[0] else (None, now)
    values: dict[str, Value] = {**_SETTLED, "last_checked": iso(now), "evidence": found.message}
    values["absent_since"] = iso(since)
    if state != "gone" and now < since + CONFIRM:
        _set(db, task, {**values, "absence": "missing", "due": iso(since + CONFIRM)})
        return "missing"
    if state != "gone":
        page = add_page(db, stamp(), "article", found.page) if found.page else None
        _event(db, stamp(), "gone", task, found, page)
    _set(db, task, {**values, "absence": "gone", "due": _next(db, task, now)})
    return "gone"


def failed(db: Database, clock: Clock, task: Pending, error: AggregatorError) -> None:
    """A look that came to nothing harms nothing: it is repeated a few times, then the plan's next one is waited for."""
    with transaction(db):
        now = clock()
        tries = db.execute("SELECT tries FROM rechecks WHERE article = ?", [task.article]).fetchone()[0] + 1
        held = error.retry_at if isinstance(error, FetchError) else None
        at = when(max(held or now, now + RETRY)) if tries < MOST_TRIES or held else _next(db, task, now)
        values: dict[str, Value] = {"claimed_until": None, "due": at, "tries": tries % MOST_TRIES}
        _set(db, task, {**values, "error_kind": error.kind, "error": str(error)})


def _next(db: Database, task: Pending, now: datetime) -> str | None:
    first_seen, steps = db.execute(
        "SELECT first_seen, recheck FROM articles a JOIN feeds f ON f.id = a.home_feed WHERE a.id = ?", [task.article]
    ).fetchone()
    return when(next_look(parse_iso(first_seen), json.loads(steps), now))


def _set(db: Database, task: Pending, values: dict[str, Value]) -> None:
    host = host_of(task.entry.link or "")
    db.execute(
        "INSERT INTO rechecks (article, host) VALUES (?, ?) ON CONFLICT DO UPDATE SET host = excluded.host",
        [task.article, host],
    )
    update(db, "rechecks", task.article, values)


def _count(db: Database, task: Pending) -> None:
    db.execute("UPDATE rechecks SET checks = checks + 1 WHERE article = ?", [task.article])


def _event(db: Database, stamp: Commit, kind: str, task: Pending, found: Absence, page: int | None) -> None:
    values: dict[str, Value] = {"kind": kind, "place": host_of(task.entry.link or ""), "subject": task.key}
    values |= {"message": found.message, "article": task.article, "status": found.status, "page": page}
    insert(db, "events", {**values, "commit": stamp.seq})


def told(db: Database, article: int, until: int | None) -> dict[str, Value]:
    """Whether an article's page is there: ``absence``, since when, and what told so; what events say of the past.

    ``checks`` and ``last_checked`` are known of now alone.
    """
    if until is None:
        columns = "absence, absent_since, evidence, checks, last_checked"
        row = db.execute(f"SELECT {columns} FROM rechecks WHERE article = ?", [article]).fetchone()
        return dict(zip(_TOLD, row or (None,) * len(_TOLD), strict=True))
    last = db.execute(
        'SELECT e.kind, c.at, e.message FROM events e JOIN commits c ON c.seq = e."commit"'
        " WHERE e.article = ? AND c.seq <= ? ORDER BY e.id DESC LIMIT 1",
        [article, until],
    ).fetchone()
    gone = last if last and last[0] == "gone" else (None, None, None)
    return dict.fromkeys(_TOLD) | dict(zip(_TOLD[:3], gone, strict=True))


def unclaim(db: Database) -> None:
    """Drop leases of a writer that is gone; for the holder of the writer's lock only."""
    with transaction(db):
        db.execute("UPDATE rechecks SET claimed_until = NULL WHERE claimed_until IS NOT NULL")
