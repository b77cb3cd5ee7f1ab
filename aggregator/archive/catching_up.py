"""What follows from new revisions: their words for search, and which of them are reprints."""

from __future__ import annotations

from aggregator.archive import clusters, index
from aggregator.archive.lean import Database
from aggregator.archive.rows import Stamp, transaction
from aggregator.archive.texts import following
from aggregator.articles.rules import Rules
from aggregator.model import Clock

_AT_ONCE = 200  # texts in memory


def catch_up(db: Database, clock: Clock, rules: Rules, limit: int) -> int:
    """Index and compare the next revisions, at most ``limit`` of each; how many there were.

    One transaction with how far both went, so that a crash neither loses nor doubles a row or a link.
    """
    with transaction(db):
        stamp, done = Stamp(db, clock), 0
        while done < limit and (more := _step(db, stamp, rules, min(_AT_ONCE, limit - done))):
            done += more
        return done


def _step(db: Database, stamp: Stamp, rules: Rules, limit: int) -> int:
    """Revisions that are neither indexed nor compared, which nearly all are, are read once."""
    indexed, compared = index.mark(db), clusters.mark(db)
    texts = following(db, rules, indexed, limit)
    others = texts if compared == indexed else following(db, rules, compared, limit)
    clusters.compare(db, stamp, others, rules)
    index.add(db, texts)
    return len({one.revision for one in (*texts, *others)})
