"""The one door to the network: ``Client`` turns a ``Request`` into a ``Page``, or says in a ``FetchError`` why not."""

from aggregator.web.client import Client
from aggregator.web.dial import Resolve, resolve_by_system
from aggregator.web.network import Network

__all__ = ["Client", "Network", "Resolve", "resolve_by_system"]
