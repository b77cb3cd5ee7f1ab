"""The questions: each feed once, the three newest pages of each host, one more request where a Referer may matter."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from aggregator.articles.explain import Step, explain
from aggregator.articles.extract import extract
from aggregator.articles.rules import Rules
from aggregator.errors import FetchError, ParseError
from aggregator.model import Article, Entry, Feed, Fetch, Listing, Page, Request, Validators
from aggregator.pipeline.desk import Work
from aggregator.sources import SOURCES, parsed
from aggregator.sources.questions import listing_request, page_request
from aggregator.sources.spelling import listing_as_told, page_as_told
from aggregator.text.urls import host_of, is_sina
from aggregator.web import Resolve

PAGES = 3  # of each host
MOST_HOSTS = 20  # whose pages are looked at: a feed of links may lead to hundreds
REFUSALS = frozenset({403, 418, 456})  # statuses that may have to do with who asks, and how
_PATIENCE = 10.0  # seconds for one name
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Watch = Callable[[int, int], None]
Answered = Page | FetchError


@dataclass(frozen=True, slots=True)
class Door:
    """The ways to ask. ``fetch`` is the client, ``probe`` another that sends no Referer of its own and knows nothing of
    what the first was refused; ``pause`` lets a host's pace pass before the second asks; ``work`` reads answers.
    """

    fetch: Fetch
    probe: Fetch
    resolve: Resolve
    pause: Callable[[str], Awaitable[None]]
    work: Work


@dataclass(frozen=True, slots=True)
class Named:
    """The addresses of a name, or why there are none."""

    addresses: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class SeenFeed:
    """A feed's listing: the address asked, the answer, and what it parses to."""

    feed: Feed
    url: str
    answer: Answered
    listing: Listing | ParseError | None = None


@dataclass(frozen=True, slots=True)
class SeenPage:
    """The page of an entry, and what is read from it: an article with the steps to it, or why there is none."""

    feed: Feed
    entry: Entry
    url: str
    answer: Answered
    read: tuple[Article, tuple[Step, ...]] | ParseError | None = None


@dataclass(frozen=True, slots=True)
class Probe:
    """A question asked again ``with_referer``, which at first was asked the other way round."""

    with_referer: bool
    url: str
    first: Answered
    answer: Answered


@dataclass(frozen=True, slots=True)
class Seen:
    """All answers. ``names`` and ``probes`` are by host; a host reached elsewhere (``connect_to``) has no name."""

    at: datetime
    feeds: tuple[SeenFeed, ...] = ()
    pages: tuple[SeenPage, ...] = ()
    names: Mapping[str, Named] | None = None
    probes: Mapping[str, Probe] | None = None

    def answers(self) -> Iterator[tuple[str, str, Answered]]:
        """Each question's host and address, and its answer."""
        for _, url, answer in self.asked():
            yield host_of(url), url, answer

    def asked(self) -> Iterator[tuple[Feed, str, Answered]]:
        """Each address asked, for which feed, and its answer; listings first."""
        yield from ((one.feed, one.url, one.answer) for one in self.feeds)
        yield from ((one.feed, one.url, one.answer) for one in self.pages)

    def hosts(self) -> tuple[str, ...]:
        """Every host asked, the feeds' first."""
        return tuple(dict.fromkeys(host for host, _, _ in self.answers()))


async def look(
    door: Door, feeds: Sequence[Feed], rules: Rules, at: datetime, *, unnamed: Iterable[str] = (), watch: Watch
) -> Seen:
    """Ask everything. ``unnamed`` are hosts whose names are not to be resolved. Failures are answers, too.

    A host is asked for each of its feeds, for at most three pages, and once more where a Referer may matter.
    """
    count = _Count(watch, len(feeds))
    listings = tuple(await asyncio.gather(*(_listing(door, feed, count) for feed in feeds)))
    chosen = list(_newest(listings, rules))
    count.more(len(chosen))
    pages = tuple(await asyncio.gather(*(_page(door, feed, entry, rules, count) for feed, entry in chosen)))
    seen = Seen(at, listings, pages)
    hosts = [host for host in seen.hosts() if host not in set(unnamed)]
    names = await asyncio.gather(*(_named(door.resolve, host) for host in hosts))
    doubtful = dict(_doubtful(seen))
    count.more(len(doubtful))
    asked = await asyncio.gather(*(_probed(door, host, *doubt, count) for host, doubt in doubtful.items()))
    probes = dict(zip(doubtful, asked, strict=True))
    return replace(seen, names=dict(zip(hosts, names, strict=True)), probes=probes)


