"""A publisher on loopback in a process of its own: feeds, articles, the roll API. ``/control?etag=1&shift=5`` sets it.

    python tests/benchmarks/origin.py            # prints its port, ends with its standard input

A feed has 50 entries with their text, 178 kB; each ``shift`` brings a new entry. With ``etag`` answers carry one, and
what is asked for by it is answered 304. Pages are 68 kB, every other one in GBK.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from functools import cache
from random import Random
from urllib.parse import parse_qsl, urlsplit

from prose import headline, paragraph

ENTRIES = 50
PAGES = 200
SINA = "finance.sina.com.cn"
BEIJING = timezone(timedelta(hours=8))
STARTED = datetime.now(UTC).replace(microsecond=0)
STATE = {"etag": 1, "shift": 0}

Answer = tuple[str, bytes]  # a content type and a body


@cache
def item(feed: int, number: int) -> str:
    """One entry of a feed with its text."""
    dice = Random(f"{feed}/{number}")
    text = [paragraph(dice, 250) for _ in range(4)]
    at = format_datetime(STARTED + timedelta(seconds=number - 10_000), usegmt=True)
    return (
        f"<item><title>{headline(dice)}</title><link>https://feed{feed}.example/{number}.html</link>"
        f'<guid isPermaLink="false">feed{feed}-{number}</guid><pubDate>{at}</pubDate><category>财经</category>'
        f"<dc:creator>{headline(dice)[:3]}</dc:creator><description>{text[0][:80]}</description>"
        f"<content:encoded><![CDATA[{''.join(f'<p>{one}</p>' for one in text)}]]></content:encoded></item>"
    )


@cache
def feed(number: int, shift: int) -> Answer:
    """A feed whose newest entry is its ``shift``-th new one."""
    newest = ENTRIES + shift
    items = "\n".join(item(number, one) for one in range(newest, newest - ENTRIES, -1))
    text = (
        '<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>'
        f"<title>频道{number}</title><link>https://feed{number}.example/</link><description>财经频道</description>\n"
        f"{items}\n</channel></rss>\n"
    )
    return "application/rss+xml; charset=utf-8", text.encode()


def comos(number: int) -> str:
    """The id of an article of Sina's."""
    return f"nbenchs{number:07d}"


def address(number: int) -> str:
    """The address of an article of Sina's."""
    day = STARTED.astimezone(BEIJING).date()
    return f"https://{SINA}/stock/{day}/doc-i{comos(number)}.shtml"


@cache
def title(number: int) -> str:
    """The title of an article of Sina's."""
    return headline(Random(f"title/{number}"))


@cache
def listing(_: int) -> Answer:
    """A feed that announces the pages, without their text."""
    at = format_datetime(STARTED - timedelta(hours=1), usegmt=True)
    items = "\n".join(
        f"<item><title>{title(one)}</title><link>{address(one)}</link><guid>{address(one)}</guid>"
        f"<pubDate>{at}</pubDate><description>{headline(Random(one))}</description></item>"
        for one in range(PAGES)
    )
    text = f'<rss version="2.0"><channel><title>要闻</title><link>https://{SINA}/</link>\n{items}\n</channel></rss>'
    return "application/rss+xml; charset=utf-8", text.encode()


@cache
def page(number: int) -> Answer:
    """An article's page in the form of Sina's, 600 characters of text."""
    dice = Random(f"page/{number}")
    at = (STARTED - timedelta(hours=1)).astimezone(BEIJING)
    charset = "gbk" if number % 2 else "utf-8"
    body = "\n".join(f"<p>　　{paragraph(dice, 200)}</p>" for _ in range(3))
    url, name = address(number), title(number)
    head = (
        f'<!DOCTYPE html>\n<html>\n<head>\n<meta charset="{charset}">\n<title>{name}_新浪财经_新浪网</title>\n'
        f'<meta name="keywords" content="{name[:2]},{name[2:4]}">\n<meta property="og:type" content="news">\n'
        f'<meta property="og:title" content="{name}">\n<meta property="og:url" content="{url}">\n'
        f'<meta name="publishid" content="{comos(number)}">\n<meta name="mediaid" content="试验社">\n'
        f'<meta property="article:published_time" content="{at.isoformat()}">\n'
    )
    text = (
        f'<h1 class="main-title">{name}</h1>\n<div class="date-source"><span class="date">{at:%Y年%m月%d日 %H:%M}'
        '</span><span class="source ent-source">试验社</span></div>\n<div class="article-content clearfix">'
        f'<div class="article-content-left">\n<div class="article" id="artibody">\n{body}\n'
        '<p class="article-editor">责任编辑：某某 SF001</p>\n</div></div></div>\n'
    )
    rest = 68_000 - len((head + text).encode(charset))
    around = [_around(f"of {number}" if kind % 4 == 3 else "of all", kind) for kind in range(60)]
    while sum(len(one.encode(charset)) for one in around) > rest:
        around.pop()
    whole = f"{head}{''.join(around[:20])}</head>\n<body>\n{around[20]}\n{text}{''.join(around[21:])}</body>\n</html>\n"
    return "text/html" if number % 2 else "text/html; charset=utf-8", whole.encode(charset)


