"""The jobs a person asks for: settings in, what was done out. Everything below is wired together here."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aggregator.app.clock import utc_now
    from aggregator.app.exporting import export_all, export_new, export_until
    from aggregator.app.idle import nothing_due
    from aggregator.app.keeping import forget, home_of_imports, kept_for, reindex, rename_feed, retain, sift, sift_again
    from aggregator.app.opening import App, network_of, open_app, open_archive, staffed
    from aggregator.app.polling import (
        AT_A_RUN,
        article_url,
        ask_back,
        catch_up,
        chosen,
        collect_all,
        discover_all,
        fetch_one,
        fetch_page,
        fetch_url,
        poll_feed,
        read_back,
        recheck_all,
        rechecks_due,
        unfiled,
        worked,
    )
    from aggregator.app.telling import Fetched, Told, counted, from_json, joined, to_json, told

__all__ = [
    "AT_A_RUN",
    "App",
    "Fetched",
    "Told",
    "article_url",
    "ask_back",
    "catch_up",
    "chosen",
    "collect_all",
    "counted",
    "discover_all",
    "export_all",
    "export_new",
    "export_until",
    "fetch_one",
    "fetch_page",
    "fetch_url",
    "forget",
    "from_json",
    "home_of_imports",
    "joined",
    "kept_for",
    "network_of",
    "nothing_due",
    "open_app",
    "open_archive",
    "poll_feed",
    "read_back",
    "recheck_all",
    "rechecks_due",
    "reindex",
    "rename_feed",
    "retain",
    "sift",
    "sift_again",
    "staffed",
    "to_json",
    "told",
    "unfiled",
    "utc_now",
    "worked",
]
# Where each name is at home, which is loaded when it is first asked for: a command that needs one waits for no other.
_HOMES = {
    "export_all": "aggregator.app.exporting",
    "export_new": "aggregator.app.exporting",
    "export_until": "aggregator.app.exporting",
    "nothing_due": "aggregator.app.idle",
    "forget": "aggregator.app.keeping",
    "home_of_imports": "aggregator.app.keeping",
    "kept_for": "aggregator.app.keeping",
    "reindex": "aggregator.app.keeping",
    "rename_feed": "aggregator.app.keeping",
    "retain": "aggregator.app.keeping",
    "sift": "aggregator.app.keeping",
    "sift_again": "aggregator.app.keeping",
    "App": "aggregator.app.opening",
    "network_of": "aggregator.app.opening",
    "open_app": "aggregator.app.opening",
    "open_archive": "aggregator.app.opening",
    "staffed": "aggregator.app.opening",
    "utc_now": "aggregator.app.clock",
    "AT_A_RUN": "aggregator.app.polling",
    "article_url": "aggregator.app.polling",
    "ask_back": "aggregator.app.polling",
    "catch_up": "aggregator.app.polling",
    "chosen": "aggregator.app.polling",
    "collect_all": "aggregator.app.polling",
    "discover_all": "aggregator.app.polling",
    "fetch_one": "aggregator.app.polling",
    "fetch_page": "aggregator.app.polling",
    "fetch_url": "aggregator.app.polling",
    "poll_feed": "aggregator.app.polling",
    "read_back": "aggregator.app.polling",
    "recheck_all": "aggregator.app.polling",
    "rechecks_due": "aggregator.app.polling",
    "unfiled": "aggregator.app.polling",
    "worked": "aggregator.app.polling",
    "Fetched": "aggregator.app.telling",
    "Told": "aggregator.app.telling",
    "counted": "aggregator.app.telling",
    "from_json": "aggregator.app.telling",
    "joined": "aggregator.app.telling",
    "to_json": "aggregator.app.telling",
    "told": "aggregator.app.telling",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
