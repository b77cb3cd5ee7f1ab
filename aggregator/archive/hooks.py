"""What is told to others: each hook's place in the sequence of commits, and what is still to be delivered.

Facts are read, never copied: a delivery names the row that is told. A hook's place and the deliveries found up to it
are stored in one transaction, so that every fact is told at least once whenever the process ends.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from aggregator.archive.lean import Database
from aggregator.archive.revisions import kept
from aggregator.archive.rows import Value, insert, transaction, update
from aggregator.model import Clock, EventKind
from aggregator.text.dates import iso

_KEPT = timedelta(days=30)  # that a delivery is remembered after it was made or given up
_KEPT_AT_LEAST = 100  # the newest of each hook, for its Atom file
_LISTS = ("categories", "keywords", "symbols", "evidence")


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that is told: a revision, an event or a poll, by its number, with the commit that stored it.

    ``digest`` is the commit's: with it the ``id`` is one of this archive alone. ``feeds`` are the names of those that
    list the article, or the feed itself. ``article`` and ``details`` are what is stored, ready to be JSON.
    """

    kind: EventKind
    row: int
    seq: int
    at: str
    digest: str
    feeds: tuple[str, ...]
    article: dict[str, object] | None
    details: dict[str, object]
    rule: str | None = None

    @property
    def id(self) -> str:
        """What is the same whenever this fact is told, and of no other."""
        return f"{self.kind}-{self.seq}-{self.row}-{self.digest[:16]}"


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery whose time has come: the fact it tells, and how often that was tried."""

    id: int
    event: str
    kind: EventKind
    row: int
    attempts: int


_OF_ARTICLE = (
    " a.key, a.first_seen, (SELECT json_group_array(name) FROM (SELECT DISTINCT f.name, f.position FROM entries e"
    ' JOIN feeds f ON f.id = e.feed WHERE e.article = a.id AND e."commit" <= c.seq ORDER BY f.position)) AS feeds,'
    " r.n AS version, r.cause, r.url, r.title, r.original_title, r.published, r.modified, r.media, r.author, r.editor,"
    " r.editor_code, r.categories, r.keywords, r.symbols, r.reason, r.verdict, r.evidence, r.rule, r.summary, r.body"
)
_COMMIT = "c.seq, c.at, coalesce(c.digest, '') AS digest"
_REVISIONS = (
    f"SELECT CASE r.cause WHEN 'first' THEN 'new' ELSE 'changed' END AS kind, r.id AS row, {_COMMIT}, {_OF_ARTICLE}"
    ' FROM revisions r JOIN commits c ON c.seq = r."commit" JOIN articles a ON a.id = r.article'
    f" WHERE r.cause IN ('first', 'changed') AND {kept('r')} AND "
)
# The plus keeps SQLite from walking all absences ever told instead of those of the commits asked for.
_ABSENCES = (
    f"SELECT 'gone' AS kind, v.id AS row, {_COMMIT}, v.message, v.status, {_OF_ARTICLE} FROM events v"
    ' JOIN commits c ON c.seq = v."commit" JOIN articles a ON a.id = v.article'
    ' JOIN revisions r ON r.id = (SELECT max(id) FROM revisions WHERE article = a.id AND "commit" <= c.seq)'
    f" WHERE +v.kind = 'gone' AND {kept('r')} AND "
)
_FAILURES = (
    f"SELECT 'failing' AS kind, p.id AS row, {_COMMIT}, f.name AS feed, f.categories, p.status, p.error_kind, p.error"
    ' FROM polls p JOIN commits c ON c.seq = p."commit" JOIN feeds f ON f.id = p.feed'
    " WHERE p.error_kind NOT NULL AND "
)
# A gap that can still be read back is none to be told.
_GAPS = (
    f"SELECT 'gap' AS kind, g.id AS row, {_COMMIT}, f.name AS feed, f.categories, g.since, g.until, g.reason AS message"
    " FROM (SELECT id, feed, since, until, reason, closed AS \"commit\" FROM gaps WHERE state = 'lost') g"
    ' JOIN commits c ON c.seq = g."commit" JOIN feeds f ON f.id = g.feed WHERE '
)
_SOURCES: dict[str, tuple[str, str]] = {
    "new": (_REVISIONS, "r"),
    "changed": (_REVISIONS, "r"),
    "gone": (_ABSENCES, "v"),
    "failing": (_FAILURES, "p"),
    "gap": (_GAPS, "g"),
}
_FEED_DETAILS = ("status", "error_kind", "error", "message")


def facts(db: Database, after: int, until: int) -> list[Fact]:
    """What was stored by the commits behind ``after`` up to ``until``, in their order."""
    found = [
        _fact(row)
        for select, table in dict.fromkeys(_SOURCES.values())
        for row in db.query(f'{select} {table}."commit" > ? AND {table}."commit" <= ?', [after, until])
    ]
    return sorted(found, key=lambda fact: (fact.seq, fact.kind, fact.row))


def fact(db: Database, kind: str, number: int) -> Fact | None:
    """One fact by its row; ``None`` if its text was erased."""
    select, table = _SOURCES[kind]
    row = next(iter(db.query(f"{select} {table}.id = ?", [number])), None)
    return _fact(row) if row else None


def _fact(row: dict[str, object]) -> Fact:
    whole = {name: json.loads(str(value)) if name in _LISTS and value else value for name, value in row.items()}
    kind, number, seq, at, digest = (whole.pop(name) for name in ("kind", "row", "seq", "at", "digest"))
    named, rule = whole.pop("feeds", None), whole.pop("rule", None)
    feeds = tuple(json.loads(str(named))) if named else (str(whole["feed"]),) if "feed" in whole else ()
    article = None
    if "key" in whole:
        article = {name: value for name, value in whole.items() if name not in _FEED_DETAILS}
        whole = {name: value for name, value in whole.items() if name in _FEED_DETAILS}
    return Fact(
        kind=kind,  # type: ignore[arg-type]
        row=int(str(number)),
        seq=int(str(seq)),
        at=str(at),
        digest=str(digest),
        feeds=feeds,
        article=article,
        details=whole,
        rule=str(rule) if rule else None,
    )


def enrol(db: Database, names: Sequence[str]) -> None:
    """Make the hooks those of the configuration. One that is new, or was taken out for a while, begins with now."""
    head = "(SELECT coalesce(max(seq), 0) FROM commits)"
    with transaction(db):
        known = dict(db.execute("SELECT name, active FROM hooks").fetchall())
        for name in names:
            if name not in known:
                db.execute(f'INSERT INTO hooks (name, since, "cursor") VALUES (?, {head}, {head})', [name])
            elif not known[name]:
                db.execute(f'UPDATE hooks SET active = 1, since = {head}, "cursor" = {head} WHERE name = ?', [name])
        marks = ",".join("?" * len(names))
        db.execute(f"UPDATE hooks SET active = 0 WHERE active AND name NOT IN ({marks})", list(names))
        db.execute(
            "UPDATE deliveries SET state = 'dead', error_kind = 'removed', error = 'the hook was taken out'"
            " WHERE state = 'waiting' AND hook IN (SELECT id FROM hooks WHERE NOT active)"
        )


def place(db: Database, name: str) -> tuple[int, int]:
    """A hook's place in the sequence of commits, and the last commit there is."""
    row = db.execute('SELECT "cursor", (SELECT coalesce(max(seq), 0) FROM commits) FROM hooks WHERE name = ?', [name])
    cursor, head = row.fetchone()
    return cursor, head


