"""What `fetch` asks of a running daemon, which stays the one writer: to poll feeds now, and to tell what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aggregator import __version__
from aggregator.app import App, Fetched, ask_back, chosen, fetch_url, from_json, to_json, told
from aggregator.archive.questions import EARLY
from aggregator.control import ask
from aggregator.errors import AggregatorError, ArchiveError, ConfigError
from aggregator.model import Feed
from aggregator.pipeline import Budget
from aggregator.text.dates import parse_iso

if TYPE_CHECKING:
    from aggregator.schedule import Daemon  # with APScheduler, which `fetch` does not need

_ERRORS = {kind.__name__: kind for kind in (ConfigError, ArchiveError)}


@dataclass(frozen=True, slots=True)
class Errand:
    """What is to be fetched: feeds by name (``None``: all), articles by URL; as the options of `fetch` say.

    ``since``: the lists of the feeds are to be read back to that time of publication, ISO 8601.
    """

    feeds: Sequence[str] | None
    urls: Sequence[str] = ()
    due: bool = False
    retry: bool = False
    limit: int | None = None
    revive: bool = False
    since: str | None = None
    version: str = __version__


async def done_by(app: App, daemon: Daemon, question: Mapping[str, Any]) -> AsyncIterator[Mapping[str, Any]]:
    """Do an errand; the pieces of the answer, as they come. A failure is a piece, too."""
    try:
        if question.get("version") != __version__:
            hint = "Start the daemon anew with the version that is installed"
            raise ConfigError(f"the daemon is of another version, {__version__}", hint=hint)
        async for piece in _done(app, daemon, Errand(**question)):
            yield piece
    except AggregatorError as error:
        kind = next((name for name, kind in _ERRORS.items() if isinstance(error, kind)), "")
        told = {"message": error.message, "kind": error.kind, "where": error.where, "hint": error.hint}
        yield {"error": told, "type": kind}


async def _done(app: App, daemon: Daemon, errand: Errand) -> AsyncIterator[Mapping[str, Any]]:
    if errand.retry:
        yield {"said": f"{await app.archive.revive()} failed articles get another try"}
        if images := await app.archive.revive_images():
            yield {"said": f"{images} failed images get another try"}
    for url in errand.urls:
        yield {"fetched": to_json(Fetched(outcomes=told(await fetch_url(app, url))))}
    if errand.since:
        for feed in await _feeds(app, errand):
            await ask_back(app, feed, parse_iso(errand.since))
    budget = Budget(errand.limit)
    polls = [daemon.ask(feed, budget, revive=errand.revive) for feed in await _feeds(app, errand)]
    yield {"polls": len(polls)}
    for poll in asyncio.as_completed(polls):
        yield {"fetched": to_json(await poll)}
    yield {"done": True}


async def _feeds(app: App, errand: Errand) -> list[Feed]:
    if errand.feeds is None:
        return []
    feeds = chosen(app.settings, errand.feeds)
    if not errand.due:
        return feeds
    due = {one.name for one in await app.archive.due_feeds(EARLY)}
    return [feed for feed in feeds if feed.name in due]


async def run_by_daemon(archive: Path, errand: Errand) -> AsyncIterator[Mapping[str, Any]]:
    """Have the daemon that holds the archive do an errand: ``{"said": …}``, ``{"polls": n}``, ``{"fetched": Fetched}``.

    Raises:
        OSError: no daemon answers, or this user may not ask it.
        AggregatorError: as the daemon met it; kind ``interrupted`` when the daemon ended before all was done.
    """
    async for piece in ask(archive, asdict(errand)):
        if "error" in piece:
            error = piece["error"]
            raise _ERRORS.get(piece["type"], AggregatorError)(error.pop("message"), **error)
        if "done" in piece:
            return
        yield {"fetched": from_json(piece["fetched"])} if "fetched" in piece else piece
    hint = "What it had is stored, the rest waits: run `aggregator fetch` again"
    raise AggregatorError("the daemon ended, or read its configuration again", kind="interrupted", hint=hint)
