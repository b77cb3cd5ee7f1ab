"""The composition root: settings in, a working desk out."""

from __future__ import annotations

import gc
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aggregator import __version__
from aggregator.app.clock import utc_now
from aggregator.archive import SqliteArchive
from aggregator.config import Settings
from aggregator.intervals import Chance
from aggregator.model import Clock
from aggregator.pipeline import Desk
from aggregator.web import Client, Resolve, resolve_by_system
from aggregator.web import Network as WebNetwork
from aggregator.workers import Worker

_NEW_OBJECTS = 50_000


@dataclass(frozen=True, slots=True)
class App:
    """An open archive, a client and a desk to work at; ``open_app`` makes and closes it."""

    settings: Settings
    desk: Desk
    archive: SqliteArchive
    client: Client


@asynccontextmanager
async def open_app(
    settings: Settings,
    clock: Clock = utc_now,
    resolve: Resolve = resolve_by_system,
    chance: Chance = random.random,
) -> AsyncIterator[App]:
    """Everything a poll needs, wired together; the archive is locked for this process until the end.

    ``resolve`` gives a name's addresses, ``chance`` spreads the times at which feeds are asked.

    Raises:
        ArchiveError: the archive cannot be opened for writing.
    """
    archive = await open_archive(settings, clock, chance)
    try:
        async with staffed(settings, archive, clock, resolve) as app:
            yield app
    finally:
        await archive.close()


async def open_archive(settings: Settings, clock: Clock = utc_now, chance: Chance = random.random) -> SqliteArchive:
    """The archive, of which this process is the one writer until it is closed.

    Raises:
        ArchiveError: it cannot be opened for writing.
    """
    rules = settings.site_rules().version
    return await SqliteArchive.open(settings.archive, clock, parser=__version__, rules=rules, chance=chance)


@asynccontextmanager
async def staffed(
    settings: Settings,
    archive: SqliteArchive,
    clock: Clock = utc_now,
    resolve: Resolve = resolve_by_system,
    *,
    beside: bool = False,
) -> AsyncIterator[App]:
    """What a configuration needs around an open archive: its feeds there, a client, a desk.

    ``beside`` as for ``Worker``: reading holds up nothing else.
    """
    rules, feeds = settings.site_rules(), settings.feed_list()
    await archive.enrol(feeds)
    if not settings.network.robots:
        await archive.revive("robots")
        await archive.revive_images("robots")
    holds = await archive.holds()
    network = network_of(settings)
    async with (
        _collected_rarely(),
        Worker(network.deadline, beside=beside) as work,
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


@asynccontextmanager
async def _collected_rarely() -> AsyncIterator[None]:
    """Meanwhile Python looks for garbage in cycles after 50,000 new objects, not after 700.

    What a poll makes lives as long as the poll, and hardly any of it is in cycles: to look so often took a tenth of the
    time of a first poll.
    """
    before = gc.get_threshold()
    gc.set_threshold(_NEW_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


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
