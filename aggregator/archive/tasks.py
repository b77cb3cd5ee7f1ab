"""An article as a task: what is needed to read its page, now or again."""

from __future__ import annotations

import json
from collections.abc import Sequence

from aggregator.archive.dropping import listed_by
from aggregator.archive.lean import Database
from aggregator.archive.sightings import COLUMNS, COUNTS, entry_of
from aggregator.model import Pending
from aggregator.text.dates import parse_iso

_HOME = (
    "coalesce(a.home_feed, (SELECT feed FROM entries JOIN feeds ON feeds.id = feed WHERE article = a.id"
    " ORDER BY active DESC, position LIMIT 1))"
)
# A document is filed by its own categories, whatever it is at home with.
_CATEGORIES = "iif(home.source = 'import', (SELECT categories FROM revisions WHERE id = a.revision), home.categories)"
_TASKS = f"""
    WITH task AS MATERIALIZED (
        SELECT wanted.key AS place, a.id AS article, home.name AS home, a.key, a.date,
            (SELECT count(*) FROM revisions WHERE article = a.id) AS revisions,
            (SELECT reason IS NULL FROM revisions WHERE id = a.revision) AS has_text, {_CATEGORIES} AS categories
        FROM json_each(:articles) wanted CROSS JOIN articles a ON a.id = wanted.value
            JOIN feeds home ON home.id = {_HOME}
    ), {COUNTS}
    SELECT task.article, key, date, revisions, has_text, home, task.categories, {COLUMNS}
    FROM counts CROSS JOIN entries e ON e.id = counts.entry JOIN task ON task.article = counts.article ORDER BY place
"""


def tasks_of(db: Database, articles: Sequence[int]) -> list[Pending]:
    """The tasks that articles are, in their order."""
    feeds = listed_by(db, articles)
    tasks = []
    rows = db.execute(_TASKS, {"articles": json.dumps(articles), "until": None})
    for article, key, date, revisions, has_text, home, categories, *said in rows:
        c1, c2, c3 = json.loads(categories)
        task = Pending(
            article,
            key,
            entry_of(said),
            home,
            (c1, c2, c3),
            parse_iso(date),
            revisions,
            feeds=feeds.get(article, ()),
            sighting=said[0],
            has_text=bool(has_text),
        )
        tasks.append(task)
    return tasks