class _Count:
    """How much is asked of how much."""

    def __init__(self, watch: Watch, total: int) -> None:
        self._watch, self._total, self._done = watch, total, 0

    def more(self, number: int) -> None:
        self._total += number

    def one(self) -> None:
        self._done += 1
        self._watch(self._done, self._total)


async def _asked(fetch: Fetch, request: Request, count: _Count) -> Answered:
    try:
        return await fetch(request)
    except FetchError as error:
        return error
    finally:
        count.one()


async def _listing(door: Door, feed: Feed, count: _Count) -> SeenFeed:
    url = SOURCES[feed.source].address(feed.url)
    answer = await _asked(door.fetch, listing_request(feed, Validators()), count)
    if isinstance(answer, FetchError):
        return SeenFeed(feed, url, answer)
    try:
        told = listing_as_told(feed, answer)
        return SeenFeed(feed, url, answer, await door.work(parsed, told, feed.source, feed.zone))
    except ParseError as error:
        return SeenFeed(feed, url, answer, error)


async def _page(door: Door, feed: Feed, entry: Entry, rules: Rules, count: _Count) -> SeenPage:
    url = entry.link or ""
    answer = await _asked(door.fetch, page_request(feed, url), count)
    if isinstance(answer, FetchError):
        return SeenPage(feed, entry, url, answer)
    try:
        read = await door.work(_read, page_as_told(feed, answer), feed.zone, entry.title, rules)
    except ParseError as error:
        return SeenPage(feed, entry, url, answer, error)
    return SeenPage(feed, entry, url, answer, read)


def _read(page: Page, zone: str | None, title: str, rules: Rules) -> tuple[Article, tuple[Step, ...]]:
    article = extract(page, zone=zone, title=title, rules=rules)
    steps, _ = explain(page, zone=zone, title=title, rules=rules)
    return article, tuple(steps)


def _newest(listings: Iterable[SeenFeed], rules: Rules) -> Iterator[tuple[Feed, Entry]]:
    """The three newest entries of each host whose pages the program would fetch, each once."""
    by_host: defaultdict[str, dict[str, tuple[Feed, Entry]]] = defaultdict(dict)
    for seen in listings:
        for entry in seen.listing.entries if isinstance(seen.listing, Listing) else ():
            if entry.link and _has_page(seen.feed, entry) and not rules.link_only(entry.link):
                by_host[host_of(entry.link)].setdefault(entry.link, (seen.feed, entry))
    for host in sorted(by_host, key=lambda host: -len(by_host[host]))[:MOST_HOSTS]:
        yield from sorted(by_host[host].values(), key=lambda one: one[1].published or _EPOCH, reverse=True)[:PAGES]


def _has_page(feed: Feed, entry: Entry) -> bool:
    return feed.pages == "true" or (feed.pages == "auto" and not entry.full_text)


async def _named(resolve: Resolve, host: str) -> Named:
    try:
        async with asyncio.timeout(_PATIENCE):
            return Named(tuple(dict.fromkeys(await resolve(host))))
    except TimeoutError:
        return Named(error=f"no answer from the resolver within {_PATIENCE:g} s")
    except (OSError, ValueError) as error:  # ValueError: a label longer than DNS allows
        return Named(error=str(error))


def _doubtful(seen: Seen) -> Iterator[tuple[str, tuple[Request, Answered]]]:
    """The hosts for which a Referer may matter, each with one address: those that refuse us, and Sina's."""
    for host in seen.hosts():
        mine = [asked for asked in seen.asked() if host_of(asked[1]) == host]
        refused = [one for one in mine if isinstance(one[2], FetchError) and one[2].status in REFUSALS]
        answered = [one for one in mine if isinstance(one[2], Page)] if is_sina(host) else []
        for feed, url, answer in (refused + answered)[:1]:
            yield host, (page_request(feed, url), answer)


async def _probed(door: Door, host: str, request: Request, first: Answered, count: _Count) -> Probe:
    """Ask once more the other way round: without the Referer where one was sent, with one where none was."""
    given = {name: value for name, value in request.headers.items() if name.lower() != "referer"}
    wanted = not is_sina(host) and len(given) == len(request.headers)
    if wanted:
        given["Referer"] = referer_of(request.url)
    await door.pause(host)
    return Probe(wanted, request.url, first, await _asked(door.probe, replace(request, headers=given), count))


def referer_of(url: str) -> str:
    """The Referer a reader who comes from the site's front page has."""
    scheme = url.partition(":")[0].lower()
    return f"{scheme}://{host_of(url)}/"
