"""``verify``, ``backup``, ``forget``, ``salvage``: keeping an archive whole, and what is in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from aggregator import __version__
from aggregator.app import forget, kept_for, retain, utc_now
from aggregator.archive import Reader
from aggregator.archive.backup import backup
from aggregator.archive.chain import Head
from aggregator.archive.forgetting import Plan
from aggregator.archive.salvage import salvage
from aggregator.archive.verifying import Verified, kept_head, verify
from aggregator.cli.frame import ConfigOption, JsonOption, app, run_async, settings_of
from aggregator.cli.output import alarm, complain, out, print_json, print_table, progress, visible
from aggregator.errors import ConfigError
from aggregator.identity.keys import keys_of_url

PROVES = (
    "This proves that all up to a head you kept somewhere else is there, unchanged and in its order, if that head is"
    " found (--against). It does not prove that a source ever said it: whoever writes to the archive can write anything"
    " into its future."
)


@app.command(
    "verify",
    epilog="aggregator verify · aggregator verify --head >> heads.txt · aggregator verify --against DIGEST",
)
def verify_archive(
    head: Annotated[bool, typer.Option("--head", help="Only print the last digest, to be kept elsewhere.")] = False,
    against: Annotated[
        str | None, typer.Option("--against", metavar="DIGEST", help="A digest kept earlier: is it still in there?")
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Look at every row, page and document of the archive, and at the chain over them. Nothing is changed."""
    path = settings_of(config).archive
    if head:
        _print_head(kept_head(path), as_json=as_json)
        return
    with watching() as watch:
        done = verify(path, __version__, _digest(against), watch)
    if as_json:
        print_json({**asdict(done), "proves": PROVES})
    else:
        _print(done)
    if done.damages:
        raise typer.Exit(3)


@contextmanager
def watching() -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar for work in several steps: told the step, how much of it is done, and of how much."""
    bar, task = progress(1, "")
    with bar:
        yield lambda step, done, total: bar.update(task, description=step, completed=done, total=total)  # type: ignore[arg-type]


def _digest(text: str | None) -> str | None:
    """The digest in what somebody kept: alone, or a whole line of ``verify --head``."""
    if text is None:
        return None
    word = text.split()[-1].lower() if text.split() else ""
    if len(word) != 64 or set(word) - set("0123456789abcdef"):
        raise ConfigError("this is no digest", where="--against", hint="Give the 64 characters `verify --head` printed")
    return word


def _print_head(head: Head | None, *, as_json: bool) -> None:
    if as_json:
        print_json(head and asdict(head))
    elif head:
        print(told(head))


def told(head: Head) -> str:
    """A head on one line: number, instant, digest."""
    return f"{head.seq} {head.at} {head.digest}"


def _print(done: Verified) -> None:
    print_table(["looked at", "rows#"], list(done.counts.items()))
    for damage in done.damages:
        where = damage.table if damage.row is None else f"{damage.table} {damage.row}"
        alarm(f"{where}: {damage.what}. {damage.hint}")
    if done.head:
        out().print(visible(f"head: {told(done.head)}"), markup=False)
    if done.since:
        complain(f"the kept head is commit {done.since.seq} of {done.since.at}; all up to there is covered by it")
    complain(f"{len(done.damages)} damages" if done.damages else "all as it was stored")
    complain(PROVES)


@app.command("backup", epilog="aggregator backup /mnt/disk/archive-$(date +%F).db · aggregator backup --force copy.db")
def back_up(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The copy to write.")],
    force: Annotated[bool, typer.Option("--force", help="Replace a copy that is there.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Copy the whole archive, as of one moment and while a daemon writes to it, and check the copy."""
    settings = settings_of(config)
    with watching() as watch:
        head = backup(settings.archive, file, watch, force=force)
    if as_json:
        print_json({"file": str(file), "bytes": file.stat().st_size, "head": head and asdict(head)})
        return
    _print_head(head, as_json=False)
    complain(f"{file}: {file.stat().st_size / 1e6:.1f} MB, checked; above is its head, as verify --head prints it")


