"""The jobs that ask the network, made of the flow's verbs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import count
from typing import TypeVar
from urllib.parse import urlsplit

from aggregator.app.opening import App, network_of
from aggregator.archive.chores import RECHECKS
from aggregator.articles.extract import extract
from aggregator.config import UNFILED, Settings
from aggregator.errors import ConfigError
from aggregator.identity.keys import keys_of_url
from aggregator.markets import EXCHANGES, calendars_version, sessions
from aggregator.model import Announced, Article, Discovery, Entry, Feed, Page, Report, Request
from aggregator.pipeline import Budget, Follow, Outcome, Watch, collect, discover, poll, recheck
from aggregator.sources.questions import has_further
from aggregator.text.characters import one_line
from aggregator.text.urls import absolute, host_of
from aggregator.web import Client
from aggregator.web import Network as WebNetwork
from aggregator.workers import Worker

T = TypeVar("T")
AT_ONCE = 32  # feeds polled at the same time; how many requests are open is the client's affair
AT_A_RUN = 200  # pages that one `fetch` looks at again; more wait for the next one
AT_A_POLL = 20  # the same after one poll of the daemon
PACKING = 20  # turns in which one `fetch` packs pages anew; the daemon has a job for it
TURNS = 50  # of indexing after one poll of the daemon; what an upgrade left to be derived is its upkeep's


def chosen(settings: Settings, names: Sequence[str]) -> list[Feed]:
    """The feeds of these names, or all enabled ones when there are none.

    Raises:
        ConfigError: no feed has such a name.
    """
    feeds = {feed.name: feed for feed in settings.feed_list()}
    unknown = [name for name in names if name not in feeds]
    if unknown:
        hint = f"Known feeds: {', '.join(feeds) or 'none'}. `aggregator feeds list` shows them"
        raise ConfigError(f"there is no feed named {unknown[0]!r}", where="feeds", hint=hint)
    return [feeds[name] for name in names] if names else [feed for feed in feeds.values() if feed.enabled]


async def discover_all(
    app: App, feeds: Sequence[Feed], on: Callable[[Report], None] | None = None, *, revive: bool = True
) -> list[Report]:
    """Ask all listings, before any page: then the first feed in the configuration is home to what several announce.

    ``revive``: ask also feeds whose server said that they are gone for good.
    """

    room = asyncio.Semaphore(AT_ONCE)  # all of them at once would all be in memory
    hosts = {host_of(feed.url): asyncio.Semaphore(AT_ONCE // 2) for feed in feeds}  # a dead one holds half the turns

    async def one(feed: Feed) -> Report:
        async with hosts[host_of(feed.url)], room:
            report = await discover(app.desk, feed, revive=revive)
        if on:
            on(report)
        return report

    return list(await asyncio.gather(*(one(feed) for feed in feeds)))


async def collect_all(
    app: App, feeds: Sequence[Feed], reports: Sequence[Report], limit: int | None = None, watch: Watch | None = None
) -> tuple[list[Report], list[Outcome]]:
    """Work through the articles waiting on these feeds; the reports with what failed, and every outcome."""
    budget = Budget(limit)
    outcomes: list[Outcome] = []
    for feed in _scopes(app, feeds):
        outcomes += await collect(app.desk, feed, budget, watch)
    await catch_up(app)
    if outcomes:
        await app.archive.tending.pack(PACKING)
    failed = [outcome.feed for outcome in outcomes if outcome.error]
    return [replace(report, failed=report.failed + failed.count(report.feed)) for report in reports], outcomes


async def recheck_all(
    app: App, feeds: Sequence[Feed], limit: int = AT_A_RUN, watch: Watch | None = None
) -> list[Outcome]:
    """Look again at the pages of these feeds' articles whose time has come, at most ``limit``."""
    budget = Budget(limit)
    outcomes: list[Outcome] = []
    for feed in _scopes(app, feeds):
        outcomes += await recheck(app.desk, feed, budget, watch)
    await catch_up(app)
    return outcomes


async def rechecks_due(app: App, feeds: Sequence[Feed], limit: int = AT_A_RUN) -> int:
    """How many pages ``recheck_all`` would look at."""
    return min(limit, sum([await app.archive.rechecks_due(feed) for feed in _scopes(app, feeds)]))


def _scopes(app: App, feeds: Sequence[Feed]) -> Sequence[Feed | None]:
    """The feeds one by one, or everything at once when they are all there are."""
    whole = {feed.name for feed in app.desk.feeds.values() if feed.enabled}
    return feeds if feeds and {feed.name for feed in feeds} != whole else [None]


