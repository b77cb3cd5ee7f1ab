"""A feed's new name, in the archive as in the configuration, whatever happens in between.

The two cannot change in one step. So the archive notes what is meant, then the configuration changes, which is the one
step that counts, and the next ``enrol`` does what was noted if the configuration has the new name, or forgets it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from aggregator.archive.lean import Database
from aggregator.archive.rows import Commit, feed_id_of, transaction
from aggregator.archive.watching import rename_list
from aggregator.errors import ConfigError

# The keys that hold a feed's name: those of its entries' guids, and of its articles that have none.
_OWN_KEYS = """
    key IN (SELECT 'guid:' || :old || ':' || guid FROM entries WHERE feed = :id)
    OR key IN (SELECT key FROM keys WHERE key >= 'guid:' || :old || ':sha256:' AND key < 'guid:' || :old || ':sha256;'
               AND article IN (SELECT article FROM entries WHERE feed = :id))
"""


def intend(db: Database, old: str, new: str) -> None:
    """Note that the configuration is about to call the feed ``old`` by the name ``new``.

    Raises:
        ConfigError: the archive holds something under the new name already.
        ArchiveError: it does not know the old one.
    """
    with transaction(db):
        feed = feed_id_of(db, old)
        begin, end = f"guid:{new}:", f"guid:{new};"  # ";" follows ":": all keys that begin so lie between the two
        taken = "SELECT EXISTS (SELECT 1 FROM feeds WHERE name = ?)"
        taken += " OR EXISTS (SELECT 1 FROM keys WHERE key >= ? AND key < ?)"
        if db.execute(taken, [new, begin, end]).fetchone()[0]:
            hint = "Choose another name; `aggregator status` shows the names the archive knows"
            raise ConfigError("the archive keeps another feed's history under this name", where=new, hint=hint)
        db.execute("UPDATE feeds SET renaming_to = ? WHERE id = ?", [new, feed])


def complete(db: Database, stamp: Callable[[], Commit], configured: Collection[str]) -> None:
    """Rename what the configuration has renamed meanwhile; part of the transaction of ``enrol``."""
    for feed, old, new in db.execute("SELECT id, name, renaming_to FROM feeds WHERE renaming_to NOT NULL").fetchall():
        if new in configured and old not in configured:
            _rename(db, stamp, feed, old, new)
    db.execute("UPDATE feeds SET renaming_to = NULL WHERE renaming_to NOT NULL")


def _rename(db: Database, stamp: Callable[[], Commit], feed: int, old: str, new: str) -> None:
    values = {"id": feed, "old": old, "new": new, "rest": len(f"guid:{old}:") + 1}
    for table in ("articles", "keys"):  # in this order: the second one's keys are looked up for the first
        db.execute(f"UPDATE {table} SET key = 'guid:' || :new || ':' || substr(key, :rest) WHERE {_OWN_KEYS}", values)
    rename_list(db, stamp, old, new)
    db.execute("UPDATE feeds SET name = :new WHERE id = :id", {"new": new, "id": feed})
