"""What the flow asks of an archive; another engine is another class with these methods."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from aggregator.archive.backfilling import Backfill
from aggregator.archive.deriving import Stored
from aggregator.archive.images import WaitingImage
from aggregator.archive.rechecks import Absence, Recheck
from aggregator.archive.revisions import Revision
from aggregator.errors import AggregatorError
from aggregator.model import Discovery, Feed, FeedState, Hold, Noted, Page, Pending, Settled, Signs

if TYPE_CHECKING:
    from aggregator.articles.verdict import Verdict


class Archive(Protocol):
    """The memory of the program: it is also the to-do list, so that a crash loses nothing that was announced."""

    async def state(self, feed: Feed) -> FeedState:
        """What is remembered of a feed."""
        ...

    async def note(self, feed: Feed, found: Discovery) -> Noted:
        """Store one poll: its entries and the listing's validators, in one transaction."""
        ...

    @property
    def backfill(self) -> Backfill:
        """What may have been missed, and the pages of a list that were read back for it."""
        ...

    async def blame(self, feed: Feed, status: str, error: AggregatorError, page: Page | None) -> None:
        """Store a failed poll; the feed's validators stay as they were."""
        ...

    async def switch(self, feed: Feed, way: int, why: str, probe_at: datetime | None) -> None:
        """From now on ask a feed by another of its ways, as ``Feed.way`` counts them, and forget the last listing."""
        ...

    async def probed(self, feed: Feed, again: datetime) -> None:
        """Note that the first way does not answer yet, and when it is tried again."""
        ...

    async def postpone(self, feed: Feed, until: datetime) -> None:
        """Put a feed's next poll off to an instant, if it is due before."""
        ...

    async def due(self, feed: Feed | None = None) -> int:
        """How many articles wait for work now."""
        ...

    async def pending(self, feed: Feed | None = None, limit: int = 20) -> list[Pending]:
        """Claim the newest ``limit`` articles, in the order they were announced; no one else gets them meanwhile."""
        ...

    async def release(self, tasks: Sequence[Pending]) -> None:
        """Give back claimed tasks that nobody got to."""
        ...

    async def current(self, article: int) -> Revision | None:
        """An article's current revision; ``None`` before its first."""
        ...

    async def settle(self, task: Pending, done: Settled, verdict: Verdict | None = None) -> bool:
        """Store the article of a claimed task, with the verdict on its edit; whether it made a new revision."""
        ...

    async def settle_all(self, ones: Sequence[tuple[Pending, Settled]]) -> list[bool | AggregatorError]:
        """Store articles of claimed tasks, none out of a page; of each as ``settle``, or why it is not stored."""
        ...

    async def drop(self, task: Pending, page: Page | int | None = None, signs: Signs | None = None) -> None:
        """Store that no feed wants a claimed task's article, and the page that told it; there will be no document."""
        ...

    async def fail(self, task: Pending, error: AggregatorError, page: Page | None) -> None:
        """Store why a claimed task failed; it is handed out again later."""
        ...

    async def readable_again(self) -> list[Pending]:
        """The articles whose last page came whole but was not read, each with that page."""
        ...

    async def still_unread(self, task: Pending, error: AggregatorError) -> None:
        """Store that the rules of now find no more in a stored page than older ones did."""
        ...

    async def rechecks_due(self, feed: Feed | None = None) -> int:
        """How many pages wait to be looked at again now."""
        ...

    async def rechecks(self, feed: Feed | None = None, limit: int = 20) -> list[Recheck]:
        """Claim up to ``limit`` articles whose page is to be looked at again, newest first."""
        ...

    async def looked(self, task: Pending, page: Page) -> None:
        """Store that a page was found as it was."""
        ...

    async def settle_recheck(self, task: Pending, done: Settled, verdict: Verdict | None = None) -> bool:
        """Store what a page says when it is read again; whether the source has edited the article."""
        ...

    async def absent(self, task: Pending, found: Absence, *, worked: bool = False) -> str | None:
        """Store that an article's page is not there; "missing" at first, "gone" when a second look agrees."""
        ...

    async def recheck_failed(self, task: Pending, error: AggregatorError) -> None:
        """Store that a look came to nothing; what is stored of the article stays as it is."""
        ...

    async def archived(self, feeds: Sequence[str]) -> int:
        """How many articles have a revision; with ``feeds`` those at home with one of them."""
        ...

    async def following(self, article: int, feeds: Sequence[str]) -> Stored | None:
        """The current revision of the next article behind that one, with all it was made of."""
        ...

    async def outdated(self, article: int) -> Stored | None:
        """An article's current revision, if another parser or other rules made it than those of now."""
        ...

    async def derive(self, before: Stored, done: Settled) -> bool:
        """Store what a revision's page gives today as one of cause ``parser``; not if there is a newer one by now."""
        ...

    async def show_images(self, article: int, urls: Sequence[str]) -> None:
        """Note which images an article shows; those nobody has asked for yet are handed out."""
        ...

    async def pending_images(self, limit: int = 20) -> list[WaitingImage]:
        """Claim up to ``limit`` images; nobody else is handed them while the lease runs."""
        ...

    async def keep_image(self, url: str, page: Page, media_type: str) -> None:
        """Store the image that a claimed address answered."""
        ...

    async def fail_image(self, url: str, error: AggregatorError) -> None:
        """Store why a claimed address gave no image; it is handed out again later."""
        ...

    async def hold(self, holds: Sequence[Hold]) -> None:
        """Remember which hosts want to be left alone."""
        ...
