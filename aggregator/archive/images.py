"""Images of articles: queued with the article, fetched once an address, stored once whatever their addresses.

Facts are ``images`` (the bytes), ``image_links`` (which article shows which address) and ``image_fetches`` (what an
address answered); ``image_work`` is what is still to be had.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial

from aggregator.archive import retries
from aggregator.archive.lean import Database
from aggregator.archive.questions import IMAGES, at
from aggregator.archive.rows import Commit, Value, as_json, commit, insert, names_as_json, transaction, update
from aggregator.errors import AggregatorError
from aggregator.model import Clock, Page
from aggregator.text.dates import iso
from aggregator.text.urls import host_of

# A site may refuse one image (readers from elsewhere) and nothing else: that is no trouble of the host.
_HOST_TROUBLE: frozenset[str] = frozenset()
_FINAL = frozenset({"active_image", "gone", "robots", "scheme", "too_large"})  # trying again would give the same


ONLY_OF = (
    "SELECT DISTINCT f.image FROM image_links l JOIN image_fetches f ON f.url = l.url WHERE l.article = :article"
    " AND NOT EXISTS (SELECT 1 FROM image_fetches g JOIN image_links o ON o.url = g.url"
    " WHERE g.image = f.image AND o.article <> :article) ORDER BY f.image"
)


@dataclass(frozen=True, slots=True)
class WaitingImage:
    """An address whose image is to be had, and the feed of an article that shows it: it is asked as that feed is."""

    url: str
    feed: str | None


def queue(db: Database, stamp: Callable[[], Commit], article: int, urls: Sequence[str]) -> None:
    """Note which images an article shows; those not asked for yet wait for work. Inside the caller's transaction.

    ``stamp`` gives the transaction's commit, and is called only where there is something new.
    """
    if not urls:
        return
    known = {url for (url,) in db.execute("SELECT url FROM image_links WHERE article = ?", [article])}
    for url in urls:
        if url in known:
            continue
        insert(db, "image_links", {"article": article, "url": url, "commit": stamp().seq})
        if stored(db, url) is None:
            db.execute(
                "INSERT INTO image_work (url, host, state, next_try) VALUES (?, ?, 'pending', ?)"
                " ON CONFLICT DO NOTHING",
                [url, host_of(url), iso(stamp().at)],
            )


def show(db: Database, clock: Clock, article: int, urls: Sequence[str]) -> None:
    """Note which images an article shows, beside its revision."""
    with transaction(db):
        queue(db, cache(partial(commit, db, clock)), article, urls)


def due(db: Database, clock: Clock) -> int:
    """How many images wait for work now."""
    return int(db.execute(f"SELECT count(*) {IMAGES}", at(clock())).fetchone()[0])


def pending(db: Database, clock: Clock, limit: int) -> list[WaitingImage]:
    """Up to ``limit`` images to fetch, claimed so that nobody else is handed them meanwhile."""
    with transaction(db):
        now = clock()
        rows = db.execute(
            f"SELECT id, url {IMAGES} ORDER BY next_try, id LIMIT :limit", at(now) | {"limit": limit}
        ).fetchall()
        claims = [(iso(now + retries.LEASE), number) for number, _ in rows]
        db.conn.executemany("UPDATE image_work SET claimed_until = ? WHERE id = ?", claims)
        return [WaitingImage(url, _feed(db, url)) for _, url in rows]


def _feed(db: Database, url: str) -> str | None:
    """The home feed of the first article that shows an address."""
    row = db.execute(
        "SELECT f.name FROM image_links l JOIN articles a ON a.id = l.article JOIN feeds f ON f.id = a.home_feed"
        " WHERE l.url = ? ORDER BY l.id LIMIT 1",
        [url],
    ).fetchone()
    return str(row[0]) if row else None


def keep(db: Database, clock: Clock, url: str, page: Page, media_type: str) -> None:
    """Store the image that a claimed address answered; bytes that are there already are not stored again."""
    with transaction(db):
        stamp = commit(db, clock)
        insert(
            db,
            "image_fetches",
            {
                "url": url,
                "via": names_as_json(page.via),
                "final_url": page.final_url,
                "status": page.status,
                "headers": as_json(dict(page.headers)),
                "fetched_at": iso(page.fetched_at),
                "image": _image(db, stamp, media_type, page.body),
                "commit": stamp.seq,
            },
        )
        db.execute("DELETE FROM image_work WHERE url = ?", [url])


def _image(db: Database, stamp: Commit, media_type: str, body: bytes) -> int:
    sha256 = hashlib.sha256(body).hexdigest()
    row = db.execute("SELECT id, bytes IS NULL FROM images WHERE sha256 = ?", [sha256]).fetchone()
    if row is None:
        values: dict[str, Value] = {"sha256": sha256, "type": media_type, "size": len(body)}
        return insert(db, "images", values | {"bytes": body, "commit": stamp.seq})
    if row[1]:  # erased, and now another article shows it
        update(db, "images", row[0], {"bytes": body})
    return int(row[0])


def fail(db: Database, clock: Clock, url: str, error: AggregatorError) -> None:
    """Note why a claimed address gave no image, and when to try again."""
    with transaction(db):
        row = db.execute("SELECT id, tries FROM image_work WHERE url = ?", [url]).fetchone()
        if row:
            values = retries.failed(clock(), row[1], error, waits=_HOST_TROUBLE, final=_FINAL)
            update(db, "image_work", row[0], values)


def revive(db: Database, clock: Clock, kind: str | None) -> int:
    """Give images that failed, with this kind of error or any, another round now; how many they are."""
    with transaction(db):
        which = "state = 'failed' OR next_try > :now" if kind is None else "state = 'failed' AND error_kind = :kind"
        changed = db.execute(
            f"UPDATE image_work SET state = 'pending', tries = 0, next_try = :now WHERE {which}",
            {"now": iso(clock()), "kind": kind},
        )
        return int(changed.rowcount)


def unclaim(db: Database) -> None:
    """Drop leases of a writer that is gone; for the holder of the writer's lock only."""
    with transaction(db):
        db.execute("UPDATE image_work SET claimed_until = NULL WHERE claimed_until IS NOT NULL")


def stored(db: Database, url: str) -> tuple[str, str] | None:
    """The sha256 and media type of the image an address answered; ``None`` where none is stored or it was erased."""
    row = db.execute(
        "SELECT sha256, type FROM image_fetches f JOIN images i ON i.id = f.image"
        " WHERE f.url = ? AND i.bytes IS NOT NULL ORDER BY f.id DESC LIMIT 1",
        [url],
    ).fetchone()
    return (row[0], row[1]) if row else None


def image_bytes(db: Database, sha256: str) -> bytes | None:
    """The bytes of a stored image; ``None`` if it was erased."""
    row = db.execute("SELECT bytes FROM images WHERE sha256 = ?", [sha256]).fetchone()
    return row[0] if row else None


def images_only_of(db: Database, article: int) -> list[int]:
    """The ids of the stored images that no other article shows, whatever their addresses.

    Who erases one sets its ``bytes`` to NULL and leaves a tombstone for it: without, ``verify`` takes it for damaged.
    """
    return [number for (number,) in db.execute(ONLY_OF, {"article": article})]
