"""The search index: one row of FTS5 per revision, made from what is stored, never the other way round.

It holds tokens (``text.tokens``) and no text. It is behind the revisions for as long as it takes, which ``behind``
tells, and catches up in batches (``archive.catching_up``).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from operator import add as add_up

from aggregator.archive.lean import Database
from aggregator.archive.rows import transaction
from aggregator.archive.texts import Text, read
from aggregator.articles.rules import built_in
from aggregator.text.tokens import VERSION, folded

Fields = tuple[str, str, str]  # the tokens of title, body and media

_ADD = "INSERT INTO revisions_fts (rowid, title, body, media) VALUES (?, ?, ?, ?)"
_TAKE_AWAY = "INSERT INTO revisions_fts (revisions_fts, rowid, title, body, media) VALUES ('delete', ?, ?, ?, ?)"
_ROWS = "SELECT id FROM revisions_fts_docsize"
_COLUMNS = ("title", "body", "media")
_MERGED = 250  # pages that one part of a merge writes: some hundredths of a second


def behind(db: Database) -> int:
    """How many revisions are not in the index yet."""
    row = db.execute("SELECT count(*) FROM revisions WHERE id > ?", [mark(db)]).fetchone()
    return int(row[0])


def is_behind(db: Database) -> bool:
    """Whether any revision is not in the index yet."""
    return db.execute("SELECT 1 FROM revisions WHERE id > ? LIMIT 1", [mark(db)]).fetchone() is not None


def mark(db: Database) -> int:
    """The last revision that is in the index."""
    row = db.execute("SELECT revision FROM indexed WHERE version = ?", [VERSION]).fetchone()
    return int(row[0]) if row else 0


def add(db: Database, texts: Sequence[Text]) -> None:
    """Index the next revisions inside the caller's transaction. Other versions' rows go first."""
    if not texts:
        return
    if mark(db) == 0:
        _clear(db)
    db.conn.executemany(_ADD, ((number, *fields) for number, fields in _rows(texts)))
    db.execute("INSERT OR REPLACE INTO indexed (version, revision) VALUES (?, ?)", [VERSION, texts[-1].revision])


def clear(db: Database) -> None:
    """Empty the index; ``add`` makes it again."""
    with transaction(db):
        _clear(db)


def _clear(db: Database) -> None:
    db.execute("INSERT INTO revisions_fts (revisions_fts) VALUES ('delete-all')")
    db.execute("DELETE FROM indexed")


def merge(db: Database) -> None:
    """Make the index one piece: smaller by a tenth, faster, and without what was taken out of it."""
    db.execute("INSERT INTO revisions_fts (revisions_fts) VALUES ('optimize')")


def merge_some(db: Database, *, begin: bool) -> bool:
    """A part of ``merge``, beginning anew or going on; whether there is more to do (sqlite.org/fts5.html, 6.7)."""
    before = db.conn.total_changes
    pages = -_MERGED if begin else _MERGED
    db.execute("INSERT INTO revisions_fts (revisions_fts, rank) VALUES ('merge', ?)", [pages])
    return db.conn.total_changes - before > 1


def _rows(texts: Sequence[Text]) -> list[tuple[int, Fields]]:
    from aggregator.text.arrays import tokens_of_all

    fields = [field for one in texts for field in (folded(one.title), one.folded, folded(one.media))]
    made = iter(tokens_of_all(fields))
    return [(one.revision, three) for one, three in zip(texts, zip(made, made, made, strict=True), strict=True)]


def erase(db: Database, revisions: Sequence[int], *, body_only: bool = False) -> None:
    """Take revisions' words out of the index, inside the caller's transaction and before their texts are blanked.

    A row stays for each, empty or (``body_only``) with its title and medium. FTS5 wants to be told what it holds, token
    for token; where the texts no longer give that (they were cut by other rules), it is read out of the whole index.
    After a ``merge`` no page that is in use has the words; free pages and the log are the caller's affair.
    """
    which = f"id IN ({_ROWS}) AND id IN (SELECT value FROM json_each(?))"
    known = dict(_rows(read(db, built_in(), which, [json.dumps(list(revisions))])))
    known |= _read_out(db, [number for number, fields in known.items() if not _holds(db, number, fields)])
    db.conn.executemany(_TAKE_AWAY, ((number, *fields) for number, fields in known.items()))
    db.conn.executemany(_ADD, ((number, *_left(fields, body_only)) for number, fields in known.items()))


def _left(fields: Fields, body_only: bool) -> Fields:
    title, _, media = fields
    return (title, "", media) if body_only else ("", "", "")


def _holds(db: Database, number: int, fields: Fields) -> bool:
    """Whether the index has exactly these tokens of a revision: as many, and all in a row."""
    sizes = db.execute("SELECT sz FROM revisions_fts_docsize WHERE id = ?", [number]).fetchone()[0]
    if _numbers(sizes) != [len(field.split()) for field in fields]:
        return False
    phrases = " AND ".join(f'{name} : "{field}"' for name, field in zip(_COLUMNS, fields, strict=True) if field)
    found = "SELECT 1 FROM revisions_fts WHERE revisions_fts MATCH ? AND rowid = ?"
    return not phrases or db.execute(found, [phrases, number]).fetchone() is not None


def _numbers(packed: bytes) -> list[int]:
    """The numbers in a list of SQLite's varints, none of nine bytes (sqlite.org/fileformat2.html)."""
    found, number = [], 0
    for byte in packed:
        number = number << 7 | byte & 0x7F
        if byte < 0x80:
            found.append(number)
            number = 0
    return found


