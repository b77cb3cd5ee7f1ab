"""Synthetic archives that look like some years of a newspaper: every table that a page reads has what it would have.

600 articles a day by eight feeds, the last day ending at the last midnight in Shanghai; each of about a thousand
characters in three paragraphs, with a page, an announcement, a document, two stocks of forty, one medium of thirty. One
in twenty is in its second version, one in ten a reprint of an earlier one and announced by a second feed, one in three
has one of 50 pictures. The words of ``PLANTED`` are in a tenth of the titles and a tenth of the bodies, ``EVERYWHERE``
is in all but a few, ``RARE`` in 200 however many articles there are.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from prose import headline, paragraph
from sqlite_utils import Database

from aggregator.archive import index
from aggregator.archive.opening import open_writer
from aggregator.archive.rows import transaction
from aggregator.archive.texts import following
from aggregator.articles.rules import built_in
from aggregator.text.dates import iso

PLANTED = ("央行", "数字经济", "LPR报价")
EVERYWHERE = "记者"
RARE = "量子计算"
_RARE = 200  # articles that have the rare word
_APART = timedelta(seconds=144)
_FEEDS = tuple(f"财经第{n}频道" for n in range(1, 9))
_MEDIA = tuple(f"{place}{kind}" for place in "京沪粤浙苏川" for kind in ("日报", "晚报", "商报", "财经", "证券报"))
_SYMBOLS = tuple(f"sh6005{n:02}" for n in range(40))
_PICTURES = 50
_EVERY = 5  # articles a commit
_PNG = b"\x89PNG\r\n\x1a\n" + bytes(2_000)
Row = dict[str, Any]


def make(path: Path, articles: int) -> None:
    """An archive of so many articles, indexed."""
    dice = random.Random(articles)
    shanghai = datetime.now(UTC) + timedelta(hours=8)
    end = shanghai.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(hours=8)
    first = end - (articles + 1) * _APART
    db = open_writer(path)
    db.execute("PRAGMA synchronous = OFF")
    db.execute("PRAGMA foreign_keys = OFF")  # an article and its version name each other
    with transaction(db):
        _feeds(db, first, end)
        _pictures(db)
        paragraphs = [paragraph(dice, 320) for _ in range(2_000)]
        for start in range(1, articles + 1, 1_000):
            _add(db, [row for n in range(start, start + 1_000) for row in _article(n, first, articles, paragraphs)])
    while texts := following(db, built_in(), index.mark(db), 500):
        with transaction(db):
            index.add(db, texts)
    index.merge(db)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


def _feeds(db: Database, first: datetime, end: datetime) -> None:
    """The feeds, and a good poll of each every ten minutes in which nothing happened."""
    rows: list[tuple[str, Row]] = []
    for number, name in enumerate(_FEEDS, 1):
        known: Row = {"id": number, "name": name, "source": "feed", "url": f"https://wire.example/{number}.xml"}
        known |= {"host": "wire.example", "categories": _categories(number), "position": number, "every": 600}
        known |= {"status": "ok", "last_polled": iso(end), "last_success": iso(end), "newest": iso(end)}
        rows.append(("feeds", known))
        for hour in range(int((end - first) / timedelta(hours=1))):
            at = f"{(first + timedelta(hours=hour)).strftime('%Y-%m-%dT%H')}:00:00Z"
            rows.append(("poll_hours", {"feed": number, "hour": at, "status": "unchanged", "polls": 6}))
    _add(db, rows)


def _pictures(db: Database) -> None:
    stamp: Row = {"seq": 1, "at": "2000-01-01T00:00:00Z", "digest": "-"}
    rows: list[tuple[str, Row]] = [("commits", stamp)]
    for number in range(1, _PICTURES + 1):
        content = _PNG + bytes([number])
        image: Row = {"id": number, "sha256": hashlib.sha256(content).hexdigest(), "type": "image/png"}
        rows.append(("images", image | {"size": len(content), "bytes": content, "commit": 1}))
        fetch: Row = {"url": _picture(number), "final_url": _picture(number), "status": 200, "headers": "{}"}
        rows.append(("image_fetches", fetch | {"fetched_at": stamp["at"], "image": number, "commit": 1}))
    _add(db, rows)


def _picture(number: int) -> str:
    return f"https://wire.example/{number}.png"


def _categories(feed: int) -> str:
    return json.dumps(["金融", "新浪财经", _FEEDS[feed - 1]], ensure_ascii=False)


def _article(n: int, first: datetime, articles: int, paragraphs: list[str]) -> Iterator[tuple[str, Row]]:
    """The rows of one article. Its numbers follow from ``n``: of its feed, its versions, its page."""
    dice = random.Random(n)
    feed, medium = n % len(_FEEDS) + 1, _MEDIA[int(len(_MEDIA) * dice.random() ** 2)]
    published = first + n * _APART
    seen, commit = iso(published + timedelta(seconds=90)), 2 + n // _EVERY
    if n % _EVERY == 0 or n == 1:
        yield "commits", {"seq": commit, "at": iso(published + timedelta(seconds=90)), "digest": "-"}
        poll: Row = {"feed": feed, "status": "ok", "listed": 50, "new": _EVERY, "changed": 0, "commit": commit}
        yield "polls", poll
    title, texts = _texts(n, dice, articles, paragraphs)
    body = "".join(f"<p>{one}</p>\n" for one in texts)
    url, key = f"https://wire.example/news/{n}.html", f"url:https://wire.example/news/{n}.html"
    symbols = json.dumps(dice.sample(_SYMBOLS, 2))
    versions = [2 * n - 1, 2 * n] if n % 20 == 0 else [2 * n - 1]
    common: Row = {"title": title, "published": iso(published), "media": medium, "url": url, "commit": commit}
    article: Row = {"id": n, "key": key, "date": iso(published), "first_seen": seen, "home_feed": feed}
    file = f"金融/新浪财经/{n}.md"
    document = f"---\ntitle: {title}\ndate: {iso(published)}\n---\n{body}"
    yield (
        "articles",
        common | article | {"revision": versions[-1], "file": file, "file_key": file, "document": document},
    )
    yield "keys", {"key": key, "article": n, "commit": commit}
    page: Row = {"id": n, "kind": "article", "url": url, "status": 200, "headers": "{}", "fetched_at": seen}
    page |= {"sha256": f"{n:064x}", "codec": "raw", "size": 3_000, "bytes": dice.randbytes(3_000), "commit": commit}
    yield "pages", page
    for place, number in enumerate(versions, 1):
        revision: Row = {"id": number, "article": n, "n": place, "cause": "changed" if place > 1 else "first"}
        revision |= {"parser": "1", "rules": "1", "rule": "feed", "page": n, "symbols": symbols, "fingerprint": "-"}
        revision |= {"cover": _picture(n % _PICTURES + 1) if n % 3 == 0 else None, "categories": _categories(feed)}
        earlier = body.replace("</p>", "（待续）</p>", 1) if place < len(versions) else body
        yield "revisions", common | revision | {"body": earlier}
    yield from (("symbols", {"symbol": s, "article": n, "revision": versions[0]}) for s in json.loads(symbols))
    for sighting in (feed, feed % len(_FEEDS) + 1) if n % 10 == 0 else (feed,):
        entry: Row = {"feed": sighting, "article": n, "guid": f"g{n}", "link": url, "title": title, "media": medium}
        entry |= {"published": iso(published), "ctime": iso(published), "commit": commit}
        yield "entries", entry | {"intime": iso(published + timedelta(seconds=dice.randrange(60)))}
    if n % 10 == 0:
        ends: Row = {"a": n - 7, "b": n, "revision_a": 2 * (n - 7) - 1, "revision_b": versions[-1]}
        yield "links", ends | {"jaccard": 0.95, "commit": commit}


def _texts(n: int, dice: random.Random, articles: int, paragraphs: list[str]) -> tuple[str, list[str]]:
    title, texts = headline(dice), dice.sample(paragraphs, 3)
    for word in PLANTED:
        title += word if dice.random() < 0.1 else ""
        texts[0] += f"{word}。" if dice.random() < 0.1 else ""
    texts[1] += f"{EVERYWHERE}。" if dice.random() < 0.98 else ""
    texts[2] += f"{RARE}。" if n % (articles // _RARE) == 0 else ""
    return title, texts


def _add(db: Database, rows: list[tuple[str, Row]]) -> None:
    """Insert rows, those of a table and the same columns together."""
    kinds: dict[tuple[str, tuple[str, ...]], list[tuple[Any, ...]]] = {}
    for table, row in rows:
        kinds.setdefault((table, tuple(row)), []).append(tuple(row.values()))
    for (table, columns), values in kinds.items():
        names = ", ".join(f'"{name}"' for name in columns)
        places = ", ".join("?" * len(columns))
        db.conn.executemany(f"INSERT INTO {table} ({names}) VALUES ({places})", values)
