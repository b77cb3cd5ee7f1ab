"""What a poll leaves behind: entries and articles announced, failures."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import groupby
from typing import NamedTuple

from aggregator.archive import auditing, gaps, health, sweeping
from aggregator.archive.apart import UNSTORABLE, attempt, set_apart, storable
from aggregator.archive.arrivals import add_articles, add_entries, add_keys, add_new
from aggregator.archive.dropping import DROPPED
from aggregator.archive.forgetting import forgotten
from aggregator.archive.importing import has_imported, matching
from aggregator.archive.lean import Database
from aggregator.archive.questions import ARTICLES, at
from aggregator.archive.renumbering import tell, under_new_ids
from aggregator.archive.rows import (
    Commit,
    Stamp,
    add_page,
    bounded_as_json,
    commit,
    count_poll,
    feed_id_of,
    insert,
    transaction,
    update,
    when,
)
from aggregator.archive.watching import observe_listing
from aggregator.errors import AggregatorError
from aggregator.intervals import Chance
from aggregator.model import Announced, Clock, Discovery, Entry, Feed, Noted, Page
from aggregator.text.dates import iso
from aggregator.text.urls import host_of

_MOST_LINKS = 5  # another link under the same words is noted, and looked at, so often
_CHUNK = 500  # values in one IN (…), SQLite's oldest limit is 999; articles that are held as rows


class Comparable(NamedTuple):
    """What is compared to tell whether a feed says anything new of an article."""

    title: str
    updated: str | None
    content: str | None
    lids: str | None
    link: str | None


@dataclass(frozen=True, slots=True)
class Noting:
    """A change: one poll's outcome is stored, inside the caller's transaction."""

    clock: Clock
    chance: Chance
    feed: Feed
    found: Discovery

    def __call__(self, db: Database, stamp: Stamp) -> Noted:
        """What was new in it."""
        feed, found = self.feed, self.found
        feed_id = feed_id_of(db, feed.name)
        query = "SELECT status, warnings, last_success, newest, swept, reach, absent FROM feeds WHERE id = ?"
        *before, last, newest, swept, reach, absent = db.execute(query, [feed_id]).fetchone()
        now = self.clock()
        known = _named(db, found.entries)
        renumbered = _renumbered(db, stamp, feed, feed_id, found.entries, known)
        noted = note_entries(db, stamp, feed_id, found.entries, renumbered, None if renumbered else known)
        if found.oddities is not None:
            observe_listing(db, stamp, feed.name, found.oddities)
        if found.digest and last and not noted.overlap:
            read = last if last <= iso(now) else newest or last  # a clock that was wrong told more
            gaps.note_missing_overlap(db, stamp(), feed_id, gaps.told_until(db, feed_id, read))
        looked = sweeping.swept_by(now, found, swept, reach)
        looked |= auditing.audited(db, stamp, feed_id, found, partial(known_articles, db), absent)
        health.succeeded(db, feed, feed_id, now, found, noted.arrived, self.chance, looked)
        remarks = filter(None, (health.follow(db, feed_id, found), noted.remark))
        behind = gaps.any_open(db, feed_id) or sweeping.is_due(now, looked)
        waiting = bool(noted.new or noted.changed) or _is_waited_for(db, now, feed)
        noted = replace(noted, remark="; ".join(remarks) or None, behind=behind, waiting=waiting)
        warnings = before[1] if found.warnings is None else bounded_as_json(found.warnings)
        if noted.new or noted.changed or noted.remark or before != [found.status, warnings]:
            update(db, "feeds", feed_id, {"warnings": warnings})
            _poll_row(db, feed_id, stamp(), found.status, found.listed, noted, warnings=warnings)
        else:
            count_poll(db, feed_id, now, found.status)
        return noted


def _is_waited_for(db: Database, now: datetime, feed: Feed) -> bool:
    """Whether articles of a feed wait for work; it may look through all that do, so it is asked as a last resort."""
    return db.execute(f"{ARTICLES} LIMIT 1", at(now, feed.name)).fetchone() is not None


def blame(
    db: Database, clock: Clock, chance: Chance, feed: Feed, status: str, error: AggregatorError, page: Page | None
) -> None:
    """A failed poll: its status and error on the feed. Validators do not advance, so that no 304 hides it for ever.

    The bytes of a listing that could not be read are kept once per kind of failure, not once per poll.
    """
    with transaction(db):
        feed_id = feed_id_of(db, feed.name)
        row = db.execute("SELECT status, error_kind FROM feeds WHERE id = ?", [feed_id]).fetchone()
        now = clock()
        if (status, error.kind) == (row[0], row[1]):
            count_poll(db, feed_id, now, status)
        else:
            stamp = commit(db, clock)
            kept = add_page(db, stamp, "listing", page) if page is not None and page.body else None
            _poll_row(db, feed_id, stamp, status, 0, Noted(), error=error, page=kept)
        health.failed(db, feed, feed_id, now, status, error, chance)


def _poll_row(
    db: Database,
    feed: int,
    stamp: Commit,
    status: str,
    listed: int,
    noted: Noted,
    *,
    error: AggregatorError | None = None,
    page: int | None = None,
    warnings: str | None = None,
) -> None:
    insert(
        db,
        "polls",
        {
            "feed": feed,
            "status": status,
            "listed": listed,
            "new": noted.new,
            "changed": noted.changed,
            "error_kind": error.kind if error else None,
            "error": str(error) if error else noted.remark,
            "page": page,
            "warnings": warnings,
            "commit": stamp.seq,
        },
    )


def _named(db: Database, announced: Sequence[Announced]) -> dict[str, int]:
    """Which articles the entries of a listing name, by their keys."""
    return known_articles(db, [key for one in announced for key in one.keys if storable(key)])


def _renumbered(
    db: Database,
    stamp: Stamp,
    feed: Feed,
    feed_id: int,
    announced: Sequence[Announced],
    known: dict[str, int],
) -> frozenset[int]:
    """The places in a listing of known articles whose ids have all changed; they get the new ones as further names.

    Such a sighting is no edit. Where it happens at every poll, it is noted a few times, as another link is.
    """
    found = under_new_ids(db, feed_id, announced, known)
    said = _said(db, feed_id, set(found.values()))
    fresh = [place for place, article in found.items() if len(said[article]) <= _MOST_LINKS]
    for place in fresh:
        one = announced[place]
        done = attempt(
            db, stamp, partial(_add_sighting, db, feed_id=feed_id, article=found[place], one=one, known=known)
        )
        if isinstance(done, Exception):
            del found[place]  # it is told with the rest
            continue
        known |= dict.fromkeys((key for key in one.keys if key not in known), found[place])
    if fresh:
        tell(db, stamp, feed.name, len(found), len(announced))
    return frozenset(found)


def note_entries(
    db: Database,
    stamp: Stamp,
    feed_id: int,
    listed: Sequence[Announced],
    renumbered: Container[int] = frozenset(),
    known: dict[str, int] | None = None,
) -> Noted:
    """Sightings of a listing: what is new becomes an article with work to do, what changed is noted and done again.

    ``known``: the articles that it names, where the caller knows them already.
    """
    announced = [one for place, one in enumerate(listed) if place not in renumbered]
    known = _named(db, announced) if known is None else known
    said = _said(db, feed_id, set(known.values()))
    times = Counter(one.keys[0] for one in announced)
    erased = forgotten(db)
    overlap = gaps.reaches_back(db, feed_id, listed, renumbered, gaps.Before(known, {*said}, erased))
    imports = has_imported(db)
    runs = {} if imports else _fresh_runs(announced, known)
    added: dict[str, int] = {}
    note_it = partial(_note_entry, db, feed_id=feed_id, known=known, imports=imports)
    new = changed = arrived = 0
    refused: list[tuple[Entry, Exception]] = []
    for one in announced:
        if run := runs.get(one.keys[0]):
            added |= _add_new(db, stamp, feed_id, run)
        if one.keys[0] in added:
            continue
        article = next((known[key] for key in one.keys if key in known), None)
        if article in erased:
            continue
        before = said[article] if article is not None else []
        now = _comparable(one.entry)
        if isinstance(now, Comparable) and before and _is_no_news(now, before, repeated=times[one.keys[0]] > 1):
            continue
        done = attempt(db, stamp, partial(note_it, article=article, one=one, said=bool(before)))
        if isinstance(done, Exception) or isinstance(now, Exception):
            refused.append((one.entry, next(error for error in (now, done) if isinstance(error, Exception))))
            continue
        if one.entry.lids and not (before or done.new):
            auditing.turned_up(db, stamp, feed_id, done.article)
        new, changed, arrived = new + done.new, changed + done.changed, arrived + (not before)
        known |= dict.fromkeys((key for key in one.keys if key not in known), done.article)
        said[done.article].append(now)
    remark = set_apart(db, stamp, feed_id, refused)
    fresh = len(set(added.values()))
    new, arrived = new + fresh, arrived + fresh
    known_ones = len(listed) - new - len(refused)
    return Noted(new, known_ones, changed, arrived, overlap or not arrived, remark=remark)


def _fresh_runs(announced: Sequence[Announced], known: Container[str]) -> dict[str, list[Announced]]:
    """What can be stored at once, as it follows each other, by the first one's first key.

    Those are the sightings of articles that nothing names yet, and that the listing has once.
    """
    times = Counter(key for one in announced for key in set(one.keys))
    runs = groupby(announced, lambda one: not any(key in known or times[key] > 1 for key in one.keys))
    fresh = [list(run) for is_fresh, run in runs if is_fresh]
    parts = [run[start : start + _CHUNK] for run in fresh for start in range(0, len(run), _CHUNK)]
    return {part[0].keys[0]: part for part in parts}


def _add_new(db: Database, stamp: Stamp, feed_id: int, fresh: Sequence[Announced]) -> dict[str, int]:
    """New articles by their keys; none where any of them cannot be stored: then each is tried by itself."""
    numbers = attempt(db, stamp, partial(add_new, db, feed_id=feed_id, ones=fresh)) if fresh else ()
    if isinstance(numbers, Exception):
        return {}
    return {key: number for number, one in zip(numbers, fresh, strict=True) for key in one.keys}


class _Done(NamedTuple):
    article: int
    new: bool = False
    changed: int = 0


def _note_entry(
    db: Database,
    stamp: Commit,
    *,
    feed_id: int,
    article: int | None,
    one: Announced,
    known: dict[str, int],
    said: bool,
    imports: bool,
) -> _Done:
    """One sighting; ``said``: this feed has announced the article before. ``imports``: documents were taken in."""
    if article is not None:
        edited = said or _moved(db, article, one.entry)
        done = _Done(article, changed=_ask_again(db, stamp, article, one.entry) if edited else 0)
    elif imports and (imported := matching(db, one)) is not None:
        _ask_again(db, stamp, imported, one.entry)
        done = _Done(imported)
    else:
        done = _Done(add_articles(db, stamp, [one])[0], new=True)
    _add_sighting(db, stamp, feed_id, done.article, one, known)
    return done


def _add_sighting(
    db: Database, stamp: Commit, feed_id: int, article: int, one: Announced, known: Mapping[str, int]
) -> None:
    """An entry of a known article, with the names it was not known by."""
    add_keys(db, stamp, [(key, article) for key in one.keys if key not in known])
    add_entries(db, stamp, feed_id, [(article, one.entry)])


def known_articles(db: Database, keys: Sequence[str]) -> dict[str, int]:
    """Which of the keys name an article already."""
    found: dict[str, int] = {}
    for start in range(0, len(keys), _CHUNK):
        some = keys[start : start + _CHUNK]
        rows = db.execute(f"SELECT key, article FROM keys WHERE key IN ({','.join('?' * len(some))})", some)
        found |= dict(rows.fetchall())
    return found


def _said(db: Database, feed_id: int, articles: Iterable[int]) -> defaultdict[int, list[Comparable]]:
    """All that this feed has said of each article, oldest first."""
    found: defaultdict[int, list[Comparable]] = defaultdict(list)
    listed = list(articles)
    for start in range(0, len(listed), _CHUNK):
        some = listed[start : start + _CHUNK]
        rows = db.execute(
            "SELECT article, title, updated, iif(full_text, content, NULL), lids, link FROM entries"
            f" WHERE feed = ? AND article IN ({','.join('?' * len(some))}) ORDER BY id",
            [feed_id, *some],
        )
        for article, *values in rows:
            found[article].append(Comparable(*values))
    return found


def _is_no_news(now: Comparable, before: Sequence[Comparable], *, repeated: bool) -> bool:
    """Whether a feed says what it has said. Last time; or ever, for an article it lists several times at once.

    A feed that gives an article another link at every poll is listened to a few times.
    """
    if before[-1].lids is None:  # as an older version noted it
        now = now._replace(lids=None)
    if now == before[-1] or (repeated and now in before):
        return True
    links = [one.link for one in before if one[:-1] == now[:-1]]
    return len(links) > _MOST_LINKS and before[-1][:-1] == now[:-1]


def _comparable(entry: Entry) -> Comparable | Exception:
    """What makes an entry a changed one; or why that cannot be told.

    Summaries, counters and the index time move without an edit.
    """
    try:
        content, lids = entry.original if entry.full_text else None, auditing.as_stored(entry.lids)
        return Comparable(entry.title, when(entry.updated), content, lids, entry.link)
    except UNSTORABLE as error:
        return error


def _moved(db: Database, article: int, entry: Entry) -> bool:
    """Whether a feed that sees the article for the first time knows of a later edit, or may want what others drop."""
    known, reason = db.execute("SELECT updated, reason FROM articles WHERE id = ?", [article]).fetchone()
    return reason == DROPPED or bool(known and entry.updated and iso(entry.updated) > known)


def _ask_again(db: Database, stamp: Commit, article: int, entry: Entry) -> int:
    """Queue an article that was edited; once per edit, however many feeds announce it."""
    known, reason = db.execute("SELECT updated, reason FROM articles WHERE id = ?", [article]).fetchone()
    updated = when(entry.updated)
    if known and updated and updated <= known and reason != DROPPED:
        return 0
    if updated and updated > (known or ""):
        update(db, "articles", article, {"updated": updated})
    if reason == DROPPED:
        update(db, "articles", article, {"reason": None})
    db.execute(
        "INSERT INTO work (article, host, state, next_try) VALUES (?, ?, 'pending', ?)"
        " ON CONFLICT DO UPDATE SET state = 'pending', tries = 0, next_try = excluded.next_try",
        [article, host_of(entry.link or ""), iso(stamp.at)],
    )
    return 1
