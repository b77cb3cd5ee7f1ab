"""The one door to the network: ``Client`` turns a ``Request`` into a ``Page``, or says in a ``FetchError`` why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aggregator.lazy import names_of

if TYPE_CHECKING:
    from aggregator.web.client import Client
    from aggregator.web.dial import Resolve, resolve_by_system
    from aggregator.web.network import Network, unused_proxy
    from aggregator.web.tape import Exchange, Replay, Taping

__all__ = ["Client", "Exchange", "Network", "Replay", "Resolve", "Taping", "resolve_by_system", "unused_proxy"]
__getattr__ = names_of(
    __name__,
    {
        "client": "Client",
        "dial": "Resolve resolve_by_system",
        "network": "Network unused_proxy",
        "tape": "Exchange Replay Taping",
    },
)
