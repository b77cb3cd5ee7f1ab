"""What the pages of each host have in common: learned from stored pages, then used to pack those and further ones.

A dictionary is never changed or deleted, since pages are packed with it. A page is packed anew in one transaction, and
only when what comes out again is what came from the network: whenever a process ends, every page can be read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import zstandard

from aggregator.archive.lean import Database
from aggregator.archive.packing import pack, shared, unpack
from aggregator.archive.rows import transaction, update
from aggregator.model import Clock
from aggregator.text.dates import iso

SAMPLE = 16  # pages a dictionary is made of
_PROOF = 4  # pages it is tried on, which it was not made of
LEARN = SAMPLE + _PROOF  # pages of a host, of one article each, from which on it gets one
_NEWEST = 80  # readings of a host that are looked through for so many
_LONGEST = 1_000_000  # bytes of a page to learn from
_SAVES = 0.8  # of the bytes without it, at most, for it to be worth having
_STALE = timedelta(days=90)  # sites change; what new pages have in common is looked at anew
_BATCH = 20  # pages packed anew in one transaction

# All hosts, one step of the index each.
_HOSTS = """
WITH RECURSIVE hosts(host) AS (
    SELECT min(host) FROM readings
    UNION ALL SELECT (SELECT min(host) FROM readings WHERE host > hosts.host) FROM hosts WHERE host NOT NULL
)
SELECT host FROM hosts WHERE host NOT NULL
AND NOT EXISTS (SELECT 1 FROM dictionaries d WHERE d.host = hosts.host AND d.checked > :stale)
AND (SELECT count(*) FROM (SELECT 1 FROM readings r WHERE r.host = hosts.host LIMIT :learn)) = :learn
"""
_PAGES = (
    "SELECT p.url, p.bytes, (SELECT bytes FROM dictionaries WHERE id = p.dictionary)"
    " FROM (SELECT page FROM readings WHERE host = ? ORDER BY id DESC LIMIT ?) r JOIN pages p ON p.id = r.page"
    " WHERE p.codec = 'zstd' AND p.bytes NOT NULL AND p.size <= ?"
)
_PLAIN = (
    "SELECT r.id, p.id, p.sha256, p.bytes FROM readings r LEFT JOIN pages p ON p.id = r.page AND p.kind = 'article'"
    " AND p.codec = 'zstd' AND p.dictionary IS NULL AND p.bytes NOT NULL"
    " WHERE r.host = ? AND r.id > ? AND r.id <= ? ORDER BY r.id LIMIT ?"
)


def wanted(db: Database, clock: Clock) -> list[str]:
    """The hosts that have enough pages, and no dictionary yet or one that is to be looked at anew."""
    rows = db.execute(_HOSTS, {"learn": LEARN, "stale": iso(clock() - _STALE)})
    return [host for (host,) in rows]


def learn(db: Database, clock: Clock, host: str) -> bool:
    """Make a host's dictionary of its newest pages, if it has enough of them and gains by it; whether it did."""
    bodies = _newest(db, host)
    if len(bodies) < LEARN:
        return False
    proof, sample = bodies[:_PROOF], bodies[_PROOF:][::-1]
    common = shared(sample)
    with transaction(db):
        before = db.execute("SELECT id, bytes FROM dictionaries WHERE host = ? ORDER BY id DESC", [host]).fetchone()
        found = pack(common)
        if not _is_better(found, before[1] if before else None, proof):
            found, common = pack(b""), b""
        if before and not common:
            update(db, "dictionaries", before[0], {"checked": iso(clock())})
            return False
        (newest,) = db.execute("SELECT max(id) FROM readings WHERE host = ?", [host]).fetchone()
        row = {"host": host, "sha256": hashlib.sha256(common).hexdigest(), "size": len(common), "bytes": found}
        done = newest if before or not common else 0  # a later one is for pages that come
        row |= {"made": iso(clock()), "checked": iso(clock()), "done": done, "until": newest}
        names = ", ".join(row)
        db.execute(f"INSERT INTO dictionaries ({names}) VALUES ({', '.join('?' * len(row))})", list(row.values()))
        return bool(common)


def _newest(db: Database, host: str) -> list[bytes]:
    """A host's newest pages, each of another address."""
    bodies: dict[str, bytes] = {}
    for url, packed, dictionary in db.execute(_PAGES, [host, _NEWEST, _LONGEST]):
        if len(bodies) < LEARN and url not in bodies:
            try:
                bodies[url] = unpack(packed, dictionary)
            except zstandard.ZstdError:
                continue  # damaged, which `verify` tells
    return list(bodies.values())


def _is_better(found: bytes, before: bytes | None, proof: Sequence[bytes]) -> bool:
    without, having = (sum(len(pack(body, one)) for body in proof) for one in (before, found))
    return having <= _SAVES * without


@dataclass(frozen=True, slots=True)
class Packed:
    """What was packed anew: how many pages, their bytes ``before`` and ``after``; ``more``: whether some are left."""

    pages: int = 0
    before: int = 0
    after: int = 0
    more: bool = False


def pack_some(db: Database) -> Packed:
    """Pack some of the pages anew that were stored before their host had a dictionary."""
    row = db.execute("SELECT id, host, bytes, done, until FROM dictionaries WHERE done < until LIMIT 1").fetchone()
    if row is None:
        return Packed()
    number, host, dictionary, done, until = row
    with transaction(db):
        rows = db.execute(_PLAIN, [host, done, until, _BATCH]).fetchall()
        sizes = [_packed_anew(db, page, packed, digest, number, dictionary) for _, page, digest, packed in rows if page]
        update(db, "dictionaries", number, {"done": rows[-1][0] if rows else until})
    changed = [pair for pair in sizes if pair]
    return Packed(len(changed), sum(one for one, _ in changed), sum(one for _, one in changed), more=True)


def _packed_anew(
    db: Database, page: int, packed: bytes, digest: str, number: int, dictionary: bytes
) -> tuple[int, int] | None:
    """A page's bytes before and after; ``None`` where it stays as it is, because it is damaged or gains nothing."""
    try:
        body = unpack(packed)
    except zstandard.ZstdError:
        return None
    anew = pack(body, dictionary)
    if len(anew) >= len(packed) or hashlib.sha256(unpack(anew, dictionary)).hexdigest() != digest:
        return None
    update(db, "pages", page, {"bytes": anew, "dictionary": number})
    return len(packed), len(anew)
