"""A visit: ask and judge, with the network or, from a bundle, without it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

from aggregator.app import chosen, network_of
from aggregator.archive import Reader
from aggregator.config import Settings
from aggregator.doctor.bundle import Bundle
from aggregator.doctor.disk import inspected
from aggregator.doctor.finding import Finding
from aggregator.doctor.looking import Door, Seen, Watch, look
from aggregator.doctor.machine import surveyed
from aggregator.doctor.verdicts import Facts, judge
from aggregator.errors import ArchiveError
from aggregator.model import Clock, Fetch, Hold, Page, Request
from aggregator.web import Client, Exchange, Network, Replay, Resolve, Taping
from aggregator.workers import Worker


@dataclass(frozen=True, slots=True)
class Visit:
    """What a visit came to: the findings, all that was answered, and all of it as a bundle."""

    findings: tuple[Finding, ...]
    seen: Seen
    bundle: Bundle


def facts_of(settings: Settings, environ: Mapping[str, str]) -> Facts:
    """What this machine says."""
    return Facts(inspected(settings.archive), surveyed(environ))


async def visit(
    settings: Settings, names: Sequence[str], facts: Facts, *, clock: Clock, resolve: Resolve, watch: Watch
) -> Visit:
    """Ask the network about these feeds (all enabled ones when there are none) and judge; nothing is stored.

    Raises:
        ConfigError: no feed has such a name.
    """
    at, network = clock(), network_of(settings)
    feeds, holds, tape = chosen(settings, names), _holds(settings), list[Exchange]()
    async with AsyncExitStack() as open_clients:
        fetch = Client(network, clock=clock, holds=holds, transport=Taping(network, resolve, tape.append))
        silent = replace(network, referer="")
        probe = Client(silent, clock=clock, transport=Taping(silent, resolve, tape.append))
        for client in (fetch, probe):
            await open_clients.enter_async_context(client)
        work = await open_clients.enter_async_context(Worker(network.deadline))

        async def pause(host: str) -> None:
            await asyncio.sleep(network.pause(host))

        door = Door(fetch, probe, resolve, pause, work)
        seen = await look(door, feeds, settings.site_rules(), at, unnamed=network.connect_to, watch=watch)
    bundle = Bundle(at, settings, tuple(feed.name for feed in feeds), facts, seen.names or {}, tuple(tape))
    return Visit(judge(seen, facts, network), seen, bundle)


async def replay(bundle: Bundle, watch: Watch) -> Visit:
    """The same on a bundle: neither the network nor an archive is touched."""
    settings, network = bundle.settings, network_of(bundle.settings)

    async def resolve(host: str) -> Sequence[str]:
        named = bundle.names.get(host)
        if named is None or named.error:
            raise OSError(named.error if named else "the bundle does not know it")
        return named.addresses

    async def at_once(_host: str) -> None:
        """There is nobody to be gentle with."""

    kept = Replay(bundle.exchanges)
    feeds = chosen(settings, bundle.feeds)
    fetch, probe = (_answering(one, bundle, kept) for one in (network, replace(network, referer="")))
    async with Worker(network.deadline) as work:
        door = Door(fetch, probe, resolve, at_once, work)
        seen = await look(door, feeds, settings.site_rules(), bundle.at, unnamed=network.connect_to, watch=watch)
    return Visit(judge(seen, bundle.facts, network), seen, bundle)


def _answering(network: Network, bundle: Bundle, kept: Replay) -> Fetch:
    """A client for each question: none learns from another's answer to stay away, for that was decided then."""

    async def fetch(request: Request) -> Page:
        async with Client(network, clock=lambda: bundle.at, transport=kept) as client:
            return await client(request)

    return fetch


def _holds(settings: Settings) -> tuple[Hold, ...]:
    """The hosts the archive says are to be left alone; none where it cannot be read."""
    try:
        with Reader(settings.archive) as reader:
            return tuple(reader.holds())
    except ArchiveError:
        return ()
