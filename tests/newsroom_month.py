"""A newsroom in virtual time with its own ledger of every version, and the network's edge before it, with faults."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from urllib.parse import parse_qsl, urlsplit

from world import CATEGORIES

from aggregator.demo import listings, newsroom, pages
from aggregator.demo.addresses import address, comos_id, pictures
from aggregator.demo.ledger import BEIJING, Ledger, Published
from aggregator.demo.newsroom import Story
from aggregator.errors import FetchError
from aggregator.model import Feed, Page, Request

START = datetime(2026, 3, 1, 0, 0, tzinfo=UTC)
CHANNELS = ((155, 1686), (155, 1690), (384, 2519), (384, 2671), (153, 2516))
DESKS = ("omo", "macro", "bank", "ashare", "market", "opinion")
FAULTY = 0.05  # of all answers
Version = tuple[str, int]  # an article's id, and which of its versions


def feeds(count: int) -> list[Feed]:
    """The first channels, whose lists overlap."""
    api = "https://feed.mix.sina.com.cn/api/roll/get"
    return [
        Feed(f"lid-{lid}", "sina-roll", f"{api}?pageid={pid}&lid={lid}", CATEGORIES) for pid, lid in CHANNELS[:count]
    ]


@dataclass
class Hours:
    """Virtual time. Before it moves on, whoever keeps a log is told; after that the newsroom has worked on."""

    at: datetime = START
    before: Callable[[], None] = lambda: None
    after: Callable[[], None] = lambda: None

    def __call__(self) -> datetime:
        return self.at

    def move(self, by: timedelta) -> None:
        """Let time pass, in whole milliseconds."""
        self.before()
        self.at += timedelta(milliseconds=by // timedelta(milliseconds=1))
        self.after()


# --- the newsroom ---------------------------------------------------------------------------------


@dataclass
class Newsroom:
    """Publishes as planned; its ledger holds every version. ``ended`` is when a version was replaced or withdrawn."""

    hours: Hours
    dice: Random
    ledger: Ledger = field(default_factory=Ledger)
    plan: list[tuple[datetime, int, str, str]] = field(default_factory=list)
    begun: dict[Version, datetime] = field(default_factory=dict)
    ended: dict[Version, datetime] = field(default_factory=dict)
    edition: int = 0  # grows with every change

    def schedule(self, days: int, articles_a_day: int) -> None:
        """Plan a month: most by day, an eighth late, a seventh edited up to three times, few withdrawn."""
        for number in range(days * articles_a_day):
            day, hour = number // articles_a_day, self.dice.triangular(0, 24, 6)
            at = START + timedelta(days=day, hours=hour)
            comos = comos_id(self.dice)
            self._note(at, "late" if self.dice.random() < 0.12 else "publish", comos)
            for _ in range(self.dice.choice((1, 1, 2, 3)) if self.dice.random() < 0.15 else 0):
                at += timedelta(seconds=self.dice.choice((90, 600, 5_000, 40_000)) * self.dice.uniform(1, 2))
                self._note(at, "edit", comos)
            if self.dice.random() < 0.04:
                self._note(at + timedelta(minutes=self.dice.choice((3, 30, 600))), "withdraw", comos)
        self.plan.sort(reverse=True)

    def _note(self, at: datetime, verb: str, comos: str) -> None:
        self.plan.append((at.replace(microsecond=0), -len(self.plan), verb, comos))

    def work(self) -> None:
        """Do what is planned up to now."""
        while self.plan and self.plan[-1][0] <= self.hours():
            at, _, verb, comos = self.plan.pop()
            self.edition += 1
            if verb == "edit":
                self._edit(comos, at)
            elif verb == "withdraw":
                self._withdraw(comos, at)
            else:
                self._publish(comos, at, timedelta(minutes=85) if verb == "late" else timedelta(seconds=40))

    def _publish(self, comos: str, at: datetime, ago: timedelta) -> None:
        ctime = at - ago
        story = newsroom.write(self.dice.choice(DESKS), self.dice, ctime.astimezone(BEIJING))
        if self.dice.random() < 0.15:  # a flash
            story = replace(story, title=f"快讯：{story.title}", paragraphs=story.paragraphs[:2])
        template = self.dice.choice(("finance2026", "finance2026", "finance2019", "news2018"))
        place = address(comos, story.desk, template, ctime, self.dice)  # type: ignore[arg-type]
        self.ledger.put(
            Published(
                id=comos,
                docid=place.docid,
                url=place.url,
                wap=place.wap,
                template=template,  # type: ignore[arg-type]
                lids=story.desk.lids,
                versions=(marked(story, comos, 1),),
                pictures=pictures(story, ctime, self.dice),
                ctime=ctime,
                mtime=at,
                intime=at,
                oid=890_000_000 + self.edition,
            )
        )
        self.begun[comos, 1] = at

    def _edit(self, comos: str, at: datetime) -> None:
        item = self.ledger.published[comos]
        if not item.listed:
            return
        count = len(item.versions)
        story = newsroom.edited(replace(item.story, paragraphs=item.story.paragraphs[:-1]), self.dice)
        versions = (*item.versions, marked(story, comos, count + 1))
        self.ledger.put(replace(item, versions=versions, mtime=at, intime=at))
        self.ended[comos, count], self.begun[comos, count + 1] = at, at

    def _withdraw(self, comos: str, at: datetime) -> None:
        item = self.ledger.published[comos]
        self.ledger.put(replace(item, template="removed", expect="not_found", listed=False))
        self.ended[comos, len(item.versions)] = at


def marked(story: Story, comos: str, number: int) -> Story:
    """A story that says itself which version of which article it is."""
    return replace(story, paragraphs=(*story.paragraphs, f"（编号{comos}第{number}稿）"))


# --- the network ----------------------------------------------------------------------------------


@dataclass
class Wire:
    """The network's edge: the replica's lists and pages, faults, and a book of all that was asked.

    ``shown`` counts good answers with a version's page, ``vain`` asked for one in vain; ``listed`` is in which round a
    good list first had it, ``round`` the present one.
    """

    clock: Hours
    room: Newsroom
    dice: Random
    asked: Counter[str] = field(default_factory=Counter)
    shown: Counter[Version] = field(default_factory=Counter)
    vain: Counter[Version] = field(default_factory=Counter)
    listed: dict[Version, int] = field(default_factory=dict)
    held: dict[str, datetime] = field(default_factory=dict)
    round: int = 0
    rounds: dict[int, datetime] = field(default_factory=dict)  # when each ended that was not cut short
    kill: int = 0  # the process dies at this request from now on; 0: not
    _lists: dict[str, tuple[int, bytes, list[Version]]] = field(default_factory=dict)
    _places: dict[str, str] = field(default_factory=dict)

    async def __call__(self, request: Request) -> Page:
        self.clock.move(timedelta(milliseconds=self.dice.randint(20, 1_500)))
        host, item = urlsplit(request.url).netloc, self._item(request.url)
        version = (item.id, len(item.versions)) if item and item.listed else None
        if self.held.get(host, START) > self.clock():
            self.vain[version or ("", 0)] += 1
            self.asked["while held"] += 1
            raise FetchError("held", kind="held", where=request.url, retry_at=self.held[host])
        self._die(version)
        kind = "page" if item else "list"
        faulty = self.dice.random() < FAULTY
        self.asked[f"{kind} {'faulty' if faulty else 'good'}"] += 1
        if faulty:
            self.vain[version or ("", 0)] += 1
            return self._fault(request, host, item)
        return self._page(request, item) if item else self._list(request)

    def _item(self, url: str) -> Published | None:
        if len(self._places) < len(self.room.ledger.published):
            self._places = {one.url: one.id for one in self.room.ledger}
        return self.room.ledger.published[self._places[url]] if url in self._places else None

    def _die(self, version: Version | None) -> None:
        """Be killed, if it is time for that, while waiting for this answer."""
        self.kill -= self.kill > 0
        if self.kill == 1:
            self.kill = 0
            self.vain[version or ("", 0)] += 1
            raise Killed

    def _fault(self, request: Request, host: str, item: Published | None) -> Page:
        fault = self.dice.choice(("timeout", "http", "truncated", "other", "rate_limited"))
        self.asked[f"fault {fault}"] += 1
        if fault == "other":
            others = [one for one in self.room.ledger if one is not item]
            body = pages.page(self.dice.choice(others), None).body if others else b"<html><body>login</body></html>"
            return self._answered(request, body, "text/html; charset=utf-8")
        until = None
        if fault == "rate_limited":
            until = self.held[host] = self.clock() + timedelta(seconds=self.dice.randint(30, 600))
        raise FetchError(fault, kind=fault, where=request.url, retry_at=until)

    def _page(self, request: Request, item: Published) -> Page:
        answer = pages.page(item, None)
        if answer.status == 404:
            self.asked["page withdrawn"] += 1
            raise FetchError("HTTP 404", kind="not_found", where=request.url, status=404)
        self.shown[item.id, len(item.versions)] += 1
        return self._answered(request, answer.body, answer.type)

    def _list(self, request: Request) -> Page:
        query = dict(parse_qsl(urlsplit(request.url).query))
        lid = query["lid"]
        if lid not in self._lists or self._lists[lid][0] != self.room.edition:
            body = listings.roll(self.room.ledger, query, self.clock()).body
            items = self.room.ledger.listed(int(lid))[: listings.MOST]
            self._lists[lid] = (self.room.edition, body, [(one.id, len(one.versions)) for one in items])
        _, body, versions = self._lists[lid]
        for version in versions:
            self.listed.setdefault(version, self.round)
        return self._answered(request, body, "application/json")

    def _answered(self, request: Request, body: bytes, kind: str) -> Page:
        return Page(request.url, request.url, 200, {"content-type": kind}, body, self.clock())


class Killed(BaseException):
    """The process ends here."""
