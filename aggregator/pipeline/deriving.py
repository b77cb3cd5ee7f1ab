"""Deriving again: what a stored page gives when the parser and the rules of now read it. Nothing is fetched."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from aggregator.archive.deriving import Stored
from aggregator.articles.compose import compose, from_entry, link_only_article, merged
from aggregator.articles.differences import Difference, Reading, differences
from aggregator.articles.extract import read
from aggregator.articles.rules import Rules
from aggregator.errors import ParseError
from aggregator.identity.fingerprint import fingerprint
from aggregator.model import Article, Entry, Feed, Page, Settled, Signs
from aggregator.pipeline.desk import Desk
from aggregator.pipeline.images import images_of
from aggregator.sources.spelling import page_as_told


@dataclass(frozen=True, slots=True)
class Derived:
    """What became of one article: in what it differs from what is stored, or why it cannot be read today."""

    key: str
    differences: tuple[Difference, ...] = ()
    error: ParseError | None = None


async def renormalise(desk: Desk, feeds: Sequence[str], watch: Callable[[Derived], None], *, keep: bool = True) -> None:
    """Derive the current revision of every article once more (of those at home with ``feeds``, if any are named).

    What differs becomes a revision of cause ``parser`` (without ``keep`` it is only told); what cannot be read today
    stays as it is. The images its feed wants by now wait to be fetched. ``watch`` is told of every article. Cut short,
    it may be begun again: what is done differs no more.
    """
    article = 0
    while stored := await desk.archive.following(article, feeds):
        article = stored.revision.article
        watch(await derive(desk, stored, keep=keep))


async def rederive(desk: Desk, article: int) -> None:
    """Before an article is compared with a page read now: if another parser or other rules made its revision, derive
    that again, so that what they alone changed never counts as an edit by the source.
    """
    stored = await desk.archive.outdated(article)
    if stored:
        await derive(desk, stored)


async def derive(desk: Desk, stored: Stored, *, keep: bool = True) -> Derived:
    """One article derived again; stored where it differs, if ``keep``."""
    made = stored.revision
    try:
        done = await _again(desk, stored)
    except ParseError as error:
        return Derived(made.key, error=error)
    found = _differences(stored, done)
    if found and keep:
        await desk.archive.derive(stored, done)
    if keep and (images := images_of(desk.feeds, desk.rules, stored.task, done.article)):
        await desk.archive.show_images(made.article, images)
    return Derived(made.key, found)


async def read_as_told(desk: Desk, feed: Feed | None, page: Page, entry: Entry) -> tuple[Article, Signs]:
    """What a page says, in the feed's zone and encoding.

    Raises:
        ParseError: it is not the article, or no rule finds a body.
    """
    return await desk.work(_read, page_as_told(feed, page), feed.zone if feed else None, entry.title, desk.rules)


def _read(page: Page, zone: str | None, title: str, rules: Rules) -> tuple[Article, Signs]:
    return read(page, zone=zone, title=title, rules=rules)


async def _again(desk: Desk, stored: Stored) -> Settled:
    made = stored.revision
    article = merged(await _article(desk, stored), stored.entry)
    placeholder = desk.placeholder if made.placeholder is None else made.placeholder
    done = compose(stored.task, article, placeholder, fingerprint(article.text), made.page)
    return replace(done, cause="parser")


async def _article(desk: Desk, stored: Stored) -> Article:
    made = stored.revision
    if made.content.reason:
        return link_only_article(stored.entry, made.content.reason)
    if made.page is None:
        return await desk.work(from_entry, stored.entry, made.content.url)
    if stored.page is None:
        hint = "Its text stays as it is"
        raise ParseError("the bytes of its page are not kept any more", kind="no_page", where=made.key, hint=hint)
    article, _ = await read_as_told(desk, desk.feeds.get(stored.home), stored.page, stored.entry)
    return article


def _differences(stored: Stored, done: Settled) -> tuple[Difference, ...]:
    made = stored.revision
    found = differences(Reading(made.content, made.fingerprint), Reading(done.article, done.fingerprint))
    digest = hashlib.sha256(done.document.encode()).hexdigest()
    if not found and made.document_sha256 not in (None, digest):
        found = [Difference("document", made.document_sha256, digest)]
    return tuple(found)
