"""A client of the replica of Sina that reaches it as ``network.connect_to`` does, and words to speak of its ledger."""

from __future__ import annotations

import html
import http.client
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from aggregator.demo import Replica
from aggregator.demo.ledger import Published

NOW = datetime(2026, 9, 29, 0, 39, 35, tzinfo=UTC)
BROWSER = {"User-Agent": "Mozilla/5.0 (test)", "Referer": "https://finance.sina.com.cn/roll/"}


@dataclass(frozen=True)
class Got:
    status: int
    headers: dict[str, str]
    body: bytes


def clock() -> datetime:
    return NOW


def get(replica: Replica, url: str, headers: dict[str, str] | None = None, method: str = "GET") -> Got:
    """Fetch ``url`` from the replica as a client with ``connect_to`` would."""
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    connection = http.client.HTTPConnection(urlsplit(replica.connect_to()[parts.netloc]).netloc, timeout=10)
    try:
        connection.request(method, target, headers={"Host": parts.netloc, **(headers or {})})
        answer = connection.getresponse()
        names = {name.lower(): value for name, value in answer.getheaders()}
        return Got(answer.status, names, answer.read())
    finally:
        connection.close()


def roll_body(replica: Replica, pageid: int, lid: int, more: str = "&num=50&page=1") -> bytes:
    url = f"https://feed.mix.sina.com.cn/api/roll/get?pageid={pageid}&lid={lid}{more}"
    return get(replica, url, BROWSER).body


def roll(replica: Replica, pageid: int, lid: int, more: str = "&num=50&page=1") -> dict:
    return json.loads(roll_body(replica, pageid, lid, more))["result"]


def one(replica: Replica, chosen: Callable[[Published], bool]) -> Published:
    return next(item for item in replica.ledger if chosen(item))


def with_template(replica: Replica, name: str) -> Published:
    return one(replica, lambda item: item.template == name)


def visible(page: str) -> str:
    """The text of a page without its tags, spaces and entities."""
    return re.sub(r"\s+", "", html.unescape(re.sub(r"<[^>]*>", "", page)))


def holds_text(item: Published, page: str) -> bool:
    text = page if item.template != "slides" else page.replace("\\/", "/").replace('\\"', '"')
    shown = visible(text).replace("(0,0.00,0.00%)", "")
    return all(re.sub(r"\s+", "", paragraph) in shown for paragraph in item.story.paragraphs)
