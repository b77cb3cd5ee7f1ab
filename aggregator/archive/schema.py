"""The archive's tables, as forward migrations. What a column means: docs/archive.md.

A migration that has shipped is never edited; a change is a new one at the end. Facts (``revisions``, ``entries``,
``pages``, ``polls``, ``images`` …) are only ever added and carry the commit that added them; ``feeds``, ``hosts``,
``work``, ``image_work`` and the current pointer of ``articles`` are what changes.
"""

from __future__ import annotations

import hashlib

from sqlite_utils import Database, Migrations

from aggregator.archive.chain import seal_all

APPLICATION_ID = 0x61676772  # "aggr" in the file's header: SQLite's own mark for "whose file is this"
migrations = Migrations("aggregator")

_TABLES = """
CREATE TABLE commits (
    seq INTEGER PRIMARY KEY,
    at TEXT NOT NULL
);
CREATE TABLE feeds (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    source TEXT NOT NULL,
    url TEXT NOT NULL,
    host TEXT NOT NULL,
    categories TEXT NOT NULL,
    position INTEGER NOT NULL,
    active INTEGER NOT NULL DEFAULT 1,
    enabled INTEGER NOT NULL DEFAULT 1,
    every INTEGER NOT NULL,
    status TEXT,
    error_kind TEXT,
    error TEXT,
    failures INTEGER NOT NULL DEFAULT 0,
    last_polled TEXT,
    last_success TEXT,
    newest TEXT,
    next_due TEXT,
    etag TEXT,
    last_modified TEXT,
    digest TEXT,
    moved_to TEXT
);
CREATE TABLE hosts (
    host TEXT PRIMARY KEY,
    next_allowed_at TEXT,
    failures INTEGER NOT NULL DEFAULT 0,
    reason TEXT
);
CREATE TABLE pages (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('article', 'listing', 'item')),
    url TEXT NOT NULL,
    final_url TEXT,
    status INTEGER,
    headers TEXT,
    fetched_at TEXT,
    sha256 TEXT NOT NULL,
    codec TEXT NOT NULL,
    dictionary INTEGER,
    size INTEGER NOT NULL,
    bytes BLOB,
    "commit" INTEGER NOT NULL REFERENCES commits(seq)
);
CREATE INDEX pages_sha256 ON pages(sha256);
CREATE TABLE articles (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    title TEXT,
    published TEXT,
    media TEXT,
    url TEXT,
    date TEXT NOT NULL,
    first_seen TEXT NOT NULL,
    updated TEXT,
    reason TEXT,
    home_feed INTEGER REFERENCES feeds(id),
    revision INTEGER REFERENCES revisions(id),
    file TEXT,
    file_key TEXT UNIQUE,
    document TEXT,
    "commit" INTEGER NOT NULL REFERENCES commits(seq)
);
CREATE INDEX articles_published ON articles(published);
CREATE INDEX articles_home_feed ON articles(home_feed);
CREATE TABLE keys (
    key TEXT PRIMARY KEY,
    article INTEGER NOT NULL REFERENCES articles(id)
) WITHOUT ROWID;
CREATE INDEX keys_article ON keys(article);
CREATE TABLE entries (
    id INTEGER PRIMARY KEY,
    feed INTEGER NOT NULL REFERENCES feeds(id),
    article INTEGER NOT NULL REFERENCES articles(id),
    guid TEXT,
    link TEXT,
    title TEXT NOT NULL,
    published TEXT,
    published_text TEXT,
    updated TEXT,
    ctime TEXT,
    mtime TEXT,
    intime TEXT,
    author TEXT,
    media TEXT,
    summary TEXT,
    content TEXT,
    full_text INTEGER NOT NULL DEFAULT 0,
    categories TEXT,
    symbols TEXT,
    enclosures TEXT,
    page INTEGER REFERENCES pages(id),
    "commit" INTEGER NOT NULL REFERENCES commits(seq)
);
CREATE INDEX entries_article ON entries(article, feed, id);
CREATE INDEX entries_feed ON entries(feed, id);
CREATE TABLE revisions (
    id INTEGER PRIMARY KEY,
    article INTEGER NOT NULL REFERENCES articles(id),
    n INTEGER NOT NULL,
    cause TEXT NOT NULL,
    page INTEGER REFERENCES pages(id),
    parser TEXT NOT NULL,
    rules TEXT,
    rule TEXT,
    "commit" INTEGER NOT NULL REFERENCES commits(seq),
    url TEXT NOT NULL,
    title TEXT NOT NULL,
    original_title TEXT,
    published TEXT,
    modified TEXT,
    author TEXT,
    media TEXT,
    editor TEXT,
    editor_code TEXT,
    keywords TEXT,
    symbols TEXT,
    cover TEXT,
    categories TEXT NOT NULL,
    reason TEXT,
    body TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    UNIQUE (article, n)
);
CREATE INDEX revisions_commit ON revisions("commit");
CREATE TABLE work (
    article INTEGER PRIMARY KEY REFERENCES articles(id),
    host TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'failed')),
    tries INTEGER NOT NULL DEFAULT 0,
    next_try TEXT,
    claimed_until TEXT,
    error_kind TEXT,
    error TEXT,
    rules TEXT
);
CREATE INDEX work_due ON work(state, next_try);
CREATE TABLE polls (
    id INTEGER PRIMARY KEY,
    feed INTEGER NOT NULL REFERENCES feeds(id),
    status TEXT NOT NULL,
    listed INTEGER NOT NULL,
    new INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    error_kind TEXT,
    error TEXT,
    page INTEGER REFERENCES pages(id),
    "commit" INTEGER NOT NULL REFERENCES commits(seq)
);
CREATE INDEX polls_feed ON polls(feed, id);
CREATE TABLE poll_hours (
    feed INTEGER NOT NULL REFERENCES feeds(id),
    hour TEXT NOT NULL,
    status TEXT NOT NULL,
    polls INTEGER NOT NULL,
    PRIMARY KEY (feed, hour, status)
) WITHOUT ROWID
"""


