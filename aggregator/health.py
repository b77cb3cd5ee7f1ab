"""What is wrong with the whole, in one judgement that `status`, `/healthz` and the metrics share. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

# A feed with such a status gives nothing; one that is empty, stale or paused may be as it should.
FAILING = frozenset({"blocked", "failed", "gone", "held", "not_a_feed"})


@dataclass(frozen=True, slots=True)
class Polled:
    """A feed that is to be polled, and what its last poll came to; ``None`` before the first."""

    name: str
    status: str | None


def troubles(feeds: Iterable[Polled], refused: str | None = None) -> Iterator[str]:
    """Why the whole is not healthy, one sentence each; none where it is.

    One feed that fails is that feed's matter. When all do, the network, this machine or the program is at fault.
    ``refused`` is why the archive takes nothing at the moment.
    """
    known = [feed for feed in feeds if feed.status is not None]
    if known and all(feed.status in FAILING for feed in known):
        yield f"every feed fails ({len(known)} of {len(known)})"
    if refused:
        yield f"the archive takes nothing: {refused}"
