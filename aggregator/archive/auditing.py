"""What Sina's lists tell of each other, as events: an article that is not where it is said to be, or is unasked.

Looked for only when a listing has changed. An article counts as absent when two listings in a row are without it: a
server may show an old listing once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

from aggregator.archive.apart import storable
from aggregator.archive.lean import Database
from aggregator.archive.rows import Stamp, Value, insert, when
from aggregator.audits import Kind, Said, Window, absent, unclaimed, window
from aggregator.model import Announced, Discovery
from aggregator.text.dates import parse_iso

_WORDS: dict[Kind, str] = {
    "withheld": "says that it is in list {0}; {1} does not show it among those of its time",
    "pulled": "is in {1}, list {0}, no longer; those published before and after it are",
    "late": "is in {1} now, which it was said to be in before",
    "unclaimed": "is in {1} and does not say that it is in list {0}",
}

EVENTS = (
    "SELECT iif(late.at IS NULL, v.kind, 'late') AS kind, v.place AS feed, c.at, late.at AS turned_up, a.key, a.title,"
    ' a.published, v.message FROM events v JOIN commits c ON c.seq = v."commit" JOIN articles a ON a.id = v.article'
    ' LEFT JOIN (SELECT e.article, e.place, max(at) AS at FROM events e JOIN commits ON seq = e."commit"'
    "  WHERE e.kind = 'late' GROUP BY 1, 2) late ON v.kind = 'withheld' AND late.article = v.article"
    "  AND late.place = v.place"
    " WHERE v.kind IN ('withheld', 'pulled', 'unclaimed') AND c.at >= ? ORDER BY v.id DESC"
)
"""The findings since an instant, newest first; one that was withheld and turned up since is ``late``."""


def as_stored(lids: Sequence[int]) -> str | None:
    """The lists an entry names, so that one is found with its commas; ``None`` where it names none."""
    return f",{','.join(map(str, lids))}," if lids else None


def audited(
    db: Database,
    stamp: Stamp,
    feed_id: int,
    found: Discovery,
    articles: Callable[[Sequence[str]], Mapping[str, int]],
    before: str | None,
) -> dict[str, Value]:
    """Note what a listing shows of itself and of others; what that changes of a feed's ``absent``.

    ``articles`` gives those that keys name.
    """
    if found.lid is None or not found.entries:
        return {}
    known = articles([key for one in found.entries for key in one.keys if storable(key)])
    listed = {article: one for one in found.entries if (article := _article(one, known)) is not None}
    for article in sorted(unclaimed(found.lid, {article: one.entry.lids for article, one in listed.items()})):
        _tell(db, stamp, feed_id, found.lid, article, "unclaimed")
    covered = window([one.entry.published for one in found.entries])
    missing = _absent(db, feed_id, found.lid, covered, listed) if covered else {}
    suspects = set(json.loads(before or "[]"))
    for article in sorted(suspects & missing.keys()):
        _tell(db, stamp, feed_id, found.lid, article, missing[article])
    return {"absent": json.dumps(sorted(missing)) if missing else None}


def _article(one: Announced, known: Mapping[str, int]) -> int | None:
    return next((known[key] for key in one.keys if key in known), None)


def _absent(db: Database, feed_id: int, lid: int, covered: Window, listed: Mapping[int, Announced]) -> dict[int, Kind]:
    """The articles that should be in a listing and are not; none where it is without more than it shows.

    Then it is the listing that is not whole: of each of a hundred thousand articles it would tell nothing.
    """
    near = db.execute(
        "SELECT DISTINCT article FROM entries WHERE lids IS NOT NULL AND ctime > ? AND ctime <= ?"
        " AND (feed = ? OR lids LIKE ?)",
        [when(covered.begin), when(covered.end), feed_id, f"%,{lid},%"],
    )
    missing = [article for (article,) in near.fetchall() if article not in listed]
    if not missing or len(missing) > len(listed):
        return {}
    rows = db.execute("SELECT id, absent FROM feeds WHERE absent IS NOT NULL").fetchall()
    suspects = {feed: frozenset(json.loads(text)) for feed, text in rows}
    found: dict[int, Kind] = {}
    for article in missing:
        without = {feed for feed, articles in suspects.items() if article in articles} | _pulled_from(db, article)
        if kind := absent(lid, feed_id, covered, _said(db, article), without):
            found[article] = kind
    return found


def _pulled_from(db: Database, article: int) -> set[int]:
    told = "SELECT feeds.id FROM events JOIN feeds ON name = place WHERE article = ? AND kind = 'pulled'"
    return {feed for (feed,) in db.execute(told, [article]).fetchall()}


def _said(db: Database, article: int) -> list[Said]:
    rows = db.execute(
        "SELECT feed, ctime, lids FROM entries WHERE article = ? AND lids IS NOT NULL AND ctime IS NOT NULL"
        " ORDER BY id",
        [article],
    )
    return [Said(feed, parse_iso(ctime), _numbers(lids)) for feed, ctime, lids in rows.fetchall()]


def _numbers(text: str) -> frozenset[int]:
    return frozenset(int(one) for one in text.split(",") if one)


def turned_up(db: Database, stamp: Stamp, feed_id: int, article: int) -> None:
    """Note that an article which a feed withheld is in its list after all; nothing where it did not."""
    told = "SELECT 1 FROM events JOIN feeds ON name = place WHERE article = ? AND kind = 'withheld' AND feeds.id = ?"
    if db.execute(told, [article, feed_id]).fetchone():
        _tell(db, stamp, feed_id, 0, article, "late")


def _tell(db: Database, stamp: Stamp, feed_id: int, lid: int, article: int, kind: Kind) -> None:
    """Add an event, once for an article in a feed."""
    (name,) = db.execute("SELECT name FROM feeds WHERE id = ?", [feed_id]).fetchone()
    told = "SELECT 1 FROM events WHERE article = ? AND kind = ? AND place = ?"
    if db.execute(told, [article, kind, name]).fetchone():
        return
    values: dict[str, Value] = {"kind": kind, "place": name, "subject": f"{name}: list", "article": article}
    values |= {"message": _WORDS[kind].format(lid, name), "commit": stamp().seq}
    insert(db, "events", values)
