"""``opml``: the list of feeds from another reader, and for one."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from aggregator.cli.frame import ConfigOption, JsonOption, app, config_path
from aggregator.cli.output import complain, print_json, print_table
from aggregator.config import add_feeds, load, parse, read_config, write_config
from aggregator.errors import ConfigError, ParseError, masked
from aggregator.opml import MAX_BYTES, Decision, Opml, plan, read, write

opml = typer.Typer(help="Bring in the feeds of another reader, or take these to one.", no_args_is_help=True)
app.add_typer(opml, name="opml")


@opml.command(
    "import", epilog="aggregator opml import feeds.opml --dry-run · curl -s URL | aggregator opml import - --json"
)
def import_feeds(
    file: Annotated[str, typer.Argument(metavar="FILE", help="An OPML file, or - for standard input.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and write nothing.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Append the feeds of an OPML file to the configuration, which keeps its comments. Nothing is fetched.

    Folders become the three categories. Feeds that are there already, under any spelling of their address, are skipped.
    """
    path = config_path(config)
    before = read_config(path)
    settings = parse(before, path)
    found = _read(file)
    decisions = plan(found.outlines, settings)
    after = add_feeds(before, [one.row for one in decisions if one.row])
    parse(after, path)  # what would not load is never written
    changed = after != before and not dry_run
    if changed:
        write_config(path, after)
    if as_json:
        print_json({"config": str(path), "written": changed, **_json(found, decisions)})
    else:
        _show(found, decisions)
    if not as_json:
        complain(_told(decisions, path, changed=changed, dry_run=dry_run))
    if found.damage or any(one.verdict == "refused" for one in decisions):
        raise typer.Exit(1)


@opml.command("export", epilog="aggregator opml export feeds.opml · aggregator opml export | xmllint --format -")
def export_feeds(
    file: Annotated[str, typer.Argument(metavar="[FILE|-]", help="The file to write; standard output.")] = "-",
    secrets: Annotated[
        bool, typer.Option("--secrets", help="Also write headers, and the user and password in addresses.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Write the configuration's feeds as OPML 2.0, in the folders of their categories.

    What other readers do not know stands in attributes of our own, so that an import brings the same feeds back.
    """
    path = config_path(config)
    settings = load(path)
    # The file is as old as the list it is made of: the same list gives the same bytes.
    text = write(settings, datetime.fromtimestamp(int(path.stat().st_mtime), UTC), secrets=secrets)
    if file == "-":
        sys.stdout.buffer.write(text.encode())
    else:
        _write(Path(file), path, text)
        complain(f"{len(settings.feeds)} feeds written to {file}")
    left_out = 0 if secrets else sum(bool(row.headers) or "@" in row.url.split("/")[2] for row in settings.feeds)
    if left_out:
        complain(f"headers and passwords of {left_out} feeds are left out; --secrets writes them too")


def _read(file: str) -> Opml:
    try:
        if file == "-":
            return read(sys.stdin.buffer.read(MAX_BYTES + 1))
        with Path(file).open("rb") as stream:
            return read(stream.read(MAX_BYTES + 1))
    except (OSError, ValueError) as error:
        hint = "Name a file that can be read, or - for standard input"
        raise ConfigError(getattr(error, "strerror", None) or str(error), where=file, hint=hint) from error
    except ParseError as error:
        error.where = file
        raise


def _write(file: Path, config: Path, text: str) -> None:
    if file.resolve() == config.resolve():
        raise ConfigError("this is the configuration itself", where=str(file), hint="Name another file")
    write_config(file, text)


def _show(found: Opml, decisions: Sequence[Decision]) -> None:
    rows = [(one.line, one.verdict, one.name, " / ".join(_filed(one)), masked(one.url), one.why) for one in decisions]
    print_table(["line#", "", "feed", "categories", "url", "why"], rows)
    for warning in found.warnings:
        complain(f"warning: {warning}")
    if found.damage:
        complain(f"The file is broken, feeds may be missing: {found.damage}")


def _filed(one: Decision) -> list[str]:
    categories = one.row.get("categories") if one.row else None
    return categories if isinstance(categories, list) else []


def _told(decisions: Sequence[Decision], path: Path, *, changed: bool, dry_run: bool) -> str:
    counts = Counter(one.verdict for one in decisions)
    numbers = f"{counts['added']} added, {counts['skipped']} skipped, {counts['refused']} refused"
    if changed:
        return f"{numbers}; {path} is written, `aggregator fetch` polls them"
    return f"{numbers}; nothing written{' (--dry-run)' if dry_run else ''}"


def _json(found: Opml, decisions: Sequence[Decision]) -> dict[str, object]:
    keys = ("line", "verdict", "name", "why")
    return {
        "outlines": [
            {**{key: getattr(one, key) for key in keys}, "url": masked(one.url), "categories": _filed(one)}
            for one in decisions
        ],
        "warnings": list(found.warnings),
        "damage": found.damage,
    }
