"""Keys: what makes two sightings the same article. Equal key means equal article; a title alone never does.

In order of strength: ``sina:comos:<id>``, ``sina:live:<zhibo_id>:<id>``, ``sina:bulletin:<id>``, ``url:<canonical>``,
``guid:<feed>:<guid>``. The strongest names the article, the others are aliases (docs/archive.md).
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable

from aggregator.model import Entry
from aggregator.text.urls import bulletin_id, canonical, comos_id


def keys_of(feed: str, entries: Iterable[Entry]) -> list[tuple[str, ...]]:
    """The keys of each entry of one listing, strongest first, never empty.

    A link that several guids of the listing share names none of them, and a guid that several links share neither.
    """
    listed = list(entries)
    links: defaultdict[str, set[str | None]] = defaultdict(set)
    guids: defaultdict[str, set[str | None]] = defaultdict(set)
    for entry in listed:
        link = canonical(entry.link) if entry.link else None
        if link:
            links[link].add(entry.id)
        if entry.id:
            guids[entry.id].add(link)
    shared_links = {link for link, names in links.items() if len(names) > 1}
    shared_guids = {guid for guid, places in guids.items() if len(places) > 1}
    return [_keys(feed, entry, shared_links, shared_guids) for entry in listed]


def key_of_url(url: str) -> str:
    """The key an article known by its address alone has."""
    comos = comos_id(url)
    bulletin = bulletin_id(url)
    if comos:
        return f"sina:comos:{comos}"
    return f"sina:bulletin:{bulletin}" if bulletin else f"url:{canonical(url)}"


def _keys(feed: str, entry: Entry, shared_links: Collection[str], shared_guids: Collection[str]) -> tuple[str, ...]:
    keys: list[str] = []
    comos = comos_id(entry.id or "") or comos_id(entry.link or "")
    if comos:
        keys.append(f"sina:comos:{comos}")
    if entry.link and bulletin_id(entry.link):
        keys.append(f"sina:bulletin:{bulletin_id(entry.link)}")
    if entry.link and canonical(entry.link) not in shared_links:
        keys.append(f"url:{canonical(entry.link)}")
    if entry.id and entry.id not in shared_guids:
        keys.append(f"guid:{feed}:{entry.id}")
    return tuple(keys) or (f"guid:{feed}:sha256:{_content(entry)}",)


def _content(entry: Entry) -> str:
    """What is left to tell an entry by that has neither guid nor link of its own."""
    words = (entry.id, entry.link, entry.title, entry.content or entry.summary)
    return hashlib.sha256("\x1f".join(word or "" for word in words).encode()).hexdigest()
