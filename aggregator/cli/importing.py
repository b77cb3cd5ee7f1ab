"""``import``: documents that other programs wrote, taken into the archive with their bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from aggregator.app import catch_up, home_of_imports, open_app
from aggregator.archive import Reader
from aggregator.archive.importing import Taken
from aggregator.cli.frame import ConfigOption, JsonOption, app, run_async, settings_of
from aggregator.cli.output import complain, print_json, progress
from aggregator.cli.polling import export_fresh
from aggregator.config import Settings
from aggregator.errors import ConfigError, ParseError
from aggregator.pipeline.importing import taken

_GROUP = 200  # documents of one transaction
_WORDS = {"imported": "taken in", "attached": "seen before as articles", "known": "known already", "refused": "refused"}


@app.command("import", epilog="aggregator import blog/source/_posts --dry-run · aggregator import old.md older.md")
def import_documents(
    paths: Annotated[list[Path], typer.Argument(metavar="DIR|FILE", help="Folders (all their .md files) or files.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be done.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Take in front-matter documents as articles. Their bytes are kept: an export writes them as they were."""
    settings = settings_of(config)
    found = list(_files(paths))
    if not found:
        raise ConfigError("there is no .md file", where=", ".join(map(str, paths)), hint="Name a folder of documents")
    refused: list[ParseError] = []
    counts = run_async(_imported(settings, found, refused, dry_run=dry_run))
    counts["refused"] = len(refused)
    for error in refused:
        complain(f"{error.kind}: {error}")
    if as_json:
        print_json({**{name: counts[name] for name in _WORDS}, "errors": [str(error) for error in refused]})
    else:
        would = "it would be: " if dry_run else ""
        complain(would + ", ".join(f"{counts[name]} {words}" for name, words in _WORDS.items()))
    if refused:
        raise typer.Exit(1)


def _files(paths: Sequence[Path]) -> Iterator[tuple[Path, str | None]]:
    """Each file, and its place below the folder that was named.

    Raises:
        ConfigError: there is no such file or folder.
    """
    for path in paths:
        if path.is_dir():
            yield from ((file, file.relative_to(path).as_posix()) for file in sorted(path.rglob("*.md")))
        elif path.is_file():
            yield path, None
        else:
            raise ConfigError("there is no such file or folder", where=str(path), hint="Give a folder of documents")


async def _imported(
    settings: Settings, found: Sequence[tuple[Path, str | None]], refused: list[ParseError], *, dry_run: bool
) -> Counter[str]:
    bar, task = progress(len(found), "documents")
    counts = Counter[str]()
    documents = _read(settings, found, refused)
    with bar:
        if dry_run and settings.archive.exists():
            with Reader(settings.archive) as reader:
                while group := list(islice(documents, _GROUP)):
                    counts.update(reader.what_would_be(group))
                    bar.advance(task, len(group))  # type: ignore[arg-type]
            return counts
        if dry_run:
            counts["imported"] = sum(1 for _ in documents)
            return counts
        async with open_app(settings) as opened:
            await opened.archive.enrol_unlisted(home_of_imports())
            while group := list(islice(documents, _GROUP)):
                counts.update(await opened.archive.take_in(group))
                bar.advance(task, len(group))  # type: ignore[arg-type]
            await catch_up(opened)
            await export_fresh(settings)
    return counts


def _read(settings: Settings, found: Sequence[tuple[Path, str | None]], refused: list[ParseError]) -> Iterator[Taken]:
    """The documents one by one; what is none goes to ``refused``."""
    rules = settings.site_rules()
    for file, place in found:
        try:
            data = file.read_bytes()
        except OSError as error:
            raise ConfigError(
                f"it cannot be read: {error.strerror}", where=str(file), hint="Check its rights"
            ) from error
        try:
            yield taken(data, place, where=str(file), zone=settings.timezone, rules=rules)
        except ParseError as error:
            refused.append(error)
