"""Datasette on the archive, set up so that its tables can be read: titles, labels, facets, a reading page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from datasette.app import Datasette
from datasette.plugins import pm

from aggregator.browse import plugin
from aggregator.browse.knowing import KnownDatabase
from aggregator.browse.metadata import METADATA, TOLD
from aggregator.browse.safety import Door, behind, is_loopback

NAME = "archive"  # the database's name in addresses and templates, whatever the file is called
_SETTINGS = {"default_page_size": 50, "sql_time_limit_ms": 2000, "truncate_cells_html": 80, "allow_download": False}
# Which columns might make facets is found out by reading the whole table for each: a second, of 100,000 articles.
_SETTINGS["suggest_facets"] = False


def plugged() -> None:
    """See to it that Datasette knows the plugin, also where the package is not installed."""
    if not pm.is_registered(plugin):
        pm.register(plugin, name="aggregator")


def datasette_for(archive: Path, *, sql: bool = False, remote_images: bool = False) -> Datasette:
    """A Datasette that serves the archive read-only while a daemon may write to it.

    ``sql``: visitors may write SQL. ``remote_images``: images that are not stored may be loaded from their sites.
    """
    plugged()
    # Datasette 1.0 has no hook by which the plugin tells of databases; else what is told twice is merged each time.
    known = {} if hasattr(pm.hook, "get_metadata") else {"databases": {NAME: TOLD}}
    ours = {"plugins": {"aggregator": {"remote_images": remote_images}}}
    served = Datasette(
        [],
        metadata=METADATA | known | ours | ({"allow_sql": True} if sql else {}),
        template_dir=str(Path(__file__).parent / "templates"),
        settings=_SETTINGS | {"default_allow_sql": sql},
    )
    served.remove_database("_memory")  # which it makes where no file is named
    served.add_database(KnownDatabase(served, path=str(archive), is_mutable=True), name=NAME)
    return served


def serve(
    archive: Path, host: str, port: int, *, password: str | None = None, sql: bool = False, remote_images: bool = False
) -> None:
    """Serve until Ctrl-C; with a password for those who know it. ``port`` 0 takes a free one."""
    import uvicorn  # comes with Datasette

    door = Door(password, local=is_loopback(host))
    application: Any = behind(door, datasette_for(archive, sql=sql, remote_images=remote_images).app())
    uvicorn.run(application, host=host, port=port, log_level="warning", lifespan="on", server_header=False)
