"""config.yaml: finding it, reading it into ``Settings``, and changing it without losing a comment."""

from aggregator.config.edit import add_feed, add_feeds, remove_feed, set_feed, write_config
from aggregator.config.loader import check_feed, find_config, load, parse, read_config, starter
from aggregator.config.schema import schema
from aggregator.config.settings import UNFILED, Network, Settings

__all__ = [
    "UNFILED",
    "Network",
    "Settings",
    "add_feed",
    "add_feeds",
    "check_feed",
    "find_config",
    "load",
    "parse",
    "read_config",
    "remove_feed",
    "schema",
    "set_feed",
    "starter",
    "write_config",
]
