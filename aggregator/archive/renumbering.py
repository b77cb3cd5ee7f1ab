"""A feed that gives all its entries other ids at once: the same articles go on under new names.

A title alone never makes two sightings one article, nor do equal words: a daily column has them every day. But when
nearly everything a listing holds is new by its names, and most of it says word for word what the listing said before,
the names have changed and not the news.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from aggregator.archive.lean import Database
from aggregator.archive.rows import Commit, Value, insert
from aggregator.archive.watching import list_of
from aggregator.model import Announced, Entry
from aggregator.text.dates import iso

_LEAST = 3  # entries that go on under new ids; one or two may be columns
_NEW = 0.9  # of a listing, at least, is new by its names
_WORDS = 20  # characters of text; with less there is hardly more than a title
_ROWS = 8  # of the feed's last sightings, for each entry that is listed: an article may have several
_TOLD_EVERY = timedelta(days=1)


def under_new_ids(db: Database, feed: int, announced: Sequence[Announced], known: Mapping[str, int]) -> dict[int, int]:
    """Which entries, by their place in the listing, are known articles under new ids; empty where nothing is wrong.

    An entry with an id of Sina's is what that says. Words that the listing has twice name nothing.
    """
    fresh = [place for place, one in enumerate(announced) if not any(key in known for key in one.keys)]
    if len(fresh) < max(_LEAST, _NEW * len(announced)):
        return {}
    before = _said_before(db, feed, _ROWS * len(announced))
    if not before:
        return {}
    said = Counter(_words(one.entry) for one in announced)
    listed = {known[key] for one in announced for key in one.keys if key in known}
    found: dict[int, int] = {}
    for place in fresh:
        words = _words(announced[place].entry)
        article = before.get(words) if words and said[words] == 1 else None
        if article and article not in listed and not announced[place].keys[0].startswith("sina:"):
            found[place] = article
    return found if len(found) >= _LEAST and 2 * len(found) > len(announced) else {}


def tell(db: Database, stamp: Callable[[], Commit], feed: str, count: int, listed: int) -> None:
    """Note that a feed's ids have changed, once a day at most. Inside the caller's transaction."""
    place, now = list_of(feed), stamp()
    (last,) = db.execute(
        "SELECT max(at) FROM events JOIN commits ON seq = \"commit\" WHERE kind = 'ids_changed' AND place = ?", [place]
    ).fetchone()
    if last and last > iso(now.at - _TOLD_EVERY):
        return
    message = f"{place}: {count} of {listed} entries are known articles under new ids"
    values: dict[str, Value] = {"kind": "ids_changed", "place": place, "subject": f"{place}: ids", "message": message}
    insert(db, "events", {**values, "commit": now.seq})


def _said_before(db: Database, feed: int, rows: int) -> dict[str | None, int]:
    """The articles of the feed's last sightings by their words; of several with the same words the newest."""
    last = db.execute(
        "SELECT article, title, coalesce(content, summary) FROM entries WHERE feed = ? ORDER BY id DESC LIMIT ?",
        [feed, rows],
    )
    found: dict[str | None, int] = {}
    for article, title, text in last:
        words = _hash(title, text)
        found[words] = max(article, found.get(words, 0))
    return found


def _words(entry: Entry) -> str | None:
    return _hash(entry.title, entry.original if entry.original is not None else entry.summary)


def _hash(title: str, text: str | None) -> str | None:
    """What an entry says, as a hash; ``None`` where that is hardly more than a title."""
    if text is None or len(text) < _WORDS or text == title:
        return None
    return hashlib.sha256(f"{title}\x1f{text}".encode("utf-8", "surrogatepass")).hexdigest()
