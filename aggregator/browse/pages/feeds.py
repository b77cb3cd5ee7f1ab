"""The pages of feeds: which is ill, since when and why, and what it answered last."""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import unquote

from datasette.utils import tilde_decode

from aggregator.browse.archives import Connection, Row
from aggregator.browse.language import texts
from aggregator.browse.sql import health as sql
from aggregator.browse.visit import Visit
from aggregator.health import FAILING

_WARNING = frozenset({"empty", "stale", "degraded", "paused"})
_UNKNOWN = "kind_other"


async def feeds(visit: Visit) -> Any:
    """``/-/feeds``: all of them."""
    found = await visit.ask(sql.feeds)
    return await visit.page("feeds.html", {"feeds": found, "mood": mood, "meaning": meaning})


async def feed(visit: Visit) -> Any:
    """``/-/feeds/<name>``: one, with its last polls and its last answer that is kept.

    Raises:
        NotFound: the archive knows no such feed.
    """
    said = visit.request.url_vars["feed"]
    known = await visit.ask(partial(_feed, names=(unquote(said), tilde_decode(said))))
    if known is None:
        raise visit.missing("no_such_feed")
    return await visit.page("feed.html", {**known, "mood": mood, "meaning": meaning})


def _feed(connection: Connection, names: tuple[str, ...]) -> Row | None:
    for name in names:
        feed = sql.feed(connection, name)
        if feed is not None:
            number = feed["id"]
            polls, answer = sql.polls(connection, number), sql.last_answer(connection, number)
            return {"feed": feed, "polls": polls, "answer": answer, "waiting": sql.waiting(connection, number)}
    return None


def mood(status: str | None) -> str:
    """The class of a status: ``good``, ``warn``, ``bad``, or ``soft`` before the first poll."""
    if status is None:
        return "soft"
    return "bad" if status in FAILING else "warn" if status in _WARNING else "good"


def meaning(kind: str | None) -> str:
    """The key of the text that says what a kind of error means."""
    return f"kind_{kind}" if f"kind_{kind}" in texts() else _UNKNOWN
