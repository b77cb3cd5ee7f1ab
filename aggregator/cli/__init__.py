"""The command line: a skin over ``app``. Data on stdout, everything else on stderr.

Exit codes: 0 fine, 1 something failed and is stored, 2 usage or configuration, 3 the archive refused, 130 Ctrl-C.
"""

from __future__ import annotations

import os
import sys

from aggregator.cli import (
    browsing,
    comparing,
    demo,
    doctor,
    exporting,
    feeds,
    fetching,
    importing,
    inspecting,
    keeping,
    mending,
    normalising,
    opml,
    reading,
    searching,
    setup,
)
from aggregator.cli.frame import app
from aggregator.cli.output import complain
from aggregator.errors import AggregatorError, ArchiveError, ConfigError

__all__ = [
    "app",
    "browsing",
    "comparing",
    "demo",
    "doctor",
    "exporting",
    "feeds",
    "fetching",
    "importing",
    "inspecting",
    "keeping",
    "mending",
    "normalising",
    "opml",
    "reading",
    "run",
    "searching",
    "setup",
]

_CODES: tuple[tuple[type[AggregatorError], int], ...] = ((ConfigError, 2), (ArchiveError, 3), (AggregatorError, 1))


def run() -> int:
    """Run the command the process was started with; its exit code."""
    try:
        app()
    except AggregatorError as error:
        # A configuration with several mistakes tells them one a line; str() would join them.
        complain(error.message if "\n" in error.message else str(error))
        return next(code for kind, code in _CODES if isinstance(error, kind))
    except BrokenPipeError:  # the reader of our output has gone, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return 0
