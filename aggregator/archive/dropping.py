"""Articles no feed wants: their sightings stay, their ``reason`` says so, and nothing is fetched or exported."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from aggregator.archive.lean import Database
from aggregator.archive.rows import add_page, commit, transaction, update
from aggregator.archive.watching import observe
from aggregator.model import Clock, Page, Pending, Reading, Signs
from aggregator.text.dates import iso
from aggregator.text.urls import host_of

DROPPED = "dropped"

_LISTED_BY = (
    "SELECT DISTINCT e.article, f.name, f.position FROM json_each(?) CROSS JOIN entries e ON e.article = value"
    " JOIN feeds f ON f.id = e.feed WHERE f.active OR f.source = 'url' ORDER BY e.article, f.position"
)


@dataclass(frozen=True, slots=True)
class Sighted:
    """An article as what a feed keeps and drops is held against it; ``body`` is its stored HTML, if there is any.

    ``page`` is the number of the page that was read before it was dropped.
    """

    article: int
    key: str
    state: Literal["archived", "dropped", "pending"]
    title: str
    symbols: tuple[str, ...]
    feeds: tuple[str, ...]
    body: str | None
    rule: str | None
    page: int | None
    listed: str  # what the listing carries of its text, as HTML
    full_text: bool  # which is all of it


def listed_by(db: Database, articles: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """The feeds that list each article, in the configuration's order; without those that were removed."""
    found: defaultdict[int, list[str]] = defaultdict(list)
    for article, name, _ in db.execute(_LISTED_BY, [json.dumps(articles)]):
        found[article].append(name)
    return {article: tuple(names) for article, names in found.items()}


def drop(db: Database, clock: Clock, task: Pending, page: Page | int | None, signs: Signs | None) -> None:
    """No feed wants the article of a claimed task. What is archived of it already stays as it is."""
    with transaction(db):
        stamp = commit(db, clock)
        number = add_page(db, stamp, "article", page) if isinstance(page, Page) else page
        if signs:
            observe(db, stamp, task.article, host_of(task.entry.link or ""), number, Reading("ok", signs))
        _drop(db, task.article)


def resift(db: Database, clock: Clock, unwanted: Sequence[int], wanted: Sequence[int]) -> None:
    """Drop articles that wait, and let dropped ones wait; what is archived stays."""
    with transaction(db):
        for article in unwanted:
            _drop(db, article)
        for article in wanted:
            _wait(db, article, iso(clock()))


def _drop(db: Database, article: int) -> None:
    db.execute("UPDATE articles SET reason = ? WHERE id = ? AND revision IS NULL", [DROPPED, article])
    db.execute("DELETE FROM work WHERE article = ?", [article])


def _wait(db: Database, article: int, now: str) -> None:
    url = db.execute("SELECT url FROM articles WHERE id = ?", [article]).fetchone()[0]
    update(db, "articles", article, {"reason": None})
    db.execute(
        "INSERT INTO work (article, host, state, next_try) VALUES (?, ?, 'pending', ?) ON CONFLICT DO NOTHING",
        [article, host_of(url or ""), now],
    )


def sighted(db: Database) -> Iterator[Sighted]:
    """Every article, oldest first."""
    rows = db.query(
        "SELECT a.id, a.key, a.reason, a.revision, coalesce(r.title, a.title) AS title, r.body, r.rule,"
        " coalesce(r.symbols, e.symbols) AS symbols, coalesce(e.content, e.summary) AS listed, e.full_text,"
        " (SELECT page FROM readings JOIN pages p ON p.id = page WHERE article = a.id AND outcome = 'ok'"
        " AND p.bytes NOT NULL ORDER BY readings.id DESC LIMIT 1) AS page"
        " FROM articles a LEFT JOIN revisions r ON r.id = a.revision"
        " LEFT JOIN entries e ON e.id = (SELECT max(id) FROM entries WHERE article = a.id)"
        " WHERE a.reason IS NOT 'forgotten' ORDER BY a.id"
    )
    for row in rows:
        state: Literal["archived", "dropped", "pending"] = "dropped" if row["reason"] == DROPPED else "pending"
        yield Sighted(
            row["id"],
            row["key"],
            "archived" if row["revision"] else state,
            row["title"] or "",
            tuple(json.loads(row["symbols"] or "[]")),
            listed_by(db, [row["id"]]).get(row["id"], ()),
            row["body"],
            row["rule"],
            row["page"],
            row["listed"] or "",
            bool(row["full_text"]),
        )
