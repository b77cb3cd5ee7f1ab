"""Seen to break: twelve ways in which a site can change, and five thousand pages of a site that does not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import cache
from itertools import islice
from pathlib import Path

import pytest
from world import START, Clock, Site, desk

from aggregator.archive import Reader
from aggregator.articles.drift import drifts
from aggregator.articles.extract import read
from aggregator.demo import edition, pages
from aggregator.demo.ledger import Published
from aggregator.demo.mutations import MUTATIONS, mutated
from aggregator.errors import ParseError
from aggregator.model import Article, Feed, Page, Reading
from aggregator.pipeline import discover
from aggregator.sources import SOURCES
from aggregator.sources.rolldata import USUAL

HOST = "finance.sina.com.cn"
DOC = f"https://{HOST}/roll/2026-11-23/doc-inabcdef1234567.shtml"
ROLL = "https://feed.mix.sina.com.cn/api/roll/get?pageid=155&lid=1686"
TODAY = ("finance2026", "finance2019", "news2018")
# How each is noticed: as failures of a kind, or by a sign.
NOTICED = {
    "renamed_id": "extract_failed",
    "nested_body": "extract_failed",
    "moved_time": "no time",
    "quoted_differently": "quotes single",
    "new_promotion": "the same line",
    "body_by_script": "extract_failed",
    "challenge": "wrong_page",
    "front_page": "wrong_page",
    "another_article": "wrong_page",
    "empty_body": "extract_failed",
    "english": "no time",
    "charset_lie": "charset gb18030",
}


def published(count: int, seed: int = 7) -> Iterator[Published]:
    """Articles of today's templates, as many as wanted, out of one living newsroom."""
    ledger = edition.opening(seed, START)
    number, seen = 0, set()
    while len(seen) < count:
        for item in list(ledger):
            if item.id not in seen and item.template in TODAY and item.expect == "article" and HOST in item.url:
                seen.add(item.id)
                yield item
        number += 1
        edition.step(ledger, seed, number, START + timedelta(minutes=number), keep=600)


def answered(item: Published, mutation: str | None = None) -> Page:
    body = pages.page(item, None).body
    body = mutated(mutation, body) if mutation else body
    return Page(item.url, item.url, 200, {"content-type": pages.HTML}, body, START)


def outcome(item: Published, mutation: str | None = None) -> tuple[Reading, Article | None]:
    try:
        article, signs = read(answered(item, mutation), title=item.title)
    except ParseError as error:
        return Reading(error.kind), None
    return Reading("ok", signs), article


@cache
def usual(count: int) -> tuple[Reading, ...]:
    """The readings of so many pages on which nothing has changed."""
    return tuple(outcome(item)[0] for item in islice(published(count), count))


def alarms(readings: Sequence[Reading], first: int) -> list[str]:
    """What is out of bounds after each of the readings from ``first`` on."""
    found = {
        d.subject for end in range(first, len(readings) + 1, 5) for d in drifts(HOST, readings[max(0, end - 550) : end])
    }
    return sorted(found)


def test_pages_that_do_not_change_raise_no_alarm() -> None:
    readings = usual(5_000)
    assert [reading.outcome for reading in readings] == ["ok"] * 5_000
    assert alarms(readings, 5) == []


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_change_of_the_site_is_noticed_within_twenty_pages(name: str) -> None:
    later = list(islice(published(600, seed=8), 20))
    outcomes = [outcome(item, name) for item in later]
    found = alarms([*usual(5_000)[:500], *(reading for reading, _ in outcomes)], 505)
    assert any(subject.endswith(f": {NOTICED[name]}") for subject in found), found
    for item, (_, article) in zip(later, outcomes, strict=True):
        said = "".join(article.text.split()) if article else ""
        assert article is None or all("".join(text.split()) in said for text in item.story.paragraphs)


def test_every_mutation_is_expected_to_be_noticed() -> None:
    assert set(NOTICED) == set(MUTATIONS)
    assert len(MUTATIONS) == 12


def test_a_list_whose_items_change_their_keys_is_an_event_that_ends(tmp_path: Path) -> None:
    usual_item = dict.fromkeys(USUAL, "")

    def answer(**more: str) -> bytes:
        item = {**usual_item, "docid": "comos:nabcdef1234567", "url": DOC, "title": "题", "ctime": "1790596800", **more}
        kept = {name: value for name, value in item.items() if value != "gone"}
        return json.dumps({"result": {"status": {"code": 0}, "data": [kept]}}).encode()

    one = Feed("wire", "sina-roll", ROLL, ("甲", "乙", "丙"), pages="false")
    site = Site(Clock())

    async def subjects(listing: bytes) -> list[object]:
        site.answers[SOURCES["sina-roll"].address(ROLL)] = listing
        async with desk(tmp_path / "a.db", site, one) as opened:
            await discover(opened, one)
        with Reader(tmp_path / "a.db") as reader:
            return [row["subject"] for row in reader.drifts()]

    assert asyncio.run(subjects(answer())) == []
    changed = ["the list of wire: new key surprise", "the list of wire: no key media_name"]
    assert asyncio.run(subjects(answer(surprise="1", media_name="gone"))) == changed
    assert asyncio.run(subjects(answer(surprise="1", media_name="gone"))) == changed
    assert asyncio.run(subjects(answer(surprise="2", media_name="gone"))) == changed
    assert asyncio.run(subjects(answer(title="新题"))) == []
