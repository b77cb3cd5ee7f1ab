"""The tables of the first release, as its archives have them: never edited again."""

from __future__ import annotations

FIRST_TABLES = """
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
