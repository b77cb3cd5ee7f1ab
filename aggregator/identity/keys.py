"""Keys: what makes two sightings the same article. Equal key means equal article; a title alone never does.

In order of strength: ``sina:comos:<id>``, ``sina:live:<zhibo_id>:<id>``, ``sina:bulletin:<id>``, ``url:<canonical>``,
``guid:<feed>:<guid>``, ``guid:<feed>:sha256:<hash>`` of the entry's own words. The strongest names the article, the
others are aliases (docs/archive.md).
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from aggregator.model import Entry
from aggregator.text.dates import iso
from aggregator.text.urls import bulletin_id, canonical, comos_id

_LIVE = re.compile(r"sina:live:[0-9]{1,9}:[0-9]{1,18}")  # as `sources.live` names a flash
_LONGEST = 1_000  # characters of a name; a longer one is known by its hash

Name = tuple[str, str]  # what kind of name, and the name


@dataclass(frozen=True, slots=True)
class _Item:
    """An entry as its names see it. ``text`` is the hash of its own words: title, dates, content."""

    entry: Entry
    address: str | None  # its link, canonical
    link: str | None  # without a slash at the end
    guid: str | None
    text: str

    @property
    def names(self) -> tuple[Name, ...]:
        """What it might be known by."""
        named = (("url", self.link), ("guid", self.guid), ("text", self.text))
        return tuple((kind, name) for kind, name in named if name)


def keys_of(feed: str, entries: Iterable[Entry]) -> list[tuple[str, ...]]:
    """The keys of each entry of one listing, strongest first, never empty.

    A link, guid or text that several different items of the listing carry names none of them; different is what has
    another link, another guid or other words. What an entry says is a name where it has no link or tells its date:
    then it is the same article also when a feed gives it another link and guid at every poll.
    """
    items = [_item(entry) for entry in entries]
    carriers: defaultdict[Name, set[tuple[str | None, ...]]] = defaultdict(set)
    for item in items:
        for name in item.names:
            carriers[name].add((item.link, _same_guid(item.guid), item.text))
    shared = {name for name, different in carriers.items() if len(different) > 1}
    return [tuple(_keys(feed, item, shared)) for item in items]


def key_of_url(url: str) -> str:
    """The key an article known by its address alone has."""
    return next(keys_of_url(url))


def keys_of_url(url: str) -> Iterator[str]:
    """The keys an address may be found by, strongest first; with and without a slash at its end it is one address."""
    yield from _sina(None, url)
    yield from _addresses(canonical(url))


def _item(entry: Entry) -> _Item:
    address = canonical(entry.link) if entry.link else None
    updated = iso(entry.updated) if entry.updated else None
    words = (entry.title, entry.published_text, updated, entry.original or entry.content or entry.summary)
    return _Item(entry, address, _slashless(address) if address else None, entry.id, _hash(*words))


def _keys(feed: str, item: _Item, shared: Collection[Name]) -> Iterator[str]:
    entry = item.entry
    sina = list(_sina(entry.id, entry.link))
    yield from sina
    if item.address and ("url", item.link) not in shared:
        yield from _addresses(item.address)
    if item.guid and ("guid", item.guid) not in shared:
        name = item.guid if len(item.guid) <= _LONGEST else f"sha256:{_hash(item.guid)}"
        yield f"guid:{feed}:{name}"
    if not sina:
        dated = entry.published or entry.updated
        tells = ("text", item.text) not in shared and (entry.link is None or dated is not None)
        yield f"guid:{feed}:sha256:{item.text if tells else _hash(item.link, item.guid, item.text)}"


def _sina(guid: str | None, url: str | None) -> Iterator[str]:
    """The names Sina's publishing system has for it."""
    comos = comos_id(guid or "") or comos_id(url or "")
    if comos:
        yield f"sina:comos:{comos}"
    if _LIVE.fullmatch(guid or ""):
        yield str(guid)
    bulletin = bulletin_id(url or "")
    if bulletin:
        yield f"sina:bulletin:{bulletin}"


def _addresses(address: str) -> Iterator[str]:
    """The keys of a canonical address."""
    for spelling in dict.fromkeys((address, _slashless(address))):
        yield f"url:{spelling if len(spelling) <= _LONGEST else f'sha256:{_hash(spelling)}'}"


def _same_guid(guid: str | None) -> str | None:
    """A guid for comparing: one that is an address is the same in every spelling of it."""
    if guid is None or not guid.lower().startswith(("http://", "https://")):
        return guid
    address, mark, fragment = guid.partition("#")
    return _slashless(canonical(address)) + mark + fragment


def _slashless(address: str) -> str:
    """A canonical address without the slashes at the end of its path, if the path is more than that."""
    path, mark, query = address.partition("?")
    short = path.rstrip("/")
    return short + mark + query if short.count("/") > 2 else address


def _hash(*words: str | None) -> str:
    """128 bits of these words."""
    return hashlib.sha256("\x1f".join(word or "" for word in words).encode("utf-8", "surrogatepass")).hexdigest()[:32]
