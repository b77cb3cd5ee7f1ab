"""What thousands of hits are sorted, counted and narrowed by, kept in memory from one search to the next.

A version never changes, so what it is sorted by is read once, when it is first hit. What may change of a version is
whether a later one stands before it, which shows by a later version being there, and that it was forgotten, which
leaves a tombstone: both are looked for before each search. Some 40 bytes a version.
"""

from __future__ import annotations

import json
from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import compress
from operator import itemgetter
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

from aggregator.browse.archives import Connection
from aggregator.browse.sql import search as sql
from aggregator.browse.times import local
from aggregator.text.dates import iso, parse_iso

FACETS = ("feed", "media", "month", "category", "symbol")
_ROOM = 10_000  # versions more than are needed, when room is made
_MANY = 10_000  # new versions: then all is read anew

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)

Values = tuple[str, ...]


@dataclass(slots=True)
class _Facet:
    """The distinct values of a facet by their codes; code 0 is none."""

    values: list[Values] = field(default_factory=lambda: [()])
    codes: dict[str | None, int] = field(default_factory=lambda: {None: 0, "": 0})  # by what is stored
    _known: dict[Values, int] = field(default_factory=lambda: {(): 0})
    column: array[int] = field(default_factory=lambda: array("l"))  # the code of each version

    def keep(self, number: int, said: str | None, values_of: Callable[[str], Values]) -> None:
        """Note what is stored of a version, and what values that are where it was never met before."""
        if said is not None and said not in self.codes:
            self._learn(said, values_of(said))
        self.column[number] = self.codes[said]

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
    known: bytearray = field(default_factory=bytearray)
    current: bytearray = field(default_factory=bytearray)
    following: array[int] = field(default_factory=lambda: array("q"))  # the article's next version, or 0
    at: array[int] = field(default_factory=lambda: array("q"))  # ms since 1970
    facets: dict[str, _Facet] = field(default_factory=lambda: {name: _Facet() for name in FACETS})

    def make_room(self, most: int) -> None:
        """Have a place for each version up to a number."""
        more = most + 1 - len(self.known)
        if more > 0:
            more += _ROOM
            self.known.extend(bytes(more))
            self.current.extend(bytes(more))
            for column in (self.following, self.at, *(one.column for one in self.facets.values())):
                column.frombytes(bytes(more * column.itemsize))

    def keep(self, row: Sequence[Any]) -> None:
        """Note what the archive tells of a version."""
        number, current, following, at, when, feed, media, categories, symbols = row
        self.current[number] = bool(current)
        self.following[number], self.at[number] = following or 0, when or 0
        self.facets["feed"].column[number] = feed or 0
        # Of thousands of hits few are of different hours.
        stored = (media, at[:13], categories, symbols)
        for (name, values_of), said in zip(_VALUES.items(), stored, strict=True):
            self.facets[name].keep(number, said, values_of)


