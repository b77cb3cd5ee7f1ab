"""What the replica really published: the truth against which a poll of it can be checked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Literal

from aggregator.demo.newsroom import Story

BEIJING = timezone(timedelta(hours=8), "CST")

Template = Literal[
    "finance2026", "finance2019", "news2018", "web2014", "gb2312", "wap", "slides",
    "removed", "challenge", "another", "bodiless", "empty", "blog", "topic", "video",
]  # fmt: skip
Expect = Literal["article", "not_found", "wrong_page", "extract_failed", "blog", "topic", "video"]
Verb = Literal["published", "late", "edited", "removed"]


@dataclass(frozen=True, slots=True)
class Channel:
    """One roll list; ``expect`` is how a poll of it must end: a status, or the kind of its error."""

    pageid: int
    lid: int
    name: str
    expect: Literal["ok", "empty", "stale", "api_error"] = "ok"


CHANNELS = (
    Channel(155, 1686, "国内滚动"),
    Channel(155, 1687, "宏观经济", "api_error"),
    Channel(155, 1690, "金融新闻"),
    Channel(384, 2519, "财经"),
    Channel(384, 2671, "股市"),
    Channel(384, 2672, "美股"),
    Channel(384, 2674, "港股"),
    Channel(384, 2676, "全球市场", "empty"),
    Channel(384, 2487, "外汇", "stale"),
    Channel(153, 2516, "财经（新闻中心）"),
)
REGISTERED = {(channel.pageid, channel.lid) for channel in CHANNELS if channel.expect != "api_error"}


@dataclass(frozen=True, slots=True)
class Picture:
    """An image on ``n.sinaimg.cn``; ``url`` is protocol-relative, as the pages write it."""

    url: str
    width: int
    height: int
    caption: str


@dataclass(frozen=True, slots=True)
class Published:
    """One article as it stands now. ``versions`` holds every text it had, the first one first."""

    id: str  # comos id: seven letters, seven digits
    docid: str  # as the list gives it
    url: str
    wap: str
    template: Template  # which kind of page answers at ``url``
    lids: tuple[int, ...]
    versions: tuple[Story, ...]
    pictures: tuple[Picture, ...]
    ctime: datetime
    mtime: datetime
    intime: datetime
    oid: int
    expect: Expect = "article"
    note: str = ""  # what is special, for people
    twin: str | None = None  # id of the article it reprints, or whose page answers instead
    listed: bool = True

    @property
    def story(self) -> Story:
        """The text as it stands now."""
        return self.versions[-1]

    @property
    def title(self) -> str:
        """The title as it stands now, the same in the list and on the page."""
        return self.story.title

    @property
    def edited(self) -> bool:
        """Whether the page shows a time of its last change."""
        return len(self.versions) > 1 or self.mtime - self.ctime > timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Change:
    """Something that ``Replica.advance`` did."""

    verb: Verb
    id: str
    at: datetime


@dataclass(slots=True)
class Ledger:
    """All that was published, by comos id, in the order of publication, and what changed since the start."""

    published: dict[str, Published] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    channels: tuple[Channel, ...] = CHANNELS

    def __iter__(self) -> Iterator[Published]:
        return iter(self.published.values())

    def put(self, item: Published) -> Published:
        """Add an article or replace what is known of it."""
        self.published[item.id] = item
        return item

    def listed(self, lid: int) -> list[Published]:
        """What the list of that channel holds, newest ``ctime`` first. A channel that is to be empty is."""
        dead = {channel.lid for channel in self.channels if channel.expect == "empty"}
        items = [item for item in self if item.listed and lid in item.lids and lid not in dead]
        return sorted(items, key=lambda item: (item.ctime, item.oid), reverse=True)

    def good(self) -> list[Published]:
        """The articles that a poll must archive with their text."""
        return [item for item in self if item.expect == "article"]

    def broken(self) -> list[Published]:
        """The entries that cannot become an article with a text, each with what to expect of it."""
        return [item for item in self if item.expect != "article"]
