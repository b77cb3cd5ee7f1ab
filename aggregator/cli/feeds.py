"""``feeds``: the configuration's feeds, edited in place with every comment kept."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, get_args

import typer

from aggregator.app import rename_feed
from aggregator.cli.frame import ConfigOption, JsonOption, app, config_path, run_async, settings_of
from aggregator.cli.output import complain, print_json, print_table
from aggregator.config import add_feed, check_feed, load, parse, read_config, remove_feed, set_feed, write_config
from aggregator.errors import ConfigError, masked
from aggregator.model import SourceName

feeds = typer.Typer(help="List, add, pause and remove feeds; comments in config.yaml survive.", no_args_is_help=True)
app.add_typer(feeds, name="feeds")

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The feed's name.")]


@feeds.command("list")
def list_feeds(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """The feeds of the configuration; a password in an address is not shown."""
    listed = settings_of(config).feed_list()
    if as_json:
        keys = ("name", "source", "categories", "every", "enabled", "pages")
        print_json([{key: getattr(feed, key) for key in keys} | {"url": masked(feed.url)} for feed in listed])
        return
    rows = [
        (
            feed.name,
            feed.source,
            "" if feed.enabled else "paused",
            f"{feed.every} s",
            " / ".join(feed.categories),
            masked(feed.url),
        )
        for feed in listed
    ]
    print_table(["feed", "source", "", "every#", "categories", "url"], rows)


@feeds.command(
    "add", epilog="aggregator feeds add ecb https://www.ecb.europa.eu/rss/press.html --categories 央行,欧洲,ECB"
)
def add(
    name: NameArgument,
    url: Annotated[str, typer.Argument(metavar="URL", help="The listing's address.")],
    source: Annotated[str, typer.Option(help=f"One of: {', '.join(get_args(SourceName))}.")] = "feed",
    categories: Annotated[str | None, typer.Option(help="Three, with commas: C1,C2,C3.")] = None,
    every: Annotated[str | None, typer.Option(help="Time between polls, such as 10m.")] = None,
    pages: Annotated[str | None, typer.Option(help="auto, true or false: fetch each article's page?")] = None,
    config: ConfigOption = None,
) -> None:
    """Append a feed to the configuration."""
    path = config_path(config)
    given = {"categories": categories.split(",") if categories else None, "every": every, "pages": pages}
    row: dict[str, object] = {"name": name, "source": source, "url": url}
    row |= {key: value for key, value in given.items() if value is not None}
    check_feed(row)
    _save(path, add_feed(read_config(path), row))
    complain(f"added {name} to {path}; `aggregator fetch {name}` polls it now")


@feeds.command("pause")
def pause(name: NameArgument, config: ConfigOption = None) -> None:
    """Stop polling a feed; its articles stay."""
    path = config_path(config)
    _save(path, set_feed(read_config(path), name, "enabled", False))
    complain(f"paused {name}; `aggregator feeds resume {name}` takes it up again")


@feeds.command("resume")
def resume(name: NameArgument, config: ConfigOption = None) -> None:
    """Poll a paused feed again."""
    path = config_path(config)
    _save(path, set_feed(read_config(path), name, "enabled", True))
    complain(f"resumed {name}")


@feeds.command("rename", epilog="aggregator feeds rename ecb ecb-press")
def rename(
    old: Annotated[str, typer.Argument(metavar="OLD", help="The feed's name.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The name it is to have.")],
    config: ConfigOption = None,
) -> None:
    """Give a feed another name, in the configuration and in the archive: its articles and history go along."""
    path, new = config_path(config), new.strip()
    text = read_config(path)
    edited = set_feed(text, old, "name", new)
    after = parse(edited, path)
    if after.feed_list() == (before := parse(text, path)).feed_list():
        raise ConfigError("this is its name already", where=old, hint="Give another one")
    run_async(rename_feed(before, after, old, new, lambda: write_config(path, edited)))
    complain(f"renamed {old} to {new} in {path}, its history with it")


@feeds.command("remove")
def remove(name: NameArgument, config: ConfigOption = None) -> None:
    """Take a feed out of the configuration; its articles and history stay in the archive."""
    path = config_path(config)
    _save(path, remove_feed(read_config(path), name))
    complain(f"removed {name} from {path}; what it brought stays in the archive")


def _save(path: Path, text: str) -> None:
    """Write the edited configuration, which must still be one that loads."""
    before = read_config(path)
    write_config(path, text)
    try:
        load(path)
    except BaseException:
        write_config(path, before)
        raise
