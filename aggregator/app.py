"""The composition root: settings in, a working desk out; and the jobs a person asks for, made of the flow's verbs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from aggregator import __version__
from aggregator.archive import Reader, SqliteArchive
from aggregator.archive.forgetting import Plan
from aggregator.archive.revisions import IMPORTED
from aggregator.articles.extract import extract
from aggregator.config import UNFILED, Settings
from aggregator.errors import ConfigError
from aggregator.export.hexo import Exported, export, export_news, withdraw
from aggregator.export.images import Copies, ImageFolder, Stored
from aggregator.identity.keys import keys_of_url
from aggregator.markets import EXCHANGES, calendars_version, sessions
from aggregator.model import Announced, Article, Clock, Discovery, Entry, Feed, Page, Report, Request
from aggregator.pipeline import Budget, Change, Desk, Outcome, Watch, changes, collect, discover, poll
from aggregator.text.characters import one_line
from aggregator.text.urls import absolute, host_of
from aggregator.web import Client, Resolve, resolve_by_system
from aggregator.web import Network as WebNetwork
from aggregator.workers import Worker

T = TypeVar("T")


def utc_now() -> datetime:
    """The clock of the real world."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class App:
    """An open archive, a client and a desk to work at; ``open_app`` makes and closes it."""

    settings: Settings
    desk: Desk
    archive: SqliteArchive
    client: Client


@asynccontextmanager
async def open_app(
    settings: Settings, clock: Clock = utc_now, resolve: Resolve = resolve_by_system
) -> AsyncIterator[App]:
    """Everything a poll needs, wired together; the archive is locked for this process until the end.

    ``resolve`` gives a name's addresses.

    Raises:
        ArchiveError: the archive cannot be opened for writing.
    """
    rules = settings.site_rules()
    archive = await SqliteArchive.open(settings.archive, clock, parser=__version__, rules=rules.version)
    try:
        feeds = settings.feed_list()
        await archive.enrol(feeds)
        if not settings.network.robots:
            await archive.revive("robots")
            await archive.revive_images("robots")
        holds = await archive.holds()
        network = network_of(settings)
        async with (
            Worker(network.deadline) as work,
            Client(network, clock=clock, holds=holds, resolve=resolve) as client,
        ):
            desk = Desk(
                fetch=client,
                holds=client.holds,
                archive=archive,
                clock=clock,
                feeds={feed.name: feed for feed in feeds},
                date=settings.document.date,
                placeholder=settings.document.placeholder,
                rules=rules,
                work=work,
            )
            try:
                yield App(settings, desk, archive, client)
            finally:
                await archive.hold(client.holds())
    finally:
        await archive.close()


def network_of(settings: Settings) -> WebNetwork:
    """How the program behaves on the network, as a configuration says."""
    net = settings.network
    return WebNetwork(
        user_agent=net.agent,
        referer=net.referer,
        timeout=net.timeout,
        deadline=net.deadline,
        max_listing=net.max_listing,
        max_page=net.max_page,
        max_image=net.max_image,
        max_redirects=net.max_redirects,
        connections=net.per_host.connections,
        interval=net.per_host.interval,
        connect_to=net.connect_to,
        allow_private=net.allow_private,
        fake_ip_ranges=net.fake_ip_ranges,
        proxy=net.proxy,
        proxies=tuple(dict.fromkeys(row.proxy for row in settings.feeds if row.proxy)),
        ca_bundle=str(net.ca_bundle) if net.ca_bundle else None,
        robots=net.robots,
    )


async def rename_feed(
    before: Settings, after: Settings, old: str, new: str, write: Callable[[], None], clock: Clock = utc_now
) -> None:
    """Give a feed another name: ``write`` changes the configuration from ``before`` to ``after``.

    Where this is cut short, the next command that opens the archive ends it, one way or the other.

    Raises:
        ConfigError: the archive keeps another feed's history under the new name, or ``write`` fails.
        ArchiveError: it is in use, or cannot be written.
    """
    if not before.archive.exists():
        write()
        return
    archive = await SqliteArchive.open(before.archive, clock, parser=__version__, rules=before.site_rules().version)
    try:
        await archive.enrol(before.feed_list())
        await archive.intend_rename(old, new)
        write()
        await archive.enrol(after.feed_list())
    finally:
        await archive.close()


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

    async def one(feed: Feed) -> Report:
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
    whole = not feeds or {feed.name for feed in feeds} == {
        feed.name for feed in app.desk.feeds.values() if feed.enabled
    }
    outcomes: list[Outcome] = []
    for feed in [None] if whole else feeds:
        outcomes += await collect(app.desk, feed, budget, watch)
    await catch_up(app)
    failed = [outcome.task.feed for outcome in outcomes if outcome.error]
    return [replace(report, failed=report.failed + failed.count(report.feed)) for report in reports], outcomes


async def poll_feed(app: App, feed: Feed) -> Report:
    """One poll of one feed, as the daemon does it: listing, articles, the configured export, the hosts' wishes."""
    report = await poll(app.desk, feed)
    await app.archive.hold(app.client.holds())
    await catch_up(app)
    await asyncio.to_thread(export_new, app.settings)
    return report


async def catch_up(app: App) -> None:
    """Derive what follows from new revisions, in small steps, so that polls go on.

    Their words for search, which of them are reprints, and when the exchanges of the symbols they name trade.
    """
    while await app.archive.index(app.desk.rules):
        pass
    while await app.archive.compare(app.desk.rules, 20):
        pass
    version = calendars_version()
    since = await app.archive.calendars_wanted(version) if version else None
    if version and since:
        found = await asyncio.to_thread(lambda: [one for name in EXCHANGES for one in sessions(name, since.date())])
        await app.archive.fill_sessions(version, found)


