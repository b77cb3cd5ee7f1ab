"""Decides what is published when: the opening edition, and each step that follows it.

No clock and no chance of its own: the same seed, step number and instants print the same edition.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random

from aggregator.demo import newsroom
from aggregator.demo.addresses import address, comos_id, lag, pictures
from aggregator.demo.ledger import BEIJING, Change, Expect, Ledger, Published, Template, Verb
from aggregator.demo.newsroom import Story

OPENING = {
    "omo": 14, "macro": 14, "bank": 20, "ashare": 20, "market": 10, "hk": 24,
    "us": 24, "adr": 8, "forex": 8, "futures": 10, "opinion": 6,
}  # fmt: skip
DOMESTIC = ("omo", "macro", "market", "opinion")
STALE_LID = 2487
LATE_BY = timedelta(minutes=85)


@dataclass(frozen=True, slots=True)
class Special:
    """An entry of the opening edition that is not a plain article."""

    desk: str
    template: Template
    expect: Expect
    note: str


SPECIALS = (
    Special("macro", "removed", "not_found", "listed, but its page answers 404"),
    Special("bank", "challenge", "wrong_page", "its page is a challenge at HTTP 200"),
    Special("hk", "another", "wrong_page", "its page is another article's"),
    Special("us", "bodiless", "extract_failed", "its page has no body that a rule finds"),
    Special("macro", "empty", "wrong_page", "its page is empty at HTTP 200"),
    Special("opinion", "blog", "blog", "a blog entry, link only"),
    Special("macro", "topic", "topic", "a topic page, link only"),
    Special("us", "video", "video", "a video page, link only"),
    Special("ashare", "wap", "article", "listed with its mobile address only"),
    Special("market", "slides", "article", "a slide show"),
)


@dataclass(frozen=True, slots=True)
class Times:
    """The three instants a list gives of an entry."""

    ctime: datetime
    mtime: datetime
    intime: datetime


def opening(seed: int, now: datetime) -> Ledger:
    """The edition of the moment ``now``: the newest article is a few minutes old, the oldest is from 2014."""
    dice = Random(f"{seed}/opening")
    ledger = Ledger()
    _old_pages(ledger, dice)
    _stale(ledger, now, dice)
    order = _running_order(dice)
    for (desk, special), age in zip(reversed(order), reversed(_ages(len(order), dice)), strict=True):
        _publish(ledger, desk, _times(now - age, now, dice), dice, special)
    _reprint(ledger, now, dice)
    _cross(ledger)
    return ledger


def step(ledger: Ledger, seed: int, number: int, now: datetime, keep: int) -> list[Change]:
    """The next step in the life of the newsroom: two to four new articles, one edit, one removal.

    Step 1 also lets the late arrival appear: indexed now, published 85 minutes ago, so below newer entries.
    Of more than ``keep`` articles the oldest are forgotten.
    """
    dice = Random(f"{seed}/step/{number}")
    changes = [_change("published", _fresh(ledger, now, dice), now) for _ in range(dice.randint(2, 4))]
    if number == 1:
        changes.append(_change("late", _late(ledger, now, dice), now))
    plain = [item for item in ledger if item.expect == "article" and item.listed and not item.note]
    edit, removal = dice.sample(plain[-120:], 2)
    changes.append(_change("edited", _edit(ledger, edit, now, dice), now))
    gone = replace(removal, template="removed", expect="not_found", listed=False, note="removed later")
    changes.append(_change("removed", ledger.put(gone), now))
    ledger.changes.extend(changes)
    for old in list(ledger.published)[:-keep]:
        del ledger.published[old]
    return changes


def publish(ledger: Ledger, seed: int, number: int, now: datetime, count: int) -> list[Change]:
    """So many new articles, in the newsroom's step of that number."""
    dice = Random(f"{seed}/publish/{number}")
    changes = [_change("published", _fresh(ledger, now, dice), now) for _ in range(count)]
    ledger.changes.extend(changes)
    return changes


def _change(verb: Verb, item: Published, at: datetime) -> Change:
    return Change(verb, item.id, at)


def _running_order(dice: Random) -> list[tuple[str, Special | None]]:
    """The desks of the opening edition, newest article first, with the special entries among the newest forty."""
    order: list[tuple[str, Special | None]] = [(desk, None) for desk, n in OPENING.items() for _ in range(n)]
    dice.shuffle(order)
    for index, special in enumerate(SPECIALS):
        order.insert(3 + 4 * index, (special.desk, special))
    return order


def _ages(count: int, dice: Random) -> list[timedelta]:
    """How old each of ``count`` articles is, the youngest first, three to five minutes."""
    ages = [dice.randint(180, 300)]
    while len(ages) < count:
        ages.append(ages[-1] + dice.randint(100, 420))
    return [timedelta(seconds=age) for age in ages]


