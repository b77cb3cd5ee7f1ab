"""The views that other programs may rely on, as migrations of ``schema`` make them: never edited again.

Their columns keep names, order and meaning for as long as there is a ``v1``; a column more would come at the end.
"""

from __future__ import annotations

STABLE_VIEWS = """
CREATE VIEW v1_articles AS
SELECT a.id, a.key, a.title, a.url, a.published, a.first_seen, c.at AS seen, a.media, r.author, r.editor,
    f.name AS feed, r.categories, r.keywords, r.symbols, r.n AS version, a.reason, k.absence, k.absent_since,
    r.cover, r.body, a.document
FROM articles a JOIN revisions r ON r.id = a.revision JOIN commits c ON c.seq = r."commit"
LEFT JOIN feeds f ON f.id = a.home_feed LEFT JOIN rechecks k ON k.article = a.id;
CREATE VIEW v1_entries AS
SELECT e.id, f.name AS feed, e.article, a.key, c.at AS seen, e.guid, e.link, e.title, e.published, e.published_text,
    e.updated, e.ctime, e.mtime, e.intime, e.author, e.media, e.summary, e.content, e.categories, e.symbols, e.page
FROM entries e JOIN articles a ON a.id = e.article JOIN commits c ON c.seq = e."commit" JOIN feeds f ON f.id = e.feed;
CREATE VIEW v1_polls AS
SELECT p.id, f.name AS feed, c.at, p.status, p.listed, p.new, p.changed, p.error_kind, p.error, p.warnings, p.page
FROM polls p JOIN commits c ON c.seq = p."commit" JOIN feeds f ON f.id = p.feed;
CREATE VIEW v1_revisions AS
SELECT r.id, r.article, a.key, r.n AS version, r.cause, c.at AS seen, r.title, r.original_title, r.url, r.published,
    r.modified, r.author, r.media, r.editor, r.categories, r.keywords, r.symbols, r.cover, r.reason, r.verdict,
    r.evidence, r.fingerprint, r.parser, r.rules, r.rule, r.page, r.body
FROM revisions r JOIN articles a ON a.id = r.article JOIN commits c ON c.seq = r."commit";
CREATE INDEX revisions_changed ON revisions(id) WHERE cause = 'changed';
CREATE INDEX polls_commit ON polls("commit")
"""
