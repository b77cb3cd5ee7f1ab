"""The rows of what a listing announces: articles, their keys, their entries; each table's in one statement."""

from __future__ import annotations

from collections.abc import Sequence

from aggregator.archive.auditing import as_stored
from aggregator.archive.lean import Database
from aggregator.archive.rows import Commit, Value, add_items, as_json, insert_many, names_as_json, when
from aggregator.model import Announced, Entry
from aggregator.text.dates import iso
from aggregator.text.urls import host_of


def add_new(db: Database, stamp: Commit, feed_id: int, ones: Sequence[Announced]) -> Sequence[int]:
    """Store sightings of articles that no key names yet, no two of them of the same one; the articles' numbers."""
    articles = add_articles(db, stamp, ones)
    add_keys(db, stamp, [(key, article) for article, one in zip(articles, ones, strict=True) for key in one.keys])
    add_entries(db, stamp, feed_id, [(article, one.entry) for article, one in zip(articles, ones, strict=True)])
    return articles


def add_articles(db: Database, stamp: Commit, ones: Sequence[Announced]) -> Sequence[int]:
    """New articles, each with work to do; their numbers."""
    now = iso(stamp.at)
    articles = insert_many(db, "articles", [_article(one, now, stamp) for one in ones])
    hosts = [host_of(one.entry.link or "") for one in ones]
    work: list[dict[str, Value]] = [
        {"article": article, "host": host, "state": "pending", "next_try": now}
        for article, host in zip(articles, hosts, strict=True)
    ]
    insert_many(db, "work", work)
    return articles


def add_keys(db: Database, stamp: Commit, named: Sequence[tuple[str, int]]) -> None:
    """Keys that name an article from now on; said twice they are one."""
    keys = dict(named)
    insert_many(db, "keys", [{"key": key, "article": one, "commit": stamp.seq} for key, one in keys.items()])


def add_entries(db: Database, stamp: Commit, feed_id: int, sightings: Sequence[tuple[int, Entry]]) -> None:
    """What a feed says of articles, with the items as they came."""
    items = add_items(db, stamp, [(one.link or one.id or "", one.raw) for _, one in sightings])
    rows = zip(sightings, items, strict=True)
    insert_many(db, "entries", [_entry(stamp, feed_id, article, one, item) for (article, one), item in rows])


def _article(one: Announced, now: str, stamp: Commit) -> dict[str, Value]:
    entry = one.entry
    return {
        "key": one.keys[0],
        "title": entry.title,
        "published": when(entry.published),
        "media": entry.media,
        "url": entry.link,
        "date": iso(one.date) if one.date else now,
        "first_seen": now,
        "updated": when(entry.updated),
        "commit": stamp.seq,
    }


def _entry(stamp: Commit, feed_id: int, article: int, entry: Entry, item: int | None) -> dict[str, Value]:
    sina = entry.indexed is not None
    published, updated = when(entry.published), when(entry.updated)
    enclosures = [{"url": e.url, "length": e.length, "type": e.type} for e in entry.enclosures]
    return {
        "feed": feed_id,
        "article": article,
        "guid": entry.id,
        "link": entry.link,
        "title": entry.title,
        "published": published,
        "published_text": entry.published_text,
        "updated": updated,
        "ctime": published if sina else None,
        "mtime": updated if sina else None,
        "intime": when(entry.indexed),
        "author": entry.author,
        "media": entry.media,
        "summary": entry.summary,
        "content": entry.original,
        "full_text": int(entry.full_text),
        "categories": names_as_json(entry.categories),
        "symbols": names_as_json(entry.symbols),
        "lids": as_stored(entry.lids),
        "enclosures": as_json(enclosures) if enclosures else None,
        "page": item,
        "commit": stamp.seq,
    }