def plan(db: Database, clock: Clock, name: str, until: int, found: Iterable[Fact]) -> None:
    """Store that these facts are to be told, and that all up to a commit were looked at; in one transaction."""
    now = clock()
    with transaction(db):
        (hook,) = db.execute("SELECT id FROM hooks WHERE name = ?", [name]).fetchone()
        for one in found:
            values: dict[str, Value] = {"hook": hook, "event": one.id, "kind": one.kind, "row": one.row}
            values |= {"commit": one.seq, "state": "waiting", "attempts": 0, "next_try": iso(now)}
            known = db.execute("SELECT 1 FROM deliveries WHERE hook = ? AND event = ?", [hook, one.id]).fetchone()
            if not known:
                insert(db, "deliveries", values)
        update(db, "hooks", hook, {"cursor": until})
        db.execute(
            "DELETE FROM deliveries WHERE hook = :hook AND state <> 'waiting' AND tried < :then AND id NOT IN"
            " (SELECT id FROM deliveries WHERE hook = :hook ORDER BY id DESC LIMIT :kept)",
            {"hook": hook, "then": iso(now - _KEPT), "kept": _KEPT_AT_LEAST},
        )


def due(db: Database, clock: Clock, name: str, limit: int) -> list[Due]:
    """The deliveries of a hook whose time has come, oldest first."""
    rows = db.execute(
        'SELECT d.id, event, kind, "row", attempts FROM deliveries d JOIN hooks h ON h.id = d.hook'
        " WHERE h.name = ? AND state = 'waiting' AND next_try <= ? ORDER BY d.id LIMIT ?",
        [name, iso(clock()), limit],
    )
    return [Due(*row) for row in rows]


