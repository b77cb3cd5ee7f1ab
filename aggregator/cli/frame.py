"""What every command shares: the application, the way to the configuration, and how async work is run."""

from __future__ import annotations

import os
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from aggregator import __version__
from aggregator.cli.output import complain
from aggregator.config import Settings, find_config, load
from aggregator.errors import ConfigError

T = TypeVar("T")

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="The configuration file.", show_default="found: see README", metavar="PATH"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]

app = typer.Typer(
    name="aggregator",
    help="An archive of financial news: polls Sina Finance, RSS, Atom and JSON Feed, and keeps every article.",
    epilog="Start with `aggregator demo`, then `aggregator init` and `aggregator fetch`.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=False)
def _root(
    version: Annotated[
        bool, typer.Option("--version", "-V", help="Print the version and exit.", is_eager=True)
    ] = False,
) -> None:
    if version:
        print(f"aggregator {__version__}")
        raise typer.Exit


def config_path(explicit: Path | None) -> Path:
    """The configuration file a command uses.

    Raises:
        ConfigError: there is none in any of the usual places, which the message lists.
    """
    return find_config(explicit, os.environ, Path.cwd(), Path.home())


def settings_of(explicit: Path | None) -> Settings:
    """The configuration a command uses, read and checked; what is odd about it is said on stderr."""
    settings = load(config_path(explicit))
    for warning in settings.warnings():
        complain(f"warning: {warning}")
    return settings


def config_or_none(explicit: Path | None) -> Settings | None:
    """The configuration of a command that can do without one; a file named by hand must be there and be right."""
    try:
        path = config_path(explicit)
    except ConfigError:
        if explicit is not None:
            raise
        return None
    return load(path)


def run_async(work: Coroutine[object, object, T]) -> T:
    """Run async work to its end. Ctrl-C lets what is being stored be stored, then exits with 130."""
    import asyncio  # as much as a configuration takes to be read, and most commands do without

    try:
        return asyncio.run(work)
    except KeyboardInterrupt:
        complain("interrupted; what was settled is kept, the rest waits for the next fetch")
        raise typer.Exit(130) from None
