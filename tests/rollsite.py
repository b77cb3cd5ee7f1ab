"""A roll list that can be paged, as a transport: what is published moves down, and off the first page."""

from __future__ import annotations

import json
from bisect import insort
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

from world import CATEGORIES, Clock, page

from aggregator.errors import FetchError
from aggregator.model import Feed, Page, Request

SIZE = 50  # items on a page of the list


def roll_feed(name: str = "roll", lid: int = 1686, **more: object) -> Feed:
    """A feed over one of the site's lists."""
    url = f"https://feed.mix.sina.com.cn/api/roll/get?pageid=155&lid={lid}"
    return Feed(name=name, source="sina-roll", url=url, categories=CATEGORIES, **more)  # type: ignore[arg-type]  # any field of a Feed


@dataclass(frozen=True, slots=True)
class Item:
    """Something published."""

    number: int
    at: datetime
    lids: str = ""  # that it says it is in; "": this list

    @property
    def docid(self) -> str:
        """Its id as lists give it."""
        return f"nabcdef{self.number:07}"

    @property
    def url(self) -> str:
        """Where its page is."""
        return f"https://finance.sina.com.cn/jjxw/2026-11-23/doc-i{self.docid}.shtml"

    def told(self, lid: int) -> dict[str, object]:
        """It as an item of the API."""
        at = str(int(self.at.timestamp()))
        return {
            "docid": f"comos:{self.docid}",
            "url": self.url,
            "title": f"第{self.number}号快讯：工厂投产",
            "intro": "导语",
            "media_name": "某报",
            **{"ctime": at, "mtime": at, "intime": at},
            "lids": self.lids or str(lid),
        }


@dataclass
class RollSite:
    """The network: one list with all its pages, and the page of every article. ``broken`` pages answer 503."""

    clock: Clock
    lid: int = 1686
    items: list[Item] = field(default_factory=list)  # newest first
    asked: Counter[int] = field(default_factory=Counter)  # pages of the list
    broken: set[int] = field(default_factory=set)
    deepest: int = 10_000  # pages of the list; what is asked behind them is the last one again
    wraps: int = 10_000  # pages after which the list begins anew

    def publish(self, count: int, minutes: float) -> None:
        """So many articles more, spread over the time that passes."""
        for _ in range(count):
            self.clock.at += timedelta(minutes=minutes / count)
            self.join(self.clock())

    def join(self, at: datetime) -> None:
        """One article more on the list, published at an instant, perhaps a while ago."""
        insort(self.items, Item(len(self.items) + 1, at), key=lambda one: -one.at.timestamp())

    async def __call__(self, request: Request) -> Page:
        parts = urlsplit(request.url)
        if parts.hostname != "feed.mix.sina.com.cn":
            number = int(parts.path.rpartition("nabcdef")[2].removesuffix(".shtml"))
            return Page(request.url, request.url, 200, {"content-type": "text/html"}, page(number), self.clock())
        number = int(dict(parse_qsl(parts.query))["page"])
        self.asked[number] += 1
        if number in self.broken:
            raise FetchError("HTTP 503", kind="http", status=503, where=request.url)
        result = {"status": {"code": 0}, "lid": self.lid, "data": self._told(number)}
        body = json.dumps({"result": result}).encode()
        return Page(request.url, request.url, 200, {"content-type": "application/json"}, body, self.clock())

    def _told(self, number: int) -> list[dict[str, object]]:
        number = (min(number, self.deepest) - 1) % self.wraps
        return [one.told(self.lid) for one in self.items[number * SIZE : (number + 1) * SIZE]]