def _read_out(db: Database, numbers: Sequence[int]) -> dict[int, Fields]:
    """The tokens of rows as the index has them; reads all of it."""
    if not numbers:
        return {}
    rows = db.execute(
        f"SELECT doc, col, term FROM {_vocabulary(db, 'instance')} WHERE doc IN (SELECT value FROM json_each(?))"
        ' ORDER BY doc, "offset"',
        [json.dumps(list(numbers))],
    )
    found: defaultdict[tuple[int, str], list[str]] = defaultdict(list)
    for number, column, term in rows:
        found[number, column].append(term)
    title, body, media = _COLUMNS
    return {
        one: (" ".join(found[one, title]), " ".join(found[one, body]), " ".join(found[one, media])) for one in numbers
    }


def _vocabulary(db: Database, kind: str) -> str:
    """The name of a table over the index's own words, of the connection alone."""
    name = f"temp.revisions_{kind}"
    db.execute(f"CREATE VIRTUAL TABLE IF NOT EXISTS {name} USING fts5vocab(main, revisions_fts, {kind})")
    return name


def damages(db: Database) -> Iterator[tuple[int | None, str]]:
    """What is wrong with the index: the revision, where it is one, and what. Reads all of the index, changes nothing.

    Each indexed revision must have a row and no other, and the words must be as many as the rows say.
    """
    last = mark(db)
    for (number,) in db.execute(f"SELECT id FROM revisions WHERE id <= ? EXCEPT {_ROWS}", [last]):
        yield number, "is not in the index"
    for (number,) in db.execute(f"{_ROWS} EXCEPT SELECT id FROM revisions WHERE id <= ?", [last]):
        yield number, "is in the index and should not be"
    said = [0] * len(_COLUMNS)
    for (sizes,) in db.execute("SELECT sz FROM revisions_fts_docsize"):
        said = list(map(add_up, said, _numbers(sizes)))
    held = dict(db.execute(f"SELECT col, sum(cnt) FROM {_vocabulary(db, 'col')} GROUP BY col").fetchall())
    for name, words in zip(_COLUMNS, said, strict=True):
        if held.get(name, 0) != words:
            yield None, f"the index has {held.get(name, 0)} words of {name}, its rows say {words}"
