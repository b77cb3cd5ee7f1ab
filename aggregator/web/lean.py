"""httpx and httpcore without what they do not need here; whoever needs them has them from here.

httpx imports click, rich and Pygments, where they are installed, for a command line of its own: 30 ms at every start.
httpcore asks at every lock whether sniffio is there; where it is not, Python looked through all its folders each time,
a third of a millisecond a request.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec

from aggregator.lean import without

with without("click", "pygments", "rich"):
    import httpx

import httpcore

if "sniffio" not in sys.modules and find_spec("sniffio") is None:
    sys.modules["sniffio"] = None  # type: ignore[assignment]  # not there, and not looked for again

__all__ = ["httpcore", "httpx"]
