"""Whether the configuration in the file is the one in use: the events when a daemon refused it, and took it again."""

from __future__ import annotations

from aggregator.archive.lean import Database
from aggregator.archive.rows import commit, insert, transaction
from aggregator.model import Clock

REFUSED, TAKEN = "config_refused", "config_taken"
LAST = (
    'SELECT kind, message, at FROM events JOIN commits ON seq = "commit"'
    f" WHERE kind IN ('{REFUSED}', '{TAKEN}') ORDER BY events.id DESC LIMIT 1"
)


def configured(db: Database, clock: Clock, place: str, refused: str | None) -> None:
    """Note why the file ``place`` is not in use (``refused``), or that it is; once for as long as that lasts."""
    last = db.execute(LAST).fetchone()
    kind, message = (REFUSED, refused) if refused else (TAKEN, "the configuration is in use again")
    if (last is None and not refused) or (last and last[0] == kind and (not refused or last[1] == message)):
        return
    with transaction(db):
        values = {"kind": kind, "place": place, "subject": place, "message": message}
        insert(db, "events", {**values, "commit": commit(db, clock).seq})
