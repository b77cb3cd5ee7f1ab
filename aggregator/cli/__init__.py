"""The command line: a skin over ``app``. Data on stdout, everything else on stderr.

Exit codes: 0 fine, 1 something failed and is stored, 2 usage or configuration, 3 the archive refused, 130 Ctrl-C.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING

from aggregator.errors import AggregatorError, ArchiveError, ConfigError

if TYPE_CHECKING:
    import typer

    from aggregator.cli.frame import app

__all__ = ["COMMANDS", "app", "run", "with_commands"]

# The module of each command, in the order of the help. Only the one asked for is imported; all take a second.
COMMANDS: dict[str, str] = {
    "fetch": "fetching",
    "run": "running",
    "status": "reading",
    "coverage": "covering",
    "backfill": "covering",
    "audit": "auditing",
    "show": "reading",
    "diff": "comparing",
    "search": "searching",
    "symbols": "reading",
    "browse": "browsing",
    "export": "exporting",
    "import": "importing",
    "feeds": "feeds",
    "opml": "opml",
    "hooks": "hooks",
    "init": "setup",
    "config": "setup",
    "demo": "demo",
    "doctor": "doctor",
    "rules": "mending",
    "renormalise": "normalising",
    "reindex": "searching",
    "verify": "keeping",
    "backup": "keeping",
    "forget": "keeping",
    "salvage": "keeping",
    "retention": "keeping",
    "parse": "inspecting",
    "article": "inspecting",
}
_CODES: tuple[tuple[type[AggregatorError], int], ...] = ((ConfigError, 2), (ArchiveError, 3), (AggregatorError, 1))


def with_commands(names: Iterable[str]) -> typer.Typer:
    """The application with these commands in it."""
    from aggregator.cli.frame import app

    for module in dict.fromkeys(COMMANDS[name] for name in names):
        import_module(f"aggregator.cli.{module}")
    return app


def __getattr__(name: str) -> object:
    if name == "app":
        return with_commands(COMMANDS)
    raise AttributeError(name)


def run() -> int:
    """Run the command the process was started with; its exit code."""
    first = sys.argv[1] if len(sys.argv) > 1 else ""
    try:
        app = with_commands([first] if first in COMMANDS else COMMANDS)  # the help, a slip and a completion need all
        if not gc.isenabled():  # by ``__main__``, while modules are loaded
            gc.freeze()
            gc.enable()
        app()
    except AggregatorError as error:
        from aggregator.cli.output import complain

        # A configuration with several mistakes tells them one a line; str() would join them.
        complain(error.message if "\n" in error.message else str(error))
        return next(code for kind, code in _CODES if isinstance(error, kind))
    except BrokenPipeError:  # the reader of our output has gone, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return 0
