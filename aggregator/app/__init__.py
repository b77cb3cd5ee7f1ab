"""The jobs a person asks for: settings in, what was done out. Everything below is wired together here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aggregator.lazy import names_of

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
__getattr__ = names_of(
    __name__,
    {
        "exporting": "export_all export_new export_until",
        "idle": "nothing_due",
        "keeping": "forget home_of_imports kept_for reindex rename_feed retain sift sift_again",
        "opening": "App network_of open_app open_archive staffed",
        "clock": "utc_now",
        "polling": (
            "AT_A_RUN article_url ask_back catch_up chosen collect_all discover_all fetch_one fetch_page "
            "fetch_url poll_feed read_back recheck_all rechecks_due unfiled worked"
        ),
        "telling": "Fetched Told counted from_json joined to_json told",
    },
)
