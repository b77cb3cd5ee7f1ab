"""``browse``: the archive in Datasette."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Annotated

import typer

from aggregator.archive import Reader
from aggregator.cli.frame import ConfigOption, app, settings_of
from aggregator.cli.output import complain
from aggregator.errors import ConfigError


@app.command(epilog="aggregator browse · aggregator browse --port 8080")
def browse(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on.")] = 8001,
    config: ConfigOption = None,
) -> None:
    """Read and search the archive in a browser, with Datasette."""
    if find_spec("datasette") is None:
        raise ConfigError("Datasette is not installed", hint="Install it: pip install 'aggregator[browse]'")
    settings = settings_of(config)
    with Reader(settings.archive):  # a missing or foreign file is refused here, in our words
        pass
    from aggregator.browse.serving import serve  # only now: Datasette is an extra

    complain(f"http://{host}:{port}/ · Ctrl-C stops it")
    serve(settings.archive, host, port)
