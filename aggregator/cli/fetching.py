"""``fetch``: bring feeds up to date once, or have the daemon that is running do it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from aggregator.app.clock import utc_now
from aggregator.app.idle import nothing_due
from aggregator.app.telling import Fetched
from aggregator.cli.fetched import exit_code, show_fetched
from aggregator.cli.frame import ConfigOption, JsonOption, app, settings_of
from aggregator.cli.output import complain
from aggregator.config import Settings
from aggregator.web.network import unused_proxy


@app.command(
    epilog="aggregator fetch · aggregator fetch sina-domestic --limit 20 · aggregator fetch --due (for cron) · "
    "aggregator fetch https://finance.sina.com.cn/…/doc-i….shtml"
)
def fetch(
    what: Annotated[
        list[str] | None, typer.Argument(metavar="FEED|URL", help="Feeds by name, articles by URL; every feed if none.")
    ] = None,
    due: Annotated[bool, typer.Option("--due", help="Only feeds whose next poll is due, for cron.")] = False,
    retry: Annotated[bool, typer.Option("--retry", help="Try articles that failed again, now.")] = False,
    limit: Annotated[int | None, typer.Option(min=0, help="Fetch at most so many pages.")] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 on empty, stale and degraded feeds, too.")
    ] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Poll feeds now, whatever their due time, and archive what they announce."""
    settings = settings_for_polls(config)
    words = what or []
    if due and not retry and not any("://" in word for word in words) and nothing_due(settings, words, utc_now):
        fetched = Fetched()
    else:
        from aggregator.cli.polling import fetched_now  # the network, the parsers, the archive to write to

        fetched = fetched_now(settings, words, due=due, retry=retry, limit=limit)
    show_fetched(fetched, settings, as_json=as_json)
    raise typer.Exit(exit_code(fetched, strict=strict))


def settings_for_polls(config: Path | None) -> Settings:
    """The configuration, and a word on a proxy that is not used."""
    settings = settings_of(config)
    if warning := unused_proxy(settings.network.proxy, os.environ):
        complain(f"warning: {warning}")
    return settings
