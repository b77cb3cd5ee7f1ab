"""The first migrations of the archive's tables; those that follow are in ``schema``. Never edited again."""

from __future__ import annotations

import hashlib

from aggregator.archive.chain import seal_all
from aggregator.archive.first_schema import FIRST_TABLES
from aggregator.archive.lean import Database, Migrations

APPLICATION_ID = 0x61676772  # "aggr" in the file's header: SQLite's own mark for "whose file is this"
migrations = Migrations("aggregator")


@migrations()
def m001_first_schema(db: Database) -> None:
    """The tables of the first release."""
    for statement in FIRST_TABLES.split(";"):
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


_SYMBOLS = """
CREATE TABLE symbols (
    symbol TEXT NOT NULL,
    article INTEGER NOT NULL REFERENCES articles(id),
    revision INTEGER NOT NULL REFERENCES revisions(id),
    PRIMARY KEY (symbol, article)
) WITHOUT ROWID;
CREATE TABLE sessions (
    exchange TEXT NOT NULL,
    closes TEXT NOT NULL,
    opens TEXT NOT NULL,
    PRIMARY KEY (exchange, closes)
) WITHOUT ROWID;
CREATE TABLE calendars (
    version TEXT PRIMARY KEY,
    filled TEXT NOT NULL
);
CREATE VIEW v1_symbols AS
SELECT symbol, key, title, media, url, published, available_at, exchange,
    (SELECT max(opens, minute) FROM sessions WHERE sessions.exchange = known.exchange AND closes > minute
     ORDER BY closes LIMIT 1) AS tradable_at
FROM (
    SELECT s.symbol, a.key, r.title, r.media, r.url, r.published, c.at AS available_at,
        strftime('%Y-%m-%dT%H:%M:00Z', c.at, '+59.999 seconds') AS minute,
        CASE
            WHEN s.symbol GLOB 's[hz][0-9]*' OR s.symbol GLOB 'bj[0-9]*' THEN 'XSHG'
            WHEN s.symbol GLOB 'hk[0-9]*' THEN 'XHKG'
            WHEN s.symbol GLOB 'us:*' THEN 'XNYS'
        END AS exchange
    FROM symbols s JOIN articles a ON a.id = s.article JOIN revisions r ON r.id = s.revision
    JOIN commits c ON c.seq = r."commit"
) AS known
"""


@migrations()
def m011_symbols(db: Database) -> None:
    """Which articles name which symbol, the exchanges' sessions, and both as a view that stays as it is."""
    for statement in _SYMBOLS.split(";"):
        db.execute(statement)
    db.execute(
        "INSERT OR IGNORE INTO symbols (symbol, article, revision)"
        " SELECT value, article, r.id FROM revisions r, json_each(r.symbols) ORDER BY r.id"
    )


@migrations()
def m012_the_entry_behind_a_revision(db: Database) -> None:
    """The sighting whose words a revision has; of older ones it is the one that counted then."""
    db.execute("ALTER TABLE revisions ADD COLUMN entry INTEGER REFERENCES entries(id)")


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
def m013_images(db: Database) -> None:
    """Images of articles: each once, whatever its addresses; which articles show them; which are still to be had."""
    for statement in _IMAGES.split(";"):
        db.execute(statement)


@migrations()
def m014_what_was_known_when(db: Database) -> None:
    """The commit that taught a key (unknown of older ones), and a way from an instant to its commit."""
    db.execute('ALTER TABLE keys ADD COLUMN "commit" INTEGER REFERENCES commits(seq)')
    db.execute("CREATE INDEX commits_at ON commits(at)")


_INDEX = """
CREATE VIRTUAL TABLE revisions_fts USING fts5 (
    title, body, media, content='', tokenize="unicode61 remove_diacritics 0"
    /* Datasette and sqlite-utils find the index of a table by these words: content="revisions" */
);
CREATE TABLE indexed (
    version INTEGER PRIMARY KEY,
    revision INTEGER NOT NULL
);
CREATE INDEX articles_revision ON articles(revision)
"""


@migrations()
def m015_an_index_to_search(db: Database) -> None:
    """The words of every revision, how far they are indexed, and a way from a hit to the article it is current of."""
    for statement in _INDEX.split(";"):
        db.execute(statement)
