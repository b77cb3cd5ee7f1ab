"""The jobs a person asks for: settings in, what was done out. Everything below is wired together here."""

from aggregator.app.exporting import export_all, export_new, export_until
from aggregator.app.keeping import forget, home_of_imports, kept_for, reindex, rename_feed, retain, sift, sift_again
from aggregator.app.opening import App, network_of, open_app, utc_now
from aggregator.app.polling import (
    AT_A_RUN,
    article_url,
    catch_up,
    chosen,
    collect_all,
    discover_all,
    fetch_one,
    fetch_page,
    fetch_url,
    poll_feed,
    recheck_all,
    rechecks_due,
    unfiled,
    worked,
)

__all__ = [
    "AT_A_RUN",
    "App",
    "article_url",
    "catch_up",
    "chosen",
    "collect_all",
    "discover_all",
    "export_all",
    "export_new",
    "export_until",
    "fetch_one",
    "fetch_page",
    "fetch_url",
    "forget",
    "home_of_imports",
    "kept_for",
    "network_of",
    "open_app",
    "poll_feed",
    "recheck_all",
    "rechecks_due",
    "reindex",
    "rename_feed",
    "retain",
    "sift",
    "sift_again",
    "unfiled",
    "utc_now",
    "worked",
]
