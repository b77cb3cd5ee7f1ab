"""``browse``: the archive in Datasette."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import Annotated

import typer

from aggregator.archive import Reader
from aggregator.cli.frame import ConfigOption, app, settings_of
from aggregator.cli.output import complain
from aggregator.errors import ConfigError


@app.command(
    epilog="aggregator browse · aggregator browse --port 8080 · aggregator browse --host 0.0.0.0 --password-env PW"
)
def browse(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on.")] = 8001,
    password_env: Annotated[
        str | None, typer.Option(metavar="VAR", help="Ask for the password that this environment variable holds.")
    ] = None,
    sql: Annotated[bool, typer.Option("--sql", help="Let whoever may ask write SQL of their own.")] = False,
    config: ConfigOption = None,
) -> None:
    """Read and search the archive in a browser, with Datasette."""
    if find_spec("datasette") is None:
        raise ConfigError("Datasette is not installed", hint="Install it: pip install 'aggregator[browse]'")
    password = _password(password_env) if password_env else None
    settings = settings_of(config)
    with Reader(settings.archive):  # a missing or foreign file is refused here, in our words
        pass
    from aggregator.browse.safety import is_loopback  # only now: Datasette is an extra
    from aggregator.browse.serving import serve

    complain(f"http://{host}:{port}/ · Ctrl-C stops it")
    if not is_loopback(host) and password is None:
        complain("warning: whoever reaches this machine can read the archive; --password-env VAR asks for a password")
    remote = settings.browse.remote_images
    serve(settings.archive, host, port, password=password, sql=sql, remote_images=remote)


def _password(variable: str) -> str:
    """The password in an environment variable, which programs started from here no longer see.

    Raises:
        ConfigError: there is none.
    """
    password = os.environ.pop(variable, "")
    if not password:
        raise ConfigError("it holds no password", where=variable, hint=f"export {variable}=…, and start again")
    return password
