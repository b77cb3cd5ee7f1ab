"""All answers and facts into findings. Pure: the same come to the same, today or from a bundle."""

from __future__ import annotations

from dataclasses import dataclass

from aggregator.doctor.disk import ArchiveFacts, of_archive
from aggregator.doctor.feeds import of_feed
from aggregator.doctor.finding import Finding
from aggregator.doctor.hosts import of_host, of_proxy
from aggregator.doctor.looking import Seen
from aggregator.doctor.machine import MachineFacts, of_machine
from aggregator.doctor.pages import of_page
from aggregator.web import Network
from aggregator.web.guard import Guard


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known without asking the network."""

    archive: ArchiveFacts
    machine: MachineFacts


def judge(seen: Seen, facts: Facts, network: Network) -> tuple[Finding, ...]:
    """Every finding: hosts, feeds, pages, proxy, archive, packages, in this order."""
    guard = Guard.of(network)
    return (
        *(finding for host in seen.hosts() for finding in of_host(host, seen, network, guard)),
        *(finding for feed in seen.feeds for finding in of_feed(feed, seen.at)),
        *(of_page(page) for page in seen.pages),
        *of_proxy(network, seen, facts.machine.proxies),
        *of_archive(facts.archive),
        *of_machine(facts.machine),
    )