@migrations()
def m001_first_schema(db: Database) -> None:
    """The tables of the first release."""
    for statement in _TABLES.split(";"):
        db.execute(statement)
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")


_COURTESY = (
    "ttl INTEGER",
    "floor INTEGER",
    "not_before TEXT",
    "moving_to TEXT",
    "moving_polls INTEGER NOT NULL DEFAULT 0",
)


@migrations()
def m002_when_and_where_a_feed_is_asked(db: Database) -> None:
    """What the server and the listing say of the next poll, and where the feed is moving."""
    for column in _COURTESY:
        db.execute(f"ALTER TABLE feeds ADD COLUMN {column}")


@migrations()
def m003_a_feed_on_its_way_to_another_name(db: Database) -> None:
    """The name the configuration is about to give a feed, until it has."""
    db.execute("ALTER TABLE feeds ADD COLUMN renaming_to TEXT")


_WATCHING = """
CREATE TABLE readings (
    id INTEGER PRIMARY KEY,
    article INTEGER NOT NULL REFERENCES articles(id),
    host TEXT NOT NULL,
    page INTEGER REFERENCES pages(id),
    outcome TEXT NOT NULL,
    signs TEXT,
    "commit" INTEGER NOT NULL REFERENCES commits(seq)
);
CREATE INDEX readings_host ON readings(host, id);
CREATE INDEX readings_article ON readings(article, id);
CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    place TEXT,
    subject TEXT NOT NULL,
    message TEXT NOT NULL,
    "commit" INTEGER NOT NULL REFERENCES commits(seq)
);
CREATE INDEX events_kind ON events(kind, subject, id)
"""


@migrations()
def m004_how_pages_were_read(db: Database) -> None:
    """Each reading of a page with its signs, and events that someone should look at."""
    for statement in _WATCHING.split(";"):
        db.execute(statement)


@migrations()
def m005_the_way_to_a_page(db: Database) -> None:
    """The addresses redirects led over."""
    db.execute("ALTER TABLE pages ADD COLUMN via TEXT")


@migrations()
def m006_what_is_doubtful_in_a_listing(db: Database) -> None:
    """The warnings of a feed's listing as it was last read, and of each poll at which something happened."""
    db.execute("ALTER TABLE feeds ADD COLUMN warnings TEXT")
    db.execute("ALTER TABLE polls ADD COLUMN warnings TEXT")


_WAYS = ("way INTEGER NOT NULL DEFAULT 0", "way_url TEXT", "way_since TEXT", "way_why TEXT", "probe_at TEXT")


@migrations()
def m007_another_way_in(db: Database) -> None:
    """Which of its sources a feed is asked at, since when and why, and when the first is tried again."""
    for column in _WAYS:
        db.execute(f"ALTER TABLE feeds ADD COLUMN {column}")