def _times(ctime: datetime, now: datetime, dice: Random) -> Times:
    ctime = ctime.astimezone(UTC)
    mtime = ctime + lag(dice, now - ctime - timedelta(seconds=25))
    return Times(ctime, mtime, mtime + timedelta(seconds=dice.randint(0, 20)))


def _template(desk: str, dice: Random) -> Template:
    if desk in DOMESTIC and dice.random() < 0.25:
        return "news2018"
    return "finance2026" if dice.random() < 0.65 else "finance2019"


def _publish(
    ledger: Ledger, desk: str, times: Times, dice: Random, special: Special | None = None, story: Story | None = None
) -> Published:
    """Write a story of that desk (or take the one given) and put it into the ledger."""
    story = story or newsroom.write(desk, dice, times.ctime.astimezone(BEIJING))
    template = special.template if special else _template(desk, dice)
    item = _item(ledger, story, template, times, dice)
    if special:
        item = replace(item, expect=special.expect, note=special.note)
    return ledger.put(item)


def _item(ledger: Ledger, story: Story, template: Template, times: Times, dice: Random, era: str = "n") -> Published:
    comos = comos_id(dice, era)
    place = address(comos, story.desk, template, times.ctime, dice)
    return Published(
        id=comos,
        docid=place.docid,
        url=place.url,
        wap=place.wap,
        template=template,
        lids=story.desk.lids,
        versions=(story,),
        pictures=pictures(story, times.ctime, dice),
        ctime=times.ctime,
        mtime=times.mtime,
        intime=times.intime,
        oid=max((other.oid for other in ledger), default=890_000_000) + dice.randint(1, 977),
    )


def _fresh(ledger: Ledger, now: datetime, dice: Random) -> Published:
    desk = dice.choice(tuple(OPENING))
    ctime = now - timedelta(seconds=dice.randint(30, 55))
    return _publish(ledger, desk, _times(ctime, now, dice), dice)


def _late(ledger: Ledger, now: datetime, dice: Random) -> Published:
    """Published 85 minutes before it is indexed: it surfaces below entries that were long known."""
    times = Times(now - LATE_BY, now - timedelta(seconds=8), now)
    late = _publish(ledger, "omo", times, dice)
    return ledger.put(replace(late, note="a late arrival: indexed 85 minutes after its publication"))


def _edit(ledger: Ledger, item: Published, now: datetime, dice: Random) -> Published:
    versions = (*item.versions, newsroom.edited(item.story, dice))
    mtime = now - timedelta(seconds=dice.randint(0, 20))
    return ledger.put(replace(item, versions=versions, mtime=mtime, intime=now))


def _reprint(ledger: Ledger, now: datetime, dice: Random) -> None:
    """The same text once more, under another id, with another title, some hours after the first."""
    first = _plain(ledger, "bank")[0]
    story = newsroom.retitled(first.story, "转载中心")
    times = _times(now - timedelta(minutes=dice.randint(30, 50)), now, dice)
    item = _publish(ledger, "bank", times, dice, story=story)
    ledger.put(replace(item, note="a reprint of another article, under its own id", twin=first.id))


def _stale(ledger: Ledger, now: datetime, dice: Random) -> None:
    """The last articles of a channel that nobody feeds any more: the newest is nine days old."""
    for n in range(10, 0, -1):
        ctime = now - timedelta(days=8 + n, minutes=dice.randint(0, 600))
        item = _publish(ledger, "forex", _times(ctime, now, dice), dice)
        ledger.put(replace(item, lids=(STALE_LID, *item.lids)))


def _old_pages(ledger: Ledger, dice: Random) -> None:
    """Pages of earlier eras, at the end of the stale channel, with the dates they had."""
    plans: Sequence[tuple[Template, datetime, str]] = (
        ("gb2312", datetime(2014, 3, 18, 1, 19, 40, tzinfo=BEIJING), "n"),
        ("gb2312", datetime(2014, 3, 19, 9, 2, 11, tzinfo=BEIJING), "n"),
        ("web2014", datetime(2017, 12, 1, 18, 30, 5, tzinfo=BEIJING), "f"),
        ("web2014", datetime(2017, 12, 4, 10, 7, 52, tzinfo=BEIJING), "f"),
    )
    for template, ctime, era in plans:
        story = newsroom.write("forex", dice, ctime)
        story = newsroom.signed(story) if template == "gb2312" else story
        times = _times(ctime, ctime + timedelta(hours=2), dice)
        item = _item(ledger, story, template, times, dice, era)
        ledger.put(replace(item, lids=(STALE_LID,), note=f"a page of an earlier era: {template}"))


def _cross(ledger: Ledger) -> None:
    """Name the article whose page answers at the address of the one marked ``another``."""
    (lost,) = (item for item in ledger if item.template == "another")
    ledger.put(replace(lost, twin=_plain(ledger, "hk")[-1].id))


def _plain(ledger: Ledger, desk: str) -> list[Published]:
    """The plain articles of that desk, the oldest first."""
    return [item for item in ledger if item.story.desk.name == desk and not item.note]
