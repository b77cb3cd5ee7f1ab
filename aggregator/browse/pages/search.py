"""The search page: hits with their words marked, sorted, narrowed by what they have in common, page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from aggregator.articles.plaintext import text_of
from aggregator.articles.rules import built_in
from aggregator.browse.archives import Connection, Row, snapshot
from aggregator.browse.pages.article import reader_of, until_of
from aggregator.browse.sql import search as sql
from aggregator.browse.times import bounds, local
from aggregator.browse.traits import FACETS, Hits, Numbers, traits_of
from aggregator.browse.visit import Visit
from aggregator.text.query import Words, match_of, parse
from aggregator.text.snippets import Snippet, marked, snippet

_A_PAGE = 20
_MOST_VALUES = 12  # of a facet are shown
_SNIPPET = 120  # characters
_SORTS = ("rank", "time", "seen")

Segments = list[tuple[str, bool]]  # a piece of text, and whether it is marked


@dataclass(frozen=True, slots=True)
class Asked:
    """What a visitor searches for."""

    q: str
    words: tuple[Words, ...]
    match: str | None
    chosen: Mapping[str, tuple[str, ...]]
    sort: str
    as_of: str
    day: str
    page: int

    def query(self, **changed: object) -> dict[str, object]:
        """The query string that asks for this, changed here and there; it begins at its first page."""
        said = {"q": self.q, **self.chosen, "sort": self.sort, "as_of": self.as_of, "day": self.day}
        return {**said, **changed}

    def followed(self) -> dict[str, object] | None:
        """The query string of a feed that has what this finds; ``None`` where no feed goes on having just that."""
        ended = self.as_of or self.day or self.chosen["month"] or (self.q and not self.match)
        # A feed of ours named in an address has all that it announced, a facet what it announced first.
        if ended or self.chosen["feed"] or any(len(self.chosen[facet]) > 1 for facet in ("media", "category")):
            return None
        said: dict[str, object] = {"q": self.q, **{facet: values for facet, values in self.chosen.items() if values}}
        return said if any(said.values()) else None

    def without(self, facet: str, value: str) -> dict[str, object]:
        """The query string that does not ask for a facet's value."""
        return self.query(**{facet: tuple(one for one in self.chosen[facet] if one != value)})

    def with_(self, facet: str, value: str) -> dict[str, object]:
        """The query string that asks for a facet's value, too."""
        return self.query(**{facet: (*self.chosen[facet], value)})


async def search(visit: Visit) -> Any:
    """What ``?q=`` finds, narrowed by ``feed``, ``media``, ``month``, ``category``, ``symbol`` and ``day``.

    Several values of one facet are alternatives. ``sort`` is rank, time or seen; with ``as_of`` it is time.
    """
    values = await visit.ask(partial(_search, visit))
    return await visit.page("search.html", values)


