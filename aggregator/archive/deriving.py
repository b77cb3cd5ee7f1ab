"""Deriving again: an article's current revision with all that it was made of, and the revision the rules of now make.

Such a revision has the cause ``parser``: the source has edited nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aggregator.archive import sightings
from aggregator.archive.lean import Database
from aggregator.archive.revising import New, add_revisions
from aggregator.archive.revisions import IMPORTED, Revision, current
from aggregator.archive.rows import commit, stored_page, transaction
from aggregator.model import Clock, Entry, Page, Pending, Settled


@dataclass(frozen=True, slots=True)
class Stored:
    """The current revision of an article, the entry and the page it was read from, and its home feed's name.

    ``page`` is ``None`` where there is none, or its bytes are not kept any more.
    """

    revision: Revision
    entry: Entry
    page: Page | None
    home: str

    @property
    def task(self) -> Pending:
        """The work that is done again; its document stays where it is filed."""
        made = self.revision
        return Pending(
            made.article, made.key, self.entry, self.home, made.categories, made.date, made.n, sighting=made.entry
        )


def archived(db: Database, feeds: Sequence[str]) -> int:
    """How many articles have a revision that can be derived again; with ``feeds`` those at home with one of them."""
    return int(db.execute(f"SELECT count(*) FROM ({_chosen(feeds)})", list(feeds)).fetchone()[0])


def following(db: Database, article: int, feeds: Sequence[str]) -> Stored | None:
    """The first article with a revision behind that one, by number; ``None`` behind the last."""
    row = db.execute(f"{_chosen(feeds)} AND a.id > ? ORDER BY a.id LIMIT 1", [*feeds, article]).fetchone()
    return stored(db, row[0]) if row else None


def outdated(db: Database, article: int, parser: str, rules: str) -> Stored | None:
    """The current revision of an article, if another parser or other rules made it than those of now."""
    known = current(db, article)
    if (
        known is None
        or known.cause == IMPORTED
        or (known.parser, known.content.rules_version or rules) == (parser, rules)
    ):
        return None
    return stored(db, article)


def stored(db: Database, article: int) -> Stored | None:
    """The current revision of an article with what it was made of."""
    made = current(db, article)
    if made is None:
        return None
    (home,) = db.execute(
        "SELECT name FROM feeds JOIN articles a ON a.home_feed = feeds.id WHERE a.id = ?", [article]
    ).fetchone()
    # Revisions of older archives do not tell their entry: it was the one that counted then.
    said = sightings.entry(db, made.entry) if made.entry else sightings.latest(db, article, home, made.seq)
    page = made.page if _has_bytes(db, made.page) else None
    return Stored(made, said, None if page is None else stored_page(db, page), home)


def derive(db: Database, clock: Clock, before: Stored, done: Settled, parser: str) -> bool:
    """Store what the same page gives today, unless the article has had another revision meanwhile; whether it did."""
    with transaction(db):
        known = current(db, before.revision.article)
        if known is None or known.id != before.revision.id:
            return False
        add_revisions(db, commit(db, clock), [New(before.task, done, before.revision.page)], parser)
        return True


def _has_bytes(db: Database, page: int | None) -> bool:
    return bool(db.execute("SELECT 1 FROM pages WHERE id = ? AND bytes IS NOT NULL", [page]).fetchone())


def _chosen(feeds: Sequence[str]) -> str:
    named = f" AND f.name IN ({','.join('?' * len(feeds))})" if feeds else ""
    return (
        "SELECT a.id FROM articles a JOIN feeds f ON f.id = a.home_feed JOIN revisions r ON r.id = a.revision"
        f" WHERE a.document NOT NULL AND r.cause <> '{IMPORTED}'{named}"
    )
