"""Datasette on the archive, set up so that its tables can be read: titles, labels, facets, a reading page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from datasette.app import Datasette
from datasette.database import Database
from datasette.plugins import pm

from aggregator.browse import plugin
from aggregator.browse.metadata import METADATA

NAME = "archive"  # the database's name in addresses and templates, whatever the file is called
_SETTINGS = {"default_page_size": 50, "sql_time_limit_ms": 2000, "truncate_cells_html": 80, "allow_download": False}


def plugged() -> None:
    """See to it that Datasette knows the plugin, also where the package is not installed."""
    if not pm.is_registered(plugin):
        pm.register(plugin, name="aggregator")


def datasette_for(archive: Path) -> Datasette:
    """A Datasette that serves the archive read-only while the daemon may be writing to it."""
    plugged()
    served = Datasette([], metadata=METADATA, template_dir=str(Path(__file__).parent / "templates"), settings=_SETTINGS)
    served.add_database(Database(served, path=str(archive), is_mutable=True), name=NAME)
    return served


def serve(archive: Path, host: str, port: int) -> None:
    """Serve until Ctrl-C. ``port`` 0 takes a free one."""
    import uvicorn  # comes with Datasette

    application: Any = datasette_for(archive).app()
    uvicorn.run(application, host=host, port=port, log_level="warning", lifespan="on")
