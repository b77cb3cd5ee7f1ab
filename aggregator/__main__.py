"""The console script's way in: cheap answers first, the rest of the program only when it is needed."""

from __future__ import annotations

import gc
import sys

from aggregator import __version__


def main() -> None:
    """Run the command line and exit with its code."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        print(f"aggregator {__version__}")
        return
    gc.disable()  # nothing of what is loaded now is ever garbage, and looking for it takes a tenth of the time
    from aggregator.cli import run  # typer and what it draws in cost more than printing a version

    try:
        sys.exit(run())
    finally:
        gc.freeze()  # nor is what there is now looked through three times more before the process ends


if __name__ == "__main__":
    main()