@dataclass(frozen=True, slots=True)
class Hits:
    """Versions that were found, newest to us first, with what is known of them."""

    numbers: tuple[int, ...]
    _columns: _Columns
    _feeds: Mapping[int, Values]

    def narrowed(self, chosen: Mapping[str, Sequence[str]]) -> Hits:
        """Those that have one of the values of every facet that is chosen."""
        numbers = self.numbers
        for name, wanted in chosen.items():
            if wanted:
                codes = self._codes(name, numbers)
                good = {code for code in set(codes) if not set(wanted).isdisjoint(self._values(name, code))}
                numbers = tuple(compress(numbers, map(good.__contains__, codes)))
        return Hits(numbers, self._columns, self._feeds)

    def counted(self, name: str) -> Counter[str]:
        """How many have which value of a facet, in the order in which they come."""
        found: defaultdict[str, int] = defaultdict(int)
        for code, count in Counter(self._codes(name, self.numbers)).items():
            for value in self._values(name, code):
                found[value] += count
        return Counter(found)

    def between(self, first: str, following: str) -> Hits:
        """Those published from an instant on and before another, both as stored."""
        begin, end = _milliseconds(first), _milliseconds(following)
        at = _each(self._columns.at, self.numbers)
        numbers = tuple(number for number, when in zip(self.numbers, at, strict=True) if begin <= when < end)
        return Hits(numbers, self._columns, self._feeds)

    def last_published(self) -> str | None:
        """When the last of them was, as stored; ``None`` of none."""
        last = max(_each(self._columns.at, self.numbers), default=None)
        return None if last is None else iso(_BEGINNING + timedelta(milliseconds=last))

    def by_time(self) -> list[int]:
        """Their numbers, the last published first."""
        at = dict(zip(self.numbers, _each(self._columns.at, self.numbers), strict=True))
        return sorted(self.numbers, key=at.__getitem__, reverse=True)

    def _codes(self, name: str, numbers: Sequence[int]) -> tuple[int, ...]:
        return _each(self._columns.facets[name].column, numbers)

    def _values(self, name: str, code: int) -> Values:
        return self._feeds.get(code, ()) if name == "feed" else self._columns.facets[name].values[code]


class Traits:
    """What is known of an archive's versions; for several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._columns = _Columns(0, 0)

    def hits(self, connection: Connection, numbers: Sequence[int], last: int | None) -> Hits:
        """Those of the versions that are their articles' current ones, or were when ``last`` was the newest of all."""
        columns = self._read(connection, numbers)
        if last is None:
            shown = tuple(compress(numbers, _each(columns.current, numbers)))
        else:
            following = _each(columns.following, numbers)
            shown = tuple(n for n, later in zip(numbers, following, strict=True) if not later or later > last)
        feeds = {number: (name,) for number, name in sql.feeds(connection).items()}
        return Hits(shown, columns, feeds)

    def latest(self, connection: Connection, numbers: Sequence[int]) -> list[int]:
        """The last versions of the articles that these are of, newest to us first."""
        following = _each(self._read(connection, numbers).following, numbers)
        while any(following):
            numbers = [later or number for number, later in zip(numbers, following, strict=True)]
            following = _each(self._read(connection, numbers).following, numbers)
        return sorted(set(numbers), reverse=True)

    def _read(self, connection: Connection, numbers: Sequence[int]) -> _Columns:
        """The columns, in which these versions are."""
        with self._lock:
            columns = self._brought_forward(connection)
            columns.make_room(max(numbers, default=0))
            known = _each(columns.known, numbers)
            unknown = [number for number, is_known in zip(numbers, known, strict=True) if not is_known]
            for row in sql.traits(connection, unknown) if unknown else ():
                columns.keep(row)
            for number in unknown:
                columns.known[number] = 1
        return columns

    def _brought_forward(self, connection: Connection) -> _Columns:
        """The columns without what is no longer so."""
        columns, (newest, buried) = self._columns, sql.state(connection)
        if buried != columns.buried or newest < columns.newest or newest - columns.newest > _MANY:
            self._columns = columns = _Columns(newest, buried)
        for number in sql.superseded(connection, columns.newest) if newest > columns.newest else ():
            if number < len(columns.known):
                columns.known[number] = 0
        columns.newest = newest
        return columns


_KNOWN: WeakKeyDictionary[Any, Traits] = WeakKeyDictionary()


def traits_of(database: Any) -> Traits:
    """What is known of the versions of one of Datasette's databases, for as long as it is there."""
    return _KNOWN.setdefault(database, Traits())


def _milliseconds(instant: str) -> int:
    return (parse_iso(instant) - _BEGINNING) // timedelta(milliseconds=1)


def _each(column: Any, numbers: Sequence[int]) -> tuple[int, ...]:
    """What a column has in these places."""
    if len(numbers) < 2:
        return tuple(column[number] for number in numbers)
    found: tuple[int, ...] = itemgetter(*numbers)(column)
    return found
