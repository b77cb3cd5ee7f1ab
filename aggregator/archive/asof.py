"""The archive as it was at a commit: what it knew then, and nothing it has learnt since."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from aggregator.archive import revisions
from aggregator.archive.forgetting import FORGOTTEN
from aggregator.archive.lean import Database
from aggregator.archive.revisions import Revision
from aggregator.archive.rows import item_bytes
from aggregator.articles.compose import rendered
from aggregator.errors import ConfigError
from aggregator.text.dates import iso

Row = dict[str, object]
NOW = 2**62  # after every commit
# With ``+``, which keeps SQLite from looking for it from the table's end.
_LAST_ENTRY = '(SELECT max(+id) FROM entries WHERE article = a.id AND "commit" <= :until)'
# The version of an article ``a`` that was its newest one: found by the index on (article, n), without a scan.
_THEN = (
    '(SELECT id FROM revisions WHERE article = a.id AND "commit" <= :until AND (:n IS NULL OR n = :n)'
    f" AND {revisions.kept('revisions')} ORDER BY n DESC LIMIT 1)"
)
_KNOWN = 'coalesce(k."commit", 0) <= :until'


def commit_at(db: Database, at: datetime) -> int:
    """The number of the last commit up to an instant, to the millisecond.

    Raises:
        ConfigError: there was none yet.
    """
    text = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    row = db.execute("SELECT seq FROM commits WHERE at <= ? ORDER BY at DESC, seq DESC LIMIT 1", [text]).fetchone()
    if row is not None:
        return int(row[0])
    first = db.execute("SELECT at FROM commits ORDER BY seq LIMIT 1").fetchone()
    said = f"the archive began at {first[0]}" if first else "the archive holds nothing yet"
    raise ConfigError(f"nothing was known then: {said}", where=iso(at), hint="Name a later instant")


def article(db: Database, names: Sequence[str], until: int | None, n: int | None, cover: str) -> Row | None:
    """The article that one of the names meant, with its newest version or its ``n``-th, its keys and its sightings.

    Without a version it was waiting. How work stands is known of now alone. ``cover`` is the placeholder of versions
    that do not tell theirs.
    """
    marks = ",".join(f":k{number}" for number in range(len(names)))
    values = {"until": NOW if until is None else until, "past": until is not None, "n": n}
    rows = db.query(
        "SELECT a.id, a.key, a.date, a.first_seen, iif(r.id IS NULL, NULL, a.file) AS file,"
        " iif(r.id = a.revision, a.document, NULL) AS document, iif(r.id IS NULL, NULL, f.name) AS home_feed,"
        " r.n AS revision, c.at AS seen, iif(r.id IS NULL, e.link, r.url) AS url,"
        " iif(r.id IS NULL, e.title, r.title) AS title, r.original_title,"
        " iif(r.id IS NULL, e.published, r.published) AS published, r.modified, r.author, r.media, r.editor,"
        " r.editor_code, r.keywords, r.symbols, r.cover, r.categories,"
        f" coalesce(r.reason, iif(:past AND a.reason IS NOT '{FORGOTTEN}', NULL, a.reason)) AS reason, r.body,"
        " r.fingerprint, r.verdict, r.evidence, r.rule, r.rules, r.parser,"
        " r.document_sha256,"
        f" iif(:past, iif(r.id IS NULL AND a.reason IS NOT '{FORGOTTEN}', 'pending', NULL), w.state) AS state,"
        " w.error_kind, w.error, w.next_try"
        f" FROM articles a LEFT JOIN revisions r ON r.id = {_THEN} LEFT JOIN feeds f ON f.id = a.home_feed"
        ' LEFT JOIN commits c ON c.seq = r."commit" LEFT JOIN work w ON w.article = a.id AND NOT :past'
        f" LEFT JOIN entries e ON e.id = {_LAST_ENTRY}"
        ' WHERE a."commit" <= :until AND (:n IS NULL OR r.id NOT NULL)'
        f" AND a.id = (SELECT article FROM keys k WHERE key IN ({marks}) AND {_KNOWN} LIMIT 1)",
        values | {f"k{number}": name for number, name in enumerate(names)},
    )
    row = next(iter(rows), None)
    if row is None:
        return None
    about = {"id": row["id"], "until": values["until"]}
    if row["document"] is None and row["revision"] is not None:
        row["document"] = _made_again(db, row["id"], row["revision"], cover)
    keys = db.execute(f"SELECT key FROM keys k WHERE article = :id AND {_KNOWN} ORDER BY key", about)
    sightings = db.query(
        "SELECT f.name AS feed, min(c.at) AS first_seen, max(e.mtime) AS mtime FROM entries e"
        ' JOIN feeds f ON f.id = e.feed JOIN commits c ON c.seq = e."commit"'
        ' WHERE e.article = :id AND e."commit" <= :until GROUP BY f.id ORDER BY 2, f.position',
        about,
    )
    return {**row, "keys": [key for (key,) in keys], "sightings": list(sightings)}


def articles(db: Database, until: int | None, cover: str) -> Iterator[Row]:
    """Every article that had a version, with its newest one, oldest first."""
    rows = db.query(
        "SELECT a.id, a.key, r.n, r.url, r.title, r.published, a.first_seen, r.media, r.author, f.name AS feed,"
        " r.categories, r.keywords, r.symbols, r.reason, r.body, iif(r.id = a.revision, a.document, NULL) AS document"
        f" FROM articles a JOIN revisions r ON r.id = {_THEN} LEFT JOIN feeds f ON f.id = a.home_feed"
        ' WHERE a."commit" <= :until ORDER BY a.id',
        {"until": NOW if until is None else until, "n": None},
    )
    for row in rows:
        number, n = row.pop("id"), row.pop("n")
        yield row if row["document"] is not None else {**row, "document": _made_again(db, number, n, cover)}


def documents(db: Database, until: int, cover: str) -> Iterator[tuple[str, str, str | None]]:
    """Path, text and known sha256 of every document of then, in the order of their paths, one at a time."""
    rows = db.execute(
        "SELECT a.file, iif(r.id = a.revision, a.document, NULL), r.document_sha256, a.id, r.n"
        f' FROM articles a JOIN revisions r ON r.id = {_THEN} WHERE a."commit" <= :until AND a.document NOT NULL'
        " ORDER BY a.file_key",
        {"until": until, "n": None},
    )
    for file, document, sha256, number, n in rows:
        text = document if document is not None else _made_again(db, number, n, cover)
        if text is not None:
            yield file, text, sha256


def titles(db: Database, numbers: Sequence[int], until: int | None) -> list[Row]:
    """Articles by their numbers under the titles they had, the one seen first first."""
    marks = ",".join(f":i{number}" for number in range(len(numbers)))
    values: Mapping[str, int | None] = {f"i{place}": number for place, number in enumerate(numbers)}
    rows = db.query(
        "SELECT a.id, a.key, r.title, r.media, r.url, r.published, a.first_seen"
        f" FROM articles a JOIN revisions r ON r.id = {_THEN} WHERE a.id IN ({marks})"
        " ORDER BY a.first_seen, r.published, a.id",
        {**values, "until": NOW if until is None else until, "n": None},
    )
    return list(rows)


def _made_again(db: Database, number: int, n: int, cover: str) -> str | None:
    """The document of a version that is no longer the current one; of an article erased since there is none."""
    if db.execute("SELECT document FROM articles WHERE id = ?", [number]).fetchone()[0] is None:
        return None
    one: Revision = next(one for one in revisions.revisions(db, number) if one.n == n)
    if one.cause == revisions.IMPORTED and one.page is not None:
        return item_bytes(db, one.page).decode("utf-8")
    return rendered(one.content, one.key, one.categories, one.date, one.placeholder or cover)
