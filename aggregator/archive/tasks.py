"""An article as a task: what is needed to read its page, now or again."""

from __future__ import annotations

import json

from aggregator.archive.dropping import listed_by
from aggregator.archive.lean import Database
from aggregator.archive.sightings import latest
from aggregator.model import Pending
from aggregator.text.dates import parse_iso


def task_of(db: Database, article: int) -> Pending:
    """The task an article is."""
    key, date, revisions, has_text = db.execute(
        "SELECT key, date, (SELECT count(*) FROM revisions WHERE article = a.id),"
        " (SELECT reason IS NULL FROM revisions WHERE id = a.revision) FROM articles a WHERE id = ?",
        [article],
    ).fetchone()
    home, categories = db.execute(
        # A document is filed by its own categories, whatever it is at home with.
        "SELECT f.name, iif(f.source = 'import', (SELECT r.categories FROM articles a JOIN revisions r"
        " ON r.id = a.revision WHERE a.id = :id), f.categories) FROM feeds f WHERE f.id = coalesce("
        "(SELECT home_feed FROM articles WHERE id = :id),"
        " (SELECT feed FROM entries JOIN feeds ON feeds.id = feed WHERE article = :id"
        " ORDER BY active DESC, position LIMIT 1))",
        {"id": article},
    ).fetchone()
    c1, c2, c3 = json.loads(categories)
    sighting, entry = latest(db, article, home)
    return Pending(
        article,
        key,
        entry,
        home,
        (c1, c2, c3),
        parse_iso(date),
        revisions,
        feeds=listed_by(db, article),
        sighting=sighting,
        has_text=bool(has_text),
    )