def _asked(visit: Visit) -> Asked:
    q = visit.argument("q")
    words = parse(q)
    match = match_of(words)
    as_of = visit.argument("as_of")
    sort = visit.argument("sort")
    usual = "rank" if match and not as_of else "time"
    return Asked(
        q=q,
        words=words,
        match=match,
        chosen={facet: visit.arguments(facet) for facet in FACETS},
        sort=sort if sort in _SORTS and not (sort == "rank" and usual != "rank") else usual,
        as_of=as_of,
        day=visit.argument("day"),
        page=max(1, visit.number("page", 1, sql.MOST // _A_PAGE)),
    )


def _search(visit: Visit, connection: Connection) -> dict[str, object]:
    asked = _asked(visit)
    with snapshot(connection):
        return _found(visit, connection, asked)


def _found(visit: Visit, connection: Connection, asked: Asked) -> dict[str, object]:
    until = until_of(visit, reader_of(visit, connection), asked.as_of)
    limit = None if until is None else sql.last_of(connection, until)
    found = _looked_up(connection, asked, limit)
    all_hits = traits_of(visit.datasette.get_database(visit.database)).hits(connection, found, limit)
    hits = _of_day(all_hits, asked.day).narrowed(asked.chosen)
    last = hits.last_published()
    page = _ordered(hits, asked.sort)[(asked.page - 1) * _A_PAGE : asked.page * _A_PAGE]
    lines = sql.shown(connection, page.tolist())
    return {
        "asked": asked,
        "followed": asked.followed(),
        "last_day": last and local(last, "day"),
        "stocks": [] if asked.chosen["symbol"] else sql.symbols(connection, _names(asked.q)),
        "nothing_wanted": bool(asked.q) and not asked.match,
        "hits": [_shown(line, asked.words) for line in lines],
        "count": len(hits.numbers),
        "cut": found.numbers.count(",") + 1 >= sql.MOST,
        "most": sql.MOST,
        "first": (asked.page - 1) * _A_PAGE + 1,
        "last": (asked.page - 1) * _A_PAGE + len(lines),
        "more": len(hits.numbers) > asked.page * _A_PAGE,
        "facets": list(_facets(hits, asked)),
        "sorts": _SORTS if asked.match and not asked.as_of else _SORTS[1:],
    }


def _looked_up(connection: Connection, asked: Asked, last: int | None) -> sql.Found:
    if asked.q and not asked.match:
        return sql.NOTHING
    if asked.match and asked.sort == "rank":
        return sql.ranked(connection, asked.match, last)
    symbols = asked.chosen["symbol"]
    only = symbols[0] if len(symbols) == 1 and last is None else None
    return sql.matching(connection, asked.match, only, last)


def _of_day(hits: Hits, day: str) -> Hits:
    """The hits of a day in Shanghai; all, if it is none."""
    try:
        return hits.between(*bounds(date.fromisoformat(day)))
    except (ValueError, OverflowError):
        return hits


def _names(q: str) -> tuple[str, ...]:
    """The stocks that a query may be the code of, as sources write them: sh600519, hk00700, us:MSFT."""
    code = q.strip()
    if not code.isdigit():
        return code, code.lower(), code.upper(), f"us:{code.upper()}"
    return f"sh{code}", f"sz{code}", f"bj{code}", f"hk{code.zfill(5)}"


def _ordered(hits: Hits, sort: str) -> Numbers:
    """Hits in order; they come newest to us first, and stay so where they are equal."""
    return hits.by_rank() if sort == "rank" else hits.by_time() if sort == "time" else hits.numbers


def _facets(hits: Hits, asked: Asked) -> Iterator[tuple[str, list[tuple[str, int, bool, dict[str, object]]]]]:
    """Each facet with its commonest values: how many hits have it, whether it is chosen, and what changes that."""
    for facet in FACETS:
        counted = hits.counted(facet)
        values = sorted(counted, reverse=True) if facet == "month" else [value for value, _ in counted.most_common()]
        chosen = asked.chosen[facet]
        listed = dict.fromkeys((*chosen, *values[:_MOST_VALUES]))
        told = [
            (value, counted[value], value in chosen, (asked.without if value in chosen else asked.with_)(facet, value))
            for value in listed
        ]
        if told:
            yield facet, told


def _shown(line: Row, words: Sequence[Words]) -> Row:
    """A hit with its title, its medium and the part of its text that shows most of the words."""
    text = line["summary"] or text_of(line["body"], line["rule"], built_in())
    pieces = {"marked": marked(line["title"], words), "words": snippet(text, words, _SNIPPET)}
    pieces["source"] = marked(line["media"] or line["feed"] or "", words)
    return {**line, **{name: segments(piece) for name, piece in pieces.items()}}


def segments(part: Snippet) -> Segments:
    """A snippet in pieces, marked and not."""
    made: Segments = []
    at = 0
    for begin, end in part.marks:
        made += [(part.text[at:begin], False), (part.text[begin:end], True)]
        at = end
    return [(text, is_marked) for text, is_marked in (*made, (part.text[at:], False)) if text]