async def poll_feed(
    app: App,
    feed: Feed,
    budget: Budget | None = None,
    watch: Watch | None = None,
    looked: Watch | None = None,
    *,
    revive: bool = False,
) -> Report:
    """One poll of one feed, as the daemon does it: listing, articles, the configured export, the hosts' wishes.

    ``watch`` is told of its articles, ``looked`` of the pages, whatever feed's, that are looked at again after it.
    ``revive``: ask it also when its server said that it is gone for good.
    """
    report = await poll(app.desk, feed, budget, watch, revive=revive)
    chores = await app.archive.chores(calendars_version())
    looks: list[Outcome] = []
    if RECHECKS in chores:  # whatever feed's they are: all polls share the work
        looks = await recheck(app.desk, None, Budget(AT_A_POLL), looked)
    await app.archive.hold(app.client.holds())
    if chores:
        await catch_up(app, TURNS)
    if app.settings.export.hexo:
        from aggregator.app.exporting import export_new  # with all that reads an archive, which most polls do without

        await asyncio.to_thread(export_new, app.settings)
    return replace(report, looks=(len(looks), sum(look.fresh for look in looks)))


async def catch_up(app: App, turns: int | None = None) -> int:
    """Derive what follows from new revisions, in small steps, so that polls go on.

    Their words for search, which of them are reprints, and when the exchanges of the symbols they name trade. At most
    so many ``turns``; how many revisions were indexed or compared.
    """
    step = 20 if turns else 1_000  # whoever asks for all of it has nothing else to do: larger steps are fewer commits
    done = await _turns(lambda: app.archive.catch_up(app.desk.rules, step), turns)
    version = calendars_version()
    since = await app.archive.calendars_wanted(version) if version else None
    if version and since:
        found = await asyncio.to_thread(lambda: [one for name in EXCHANGES for one in sessions(name, since.date())])
        await app.archive.fill_sessions(version, found)
    return done


async def _turns(turn: Callable[[], Awaitable[int]], most: int | None) -> int:
    """The sum of what the turns did until one had nothing to do, or there were so many."""
    done = 0
    for _ in count() if most is None else range(most):
        if not (more := await turn()):
            break
        done += more
    return done


async def ask_back(app: App, feed: Feed, since: datetime) -> None:
    """Have a feed's list read back to a time of publication, at its next polls.

    Raises:
        ConfigError: its list has one page only.
    """
    if not has_further(feed):
        hint = "Sina's roll and 7x24 lists have more pages"
        raise ConfigError("the list of this feed has one page only", where=feed.name, hint=hint)
    await app.archive.backfill.ask(feed, since)


async def read_back(
    app: App, feed: Feed, since: datetime, pages: int | None = None, follow: Follow | None = None
) -> Report:
    """``ask_back``, and read it back at once, at most so many pages; the rest after its next polls.

    Its listing is asked first, as at any poll. ``follow`` is told of every page.

    Raises:
        ConfigError: its list has one page only.
    """
    await ask_back(app, feed, since)
    return await discover(app.desk, feed, pages=pages, follow=follow)


def article_url(text: str) -> str:
    """The address of an article as a person typed it.

    Raises:
        ConfigError: this is no http or https URL.
    """
    link = absolute(text, None)
    if link is None:
        raise ConfigError(
            "this is no http or https URL", where=text, hint="Give a whole one, such as https://host/path"
        )
    return link


async def fetch_url(app: App, url: str, watch: Watch | None = None) -> list[Outcome]:
    """Archive the one article at ``url``, under its own host when no feed announced it.

    Raises:
        ConfigError: this is no http or https URL.
    """
    link = article_url(url)
    host = host_of(link)
    address, plan = f"{urlsplit(link).scheme}://{host}/", app.settings.defaults.recheck
    home = Feed(name=f"url:{host}", source="url", url=address, categories=unfiled(link), recheck=plan)
    await app.archive.enrol_unlisted(home)
    entry = Entry(id=None, link=link, title="")
    announced = Announced(tuple(dict.fromkeys((*keys_of_url(link), f"url:{link}"))), entry, None)
    await app.archive.note(home, Discovery("ok", (announced,), 1))
    outcomes = await collect(app.desk, home, None, watch)
    await catch_up(app)
    return outcomes


async def worked(settings: Settings, work: Callable[..., T], *args: object) -> T:
    """The result of ``work(*args)``, done as in a poll: what is heavy where it can be killed.

    Raises:
        ParseError: ``too_slow``, ``too_heavy``; whatever else ``work`` raises.
    """
    async with Worker(settings.network.deadline) as do:
        return await do(work, *args)


async def fetch_page(settings: Settings, url: str) -> Page:
    """One page off the web; nothing is stored.

    Raises:
        FetchError: the network gave no usable answer.
    """
    async with Client(network_of(settings)) as client:
        return await client(Request(url))


def fetch_one(url: str, network: Mapping[str, object]) -> Article:
    """One article off the web, extracted; what ``aggregator.fetch_article`` does."""

    async def fetched() -> Page:
        async with Client(replace(WebNetwork(), **network)) as client:  # type: ignore[arg-type]  # the caller's keys
            return await client(Request(url))

    return extract(asyncio.run(fetched()))


def unfiled(url: str) -> tuple[str, str, str]:
    """The categories of an article that belongs to no configured feed."""
    host = one_line(host_of(url)) or "localhost"
    return (UNFILED, host, host)
