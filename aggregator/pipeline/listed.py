"""Articles that their listing carries: they wait for no page, so many are read at once, and stored at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from aggregator.articles.compose import compose, from_entry, merged
from aggregator.articles.rules import Rules
from aggregator.errors import AggregatorError, masked
from aggregator.identity.fingerprint import fingerprint
from aggregator.model import Feed, Pending, Settled
from aggregator.pipeline.images import images_of
from aggregator.pipeline.sifting import announced, as_read, sifted, wants_page

# Articles read at once, and stored in one transaction. What 200 change is more than SQLite's cache holds: of a first
# poll of 10,000 the process was 115 MB in the end, of 100 at a time it is 98.
_MOST = 100
_WEIGHT = 200_000  # characters of their texts: some hundredths of a second of work


@dataclass(frozen=True, slots=True)
class Listed:
    """An article out of its listing: the task, at home with the feed that wants it, and what is to be stored."""

    task: Pending
    done: Settled


def portion_of(feeds: Mapping[str, Feed], waiting: Sequence[Pending]) -> int:
    """How many of the tasks, from the first on, are read together: 1, or as many as their listings carry.

    An edit is compared with what is stored, and a text of any weight is worked on by itself.
    """
    count = weight = 0
    for task in waiting:
        weight += len(task.entry.original or task.entry.summary or "")
        if count == _MOST or weight > _WEIGHT or task.revisions or task.stored or not _is_listed(feeds, task):
            break
        count += 1
    return max(count, 1)


def _is_listed(feeds: Mapping[str, Feed], task: Pending) -> bool:
    """Whether no feed that lists an article, and may be its home, wants its page."""
    entry, names = task.entry, (task.feed, *task.feeds)
    return entry.link is None or not any(wants_page(feeds.get(name), full_text=entry.full_text) for name in names)


def read_listed(
    tasks: Sequence[Pending], feeds: Mapping[str, Feed], placeholder: str, rules: Rules
) -> list[Listed | AggregatorError | None]:
    """What listings say of these articles: of each what is to be stored, why it cannot be, or that none wants it."""
    return [_read(task, feeds, placeholder, rules) for task in tasks]


def _read(task: Pending, feeds: Mapping[str, Feed], placeholder: str, rules: Rules) -> Listed | AggregatorError | None:
    at_home = sifted(feeds, task, announced(task.entry))
    if at_home is None:
        return None
    feed = feeds.get(at_home.feed)
    try:
        article = merged(from_entry(task.entry, masked(feed.url) if feed and not task.entry.link else ""), task.entry)
        wanted = sifted(feeds, at_home, as_read(article, article.text))
        if wanted is None:
            return None
        done = compose(wanted, article, placeholder, fingerprint(article.text), None)
    except AggregatorError as error:
        return error
    images = images_of(feeds, rules, wanted, article)
    return Listed(wanted, replace(done, images=images) if images else done)
