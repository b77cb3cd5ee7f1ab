"""What thousands of hits are sorted, counted and narrowed by, kept in memory from one search to the next.

A version never changes, so what it is sorted by is read once, when it is first hit. What may change of a version is
whether a later one stands before it, which shows by a later version being there, and that it was forgotten, which
leaves a tombstone: both are looked for before each search. Some 40 bytes a version.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

from aggregator.browse.archives import Connection
from aggregator.browse.sql import search as sql
from aggregator.browse.times import local
from aggregator.text.dates import iso, parse_iso
from aggregator.text.lean import NDArray, np

FACETS = ("feed", "media", "month", "category", "symbol")
_ROOM = 10_000  # versions more than are needed, when room is made
_MANY = 10_000  # new versions: then all is read anew
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)

Values = tuple[str, ...]
Numbers = NDArray[np.int64]
Column = NDArray[Any]


def _none(kind: type) -> Callable[[], Column]:
    return lambda: np.zeros(0, dtype=kind)


@dataclass(slots=True)
class _Facet:
    """The distinct values of a facet by their codes; code 0 is none."""

    values: list[Values] = field(default_factory=lambda: [()])
    codes: dict[str | None, int] = field(default_factory=lambda: {None: 0, "": 0})  # by what is stored
    _known: dict[Values, int] = field(default_factory=lambda: {(): 0})

    def code(self, said: str | None, values_of: Callable[[str], Values]) -> int:
        """The code of what is stored of a version, and what values that are where it was never met before."""
        if said is not None and said not in self.codes:
            self._learn(said, values_of(said))
        return self.codes[said]

    def _learn(self, said: str, values: Values) -> None:
        if values not in self._known:
            self._known[values] = len(self.values)
            self.values.append(values)
        self.codes[said] = self._known[values]


def _month(hour: str) -> Values:
    return (local(f"{hour}:00:00Z", "month"),)


def _listed(text: str) -> Values:
    return tuple(dict.fromkeys(json.loads(text)))


# The facets whose values are texts, and how these are made of what is stored.
_VALUES: Mapping[str, Callable[[str], Values]] = {
    "media": lambda name: (name,),
    "month": _month,
    "category": _listed,
    "symbol": _listed,
}


@dataclass(slots=True)
class _Columns:
    """What is known of versions, each in the place of its number."""

    newest: int  # the last version that was there when it was looked for new ones
    buried: int  # the last tombstone
    known: Column = field(default_factory=_none(np.bool_))
    current: Column = field(default_factory=_none(np.bool_))
    following: Column = field(default_factory=_none(np.int64))  # the article's next version, or 0
    at: Column = field(default_factory=_none(np.int64))  # ms since 1970
    codes: dict[str, Column] = field(default_factory=lambda: {name: np.zeros(0, dtype=np.int32) for name in FACETS})
    facets: dict[str, _Facet] = field(default_factory=lambda: {name: _Facet() for name in FACETS})

    def make_room(self, most: int) -> None:
        """Have a place for each version up to a number."""
        if most < len(self.known):
            return
        more = most + 1 - len(self.known) + _ROOM
        for name in ("known", "current", "following", "at"):
            setattr(self, name, _longer(getattr(self, name), more))
        self.codes = {name: _longer(column, more) for name, column in self.codes.items()}

    def keep(self, rows: Sequence[Sequence[Any]]) -> None:
        """Note what the archive tells of versions."""
        number, current, following, at, when, feed, media, categories, symbols = zip(*rows, strict=True)
        places = np.array(number)
        self.current[places] = current
        self.following[places], self.at[places] = following, when
        self.codes["feed"][places] = feed
        hours = [instant[:13] for instant in at]  # of thousands of hits few are of different hours
        for (name, values_of), stored in zip(_VALUES.items(), (media, hours, categories, symbols), strict=True):
            facet = self.facets[name]
            self.codes[name][places] = [facet.code(said, values_of) for said in stored]
        self.known[places] = True


def _longer(column: Column, more: int) -> Column:
    return np.concatenate((column, np.zeros(more, dtype=column.dtype)))


@dataclass(frozen=True, slots=True)
class Hits:
    """Versions that were found, newest to us first, with what is known of them; and their ranks, if they have some."""

    numbers: Numbers
    ranks: Numbers | None
    _columns: _Columns
    _feeds: Mapping[int, Values]

    def narrowed(self, chosen: Mapping[str, Sequence[str]]) -> Hits:
        """Those that have one of the values of every facet that is chosen."""
        hits = self
        for name, wanted in chosen.items():
            if wanted:
                codes = self._columns.codes[name][hits.numbers]
                good = [code for code in set(codes.tolist()) if not set(wanted).isdisjoint(self._values(name, code))]
                hits = hits._only(np.isin(codes, good))
        return hits

    def between(self, first: str, following: str) -> Hits:
        """Those published from an instant on and before another, both as stored."""
        at = self._columns.at[self.numbers]
        return self._only((at >= _milliseconds(first)) & (at < _milliseconds(following)))

    def counted(self, name: str) -> Counter[str]:
        """How many have which value of a facet, in the order in which they come."""
        codes = self._columns.codes[name][self.numbers]
        counts = np.bincount(codes)
        first = np.zeros(len(counts), dtype=np.int64)
        first[codes[::-1]] = np.arange(len(codes))[::-1]
        met = np.flatnonzero(counts)
        found: defaultdict[str, int] = defaultdict(int)
        for code in met[np.argsort(first[met])].tolist():
            for value in self._values(name, code):
                found[value] += int(counts[code])
        return Counter(found)

    def last_published(self) -> str | None:
        """When the last of them was, as stored; ``None`` of none."""
        if not len(self.numbers):
            return None
        return iso(_BEGINNING + timedelta(milliseconds=int(self._columns.at[self.numbers].max())))

    def by_time(self) -> Numbers:
        """Their numbers, the last published first."""
        return self.numbers[np.argsort(-self._columns.at[self.numbers], kind="stable")]

    def by_rank(self) -> Numbers:
        """Their numbers, the best first."""
        return self.numbers if self.ranks is None else self.numbers[np.argsort(self.ranks, kind="stable")]

    def _only(self, which: Column) -> Hits:
        ranks = None if self.ranks is None else self.ranks[which]
        return replace(self, numbers=self.numbers[which], ranks=ranks)

    def _values(self, name: str, code: int) -> Values:
        return self._feeds.get(code, ()) if name == "feed" else self._columns.facets[name].values[code]


class Traits:
    """What is known of an archive's versions; for several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._columns = _Columns(0, 0)

    def hits(self, connection: Connection, found: sql.Found, last: int | None) -> Hits:
        """Those of the versions that are their articles' current ones, or were when ``last`` was the newest of all."""
        numbers = _numbers(found.numbers)
        if found.followed:
            numbers = self._latest(connection, numbers)
        columns = self._read(connection, numbers)
        following = columns.following[numbers]
        shown = columns.current[numbers] if last is None else (following == 0) | (following > last)
        feeds = {number: (name,) for number, name in sql.feeds(connection).items()}
        ranks = None if found.ranks is None else _numbers(found.ranks)
        return Hits(numbers, ranks, columns, feeds)._only(shown)

    def _latest(self, connection: Connection, numbers: Numbers) -> Numbers:
        """The last versions of the articles that these are of, newest to us first."""
        following = self._read(connection, numbers).following[numbers]
        while following.any():
            numbers = np.where(following, following, numbers)
            following = self._read(connection, numbers).following[numbers]
        return np.unique(numbers)[::-1]

    def _read(self, connection: Connection, numbers: Numbers) -> _Columns:
        """The columns, in which these versions are."""
        with self._lock:
            columns = self._brought_forward(connection)
            columns.make_room(int(numbers.max(initial=0)))
            unknown = numbers[~columns.known[numbers]]
            found = sql.traits(connection, unknown.tolist()) if len(unknown) else ()
            if found:
                columns.keep(found)
        return columns

    def _brought_forward(self, connection: Connection) -> _Columns:
        """The columns without what is no longer so."""
        columns, (newest, buried) = self._columns, sql.state(connection)
        if buried != columns.buried or newest < columns.newest or newest - columns.newest > _MANY:
            self._columns = columns = _Columns(newest, buried)
        for number in sql.superseded(connection, columns.newest) if newest > columns.newest else ():
            if number < len(columns.known):
                columns.known[number] = False
        columns.newest = newest
        return columns


_KNOWN: WeakKeyDictionary[Any, Traits] = WeakKeyDictionary()


def traits_of(database: Any) -> Traits:
    """What is known of the versions of one of Datasette's databases, for as long as it is there."""
    return _KNOWN.setdefault(database, Traits())


def _numbers(text: str) -> Numbers:
    return np.fromstring(text, dtype=np.int64, sep=",")


def _milliseconds(instant: str) -> int:
    return (parse_iso(instant) - _BEGINNING) // timedelta(milliseconds=1)
