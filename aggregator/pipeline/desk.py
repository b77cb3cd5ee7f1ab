"""What the flow works with, and what it has to tell: the desk, outcomes, a budget of articles."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeVar

from aggregator.archive.protocol import Archive
from aggregator.articles.rules import Rules, built_in
from aggregator.errors import AggregatorError
from aggregator.model import Article, Clock, Feed, Fetch, Hold, Pending

T = TypeVar("T")


class Work(Protocol):
    """Where pure work is done: here, in a thread, or in a process that can be killed."""

    def __call__(self, work: Callable[..., T], /, *args: object) -> Awaitable[T]:
        """The result of ``work(*args)``."""
        ...


async def inline(work: Callable[..., T], /, *args: object) -> T:
    """Do the work at once."""
    return work(*args)


@dataclass(frozen=True, slots=True)
class Desk:
    """What the flow works with. ``feeds`` are the configured ones by name, ``holds`` the hosts that refuse.

    ``workers`` articles are worked on at once, so that what needs no page is stored in few commits; no more than
    ``fetches`` of them wait for an answer of the network.
    """

    fetch: Fetch
    archive: Archive
    clock: Clock
    feeds: Mapping[str, Feed]
    date: Literal["intime", "ctime"] = "intime"
    placeholder: str = "picsum"
    rules: Rules = field(default_factory=built_in)
    work: Work = inline
    holds: Callable[[], Sequence[Hold]] = tuple
    workers: int = 50
    fetches: int = 8


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one article: archived (``fresh`` when that made a new revision), dropped, or an error.

    ``feed`` is its home, ``url`` its link. ``absence`` tells that its page is no longer there: "missing", or "gone"
    when that is certain. Nothing of its texts is kept: one run may have tens of thousands.
    """

    key: str
    url: str | None
    feed: str
    title: str | None = None
    fresh: bool = False
    error: AggregatorError | None = None
    dropped: bool = False
    absence: str | None = None

    @classmethod
    def of(
        cls,
        task: Pending,
        article: Article | None = None,
        *,
        fresh: bool = False,
        error: AggregatorError | None = None,
        dropped: bool = False,
        absence: str | None = None,
    ) -> Outcome:
        """What became of a task, and of the article that was read."""
        title = article.title if article else None
        return cls(task.key, task.entry.link, task.feed, title, fresh, error, dropped, absence)


@dataclass(slots=True)
class Budget:
    """How many articles may still be collected; ``None`` is no limit."""

    left: int | None = None

    def take(self) -> bool:
        """Whether there is room for one more, which is then taken."""
        if self.left is None:
            return True
        room = self.left > 0
        self.left -= room
        return room

    def give_back(self) -> None:
        """There was nothing to take it for."""
        if self.left is not None:
            self.left += 1


Watch = Callable[[Outcome], None]
