"""What other readers and programs are given: Atom and JSON Feed with full text, articles as JSON and safe CSV."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from io import BytesIO
from typing import IO, Any
from urllib.parse import quote, unquote, urlencode

from datasette.utils import tilde_decode
from datasette.utils.asgi import AsgiStream, BadRequest, Response

from aggregator import __version__
from aggregator.browse.archives import Connection, Row
from aggregator.browse.safety import INERT
from aggregator.browse.sql.feeds import MOST, Asked, articles, feed_number, newest
from aggregator.browse.times import bounds
from aggregator.browse.visit import HEADERS, Visit
from aggregator.export.feeds import Head, write_atom, write_json_feed
from aggregator.export.tables import COLUMNS, write_csv
from aggregator.text.query import match_of, parse

_ENTRIES = 50  # of a feed, and of a page of the API unless it is said
_PAGE = 500  # the most of a page of the API
_GROUP = 100  # rows of CSV in memory at once
_NOTHING = '""'  # an empty phrase, which FTS5 finds nowhere
_NAMES = ("q", "symbol", "media", "category", "feed", "since", "until")  # what may be asked, in addresses
_FORMS: Mapping[str, tuple[str, Callable[[IO[bytes], Head, list[Mapping[str, object]]], int]]] = {
    "atom": ("application/atom+xml; charset=utf-8", write_atom),
    "json": ("application/feed+json; charset=utf-8", write_json_feed),
}


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a request asks: which articles, and the same in words."""

    asked: Asked
    title: str
    said: str


async def feed(visit: Visit) -> Any:
    """``/feed/<name>.atom`` and ``.json``, and ``/feed.atom`` of all feeds; with ``?q=`` and such, of a search.

    Raises:
        NotFound: the archive knows no such feed.
        BadRequest: a day is none.
    """
    wanted = await _wanted(visit)
    revisions = await visit.ask(partial(newest, asked=wanted.asked, limit=_ENTRIES))
    form = visit.request.url_vars["form"]
    tag = _tag(form, wanted.said, revisions)
    headers = {**HEADERS, "content-security-policy": INERT, "etag": tag, "cache-control": "no-cache"}
    if tag in visit.request.headers.get("if-none-match", "").replace("W/", "").split(", "):
        return Response("", status=304, headers=headers)
    rows = await visit.ask(partial(_read, revisions=revisions))
    kind, write = _FORMS[form]
    where = visit.datasette.absolute_url(visit.request, _here(visit))
    stream = BytesIO()
    write(stream, Head(f"urn:aggregator:feed:{_quoted(wanted.said)}", wanted.title, where), [*rows])
    return Response(stream.getvalue(), headers=headers, content_type=kind)


async def listed(visit: Visit) -> Any:
    """``/-/articles.json``: a page of articles with their text, and the address of the next one.

    Raises:
        NotFound: the archive knows no such feed.
        BadRequest: a day is none.
    """
    wanted = await _wanted(visit)
    limit = max(1, visit.number("limit", _ENTRIES, _PAGE))
    before = visit.number("before", 0) or None
    revisions = await visit.ask(partial(newest, asked=replace(wanted.asked, before=before), limit=limit + 1))
    rows = await visit.ask(partial(_read, revisions=revisions[:limit]))
    following = _here(visit, before=revisions[limit - 1], limit=limit) if len(revisions) > limit else None
    told = {
        "articles": [{name: row[name] for name in ("id", *COLUMNS, "seen")} for row in rows],
        "next": following and visit.datasette.absolute_url(visit.request, following),
    }
    text = json.dumps(told, ensure_ascii=False)
    return Response(text, headers=HEADERS, content_type="application/json; charset=utf-8")


async def table(visit: Visit) -> Any:
    """``/-/articles.csv``: the newest 10,000 of what is asked for, each a row, safe for spreadsheets.

    Raises:
        NotFound: the archive knows no such feed.
        BadRequest: a day is none.
    """
    wanted = await _wanted(visit)
    limit = max(1, visit.number("limit", MOST, MOST))
    revisions = await visit.ask(partial(newest, asked=wanted.asked, limit=limit))
    headers = {**HEADERS, "content-disposition": 'attachment; filename="articles.csv"'}

    async def write(stream: Any) -> None:
        async for lines in _lines(visit, revisions):
            await stream.write(lines)

    return AsgiStream(write, headers=headers, content_type="text/csv; charset=utf-8")


async def _lines(visit: Visit, revisions: Sequence[int]) -> AsyncIterator[str]:
    """The lines of the CSV file, the heading first, then some at a time."""
    yield _csv([], begun=False)
    for first in range(0, len(revisions), _GROUP):
        yield _csv(await visit.ask(partial(_read, revisions=revisions[first : first + _GROUP])), begun=True)


def _csv(rows: list[Row], *, begun: bool) -> str:
    stream = BytesIO()
    write_csv(stream, rows, begun=begun)
    return stream.getvalue().decode()


def _read(connection: Connection, revisions: Sequence[int]) -> list[Row]:
    return list(articles(connection, revisions))


async def _wanted(visit: Visit) -> _Wanted:
    said = {name: value for name in _NAMES if (value := " ".join(_values(visit, name)))}
    symbols = _values(visit, "symbol")
    match = (match_of(parse(said["q"])) or _NOTHING) if "q" in said else None
    asked = Asked(
        match, symbols[0] if len(symbols) == 1 else None, media=said.get("media"), category=said.get("category")
    )
    asked = replace(asked, symbols=json.dumps(symbols) if len(symbols) > 1 else None)
    asked = replace(asked, since=_bound(said.get("since"), 0), until=_bound(said.get("until"), 1))
    path = visit.request.url_vars.get("feed")
    names = [unquote(path), tilde_decode(path)] if path else [said["feed"]] if "feed" in said else []
    if names:
        known = await visit.ask(partial(feed_number, names=names))
        if known is None:
            raise visit.missing("no_such_feed")
        asked, said = replace(asked, feed=known[0]), said | {"feed": known[1]}
    told = [said[name] for name in ("feed", *_NAMES) if name in said]
    return _Wanted(asked, " · ".join(dict.fromkeys(told)) or visit.say("all_articles"), urlencode(sorted(said.items())))


def _values(visit: Visit, name: str) -> list[str]:
    """What an address says of a name: of stocks all there are, each once and in order, else one value."""
    if name == "symbol":
        return sorted({one.strip() for one in visit.arguments(name)} - {""})
    return [value] if (value := visit.argument(name)) else []


def _bound(day: str | None, which: int) -> str | None:
    """The first instant of a day in Shanghai (0), or the first behind it (1)."""
    if day is None:
        return None
    try:
        return bounds(date.fromisoformat(day))[which]
    except (ValueError, OverflowError) as error:
        raise BadRequest("since and until are days: 2026-03-01") from error


def _here(visit: Visit, **more: object) -> str:
    said = {name: values for name in _NAMES if (values := _values(visit, name))} | more
    path: str = visit.request.path
    return path + (f"?{urlencode(said, doseq=True)}" if said else "")


def _tag(*parts: object) -> str:
    """An entity tag: versions never change, so which ones there are says it all."""
    return f'"{hashlib.sha256(repr((__version__, *parts)).encode()).hexdigest()[:32]}"'


def _quoted(text: str) -> str:
    return quote(text, safe="=").replace("~", "%7E") or "all"
