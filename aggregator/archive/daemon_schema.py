"""Tables of what the daemon does beside polling, as migrations of ``schema`` make them: never edited again."""

from __future__ import annotations

HOOK_TABLES = """
CREATE TABLE hooks (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    active INTEGER NOT NULL DEFAULT 1,
    since INTEGER NOT NULL,
    "cursor" INTEGER NOT NULL
);
CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY,
    hook INTEGER NOT NULL REFERENCES hooks(id),
    event TEXT NOT NULL,
    kind TEXT NOT NULL,
    "row" INTEGER NOT NULL,
    "commit" INTEGER NOT NULL REFERENCES commits(seq),
    state TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'dead')),
    attempts INTEGER NOT NULL DEFAULT 0,
    next_try TEXT,
    tried TEXT,
    error_kind TEXT,
    error TEXT,
    UNIQUE (hook, event)
);
CREATE INDEX deliveries_due ON deliveries(hook, state, next_try);
CREATE INDEX events_commit ON events("commit");
CREATE INDEX polls_failures ON polls("commit") WHERE error_kind IS NOT NULL
"""

JOBS = """
CREATE TABLE jobs (
    name TEXT PRIMARY KEY,
    began TEXT NOT NULL,
    ended TEXT,
    seconds REAL,
    said TEXT,
    failures INTEGER NOT NULL DEFAULT 0,
    error_kind TEXT,
    error TEXT
)
"""

GAPS = """
CREATE TABLE gaps (
    id INTEGER PRIMARY KEY,
    feed INTEGER NOT NULL REFERENCES feeds(id),
    cause TEXT NOT NULL CHECK (cause IN ('no overlap', 'asked')),
    since TEXT NOT NULL,
    until TEXT NOT NULL,
    "commit" INTEGER NOT NULL REFERENCES commits(seq),
    state TEXT NOT NULL CHECK (state IN ('open', 'filled', 'lost')),
    reason TEXT,
    page INTEGER NOT NULL,
    reached TEXT,
    entries INTEGER NOT NULL,
    closed INTEGER REFERENCES commits(seq)
);
CREATE INDEX gaps_open ON gaps(feed) WHERE state = 'open';
CREATE INDEX gaps_commit ON gaps("commit");
CREATE INDEX gaps_closed ON gaps(closed) WHERE closed IS NOT NULL
"""

SWEEPS = """
ALTER TABLE feeds ADD COLUMN swept TEXT;
ALTER TABLE feeds ADD COLUMN reach TEXT
"""

AUDITS = """
ALTER TABLE entries ADD COLUMN lids TEXT;
ALTER TABLE feeds ADD COLUMN absent TEXT;
CREATE INDEX entries_lids ON entries(ctime) WHERE lids IS NOT NULL
"""

INTERVALS = """
ALTER TABLE feeds ADD COLUMN slowest INTEGER;
ALTER TABLE feeds ADD COLUMN due_why TEXT;
ALTER TABLE feeds ADD COLUMN arrivals REAL;
ALTER TABLE feeds ADD COLUMN watched REAL
"""
