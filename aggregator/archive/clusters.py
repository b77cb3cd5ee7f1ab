"""Reprints: each revision is compared, once, with those before it that may be the same text; what is alike is linked.

Links are facts and stay. A cluster is what links hold together, its root the member seen first; both are derived, so
that they can be told as of any commit.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import chain

from aggregator.archive.lean import Database
from aggregator.archive.rows import Stamp, insert
from aggregator.archive.texts import Text, read
from aggregator.articles.rules import Rules
from aggregator.identity.similarity import VERSION, bands_of_all, resemblance

_NEWEST = 32  # of one band; the texts of a column that shares its frame for years would be many more
_COMPARED = 16  # candidates whose texts are read, those with most bands in common first
_LINKED = 4  # links of one revision; more would only say again what holds its cluster together
_MEMBERS = 500  # of a cluster, as far as one is told


def is_behind(db: Database) -> bool:
    """Whether any revision is still to be compared."""
    return db.execute("SELECT 1 FROM revisions WHERE id > ? LIMIT 1", [mark(db)]).fetchone() is not None


def mark(db: Database) -> int:
    """The last revision that was compared."""
    row = db.execute("SELECT revision FROM compared WHERE version = ?", [VERSION]).fetchone()
    return int(row[0]) if row else 0


def compare(db: Database, stamp: Stamp, texts: Sequence[Text], rules: Rules) -> None:
    """Compare the next revisions with those before them inside the caller's transaction, and link what is alike.

    Articles of which there is only a link are no text, and never alike.
    """
    if not texts:
        return
    if mark(db) == 0:
        db.execute("DELETE FROM bands")  # of another version, if there are any
    _link(db, stamp, [one for one in texts if one.whole], rules)
    db.execute("INSERT OR REPLACE INTO compared (version, revision) VALUES (?, ?)", [VERSION, texts[-1].revision])


def _link(db: Database, stamp: Stamp, texts: Sequence[Text], rules: Rules) -> None:
    """Note the texts' bands, and link each with those before it that it is a reprint of, the likest first.

    What waits to be noted is noted before it may be asked for: nearly always that is once, behind all of them.
    """
    bands = bands_of_all([one.folded for one in texts])
    known = set(_known(db, list(chain.from_iterable(bands))))
    waiting: list[tuple[int, int]] = []
    for one, keys in zip(texts, bands, strict=True):
        if not known.isdisjoint(keys):
            _note(db, waiting)
            for other, jaccard in _alike(db, one, keys, rules):
                values = {"a": other.article, "b": one.article, "revision_a": other.revision}
                values["revision_b"] = one.revision
                insert(db, "links", {**values, "jaccard": jaccard, "commit": stamp().seq})
        known.update(keys)
        waiting += [(key, one.revision) for key in keys]
    _note(db, waiting)


def _note(db: Database, waiting: list[tuple[int, int]]) -> None:
    """Write these bands, in the order of the table: a third faster than as they come."""
    db.conn.executemany("INSERT OR IGNORE INTO bands (band, revision) VALUES (?, ?)", sorted(waiting))
    waiting.clear()


def _alike(db: Database, one: Text, keys: tuple[int, ...], rules: Rules) -> list[tuple[Text, float]]:
    """The texts before it that a text is a reprint of, with the Jaccard index, the likest first."""
    found = []
    for revision in candidates(db, keys, one.article):
        (other,) = read(db, rules, "id = ?", [revision])
        jaccard = resemblance(one.text, other.text) if other.whole else None
        if jaccard is not None:
            found.append((other, jaccard))
    return sorted(found, key=lambda pair: -pair[1])[:_LINKED]


def candidates(db: Database, keys: tuple[int, ...], article: int) -> list[int]:
    """The revisions of other articles to read, one each, but of those that are linked to this one already."""
    shared: dict[int, int] = {}
    for key in _known(db, keys):
        rows = db.execute("SELECT revision FROM bands WHERE band = ? ORDER BY revision DESC LIMIT ?", [key, _NEWEST])
        for (revision,) in rows:
            shared[revision] = shared.get(revision, 0) + 1
    if not shared:
        return []
    linked = set(_neighbours(db, article)) | {article}
    chosen: list[int] = []
    for revision in sorted(shared, key=lambda number: (-shared[number], number)):
        (owner,) = db.execute("SELECT article FROM revisions WHERE id = ?", [revision]).fetchone()
        if owner not in linked:
            linked.add(owner)
            chosen.append(revision)
    return chosen[:_COMPARED]


def _known(db: Database, keys: Sequence[int]) -> list[int]:
    """Those of the keys that any text has: nearly always none, which one question tells."""
    asked = "SELECT value FROM json_each(?) WHERE EXISTS (SELECT 1 FROM bands WHERE band = value)"
    return [key for (key,) in db.execute(asked, [json.dumps(keys)])]


def _neighbours(db: Database, article: int) -> Iterator[int]:
    rows = db.execute("SELECT a FROM links WHERE b = :one UNION SELECT b FROM links WHERE a = :one", {"one": article})
    return (row[0] for row in rows)


def cluster(db: Database, article: int, until: int | None = None) -> list[int]:
    """The articles that links hold together with this one, itself among them, the one seen first (the root) first.

    With ``until`` as it was at that commit. An article without reprints is alone.
    """
    rows = db.execute(
        "WITH RECURSIVE member(id) AS (VALUES (:article) UNION"
        " SELECT iif(l.a = member.id, l.b, l.a) FROM member JOIN links l ON (l.a = member.id OR l.b = member.id)"
        ' WHERE :until IS NULL OR l."commit" <= :until LIMIT :most)'
        " SELECT member.id FROM member JOIN articles USING (id) ORDER BY first_seen, published, id",
        {"article": article, "until": until, "most": _MEMBERS},
    )
    return [row[0] for row in rows]
