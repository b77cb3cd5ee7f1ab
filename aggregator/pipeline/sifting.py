"""Which feed wants an article: what the feeds that list it keep and drop, decided as early as can be."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from aggregator.archive.dropping import Sighted
from aggregator.articles.extract import read
from aggregator.articles.filters import Known, verdict
from aggregator.articles.plaintext import text_of
from aggregator.articles.rules import Rules
from aggregator.errors import ParseError
from aggregator.model import Article, Entry, Feed, Page, Pending
from aggregator.sources.spelling import page_as_told
from aggregator.text.html import plain


@dataclass(frozen=True, slots=True)
class Change:
    """What the rules of now do to a stored article: ``drop`` one that waits, ``keep`` one that was dropped (it waits
    again), or ``unwanted``: it is archived, and stays, though no feed would keep it today."""

    article: int
    key: str
    title: str
    feed: str  # that lists it first; on "keep" the one that wants it
    verb: Literal["drop", "keep", "unwanted"]


def announced(entry: Entry) -> Known:
    """What a listing tells of an article. What it leaves empty, the page may say."""
    return Known(entry.title or None, entry.symbols or None, None)


def as_read(article: Article, text: str) -> Known:
    """What is known of an article when it has been read."""
    return Known(article.title, article.symbols, text)


def wanted_by(feeds: Mapping[str, Feed], names: Sequence[str], known: Known) -> str | None:
    """The first of the feeds that keeps the article or may keep it, ``None`` where all of them drop it.

    A feed that is not configured drops nothing.
    """
    for name in names:
        feed = feeds.get(name)
        if feed is None or verdict(feed.keep, feed.drop, known) is not False:
            return name
    return None


def sifted(feeds: Mapping[str, Feed], task: Pending, known: Known) -> Pending | None:
    """The task at home with the first feed that wants it, ``None`` where none does. A home once chosen is kept."""
    home = feeds.get(task.feed)
    if home is None or not (home.keep or home.drop):
        return task
    name = wanted_by(feeds, (task.feed, *(one for one in task.feeds if one != task.feed)), known)
    if name is None:
        return None
    if name == task.feed or task.revisions or name not in feeds:
        return task
    return replace(task, feed=name, categories=feeds[name].categories)


def wants_page(feed: Feed | None, *, full_text: bool) -> bool:
    """Whether an article's page is fetched; ``full_text``: its listing carries all of it."""
    pages = feed.pages if feed else "auto"
    return pages == "true" or (pages == "auto" and not full_text)


def changes(
    feeds: Mapping[str, Feed],
    chosen: Collection[str],
    rows: Iterable[Sighted],
    stored: Callable[[int], Page],
    rules: Rules,
) -> Iterator[Change]:
    """What ``keep`` and ``drop`` of now do to the stored articles that the ``chosen`` feeds list; all feeds if none.

    ``stored`` gives a page by its number: one that was dropped for its text is read again, and nothing is fetched.
    """
    for row in rows:
        if not row.feeds or (chosen and not set(chosen) & set(row.feeds)):
            continue
        wanted = wanted_by(feeds, row.feeds, _known(feeds, row, stored, rules))
        if row.state == "dropped" and wanted:
            yield Change(row.article, row.key, row.title, wanted, "keep")
        if row.state != "dropped" and not wanted:
            verb: Literal["drop", "unwanted"] = "drop" if row.state == "pending" else "unwanted"
            yield Change(row.article, row.key, row.title, row.feeds[0], verb)


def _known(feeds: Mapping[str, Feed], row: Sighted, stored: Callable[[int], Page], rules: Rules) -> Known:
    """What is known of a stored article: all of an archived one, of another as much as its listing or its page says."""
    if row.state == "archived":
        return Known(row.title, row.symbols, text_of(row.body or "", row.rule, rules))
    if row.page is not None:
        try:
            article, _ = read(
                page_as_told(feeds.get(row.feeds[0]), stored(row.page)), zone=None, title=row.title, rules=rules
            )
        except ParseError:
            return Known(row.title or None, row.symbols or None, None)
        symbols = tuple(dict.fromkeys((*article.symbols, *row.symbols)))
        return Known(row.title or article.title, symbols, article.text)
    if not wants_page(feeds.get(row.feeds[0]), full_text=row.full_text):
        return Known(row.title, row.symbols, plain(row.listed))
    return Known(row.title or None, row.symbols or None, None)
