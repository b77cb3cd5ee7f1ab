"""``doctor``: what is wrong, one verdict and one remedy a line."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from aggregator.app import utc_now
from aggregator.cli.frame import ConfigOption, JsonOption, app, run_async, settings_of
from aggregator.cli.inspecting import listing_json
from aggregator.cli.output import complain, out, print_json, progress
from aggregator.doctor import Finding, Visit, facts_of, load, overall, ready, replay, save, sentence, visit
from aggregator.doctor.golden import write_golden
from aggregator.errors import ConfigError
from aggregator.text.characters import printable
from aggregator.web import resolve_by_system

_COLOURS = {"ok": "green", "warning": "yellow", "bad": "red"}


@app.command(
    epilog="aggregator doctor · aggregator doctor sina-domestic --json · aggregator doctor --save bundle · "
    "aggregator doctor --replay bundle"
)
def doctor(
    feeds: Annotated[
        list[str] | None, typer.Argument(metavar="FEED", help="Feeds by name; every feed if none.")
    ] = None,
    keep: Annotated[
        Path | None, typer.Option("--save", metavar="DIR", help="Keep what was answered there, without secrets.")
    ] = None,
    again: Annotated[
        Path | None, typer.Option("--replay", metavar="DIR", help="Ask such a folder instead of the network.")
    ] = None,
    as_test: Annotated[
        Path | None,
        typer.Option("--as-test", metavar="DIR/NAME", help="With --replay: make a golden test case of --of."),
    ] = None,
    of: Annotated[str, typer.Option("--of", metavar="FEED|URL", help="The listing or page for --as-test.")] = "",
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Say what is wrong with hosts, feeds, pages, archive and installation, and what to do. Nothing is changed."""
    _check(feeds or [], keep, again, as_test, of)
    if keep:
        ready(keep)
    done = _replayed(again) if again else _visited(feeds or [], config)
    if as_test:
        for file in write_golden(done, of, as_test, listing_json):
            complain(f"written: {file}")
        return
    if keep:
        save(done.bundle, keep)
        complain(f"What was answered is in {keep}, without secrets; look through it before you send it")
    if as_json:
        findings = [asdict(finding) for finding in done.findings]
        print_json({"findings": findings, "verdict": overall(done.findings), "summary": sentence(done.findings)})
    else:
        _show(done.findings)
    raise typer.Exit(int(overall(done.findings) == "bad"))


def _check(feeds: Sequence[str], keep: Path | None, again: Path | None, as_test: Path | None, of: str) -> None:
    if again and (feeds or keep):
        raise ConfigError("a bundle is judged as it is", where="--replay", hint="Leave out feeds and --save")
    if bool(as_test) != bool(of) or (as_test and not again):
        hint = "aggregator doctor --replay DIR --as-test tests/golden/pages/NAME --of URL"
        raise ConfigError("--as-test goes with --replay and --of", where="--as-test", hint=hint)


def _visited(names: Sequence[str], config: Path | None) -> Visit:
    settings = settings_of(config)
    facts = facts_of(settings, os.environ)
    bar, task = progress(len(settings.feeds), "asking")
    with bar:
        return run_async(
            visit(
                settings,
                names,
                facts,
                clock=utc_now,
                resolve=resolve_by_system,
                watch=lambda done, total: bar.update(task, completed=done, total=total),  # type: ignore[arg-type]
            )
        )


def _replayed(folder: Path) -> Visit:
    return run_async(replay(load(folder), lambda _done, _total: None))


def _show(findings: Sequence[Finding]) -> None:
    """One line a finding; the remedy behind an arrow."""
    width = max((len(finding.verdict) for finding in findings), default=0)
    for finding in findings:
        colour = _COLOURS[finding.verdict]
        remedy = f" [bold]→[/] {_plain(finding.remedy)}" if finding.remedy else ""
        head = f"[{colour}]{finding.verdict:<{width}}[/]  [bold]{_plain(finding.subject)}[/]"
        out().print(f"{head}  {_plain(finding.what)}{remedy}")
    complain(sentence(findings))


def _plain(text: str) -> str:
    return escape(printable(text))
