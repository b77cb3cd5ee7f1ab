"""``hooks``: the rules by which others are told what was archived, tried and run by hand."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Annotated

import typer

from aggregator.app import network_of, utc_now
from aggregator.archive import Reader
from aggregator.archive.hooks import Fact
from aggregator.cli.frame import ConfigOption, JsonOption, app, run_async, settings_of
from aggregator.cli.instants import span_of
from aggregator.cli.output import complain, print_hooks, print_json, print_table, progress
from aggregator.config import Settings
from aggregator.errors import AggregatorError, ArchiveError, ConfigError
from aggregator.hooks import Event, Hook, hooks_of, sink_of, told, trial, wanted
from aggregator.text.dates import iso, parse_iso
from aggregator.web import Client

_COMMITS = 500  # read in one go

hooks_app = typer.Typer(
    help="Rules by which others are told what was archived: `hooks` in config.yaml.", no_args_is_help=True
)
app.add_typer(hooks_app, name="hooks")
Named = Annotated[str, typer.Argument(metavar="NAME", help="A hook's name.")]


@hooks_app.command("list", epilog="aggregator hooks list · aggregator hooks list --json")
def list_hooks(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """The hooks, where they tell, what waits and what was given up."""
    settings = settings_of(config)
    hooks, states = hooks_of(settings), _states(settings)
    if as_json:
        known = {str(row["name"]): row for row in states}
        shown = [{"name": one.name, "on": one.when.on, "to": one.where} for one in hooks]
        print_json({"hooks": [{**row, "deliveries": known.get(str(row["name"]))} for row in shown]})
        return
    print_table(["hook", "tells", "to"], [(one.name, ", ".join(one.when.on), one.where) for one in hooks])
    print_hooks(states, settings.timezone)


def _states(settings: Settings) -> list[dict[str, object]]:
    """What the archive knows of hooks; nothing where there is none yet."""
    try:
        with Reader(settings.archive) as reader:
            return reader.hooks()
    except ArchiveError as error:
        if error.kind != "missing":
            raise
        return []


@hooks_app.command("test", epilog="aggregator hooks test NAME")
def try_hook(name: Named, config: ConfigOption = None) -> None:
    """Send an event of type "test" and tell what the receiver says. An Atom file is written with what it has."""
    settings = settings_of(config)
    hook = _hook(settings, name)
    if run_async(_send(settings, hook, [trial(hook.name, iso(utc_now()))])):
        complain(f"{hook.where} did not take it")
        raise typer.Exit(1)


@hooks_app.command(
    "run",
    epilog="aggregator hooks run NAME --since 2026-01 --dry-run · aggregator hooks run NAME --since 2026-03-01",
)
def run_hook(
    name: Named,
    since: Annotated[
        str, typer.Option(help="Only what was published, or else first seen, from then on (inclusive).")
    ] = "",
    until: Annotated[str, typer.Option(help="… and up to then (inclusive).")] = "",
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many events.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be told.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Run a hook over what the archive has. Events keep their ids, so that a receiver can drop repeats.

    Each is sent once and a failure is told; only what `aggregator run` finds is tried again.
    """
    settings = settings_of(config)
    hook = _hook(settings, name)
    if hook.file and not dry_run:
        raise ConfigError(
            "an Atom file holds what `run` found", where=name, hint="Use --dry-run, or `aggregator export --atom`"
        )
    first = span_of(since, settings.timezone, "--since")[0] if since else None
    last = span_of(until, settings.timezone, "--until")[1] if until else None
    found = _found(settings, hook, first, last, limit)
    if as_json:
        print_json({"events": [{"id": one.id, "type": one.kind, "at": one.at, "title": one.title} for one in found]})
    else:
        print_table(["event", "at", "what"], [(one.kind, one.at, one.title) for one in found])
    if dry_run:
        complain(f"{len(found)} events would be told; nothing was sent")
    elif failed := run_async(_send(settings, hook, _events(settings, found))):
        complain(f"{failed} of {len(found)} events were not taken")
        raise typer.Exit(1)


def _hook(settings: Settings, name: str) -> Hook:
    hooks = {hook.name: hook for hook in hooks_of(settings)}
    if name not in hooks:
        hint = f"Known hooks: {', '.join(hooks) or 'none'}"
        raise ConfigError(f"there is no hook named {name!r}", where="hooks", hint=hint)
    return hooks[name]


@dataclass(frozen=True, slots=True)
class _Found:
    """A fact without its text, of which there may be millions."""

    id: str
    kind: str
    row: int
    at: str
    title: str


def _found(
    settings: Settings, hook: Hook, since: datetime | None, until: datetime | None, limit: int | None
) -> list[_Found]:
    rules = settings.site_rules()
    with Reader(settings.archive) as reader:
        head = reader.head()
        facts = (
            _Found(fact.id, fact.kind, fact.row, fact.at, _title(fact))
            for fact in _facts(reader, head.seq if head else 0)
            if _between(fact, since, until) and wanted(hook.when, fact, rules)
        )
        return list(islice(facts, limit))


def _events(settings: Settings, found: Sequence[_Found]) -> Iterator[Event]:
    with Reader(settings.archive) as reader:
        for one in found:
            if fact := reader.fact(one.kind, one.row):
                yield told(fact)


def _facts(reader: Reader, head: int) -> Iterator[Fact]:
    bar, task = progress(head, "looking")
    with bar:
        for after in range(0, head, _COMMITS):
            yield from reader.facts(after, min(after + _COMMITS, head))
            bar.update(task, advance=_COMMITS)  # type: ignore[arg-type]


def _between(fact: Fact, since: datetime | None, until: datetime | None) -> bool:
    at = parse_iso(str((fact.article or {}).get("published") or fact.at))
    return (since is None or at >= since) and (until is None or at < until)


def _title(fact: Fact) -> str:
    article = fact.article or {}
    return str(article.get("title") or fact.details.get("feed") or "")


async def _send(settings: Settings, hook: Hook, events: Iterable[Event]) -> int:
    """Send events one after the other; how many were not taken."""
    failed = 0
    async with Client(network_of(settings)) as client:
        sink = sink_of(hook, settings.archive, client.post, os.environ, utc_now)
        for event in events:
            try:
                said = await sink.send([event])
                complain(f"{event.id}: {said}" if said else event.id)
            except AggregatorError as error:
                failed += 1
                complain(f"{event.id}: {error.kind}: {error.message}. {error.hint}".rstrip(". ") + ".")
    return failed
