"""An article as a task: what is needed to read its page, now or again."""

from __future__ import annotations

import json
from collections.abc import Sequence

from aggregator.archive.dropping import listed_by
from aggregator.archive.lean import Database
from aggregator.archive.sightings import entries, latest_numbers
from aggregator.model import Pending
from aggregator.text.dates import parse_iso

_HOME = (
    "coalesce(a.home_feed, (SELECT feed FROM entries JOIN feeds ON feeds.id = feed WHERE article = a.id"
    " ORDER BY active DESC, position LIMIT 1))"
)
# A document is filed by its own categories, whatever it is at home with.
_CATEGORIES = "iif(home.source = 'import', (SELECT categories FROM revisions WHERE id = a.revision), home.categories)"
_TASKS = (
    "SELECT a.id, a.key, a.date, (SELECT count(*) FROM revisions WHERE article = a.id),"
    f" (SELECT reason IS NULL FROM revisions WHERE id = a.revision), home.name, {_CATEGORIES} FROM json_each(?) wanted"
    f" CROSS JOIN articles a ON a.id = wanted.value JOIN feeds home ON home.id = {_HOME} ORDER BY wanted.key"
)


def tasks_of(db: Database, articles: Sequence[int]) -> list[Pending]:
    """The tasks that articles are, in their order."""
    rows = db.execute(_TASKS, [json.dumps(articles)]).fetchall()
    numbers = latest_numbers(db, [(row[0], row[5]) for row in rows])
    said = entries(db, list(numbers.values()))
    feeds = listed_by(db, articles)
    tasks = []
    for article, key, date, revisions, has_text, home, categories in rows:
        c1, c2, c3 = json.loads(categories)
        task = Pending(
            article,
            key,
            said[numbers[article]],
            home,
            (c1, c2, c3),
            parse_iso(date),
            revisions,
            feeds=feeds.get(article, ()),
            sighting=numbers[article],
            has_text=bool(has_text),
        )
        tasks.append(task)
    return tasks
