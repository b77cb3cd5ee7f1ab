"""``run``: the daemon."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from aggregator.cli.fetching import settings_for_polls
from aggregator.cli.frame import ConfigOption, app, config_path, run_async
from aggregator.config import Settings, load
from aggregator.errors import ConfigError
from aggregator.logs import Form, Log, begin
from aggregator.signals import Signals
from aggregator.systemd import Notifier


@app.command(
    name="run",
    epilog="aggregator run · aggregator run --log json · systemctl start aggregator · "
    "Ctrl-C or SIGTERM ends it, SIGHUP makes it read the configuration again",
)
def run_daemon(
    log: Annotated[
        Form | None,
        typer.Option("--log", help="How it logs.", show_default="console on a terminal, else json"),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Poll every feed when it is due, until stopped. One daemon per archive."""
    from aggregator.service import LONGEST, Service  # APScheduler loads only for the daemon

    signals = Signals(LONGEST)
    with signals.heard():
        settings, path = settings_for_polls(config), config_path(config).resolve()
        if not any(feed.enabled for feed in settings.feed_list()):
            hint = "Add one: aggregator feeds add NAME URL"
            raise ConfigError("there is no enabled feed to poll", where="feeds", hint=hint)

        secrets: set[str] = set()

        def logged(settings: Settings) -> Log:
            secrets.update(settings.secrets())  # those of before, too: polls of before may still tell
            return begin(sys.stderr, log or ("console" if sys.stderr.isatty() else "json"), secrets)

        def reread() -> Settings:
            fresh = load(path)
            logged(fresh)
            return fresh

        notifier = Notifier(os.environ, os.getpid())
        run_async(Service(str(path), reread, logged(settings), signals, notifier).run(settings))
        signals.leave()