@app.command("forget", epilog="aggregator forget sina:comos:nitmeau2811260 · aggregator forget https://… --yes --json")
def forget_article(
    what: Annotated[str, typer.Argument(metavar="KEY|URL", help="A key, a URL, or a bare comos id.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Erase an article for good: its texts, pages and pictures. Its keys stay, so that it is not fetched again."""
    settings = settings_of(config)
    with Reader(settings.archive) as reader:
        plan = reader.to_forget(what, *keys_of_url(what), f"sina:comos:{what}")
    if plan is None:
        raise ConfigError("the archive has no such article", where=what, hint="`aggregator show` finds it")
    if as_json and not yes:
        raise ConfigError("nothing is erased unasked", where="--json", hint="Give --yes too")
    if not as_json:
        _print_plan(plan)
        if not yes:
            typer.confirm("Erase it?", abort=True, err=True)
    left = run_async(forget(settings, plan))
    if as_json:
        print_json({"key": plan.key, "rows": plan.rows, "bytes": plan.bytes, "left": left and str(left)})
        return
    if left:
        alarm(f"{left} was left: it is not what the archive rendered; delete it yourself")
    complain("erased; backups made before, and copies exported elsewhere, still hold it")


def _print_plan(plan: Plan) -> None:
    """What is about to be erased."""
    complain(f"{plan.key}: {plan.title or ''}")
    if plan.forgotten:
        complain(f"it was erased at {plan.forgotten} already; the archive's files are swept once more")
        return
    rows = ", ".join(f"{count} {table.replace('_', ' ')}" for table, count in plan.rows.items() if count)
    complain(f"to be blanked: {rows}; {plan.bytes / 1e6:.1f} MB of pages and pictures")
    if plan.shared:
        complain(f"{plan.shared} pages stay, because other articles were read from them too")
    if plan.file:
        complain(f"the exported file {plan.file} is deleted if it is as it was rendered")
    complain("the archive is built anew for this: that takes room for a second one, and a while where it is large")


@app.command("salvage", epilog="aggregator salvage new.db")
def salvage_archive(
    file: Annotated[Path, typer.Argument(metavar="NEWFILE", help="The new archive to write.")],
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Copy what can be read of a damaged archive into a new one, and say what was lost. The damaged one stays."""
    with watching() as watch:
        done = salvage(settings_of(config).archive, file, watch)
    if as_json:
        print_json({"file": str(file), **asdict(done)})
        return
    print_table(["table", "rows#"], list(done.rows.items()))
    for one in done.lost:
        which = f" ({one.first} to {one.last})" if one.first is not None else ""
        alarm(f"lost: {one.rows} rows of {one.table}{which}")
    complain(f"written to {file}; put it in the archive's place; the next poll fetches what listings still have")


@app.command("retention", epilog="aggregator retention --dry-run · aggregator retention --drop")
def drop_old(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell; the same as without --drop.")] = False,
    drop: Annotated[bool, typer.Option("--drop", help="Drop it.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """What the configuration's retention would drop of each feed: raw pages, then texts. Hashes and titles stay."""
    settings = settings_of(config)
    now_dropped = drop and not dry_run
    if now_dropped:
        found = run_async(retain(settings))
    else:
        with Reader(settings.archive) as reader:
            found = reader.no_longer_kept(utc_now(), *kept_for(settings))
    rows = [(one.feed, len(one.pages), one.page_bytes, len(one.texts), one.text_bytes) for one in found]
    names = ["feed", "pages", "page_bytes", "texts", "text_bytes"]
    if as_json:
        print_json([dict(zip(names, row, strict=True)) for row in rows])
        return
    print_table([names[0], *(f"{name}#" for name in names[1:])], rows)
    verb = "dropped" if now_dropped else "to be dropped; --drop does it"
    complain(f"{sum(row[1] for row in rows)} pages and the texts of {sum(row[3] for row in rows)} articles {verb}")
