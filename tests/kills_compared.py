"""What a killed run leaves behind: whether it is whole, and whether two archives hold the same."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

_COMPARED = {
    "versions": "SELECT a.key, r.n, r.title, r.body, r.summary, r.fingerprint, r.document_sha256"
    " FROM revisions r JOIN articles a ON a.id = r.article",
    "documents": "SELECT key, file, document FROM articles",
    "sightings": "SELECT f.name, a.key, e.guid, e.link, e.title, e.published, e.updated, e.intime, e.content"
    " FROM entries e JOIN feeds f ON f.id = e.feed JOIN articles a ON a.id = e.article",
    "work": "SELECT key, state, error_kind FROM work JOIN articles ON articles.id = work.article",
}
_TORN = {
    "an article without a key": "SELECT key FROM articles WHERE id NOT IN (SELECT article FROM keys)",
    "an article without a sighting": "SELECT key FROM articles WHERE id NOT IN (SELECT article FROM entries)",
    "an article without text or work": "SELECT key FROM articles WHERE revision IS NULL"
    " AND id NOT IN (SELECT article FROM work)",
    "the last revision is not the current one": "SELECT a.key FROM articles a JOIN revisions r ON r.article = a.id"
    " GROUP BY a.id HAVING max(r.id) <> a.revision",
    "a version twice": "SELECT article FROM (SELECT article, fingerprint, title, lag(fingerprint) OVER w AS f,"
    " lag(title) OVER w AS t FROM revisions WINDOW w AS (PARTITION BY article ORDER BY n)) WHERE f = fingerprint"
    " AND t = title",
    "a sighting twice": "SELECT article FROM entries GROUP BY feed, article, title, link, updated, content"
    " HAVING count(*) > 1",
    "a commit without its digest": "SELECT seq FROM commits WHERE digest IS NULL",
    "a gap in the commits": "SELECT max(seq) FROM commits HAVING max(seq) <> count(*)",
}
_FACTS = (
    "SELECT 'revision', id, article, n, fingerprint, document_sha256 FROM revisions",
    "SELECT 'entry', id, feed, article, title, updated FROM entries",
    "SELECT 'page', id, sha256, url, NULL, NULL FROM pages",
    "SELECT 'commit', seq, at, digest, NULL, NULL FROM commits",
)
Facts = frozenset[tuple[object, ...]]


@dataclass(frozen=True)
class Archive:
    """What an archive and its export hold, without numbers and instants that two runs never share."""

    tables: dict[str, Counter[tuple[object, ...]]]
    files: Counter[tuple[object, ...]]

    @classmethod
    def read(cls, folder: Path) -> Archive:
        """All of it, of a program that has ended."""
        with _copy(folder) as db:
            assert db
            tables = {name: Counter(db.execute(sql)) for name, sql in _COMPARED.items()}
        files: Counter[tuple[object, ...]] = Counter(
            (str(one.relative_to(folder)), _hash(one)) for one in _posts(folder)
        )
        return cls(tables, files)

    @staticmethod
    def facts(folder: Path) -> Facts:
        """What has been committed so far, and may never be lost."""
        with _copy(folder) as db:
            return frozenset(row for sql in _FACTS for row in db.execute(sql)) if db else frozenset()

    def sizes(self) -> dict[str, int]:
        """How much there is of what."""
        return {name: rows.total() for name, rows in self.tables.items()} | {"files": self.files.total()}


def apart(whole: Archive, killed: Archive) -> list[str]:
    """What one has and the other has not."""
    pairs = [(name, whole.tables[name], killed.tables[name]) for name in _COMPARED]
    found = []
    for name, ours, theirs in [*pairs, ("files", whole.files, killed.files)]:
        found += [f"lost of {name}: {str(row)[:200]}" for row in (ours - theirs).elements()]
        found += [f"too much of {name}: {str(row)[:200]}" for row in (theirs - ours).elements()]
    return found


def damage(folder: Path, before: Facts) -> list[str]:
    """What is torn, double, lost since ``before`` or half-written, as the files lie there after a kill."""
    with _copy(folder) as db:
        if db is None:
            return ["there is no archive any more"] if before else []
        said = db.execute("PRAGMA integrity_check").fetchall()
        found = [] if said == [("ok",)] else [f"integrity: {said}"]
        found += [f"a foreign key leads nowhere: {row}" for row in db.execute("PRAGMA foreign_key_check")]
        found += [f"{name}: {row}" for name, sql in _TORN.items() for row in db.execute(sql)]
        lost = before - frozenset(row for sql in _FACTS for row in db.execute(sql))
        found += [f"committed and lost: {row}" for row in lost]
        known = {row[0] for row in db.execute("SELECT document_sha256 FROM revisions")}
    found += [f"half-written: {one}" for one in _posts(folder) if _hash(one) not in known]
    return found


def _posts(folder: Path) -> Iterator[Path]:
    """The files a site would read: none whose name begins with a dot."""
    return (one for one in (folder / "posts").rglob("*") if one.is_file() and not one.name.startswith("."))


def _hash(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


@contextmanager
def _copy(folder: Path) -> Iterator[sqlite3.Connection | None]:
    """A copy of the file and its log as they lie there; they themselves are left for the program to recover."""
    if not (folder / "archive.db").exists():
        yield None
        return
    with tempfile.TemporaryDirectory() as place:
        for name in ("archive.db", "archive.db-wal"):
            if (folder / name).exists():
                shutil.copy(folder / name, place)
        with closing(sqlite3.connect(Path(place) / "archive.db")) as db:
            yield db
