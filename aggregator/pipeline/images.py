"""After the articles their images: fetched through the same door, judged by their bytes, stored or failed by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from aggregator.archive.images import WaitingImage
from aggregator.articles.images import type_of, wanted
from aggregator.articles.rules import Rules
from aggregator.errors import AggregatorError, ArchiveError
from aggregator.model import Article, Feed, Images, Pending
from aggregator.pipeline.crew import one_by_one, work_through
from aggregator.pipeline.desk import Budget, Desk
from aggregator.sources.questions import page_request

_MOST_FIRST: tuple[Images, ...] = ("all", "cover", "none")


@dataclass(frozen=True, slots=True)
class ImageOutcome:
    """What became of one image: stored, or an error, which is stored too."""

    url: str
    error: AggregatorError | None = None


def images_of(feeds: Mapping[str, Feed], rules: Rules, task: Pending, article: Article) -> tuple[str, ...]:
    """The addresses of the images to keep with an article: as many as any of the feeds that list it asks for."""
    asked = {feeds[name].images for name in (task.feed, *task.feeds) if name in feeds}
    most: Images = next((images for images in _MOST_FIRST if images in asked), "none")
    return wanted(article, most, rules)


async def collect_images(
    desk: Desk, budget: Budget | None = None, watch: Callable[[ImageOutcome], None] | None = None
) -> list[ImageOutcome]:
    """Fetch the images that wait, each address once. Cancelled, it leaves what was not stored waiting."""
    attempt = one_by_one(partial(_attempt, desk))

    async def claim(_: int) -> Sequence[WaitingImage]:
        return await desk.archive.pending_images(1)

    return await work_through(min(desk.workers, desk.fetches), budget or Budget(), claim, attempt, watch)


def told(outcomes: Sequence[ImageOutcome]) -> str:
    """What became of images, in one line."""
    kinds = Counter(one.error.kind for one in outcomes if one.error)
    why = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    return f"{len(outcomes) - kinds.total()} images stored, {kinds.total()} failed" + (f" ({why})" if why else "")


async def _attempt(desk: Desk, image: WaitingImage) -> ImageOutcome:
    url = image.url
    try:
        page = await desk.fetch(replace(page_request(desk.feeds.get(image.feed or ""), url), kind="image"))
        await desk.archive.keep_image(url, page, type_of(page.body, url))
    except ArchiveError:
        raise
    except AggregatorError as error:
        await desk.archive.fail_image(url, error)
        return ImageOutcome(url, error)
    return ImageOutcome(url)