async def reindex(settings: Settings, watch: Callable[[int, int], None], clock: Clock = utc_now) -> int:
    """Make the index for search again from what is stored; how many revisions it has. ``watch`` is told done and all.

    Cut short, it is gone on with by the next ``fetch``, or begun again by the next ``reindex``.

    Raises:
        ArchiveError: the archive is in use, or cannot be written.
    """
    rules = settings.site_rules()
    archive = await SqliteArchive.open(settings.archive, clock, parser=__version__, rules=rules.version)
    try:
        await archive.clear_index()
        total, done = await archive.unindexed(), 0
        while more := await archive.index(rules, 1000):
            done += more
            watch(done, total)
        await archive.merge_index()
        return done
    finally:
        await archive.close()


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
    home = Feed(name=f"url:{host}", source="url", url=f"{urlsplit(link).scheme}://{host}/", categories=unfiled(link))
    await app.archive.enrol_unlisted(home)
    entry = Entry(id=None, link=link, title="")
    announced = Announced(tuple(dict.fromkeys((*keys_of_url(link), f"url:{link}"))), entry, None)
    await app.archive.note(home, Discovery("ok", (announced,), 1))
    outcomes = await collect(app.desk, home, None, watch)
    await catch_up(app)
    return outcomes


def sift(settings: Settings, names: Sequence[str]) -> list[Change]:
    """What the feeds' ``keep`` and ``drop`` do to what is stored; nothing is changed or fetched.

    Raises:
        ConfigError: no feed has such a name.
        ArchiveError: there is no archive.
    """
    feeds = {feed.name: feed for feed in settings.feed_list()}
    wanted = [feed.name for feed in chosen(settings, names)] if names else []
    with Reader(settings.archive) as reader:
        return list(changes(feeds, wanted, reader.sighted(), reader.stored, settings.site_rules()))


async def sift_again(settings: Settings, names: Sequence[str]) -> list[Change]:
    """``sift``, and drop what waits, let wait what was dropped; what is archived stays.

    Raises:
        ConfigError: no feed has such a name.
        ArchiveError: there is no archive, or it cannot be written.
    """
    async with open_app(settings) as app:
        found = sift(settings, names)
        await app.archive.resift(
            [one.article for one in found if one.verb == "drop"], [one.article for one in found if one.verb == "keep"]
        )
        return found


async def worked(settings: Settings, work: Callable[..., T], *args: object) -> T:
    """The result of ``work(*args)``, done as in a poll: what is heavy where it can be killed.

    Raises:
        ParseError: ``too_slow``, ``too_heavy``; whatever else ``work`` raises.
    """
    async with Worker(settings.network.deadline) as do:
        return await do(work, *args)


async def forget(settings: Settings, plan: Plan, clock: Clock = utc_now) -> Path | None:
    """Erase an article from the archive and from the configured Hexo folder.

    Returns the exported file that was left, because what stands in it is not what the archive rendered.

    Raises:
        ArchiveError: it cannot be written, or a reader keeps the log of what was before.
    """
    archive = await SqliteArchive.open(settings.archive, clock, parser=__version__, rules=settings.site_rules().version)
    try:
        left = withdraw(plan.file, plan.document, settings.export.hexo.dir) if settings.export.hexo else None
        await archive.forget(plan.article)
    finally:
        await archive.close()
    return left


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


def home_of_imports() -> Feed:
    """The feed that documents of other programs are filed at: never polled, its articles keep their own categories."""
    return Feed(name=IMPORTED, source="import", url="", categories=(UNFILED, UNFILED, UNFILED))


def unfiled(url: str) -> tuple[str, str, str]:
    """The categories of an article that belongs to no configured feed."""
    host = one_line(host_of(url)) or "localhost"
    return (UNFILED, host, host)


def export_new(settings: Settings) -> Exported:
    """Write to the configured Hexo folder, if there is one, what is new since the last export that came to its end."""
    hexo = settings.export.hexo
    if hexo is None:
        return Exported()
    with Reader(settings.archive) as reader:
        return export_news(reader.news, hexo.dir)


def export_all(settings: Settings, folder: Path | None = None, images: ImageFolder | None = None) -> Exported:
    """Write all of the archive's documents below a folder; unnamed, the configured Hexo folder.

    With ``images`` stored images are copied there, and the documents written point to the copies.

    Raises:
        ConfigError: no folder is named anywhere; the address of ``images`` cannot be used.
        ArchiveError: there is no archive, or the folder cannot be written.
    """
    hexo = settings.export.hexo
    target = folder or (hexo.dir if hexo else None)
    if target is None:
        hint = "Name one: aggregator export --to DIR"
        raise ConfigError("no folder to export to", where="export.hexo.dir", hint=hint)
    with Reader(settings.archive) as reader:
        mark, news = reader.news()
        with closing(news) as documents:
            if images is None:
                return export(documents, target, mark)
            copies = Copies(images.folder, images.address, Stored(reader.image, reader.image_bytes))
            done = export(((file, copies.localised(text)) for file, text in documents), target)
            return replace(done, images=copies.written)


def export_until(settings: Settings, folder: Path, until: int) -> tuple[Exported, int]:
    """Write the archive's documents as they were at a commit; how many are not byte for byte what they were.

    Raises:
        ArchiveError: there is no archive, or the folder cannot be written.
    """
    differing = 0

    def made() -> Iterator[tuple[str, str]]:
        nonlocal differing
        for file, text, known in reader.documents_until(until, settings.document.placeholder):
            differing += known not in (None, sha256(text.encode()).hexdigest())
            yield file, text

    with Reader(settings.archive) as reader:
        done = export(made(), folder)
    return done, differing
