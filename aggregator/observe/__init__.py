"""The daemon seen from outside: `/healthz`, `/readyz` and `/metrics` over HTTP, answered by a thread of their own.

A thread, because an event loop that hangs cannot say that it does.
"""

from aggregator.observe.metrics import Metrics
from aggregator.observe.pulse import Pulse, beating
from aggregator.observe.server import answering

__all__ = ["Metrics", "Pulse", "answering", "beating"]
