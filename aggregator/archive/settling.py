"""Work: handed out under a lease, and settled as a revision or as a failure that will be tried again."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from aggregator.archive import images, rechecks, retries
from aggregator.archive.apart import unstorable
from aggregator.archive.lean import Database
from aggregator.archive.questions import ARTICLES, at
from aggregator.archive.revising import New, add_revisions, kept_page, revise
from aggregator.archive.rows import Commit, Stamp, add_page, commit, stored_page, transaction, update, when
from aggregator.archive.sightings import latest_numbers
from aggregator.archive.tasks import tasks_of
from aggregator.archive.together import REFUSED, Done, all_of
from aggregator.archive.watching import observe
from aggregator.errors import AggregatorError
from aggregator.model import Clock, Hold, Page, Pending, Reading, Settled
from aggregator.text.dates import iso, parse_iso
from aggregator.text.urls import host_of

if TYPE_CHECKING:
    from aggregator.articles.verdict import Verdict

_HOST_TROUBLE = frozenset({"blocked"})  # not the article's: no try is counted, the article waits
_FINAL = frozenset({"robots"})  # trying again would give the same

_READ = ("wrong_page", "extract_failed")  # failures of a page that came whole: other rules may read it


def due(db: Database, clock: Clock, feed: str | None) -> int:
    """How many articles wait for work now."""
    row = db.execute(f"SELECT count(*) FROM ({ARTICLES})", at(clock(), feed)).fetchone()
    return int(row[0])


def pending(db: Database, clock: Clock, feed: str | None, limit: int, rules: str) -> list[Pending]:
    """The newest articles to work on, at most ``limit``, claimed so that nobody else is handed them meanwhile.

    They come in the order in which they were announced: what is stored side by side is written together.
    """
    if db.execute(f"{ARTICLES} LIMIT 1", at(clock(), feed)).fetchone() is None:
        return []  # as after most polls
    with transaction(db):
        now = clock()
        order = "ORDER BY articles.date DESC, articles.id LIMIT :limit"
        rows = db.execute(f"{ARTICLES} {order}", at(now, feed) | {"limit": limit}).fetchall()
        claims = [(iso(now + retries.LEASE), row[0]) for row in rows]
        db.conn.executemany("UPDATE work SET claimed_until = ? WHERE article = ?", claims)
        return _with_stored(db, tasks_of(db, sorted(row[0] for row in rows)), rules)


def readable_again(db: Database) -> list[Pending]:
    """The articles whose last page came whole but was not read, each with that page; nothing is claimed."""
    rows = db.execute("SELECT article FROM work WHERE error_kind IN (?, ?) ORDER BY article", _READ).fetchall()
    return [task for task in _with_stored(db, tasks_of(db, [row[0] for row in rows]), None) if task.stored]


def _with_stored(db: Database, tasks: Sequence[Pending], rules: str | None) -> list[Pending]:
    """Tasks with the last page that could not be read, if other rules than ``rules`` failed on it."""
    rows = db.execute(
        "SELECT w.article, max(r.id), p.id FROM json_each(?) CROSS JOIN work w ON w.article = value"
        " JOIN readings r ON r.article = w.article AND r.outcome = w.error_kind JOIN pages p ON p.id = r.page"
        " WHERE p.bytes IS NOT NULL AND coalesce(w.rules, '') IS NOT ? GROUP BY w.article",
        [json.dumps([task.article for task in tasks]), rules],
    )
    pages = {article: page for article, _, page in rows.fetchall()}
    return [_with_page(db, task, pages[task.article]) if task.article in pages else task for task in tasks]


def _with_page(db: Database, task: Pending, page: int) -> Pending:
    return replace(task, stored=stored_page(db, page), stored_id=page)


@dataclass(frozen=True, slots=True)
class Settling:
    """A change: what an article's page gave is stored, inside the caller's transaction."""

    clock: Clock
    task: Pending
    done: Settled
    parser: str
    verdict: Verdict | None = None

    def __call__(self, db: Database, stamp: Callable[[], Commit]) -> bool:
        """Whether that made a new revision; equal content makes none."""
        page, fresh = revise(db, stamp, self.task, self.done, self.parser, self.verdict)
        _follow(db, stamp, self, page)
        _take_off(db, self.clock(), [self.task])
        return fresh


def settle(db: Database, clock: Clock, ones: Sequence[Settling]) -> list[bool | AggregatorError]:
    """Store what the pages of articles gave, in one transaction; of each what it returned, or why it is not stored.

    Articles without a revision get their first ones together; where any of those cannot be stored, each by itself.
    """
    try:
        with transaction(db):
            stamp = Stamp(db, clock, careful=False)
            first = _without_revision(db, [one.task.article for one in ones])
            _settle_firsts(db, stamp, [one for one in ones if one.task.article in first])
            return [one.task.article in first or one(db, stamp) for one in ones]
    except REFUSED:
        return [_typed(one, done) for one, done in zip(ones, all_of(db, clock, ones), strict=True)]


def _typed(one: Settling, done: Done[bool]) -> bool | AggregatorError:
    if isinstance(done, bool | AggregatorError):
        return done
    return unstorable(one.task.entry.link or one.task.key, done)


def _without_revision(db: Database, articles: Sequence[int]) -> set[int]:
    """Those of the articles that have no revision, without what is there twice."""
    once = [article for article, times in Counter(articles).items() if times == 1]
    rows = db.execute(
        "SELECT id FROM articles WHERE id IN (SELECT value FROM json_each(?)) AND revision IS NULL", [json.dumps(once)]
    )
    return {article for (article,) in rows}


def _settle_firsts(db: Database, stamp: Callable[[], Commit], ones: Sequence[Settling]) -> None:
    if not ones:
        return
    pages = [kept_page(db, stamp, one.done) for one in ones]
    new = [New(one.task, one.done, page) for one, page in zip(ones, pages, strict=True)]
    add_revisions(db, stamp(), new, ones[0].parser)
    for one, page in zip(ones, pages, strict=True):
        _follow(db, stamp, one, page)
    _take_off(db, ones[0].clock(), [one.task for one in ones])


def _follow(db: Database, stamp: Callable[[], Commit], one: Settling, page: int | None) -> None:
    """What is noted beside a revision: how its page was read, its images, when it is looked at again."""
    task, done = one.task, one.done
    if done.signs:
        observe(db, stamp(), task.article, host_of(task.entry.link or ""), page, Reading("ok", done.signs))
    images.queue(db, stamp, task.article, done.images)
    if done.page is not None or done.article.reason == "not_found":
        rechecks.plan(db, stamp, one.clock(), task, done.page if isinstance(done.page, Page) else None)


def _take_off(db: Database, now: datetime, tasks: Sequence[Pending]) -> None:
    """Articles are settled; those of which an edit was announced while the page was on the way wait once more."""
    newest = latest_numbers(db, [(task.article, task.feed) for task in tasks if task.sighting is not None])
    settled = [task for task in tasks if task.sighting == newest.get(task.article)]
    again = [task for task in tasks if task.sighting != newest.get(task.article)]
    db.conn.executemany("DELETE FROM work WHERE article = ?", [(task.article,) for task in settled])
    waits = "state = 'pending', tries = 0, next_try = ?, claimed_until = NULL, error_kind = NULL, error = NULL"
    db.conn.executemany(f"UPDATE work SET {waits} WHERE article = ?", [(iso(now), task.article) for task in again])


def fail(db: Database, clock: Clock, task: Pending, error: AggregatorError, page: Page | None, rules: str) -> None:
    """Note why an article could not be had, keep the bytes that were no article, and say when to try again."""
    with transaction(db):
        now = clock()
        if page is not None and page.body:
            stamp = commit(db, clock)
            kept = add_page(db, stamp, "article", page)
            if error.kind in _READ:
                observe(db, stamp, task.article, host_of(page.url), kept, Reading(error.kind))
        tries = db.execute("SELECT tries FROM work WHERE article = ?", [task.article]).fetchone()[0]
        values = retries.failed(now, tries, error, waits=_HOST_TROUBLE, final=_FINAL)
        update(db, "work", task.article, values | {"rules": rules})


def still_unread(db: Database, task: Pending, error: AggregatorError, rules: str) -> None:
    """Note that the rules of now find no more in a stored page than older ones did; when it is tried next stays."""
    with transaction(db):
        update(db, "work", task.article, {"error_kind": error.kind, "error": str(error), "rules": rules})


def revive(db: Database, clock: Clock, rules: str | None) -> int:
    """Give failed work another round: all of it, or (``rules``) what other rules could not read. How much it was."""
    with transaction(db):
        which = "state = 'failed' OR next_try > :now" if rules is None else f"error_kind IN {_READ} AND rules <> :rules"
        changed = db.execute(
            f"UPDATE work SET state = 'pending', tries = 0, next_try = :now WHERE {which}",
            {"now": iso(clock()), "rules": rules},
        )
        return int(changed.rowcount)


def revive_kind(db: Database, clock: Clock, kind: str) -> int:
    """Give work that failed with this kind of error another round; how much it was."""
    with transaction(db):
        changed = db.execute(
            "UPDATE work SET state = 'pending', tries = 0, next_try = ? WHERE error_kind = ? AND state = 'failed'",
            [iso(clock()), kind],
        )
        return int(changed.rowcount)


def release(db: Database, articles: Sequence[int]) -> None:
    """Give claimed articles back that nobody got to."""
    with transaction(db):
        db.conn.executemany("UPDATE work SET claimed_until = NULL WHERE article = ?", [(one,) for one in articles])


def unclaim(db: Database) -> None:
    """Drop leases of a writer that is gone; for the holder of the writer's lock only."""
    with transaction(db):
        db.execute("UPDATE work SET claimed_until = NULL WHERE claimed_until IS NOT NULL")


def hold(db: Database, holds: Sequence[Hold]) -> None:
    """Remember which hosts want to be left alone, and until when; a host without an instant is free again."""
    with transaction(db):
        for one in holds:
            db.execute(
                "INSERT INTO hosts (host, next_allowed_at, failures, reason) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE"
                " SET next_allowed_at = excluded.next_allowed_at,"
                " failures = excluded.failures, reason = excluded.reason",
                [one.host, when(one.until), one.failures, one.reason],
            )


def holds(db: Database) -> list[Hold]:
    """The hosts that were held at last, with how often in a row they refused."""
    rows = db.execute("SELECT host, next_allowed_at, failures, reason FROM hosts").fetchall()
    return [
        Hold(host, parse_iso(until) if until else None, failures, reason or "")
        for host, until, failures, reason in rows
    ]
