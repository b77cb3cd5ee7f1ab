"""Questions to the archive that change nothing, over a read-only connection of their own."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Generator, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from aggregator.archive import (
    asof,
    auditing,
    chain,
    clusters,
    configured,
    dropping,
    forgetting,
    hooks,
    images,
    importing,
    index,
    jobs,
    rechecks,
    retention,
    revisions,
    selecting,
    settling,
    vitals,
    watched,
)
from aggregator.archive.chain import Head
from aggregator.archive.dropping import Sighted
from aggregator.archive.forgetting import Plan
from aggregator.archive.hooks import Fact
from aggregator.archive.importing import Result, Taken
from aggregator.archive.lean import Database
from aggregator.archive.opening import explained, open_reader
from aggregator.archive.retention import Due, Keep
from aggregator.archive.revisions import Revision
from aggregator.archive.rows import PACKED, page_bytes, stored_page
from aggregator.archive.searching import Hit, Wanted, search
from aggregator.archive.vitals import Growth, Vitals
from aggregator.archive.watching import OPEN_DRIFTS
from aggregator.coverage import Watched
from aggregator.model import Hold, Page
from aggregator.text.dates import iso

Row = dict[str, object]


class Reader:
    """A reader's view of an archive; a context manager. Values come as stored: instants as ISO text in UTC.

    Raises:
        ArchiveError: ``missing``, ``not_an_archive``, ``newer_schema``, ``no_rights``, ``damaged``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._db: Database = open_reader(path)

    @classmethod
    def over(cls, connection: sqlite3.Connection, path: Path) -> Reader:
        """The same over a connection for reading that somebody else has opened, and will close."""
        reader = cls.__new__(cls)
        reader.path = path
        reader._db = Database(connection, recursive_triggers=False, execute_plugins=False)
        return reader

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def feeds(self) -> list[Row]:
        """The feeds with their health, active ones first in the configuration's order."""
        rows = self._rows(
            "SELECT f.*, nullif(max(coalesce(f.not_before, ''), coalesce(h.next_allowed_at, '')), '') AS held_until,"
            " (SELECT max(at) FROM events JOIN commits ON seq = \"commit\" WHERE kind = 'ids_changed'"
            "  AND place = 'the list of ' || f.name AND at >= strftime('%Y-%m-%dT%H:%M:%SZ', f.last_polled, '-7 days'))"
            " AS ids_changed,"
            " (SELECT count(DISTINCT article) FROM entries WHERE feed = f.id) AS articles,"
            " (SELECT count(DISTINCT article) FROM work JOIN entries e USING (article) WHERE e.feed = f.id) AS waiting"
            " FROM feeds f LEFT JOIN hosts h USING (host) WHERE f.source NOT IN ('url', 'import')"
            " ORDER BY active DESC, position"
        )
        return [
            {name: _list(name, value) if name == "warnings" else value for name, value in row.items()} for row in rows
        ]

    def holds(self) -> list[Hold]:
        """The hosts that refused us, with the instant before which they want no request."""
        with explained(self.path):
            return settling.holds(self._db)

    def totals(self) -> Row:
        """How much there is of what."""
        return self._rows(
            "SELECT (SELECT count(*) FROM articles WHERE revision IS NOT NULL) AS articles,"
            " (SELECT count(*) FROM articles WHERE revision IS NOT NULL AND reason IS NOT NULL) AS link_only,"
            " (SELECT count(*) FROM articles WHERE reason = 'dropped') AS dropped,"
            " (SELECT count(*) FROM revisions) AS revisions, (SELECT count(*) FROM entries) AS sightings,"
            " (SELECT count(*) FROM work WHERE state = 'pending') AS pending,"
            " (SELECT count(*) FROM work WHERE state = 'failed') AS failed,"
            " (SELECT count(*) FROM rechecks WHERE absence = 'missing') AS missing,"
            " (SELECT count(*) FROM rechecks WHERE absence = 'gone') AS gone"
        )[0]

    def vitals(self, now: datetime) -> Vitals:
        """The numbers a daemon is watched by."""
        with explained(self.path):
            return vitals.vitals(self._db, now)

    def newest(self) -> Growth:
        """Where the archive stands: what ``growth`` counts comes behind it."""
        with explained(self.path):
            return vitals.newest(self._db)

    def growth(self, before: Growth) -> Growth:
        """What came behind ``before``."""
        with explained(self.path):
            return vitals.growth(self._db, before)

    def images(self) -> Row:
        """How many images are stored, in how many bytes; how many wait, and how many failed for good."""
        return self._rows(
            "SELECT count(bytes) AS stored, coalesce(sum(size) FILTER (WHERE bytes IS NOT NULL), 0) AS bytes,"
            " (SELECT count(*) FROM image_work WHERE state = 'pending') AS waiting,"
            " (SELECT count(*) FROM image_work WHERE state = 'failed') AS failed FROM images"
        )[0]

    def image_troubles(self, limit: int = 50) -> list[Row]:
        """Images that could not be had, with the reason, when they are tried again, and an article that shows them."""
        return self._rows(
            "SELECT url, state, tries, next_try, error_kind, error, (SELECT a.key FROM image_links l JOIN articles a"
            " ON a.id = l.article WHERE l.url = w.url ORDER BY l.id LIMIT 1) AS article FROM image_work w"
            " WHERE error_kind IS NOT NULL ORDER BY id DESC LIMIT ?",
            [limit],
        )

    def troubles(self, limit: int = 50) -> list[Row]:
        """Articles that could not be had, with the reason and when they are tried again."""
        return self._rows(
            "SELECT key, title, url, state, tries, next_try, error_kind, error FROM work JOIN articles"
            " ON articles.id = work.article WHERE error_kind IS NOT NULL ORDER BY date DESC LIMIT ?",
            [limit],
        )

    def absences(self, limit: int = 50) -> list[Row]:
        """Articles whose page is not there any more, with what told so; those that went last first."""
        return self._rows(
            "SELECT key, title, url, absence, absent_since, evidence FROM rechecks JOIN articles"
            " ON articles.id = rechecks.article WHERE absence IS NOT NULL ORDER BY absent_since DESC LIMIT ?",
            [limit],
        )

    def drifts(self) -> list[Row]:
        """The signs by which a host's pages differ from those before, as long as they do."""
        return self._rows(
            f'SELECT place, subject, message, c.at AS since FROM ({OPEN_DRIFTS}) d JOIN commits c ON c.seq = d."commit"'
            " ORDER BY id"
        )

    def facts(self, after: int, until: int) -> list[Fact]:
        """What hooks may tell of the commits behind ``after`` up to ``until``."""
        with explained(self.path):
            return hooks.facts(self._db, after, until)

    def fact(self, kind: str, number: int) -> Fact | None:
        """One such fact by its row; ``None`` if its text was erased."""
        with explained(self.path):
            return hooks.fact(self._db, kind, number)

    def latest_facts(self, hook: str, limit: int) -> list[Fact]:
        """The newest facts that a hook tells or told, newest first."""
        with explained(self.path):
            return list(hooks.latest(self._db, hook, limit))

    def hooks(self) -> list[Row]:
        """The hooks with how many deliveries wait, were made lately or were given up (``dead``), and the last error."""
        return self._rows(hooks.STATES)

    def jobs(self) -> list[Row]:
        """The daemon's own jobs: when each began and ended last, what it did, and why it has failed since."""
        return self._rows(jobs.STATES)

    def watched(self, feeds: Sequence[str], since: datetime) -> list[Watched]:
        """How these feeds, or else all that are polled, were watched since then, as ``coverage`` judges it."""
        with explained(self.path):
            return watched.watched(self._db, feeds, since)

    def gaps(self, since: datetime) -> list[Row]:
        """The times of which something may be missing in a feed, as far as they end after that; filled ones too."""
        return self._rows(watched.GAPS, [iso(since)])

    def audits(self, since: datetime) -> list[Row]:
        """What Sina's lists have told of each other since then, newest first: ``withheld``, ``late`` and so on."""
        return self._rows(auditing.EVENTS, [iso(since)])

    def refused_configuration(self) -> Row | None:
        """Why and since when a daemon does not use the configuration as it stands in its file; ``None`` if it does."""
        last = next(iter(self._rows(configured.LAST)), None)
        return last if last and last["kind"] == configured.REFUSED else None

    def commit_at(self, at: datetime) -> int:
        """The number of the last commit up to an instant: what ``until`` takes to answer as the archive did then.

        Raises:
            ConfigError: there was none yet; the message says when the archive began.
        """
        with explained(self.path):
            return asof.commit_at(self._db, at)

    def article(self, *keys: str, until: int | None = None, n: int | None = None, cover: str = "picsum") -> Row | None:
        """The article one of the keys names, with its current revision, its sightings and other keys.

        With ``until`` as it was at that commit, with ``n`` in that version. ``seen`` is the instant of the revision's
        commit. ``cover`` is the placeholder of versions so old that the archive does not know theirs.
        """
        with explained(self.path):
            found = asof.article(self._db, keys, until, n, cover)
        if found is None:
            return None
        row = {name: _list(name, value) for name, value in found.items()}
        number = int(str(row["id"]))
        forgotten = forgetting.forgotten_at(self._db, number)
        row |= rechecks.told(self._db, number, until)
        return {**row, "forgotten": forgotten, "reprints": self.reprints(number, until)}

    def to_forget(self, *keys: str) -> Plan | None:
        """What forgetting the article that one of the keys names would erase."""
        marks = ",".join("?" * len(keys))
        with explained(self.path):
            sql = f"SELECT article FROM keys WHERE key IN ({marks}) LIMIT 1"
            row = self._db.execute(sql, list(keys)).fetchone()
            return forgetting.plan(self._db, row[0]) if row else None

    def no_longer_kept(self, now: datetime, kept: Mapping[str, Keep], removed: Keep) -> list[Due]:
        """What retention would drop now."""
        with explained(self.path):
            return retention.due(self._db, now, kept, removed)

    def documents(self, after: int = 0) -> Generator[tuple[str, str], None, None]:
        """Path and text of every document in the order of their paths, one at a time; of those newer than a commit."""
        rows = self._db.execute(
            "SELECT file, document FROM articles WHERE document IS NOT NULL AND (:after = 0 OR revision IN"
            ' (SELECT id FROM revisions WHERE "commit" > :after)) ORDER BY file_key',
            {"after": after},
        )
        with explained(self.path):
            yield from rows

    def news(self, mark: str = "") -> tuple[str, Generator[tuple[str, str], None, None]]:
        """What marks the archive as it is now, and the documents newer than an earlier one; all, if it is not ours.

        A mark is a commit's number and digest: another archive, and one that was restored, do not have it.
        """
        with explained(self.path):
            seq, _, digest = mark.partition(" ")
            same = self._db.execute("SELECT seq FROM commits WHERE seq = ? AND digest = ?", [seq, digest]).fetchone()
            head = chain.head(self._db)
        return f"{head.seq} {head.digest}" if head else "", self.documents(same[0] if same else 0)

    def documents_until(self, until: int, cover: str = "picsum") -> Iterator[tuple[str, str, str | None]]:
        """Path, text and sha256 (``None``: unknown) of every document as it was at a commit, by their paths."""
        with explained(self.path):
            yield from asof.documents(self._db, until, cover)

    def articles(self, until: int | None = None, cover: str = "picsum") -> Iterator[Row]:
        """Every article with its current revision, or that of a commit, oldest first: what ``open_archive`` is for."""
        with explained(self.path):
            for row in asof.articles(self._db, until, cover):
                yield {name: _list(name, value) for name, value in row.items()}

    def revisions(self, article: int | None = None, until: int | None = None) -> Iterator[Revision]:
        """The revisions of an article by its number, or of all; with ``until`` those of commits up to that one."""
        with explained(self.path):
            yield from revisions.revisions(self._db, article, until)

    def reprints(self, article: int, until: int | None = None) -> list[Row]:
        """The articles that are one text with this one, itself among them, the one seen first (the root) first.

        Empty where there is no other; with ``until`` as it was at that commit.
        """
        with explained(self.path):
            numbers = clusters.cluster(self._db, article, until)
            return asof.titles(self._db, numbers, until) if len(numbers) > 1 else []

    def what_would_be(self, ones: Sequence[Taken]) -> list[Result]:
        """What taking in documents would do with each, if it was done now."""
        with explained(self.path):
            return importing.what_would_be(self._db, ones)

    def head(self) -> Head | None:
        """The last commit, its instant and its digest; ``None`` in an archive without one."""
        with explained(self.path):
            return chain.head(self._db)

    def chosen(self, wanted: Wanted) -> Iterator[Row]:
        """The articles that are wanted, each with its text's HTML, for other programs.

        Raises:
            ConfigError: the archive knows no feed of such a name.
        """
        with explained(self.path):
            yield from selecting.articles(self._db, wanted)

    def chosen_pages(self, wanted: Wanted) -> Iterator[Page]:
        """The pages the wanted articles were read from, as far as their bytes are kept.

        Raises:
            ConfigError: the archive knows no feed of such a name.
        """
        with explained(self.path):
            yield from selecting.pages(self._db, wanted)

    def root(self, key: str, until: int | None = None) -> int:
        """The number of the article that was seen first of those that are one text with this one: itself, if alone."""
        with explained(self.path):
            (article,) = self._db.execute("SELECT article FROM keys WHERE key = ?", [key]).fetchone()
            return clusters.cluster(self._db, article, until)[0]

    def symbols(self, names: Sequence[str] = ()) -> Iterator[Row]:
        """The rows of ``v1_symbols``, in the order in which the archive knew; of these symbols, or of all."""
        marks = ",".join("?" * len(names))
        which = f"WHERE symbol IN ({marks})" if names else ""
        rows = self._db.query(f"SELECT * FROM v1_symbols {which} ORDER BY available_at, key, symbol", list(names))
        with explained(self.path):
            yield from rows

    def search(self, wanted: Wanted) -> Iterator[Hit]:
        """The versions that have the words, in the order that is wanted.

        Raises:
            ConfigError: the archive knows no feed of such a name.
        """
        with explained(self.path):
            yield from search(self._db, wanted)

    def unindexed(self) -> int:
        """How many revisions a search does not see yet."""
        with explained(self.path):
            return index.behind(self._db)

    def sighted(self) -> Iterator[Sighted]:
        """Every article with what its feeds' ``keep`` and ``drop`` are held against, oldest first."""
        with explained(self.path):
            yield from dropping.sighted(self._db)

    def stored(self, number: int) -> Page:
        """A page as the network answered it."""
        with explained(self.path):
            return stored_page(self._db, number)

    def page(self, number: int) -> bytes | None:
        """The bytes of a stored page, as the server sent them."""
        row = self._db.execute(f"SELECT {PACKED} FROM pages WHERE id = ?", [number]).fetchone()
        return page_bytes(*row) if row else None

    def image(self, url: str) -> tuple[str, str] | None:
        """The sha256 and media type of the image stored for an address."""
        with explained(self.path):
            return images.stored(self._db, url)

    def image_bytes(self, sha256: str) -> bytes | None:
        """The bytes of a stored image; ``None`` if it was erased."""
        with explained(self.path):
            return images.image_bytes(self._db, sha256)

    def _rows(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        with explained(self.path):
            return list(self._db.query(sql, list(values)))


def _list(name: str, value: object) -> object:
    """Lists are stored as JSON."""
    if name in ("keywords", "symbols", "categories", "warnings", "evidence"):
        return json.loads(value) if isinstance(value, str) else []
    return value