@migrations()
def m008_documents_that_can_be_made_again(db: Database) -> None:
    """What a revision's document is made of beside its fields, and its sha256; unknown of older ones but the last."""
    for column in ("summary TEXT", "placeholder TEXT", "document_sha256 TEXT"):
        db.execute(f"ALTER TABLE revisions ADD COLUMN {column}")
    rows = db.execute("SELECT revision, document FROM articles WHERE document IS NOT NULL")
    db.conn.executemany(
        "UPDATE revisions SET document_sha256 = ? WHERE id = ?",
        ((hashlib.sha256(document.encode()).hexdigest(), revision) for revision, document in rows),
    )


_REPRINTS = """
CREATE TABLE bands (
    band INTEGER NOT NULL,
    revision INTEGER NOT NULL REFERENCES revisions(id),
    PRIMARY KEY (band, revision)
) WITHOUT ROWID;
CREATE TABLE links (
    id INTEGER PRIMARY KEY,
    a INTEGER NOT NULL REFERENCES articles(id),
    b INTEGER NOT NULL REFERENCES articles(id),
    revision_a INTEGER NOT NULL REFERENCES revisions(id),
    revision_b INTEGER NOT NULL REFERENCES revisions(id),
    jaccard REAL NOT NULL,
    "commit" INTEGER NOT NULL REFERENCES commits(seq)
);
CREATE INDEX links_a ON links(a, b);
CREATE INDEX links_b ON links(b, a);
CREATE TABLE compared (
    version INTEGER PRIMARY KEY,
    revision INTEGER NOT NULL
)
"""


@migrations()
def m009_reprints(db: Database) -> None:
    """Which texts are alike: the bands by which they are found, and the links between articles."""
    for statement in _REPRINTS.split(";"):
        db.execute(statement)


_TOMBSTONES = """
CREATE TABLE tombstones (
    id INTEGER PRIMARY KEY,
    "table" TEXT NOT NULL,
    "row" INTEGER NOT NULL,
    leaf TEXT NOT NULL,
    cause TEXT NOT NULL,
    "commit" INTEGER NOT NULL REFERENCES commits(seq),
    UNIQUE ("table", "row")
)
"""


@migrations()
def m010_a_chain_over_all_commits(db: Database) -> None:
    """The digest of each commit, which covers the one before it; and what stands for a row whose text was erased."""
    db.execute("ALTER TABLE commits ADD COLUMN digest TEXT")
    db.execute(_TOMBSTONES)
    seal_all(db)


_IMAGES = """
CREATE TABLE images (
    id INTEGER PRIMARY KEY,
    sha256 TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    size INTEGER NOT NULL,
    bytes BLOB,
    "commit" INTEGER NOT NULL REFERENCES commits(seq)
);
CREATE TABLE image_links (
    id INTEGER PRIMARY KEY,
    article INTEGER NOT NULL REFERENCES articles(id),
    url TEXT NOT NULL,
    "commit" INTEGER NOT NULL REFERENCES commits(seq),
    UNIQUE (article, url)
);
CREATE INDEX image_links_url ON image_links(url);
CREATE TABLE image_fetches (
    id INTEGER PRIMARY KEY,
    url TEXT NOT NULL,
    via TEXT,
    final_url TEXT NOT NULL,
    status INTEGER NOT NULL,
    headers TEXT NOT NULL,
    fetched_at TEXT NOT NULL,
    image INTEGER NOT NULL REFERENCES images(id),
    "commit" INTEGER NOT NULL REFERENCES commits(seq)
);
CREATE INDEX image_fetches_url ON image_fetches(url);
CREATE INDEX image_fetches_image ON image_fetches(image);
CREATE TABLE image_work (
    id INTEGER PRIMARY KEY,
    url TEXT NOT NULL UNIQUE,
    host TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'failed')),
    tries INTEGER NOT NULL DEFAULT 0,
    next_try TEXT,
    claimed_until TEXT,
    error_kind TEXT,
    error TEXT
);
CREATE INDEX image_work_due ON image_work(state, next_try)
"""


@migrations()
def m011_images(db: Database) -> None:
    """Images of articles: each once, whatever its addresses; which articles show them; which are still to be had."""
    for statement in _IMAGES.split(";"):
        db.execute(statement)


def known_migrations() -> frozenset[str]:
    """The names of all migrations this version knows; an archive with another one was made by a newer version."""
    empty = Database(memory=True, execute_plugins=False)
    try:
        return frozenset(migration.name for migration in migrations.pending(empty))
    finally:
        empty.close()
