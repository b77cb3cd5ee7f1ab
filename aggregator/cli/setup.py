"""``init`` and ``config``: from nothing to a configuration that is right."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from aggregator.cli.frame import ConfigOption, JsonOption, app, config_path
from aggregator.cli.output import complain, print_json
from aggregator.config import load, schema, starter
from aggregator.errors import ConfigError

config_app = typer.Typer(help="Check the configuration, or print its schema for editors.", no_args_is_help=True)
app.add_typer(config_app, name="config")


@app.command(epilog="aggregator init · aggregator init ~/.config/aggregator/config.yaml")
def init(
    place: Annotated[Path | None, typer.Argument(metavar="PATH", help="The file to write; ./config.yaml.")] = None,
    config: ConfigOption = None,
) -> None:
    """Write a commented config.yaml with Sina Finance's channels."""
    path = place or config or Path("config.yaml")
    if path.exists():
        raise ConfigError("there is a file already", where=str(path), hint="Name another one: aggregator init PATH")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(starter(), encoding="utf-8")
    except OSError as error:
        hint = "Name a place this user may write to: aggregator init PATH"
        raise ConfigError(str(error.strerror), where=str(path), hint=hint) from error
    complain(f"written {path}; look through it, then run `aggregator fetch`")


@config_app.command("check")
def check(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """Read the configuration and say what is wrong with it: key and line."""
    path = config_path(config)
    settings = load(path)
    listed = settings.feed_list()
    enabled = sum(feed.enabled for feed in listed)
    if as_json:
        print_json({"config": str(path), "feeds": len(listed), "enabled": enabled, "warnings": settings.warnings()})
        return
    for warning in settings.warnings():
        complain(f"warning: {warning}")
    complain(f"{path}: fine, {len(listed)} feeds, {enabled} of them enabled; archive {settings.archive}")


@config_app.command("schema", epilog="aggregator config schema > config.schema.json")
def print_schema(config: ConfigOption = None) -> None:
    """Print the configuration's JSON Schema, which editors use for completion; the same for every configuration."""
    print_json(schema())
