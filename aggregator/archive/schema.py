"""The archive's tables, as forward migrations. What a column means: docs/archive.md.

A migration that has shipped is never edited; a change is a new one at the end. Facts (``revisions``, ``entries``,
``pages``, ``polls``, ``images`` …) are only ever added and carry the commit that added them; ``feeds``, ``hosts``,
``work``, ``image_work`` and the current pointer of ``articles`` are what changes.
"""

from __future__ import annotations

from aggregator.archive.daemon_schema import AUDITS, GAPS, HOOK_TABLES, INTERVALS, JOBS, SWEEPS
from aggregator.archive.early_schema import APPLICATION_ID, migrations
from aggregator.archive.lean import Database
from aggregator.archive.stable_views import STABLE_VIEWS

__all__ = ["APPLICATION_ID", "known_migrations", "migrations"]


@migrations()
def m016_what_an_edit_changed(db: Database) -> None:
    """Whether an edit by the source is material, and by what; of older ones it is unknown."""
    db.execute("ALTER TABLE revisions ADD COLUMN verdict TEXT")
    db.execute("ALTER TABLE revisions ADD COLUMN evidence TEXT")


@migrations()
def m017_articles_by_their_documents_dates(db: Database) -> None:
    """By which an imported document and a live sighting find each other."""
    db.execute("CREATE INDEX articles_date ON articles(date)")


_RECHECKS = """
CREATE TABLE rechecks (
    article INTEGER PRIMARY KEY REFERENCES articles(id),
    host TEXT NOT NULL,
    due TEXT,
    claimed_until TEXT,
    tries INTEGER NOT NULL DEFAULT 0,
    checks INTEGER NOT NULL DEFAULT 0,
    last_checked TEXT,
    etag TEXT,
    last_modified TEXT,
    error_kind TEXT,
    error TEXT,
    absence TEXT CHECK (absence IN ('missing', 'gone')),
    absent_since TEXT,
    evidence TEXT
);
CREATE INDEX rechecks_due ON rechecks(due) WHERE due IS NOT NULL;
CREATE INDEX rechecks_absence ON rechecks(absence) WHERE absence IS NOT NULL;
ALTER TABLE feeds ADD COLUMN recheck TEXT NOT NULL DEFAULT '[]';
ALTER TABLE events ADD COLUMN article INTEGER REFERENCES articles(id);
ALTER TABLE events ADD COLUMN status INTEGER;
ALTER TABLE events ADD COLUMN page INTEGER REFERENCES pages(id)
"""


@migrations()
def m018_pages_that_are_looked_at_again(db: Database) -> None:
    """When each article's page is asked for again, what became of it; and the evidence of an event."""
    for statement in _RECHECKS.split(";"):
        db.execute(statement)


@migrations()
def m019_events_of_an_article(db: Database) -> None:
    """A way to them that does not lead over all events."""
    db.execute("CREATE INDEX events_article ON events(article, id) WHERE article IS NOT NULL")


@migrations()
def m020_what_is_told_to_others(db: Database) -> None:
    """The hooks' places in the sequence of commits, what is still to be delivered, and ways to what is told."""
    for statement in HOOK_TABLES.split(";"):
        db.execute(statement)


@migrations()
def m021_views_that_stay(db: Database) -> None:
    """What other programs may rely on, and ways to edits and to the polls of a time that lead over no others."""
    for statement in STABLE_VIEWS.split(";"):
        db.execute(statement)


@migrations()
def m022_what_the_daemon_does_for_itself(db: Database) -> None:
    """When each of its jobs ran last, and what came of it."""
    db.execute(JOBS)


@migrations()
def m023_the_news_of_a_day(db: Database) -> None:
    """How many articles of which feed appeared when, else were first seen, without looking at the articles."""
    db.execute(
        "CREATE INDEX articles_news ON articles(coalesce(published, first_seen), home_feed) WHERE revision IS NOT NULL"
    )


@migrations()
def m024_feeds_that_are_being_polled(db: Database) -> None:
    """Until when a poll under way keeps others away from its feed."""
    db.execute("ALTER TABLE feeds ADD COLUMN claimed_until TEXT")


@migrations()
def m025_how_often_feeds_have_news(db: Database) -> None:
    """How much news each has had in how much time, how rarely it may be asked, and why its next poll is when it is."""
    for statement in INTERVALS.split(";"):
        db.execute(statement)


@migrations()
def m026_gaps(db: Database) -> None:
    """When a feed may have missed something, and how far its list was read back for it."""
    for statement in GAPS.split(";"):
        db.execute(statement)


@migrations()
def m027_what_joins_a_list_late(db: Database) -> None:
    """Until when each feed's list was looked through for it, and where its first page ends."""
    for statement in SWEEPS.split(";"):
        db.execute(statement)


_DICTIONARIES = """
CREATE TABLE dictionaries (
    id INTEGER PRIMARY KEY,
    host TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    size INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    made TEXT NOT NULL,
    checked TEXT NOT NULL,
    done INTEGER NOT NULL,
    until INTEGER NOT NULL
);
CREATE INDEX dictionaries_host ON dictionaries(host, id)
"""


@migrations()
def m028_what_pages_of_a_host_share(db: Database) -> None:
    """What the pages of each host are packed with, and how far those from before it are packed anew."""
    for statement in _DICTIONARIES.split(";"):
        db.execute(statement)


@migrations()
def m029_lists_that_audit_each_other(db: Database) -> None:
    """Which lists an entry says that it is in, and what each feed's last listing was without."""
    for statement in AUDITS.split(";"):
        db.execute(statement)


@migrations()
def m030_an_index_in_larger_pieces(db: Database) -> None:
    """Let the search index gather 8 MB, not 1, before it writes a piece: where many texts wait, fewer are to merge."""
    db.execute("INSERT INTO revisions_fts (revisions_fts, rank) VALUES ('hashsize', 8000000)")


@migrations()
def m031_words_are_split_at_blanks(db: Database) -> None:
    """Have FTS5 split words at blanks and no more: what letters are, and their case, ``text.tokens`` has told before.

    Its words stay the same ones, so the index stays. The statements are those of sqlite.org/lang_altertable.html for a
    change that leaves the file's content as it is.
    """
    ((version,),) = db.execute("PRAGMA schema_version").fetchall()
    db.execute("PRAGMA writable_schema = ON")
    table = "UPDATE sqlite_schema SET sql = replace(sql, ?, ?) WHERE name = 'revisions_fts'"
    db.execute(table, ["unicode61 remove_diacritics 0", "ascii"])
    db.execute(f"PRAGMA schema_version = {version + 1}")
    db.execute("PRAGMA writable_schema = OFF")


def known_migrations() -> frozenset[str]:
    """The names of all migrations this version knows; an archive with another one was made by a newer version."""
    empty = Database(memory=True, execute_plugins=False)
    try:
        return frozenset(migration.name for migration in migrations.pending(empty))
    finally:
        empty.close()