@cache
def _around(whose: str, kind: int) -> str:
    """Something of what surrounds an article: scripts and styles in the head, links and headlines in the body."""
    dice = Random(f"{whose}/{kind}")
    word = f"{dice.getrandbits(40):010x}"
    if kind < 10:
        slots = ",".join(f"'{dice.getrandbits(32):08x}':{{slot:'PDPS{dice.randint(1, 9999):012d}'}}" for _ in range(30))
        script = f"<script>(function(w){{w.s={{{slots}}};}})(window);</script>"
        return f'<script src="//n.sinaimg.cn/js/{word}.js"></script>\n{script}\n'
    if kind < 20:
        return (
            f"<style>.c{word}{{float:left;margin:{dice.randint(1, 30)}px;color:#{dice.getrandbits(24):06x}}}</style>\n"
        )
    links = "".join(
        f'<li><a href="https://{SINA}/x/{dice.getrandbits(32):08x}.shtml">{headline(dice)}</a></li>' for _ in range(20)
    )
    return f'<div class="list-{word} clearfix"><ul>{links}</ul></div>\n'


@cache
def rolled(number: int) -> dict[str, object]:
    """One item of the roll API's ``data``."""
    at = int((STARTED + timedelta(seconds=number - 10_000)).timestamp())
    dice = Random(f"roll/{number}")
    constant = dict.fromkeys((f"ext_{one}" for one in range(5)), "0") | {"level": "2", "channelid": "31", "oid": "1"}
    return constant | {
        **{"intime": str(at), "ctime": str(at), "mtime": str(at), "docid": f"comos:{comos(number)}"},
        **{"url": address(number), "urls": json.dumps([address(number)]), "wapurl": address(number)},
        **{"title": headline(dice), "intro": paragraph(dice, 150), "media_name": "试验社", "keywords": ""},
        **{"columnid": "1,2,3", "lids": "2516", "images": [], "img": [], "stitle": "", "summary": "", "author": ""},
    }


def roll(shift: int) -> Answer:
    """The roll API's answer: each has another timestamp."""
    now = datetime.now(BEIJING)
    newest = 500_000 + ENTRIES + shift
    result = {
        **{"status": {"code": 0, "msg": "succ"}, "timestamp": now.strftime("%a %b %d %H:%M:%S %z %Y"), "top": []},
        **{"total": ENTRIES, "lid": 2516, "rtime": int(now.timestamp()) + int(now.microsecond)},
        "data": [rolled(one) for one in range(newest, newest - ENTRIES, -1)],
    }
    return "application/json; charset=utf-8", json.dumps({"result": result}).replace("/", r"\/").encode()


def answer(path: str, query: dict[str, str]) -> Answer:
    """What stands at an address."""
    first, _, rest = path.strip("/").partition("/")
    number = "".join(sign for sign in rest.rpartition("-")[2] if sign.isdigit())
    kinds: dict[str, Callable[[], Answer]] = {
        "feed": lambda: feed(int(number), STATE["shift"]),
        "list.xml": lambda: listing(0),
        "stock": lambda: page(int(number)),
        "api": lambda: roll(STATE["shift"]),
    }
    if first == "control":
        STATE.update({name: int(value) for name, value in query.items()})
        return "text/plain", b"ok"
    return kinds[first]()


class Origin(asyncio.Protocol):
    """One connection of HTTP/1.1, kept as long as the client wants."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)
        self._transport, self._got = transport, b""

    def data_received(self, data: bytes) -> None:
        """Answer every whole request."""
        self._got += data
        while b"\r\n\r\n" in self._got:
            head, _, self._got = self._got.partition(b"\r\n\r\n")
            self._transport.write(_response(head.decode("latin-1")))
            if "connection: close" in head.decode("latin-1").lower():
                self._transport.close()


def _response(head: str) -> bytes:
    target = urlsplit(head.split(" ", 2)[1])
    try:
        kind, body = answer(target.path, dict(parse_qsl(target.query)))
    except (KeyError, ValueError):
        return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
    lines = f"Content-Type: {kind}\r\n"
    if STATE["etag"]:
        tag = f'"{hashlib.blake2b(body, digest_size=8).hexdigest()}"'
        if f"if-none-match: {tag}" in head.lower():
            return f"HTTP/1.1 304 Not Modified\r\nETag: {tag}\r\n\r\n".encode()
        lines += f"ETag: {tag}\r\n"
    return f"HTTP/1.1 200 OK\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(Origin, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def _until_end() -> None:
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=_until_end, daemon=True).start()
    asyncio.run(_serve())
