"""The one door to the network: ``Client`` turns a ``Request`` into a ``Page``, or says in a ``FetchError`` why not."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aggregator.web.client import Client
    from aggregator.web.dial import Resolve, resolve_by_system
    from aggregator.web.network import Network, unused_proxy
    from aggregator.web.tape import Exchange, Replay, Taping

__all__ = ["Client", "Exchange", "Network", "Replay", "Resolve", "Taping", "resolve_by_system", "unused_proxy"]
# Where each name is at home, which is loaded when it is first asked for: a command that needs one waits for no other.
_HOMES = {
    "Client": "aggregator.web.client",
    "Resolve": "aggregator.web.dial",
    "resolve_by_system": "aggregator.web.dial",
    "Network": "aggregator.web.network",
    "unused_proxy": "aggregator.web.network",
    "Exchange": "aggregator.web.tape",
    "Replay": "aggregator.web.tape",
    "Taping": "aggregator.web.tape",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
