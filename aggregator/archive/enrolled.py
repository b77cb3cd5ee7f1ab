"""What the archive keeps of the configuration: each feed's row."""

from __future__ import annotations

import json

from aggregator.errors import masked
from aggregator.model import Feed
from aggregator.text.urls import host_of

Enrolled = dict[str, str | int | None]


def enrolled(feed: Feed, position: int, *, active: bool = True) -> Enrolled:
    """A feed as its row of ``feeds`` has it. Secrets of its address are in the configuration, and nowhere else."""
    return {
        "name": feed.name,
        "source": feed.source,
        "url": masked(feed.url),
        "host": host_of(feed.url),
        "categories": json.dumps(feed.categories, ensure_ascii=False),
        "position": position,
        "active": int(active),
        "enabled": int(feed.enabled),
        "every": feed.every,
        "slowest": feed.slowest,
        "recheck": json.dumps(feed.recheck, ensure_ascii=False),
    }


def address(feed: Feed, way: int) -> str | None:
    """The address of a feed's way, ``None`` where the configuration has none of that number."""
    if way == 0:
        return feed.url
    return feed.fallback[way - 1].url if way <= len(feed.fallback) else None


def host_in_use(feed: Feed, url: str, moved_to: str | None, way: int, way_url: str | None) -> str | None:
    """The host at which a feed with these columns is asked; ``None`` where they tell of another address than it has."""
    in_use = address(feed, way)
    if url != masked(feed.url) or not in_use or masked(in_use) != (way_url or url):
        return None
    return host_of(moved_to or in_use)