def done(db: Database, clock: Clock, deliveries: Sequence[int]) -> None:
    """Store that deliveries were made."""
    with transaction(db):
        for number in deliveries:
            db.execute(
                "UPDATE deliveries SET state = 'delivered', attempts = attempts + 1, tried = ?, next_try = NULL,"
                " error_kind = NULL, error = NULL WHERE id = ?",
                [iso(clock()), number],
            )


def failed(
    db: Database, clock: Clock, deliveries: Sequence[int], kind: str, error: str, again: datetime | None
) -> None:
    """Store why deliveries could not be made, and when that is tried again; ``None``: never."""
    with transaction(db):
        for number in deliveries:
            db.execute(
                "UPDATE deliveries SET state = ?, attempts = attempts + 1, tried = ?, next_try = ?, error_kind = ?,"
                " error = ? WHERE id = ?",
                ["waiting" if again else "dead", iso(clock()), iso(again) if again else None, kind, error, number],
            )


def latest(db: Database, name: str, limit: int) -> Iterator[Fact]:
    """The newest facts that a hook tells or told, newest first."""
    rows = db.execute(
        'SELECT kind, "row" FROM deliveries d JOIN hooks h ON h.id = d.hook WHERE h.name = ?'
        " ORDER BY d.id DESC LIMIT ?",
        [name, limit],
    ).fetchall()
    for kind, number in rows:
        if found := fact(db, kind, number):
            yield found


STATES = (
    "SELECT h.name, c.at AS since, count(*) FILTER (WHERE state = 'waiting') AS waiting,"
    " count(*) FILTER (WHERE state = 'delivered') AS delivered, count(*) FILTER (WHERE state = 'dead') AS dead,"
    " (SELECT error_kind FROM deliveries l WHERE l.hook = h.id AND error NOT NULL ORDER BY tried DESC, id DESC LIMIT 1)"
    " AS error_kind,"
    " (SELECT error FROM deliveries l WHERE l.hook = h.id AND error NOT NULL ORDER BY tried DESC, id DESC LIMIT 1)"
    " AS error, (SELECT min(next_try) FROM deliveries l WHERE l.hook = h.id AND state = 'waiting') AS next_try"
    " FROM hooks h LEFT JOIN deliveries d ON d.hook = h.id LEFT JOIN commits c ON c.seq = h.since"
    " WHERE h.active GROUP BY h.id ORDER BY h.id"
)
