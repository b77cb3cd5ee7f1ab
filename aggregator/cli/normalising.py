"""``renormalise``: read stored pages again with the parser and the rules of now."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Annotated

import typer

from aggregator.app import catch_up, chosen, open_app
from aggregator.articles.differences import Difference
from aggregator.cli.frame import ConfigOption, JsonOption, app, run_async, settings_of
from aggregator.cli.output import complain, print_json, print_table, progress
from aggregator.cli.polling import export_fresh
from aggregator.config import Settings
from aggregator.errors import ConfigError
from aggregator.pipeline import Derived, Outcome, heal
from aggregator.pipeline import renormalise as derive_again

_EXAMPLES = 3  # of one field
_SHOWN = 60  # characters of a value
_BEFORE = 10  # of them, before the first one that differs


@dataclass
class _Tally:
    """What deriving again has come to so far."""

    articles: int = 0
    revised: int = 0
    fields: Counter[str] = field(default_factory=Counter)
    examples: defaultdict[str, list[dict[str, str | None]]] = field(default_factory=lambda: defaultdict(list))
    unreadable: list[dict[str, str]] = field(default_factory=list)

    def add(self, one: Derived) -> None:
        self.articles += 1
        self.revised += bool(one.differences)
        if one.error:
            self.unreadable.append({"key": one.key, "kind": one.error.kind, "message": str(one.error)})
        for difference in one.differences:
            self.fields[difference.field] += 1
            if len(self.examples[difference.field]) < _EXAMPLES:
                before, after = _apart(difference)
                self.examples[difference.field].append({"key": one.key, "before": before, "after": after})

    def as_json(self) -> dict[str, object]:
        fields = {name: {"count": n, "examples": self.examples[name]} for name, n in self.fields.most_common()}
        told = {"articles": self.articles, "revised": self.revised, "fields": fields}
        return told | {"unreadable": self.unreadable}


@app.command(
    "renormalise",
    epilog="aggregator renormalise --dry-run · aggregator renormalise --feed sina-domestic · "
    "aggregator renormalise --failed",
)
def renormalise(
    failed: Annotated[bool, typer.Option("--failed", help="Only the pages that could not be read.")] = False,
    feeds: Annotated[
        list[str] | None, typer.Option("--feed", metavar="NAME", help="Only articles of this feed; again for more.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be archived.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Derive every article again from its stored page with the rules of now. Nothing is fetched.

    What differs becomes a revision of cause "parser". It may be cut short and begun again.
    """
    settings = settings_of(config)
    if failed and feeds:
        raise ConfigError("--failed is for all feeds", where="renormalise", hint="Leave out --feed")
    if failed:
        _show_healed(run_async(_healed(settings, dry_run=dry_run)), dry_run=dry_run, as_json=as_json)
        return
    names = [feed.name for feed in chosen(settings, feeds)] if feeds else []
    tally = run_async(_derived(settings, names, dry_run=dry_run))
    if as_json:
        print_json(tally.as_json())
        return
    if tally.fields:
        rows = [
            (name, count, one["key"], one["before"], one["after"])
            for name, count in tally.fields.most_common()
            for one in tally.examples[name]
        ]
        print_table(["field", "articles#", "for example", "was", "is"], rows)
    for one in tally.unreadable:
        complain(f"{one['key']}: {one['kind']}: {one['message']}")
    would = "would get" if dry_run else "got"
    complain(
        f"{tally.articles} articles, {tally.revised} {would} a revision, {len(tally.unreadable)} cannot be read today"
        " and stay as they are"
    )


async def _derived(settings: Settings, names: list[str], *, dry_run: bool) -> _Tally:
    tally = _Tally()
    async with open_app(settings) as opened:
        bar, task = progress(await opened.archive.archived(names), "articles")

        def watch(one: Derived) -> None:
            tally.add(one)
            bar.advance(task)  # type: ignore[arg-type]

        with bar:
            await derive_again(opened.desk, names, watch, keep=not dry_run)
        await catch_up(opened)
        await export_fresh(settings)
    return tally


def _apart(difference: Difference) -> tuple[str | None, str | None]:
    """The two values from a little before the place where they part, cut to what a line of a table can show."""
    before, after = difference.before, difference.after
    alike = takewhile(lambda pair: pair[0] == pair[1], zip(before or "", after or "", strict=False))
    start = max(sum(1 for _ in alike) - _BEFORE, 0)
    return before and before[start : start + _SHOWN], after and after[start : start + _SHOWN]


def _show_healed(outcomes: list[Outcome], *, dry_run: bool, as_json: bool) -> None:
    healed = [outcome for outcome in outcomes if outcome.fresh]
    left = [outcome for outcome in outcomes if outcome.error]
    if as_json:
        print_json(
            {
                "healed": [{"key": o.key, "title": o.title} for o in healed],
                "left": [{"key": o.key, "kind": o.error and o.error.kind} for o in left],
            }
        )
        return
    for outcome in healed:
        complain(f"{outcome.key}: {outcome.title or ''}")
    for outcome in left:
        complain(f"{outcome.key}: {outcome.error and outcome.error.kind}: {outcome.error}")
    complain(
        f"{len(healed)} articles {'would be archived' if dry_run else 'archived'}, {len(left)} still cannot be read"
    )


async def _healed(settings: Settings, *, dry_run: bool) -> list[Outcome]:
    async with open_app(settings) as opened:
        bar, task = progress(len(await opened.archive.readable_again()), "pages")
        with bar:
            outcomes = await heal(opened.desk, keep=not dry_run, watch=lambda _: bar.advance(task))  # type: ignore[arg-type]
        await catch_up(opened)
        await export_fresh(settings)
        return outcomes
