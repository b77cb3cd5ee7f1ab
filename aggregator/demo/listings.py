"""The replica's listings: the roll API as captured in 2026, an RSS 2.0 file in Sina's manner, an Atom feed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from html import escape
from random import Random
from xml.sax.saxutils import escape as xml

from aggregator.demo.body import body
from aggregator.demo.ledger import BEIJING, REGISTERED, Ledger, Picture, Published
from aggregator.demo.pages import Answer, http_date

MOST = 50  # the API gives no more, whatever num says
LOGO = {"u": "http://n.sinaimg.cn/finance/c30320b4/20210712/wx_poster_finance1.png", "w": 100, "h": 100, "t": ""}
CHART = '{"stockCharts":"no","stockCode":"","stockMarket":"","mulStockChart":"","isStaticStock":""}'
CONSTANT = {
    "authoruid": "0", "level": "2", "vid": "0", "ipad_vid": "0", "video_time_length": "0", "categoryid": "1",
    "mediaid": "0", "templateid": "0", "productid": "0", "ext_0": "0", "ext_1": "0", "ext_2": "0", "ext_3": "0",
    "ext_4": "0",
}  # fmt: skip


def roll(ledger: Ledger, query: Mapping[str, str], answered: datetime) -> Answer:
    """The roll API's answer to ``query`` (pageid, lid, num, page, callback) at the instant ``answered``."""
    pageid, lid = _number(query, "pageid", 0), _number(query, "lid", 0)
    local = answered.astimezone(BEIJING)
    result: dict[str, object] = {
        "status": {"code": 0, "msg": "succ"},
        "timestamp": local.strftime("%a %b %d %H:%M:%S %z %Y"),
        "top": [],
        "pdps": [],
        "cre": [],
    }
    if (pageid, lid) in REGISTERED:
        result |= _slice(ledger.listed(lid), query, lid, answered)
    else:
        result |= {"status": {"code": 11, "msg": "列表和页面没有经过注册"}, "data": []}
    return _wrapped({"result": result}, query.get("callback"))


def _number(query: Mapping[str, str], name: str, otherwise: int) -> int:
    text = query.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else otherwise


def _slice(items: list[Published], query: Mapping[str, str], lid: int, answered: datetime) -> dict[str, object]:
    count = min(max(_number(query, "num", 10), 1), MOST)
    start = (max(_number(query, "page", 1), 1) - 1) * count
    part = items[start : start + count]
    return {
        "total": len(items),
        "end": int(part[-1].ctime.timestamp()) if part else 0,
        "start": int(part[0].ctime.timestamp()) if part else 0,
        "lid": lid,
        "rtime": int(answered.timestamp()),
        "data": [_entry(item) for item in part],
    }


def _wrapped(answer: object, callback: str | None) -> Answer:
    """JSON with ``\\uXXXX`` and ``\\/`` as the API writes it; JSONP when a callback is named."""
    text = _json(answer)
    if callback and callback.isidentifier():
        return Answer(f"try{{{callback}({text});}}catch(e){{}};".encode(), type="application/javascript")
    return Answer(text.encode(), type="application/json; charset=utf-8")


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":")).replace("/", r"\/")


def _entry(item: Published) -> dict[str, object]:
    """One item of ``data``: the keys, the types and the order of the captures of 2026-09-29."""
    dice = Random(f"entry/{item.id}")
    comment = f"cj:{item.docid.replace('comos:', 'comos-')}:0"
    entry: dict[str, object] = {
        "icons": "",
        "is_cre_manual": "0",
        "hqChart": CHART,
        "intime": str(int(item.intime.timestamp())),
        "channelid": "31",
        "ctime": str(int(item.ctime.timestamp())),
        "mtime": str(int(item.mtime.timestamp())),
        **CONSTANT,
        "docid": item.docid,
        "url": item.url,
        "urls": _json([item.url]),
        "wapurl": item.wap,
        "wapurls": _json([item.wap, item.wap.replace("https:", "http:")]),
        "wapsummary": "",
        "title": item.title,
        "stitle": "",
        "summary": "",
        "intro": _intro(item, dice),
        "author": "",
        "commentid": comment,
        "video_id": dice.choice(("", "0")),
        "keywords": "",
        "media_name": item.story.media,
        "columnid": ",".join(str(dice.randint(1800, 2100)) for _ in range(dice.randint(1, 5))),
        "subjectid": "",
        "img": [] if item.pictures or dice.random() < 0.5 else LOGO,
        "images": [_image(picture) for picture in item.pictures],
        "lids": ",".join(str(lid) for lid in sorted(item.lids)),
        "oid": str(item.oid),
    }
    if dice.random() < 0.5:
        entry |= {"mlids": "", "ext": "1"}
    return entry


def _intro(item: Published, dice: Random) -> str:
    """The lead as lists give it: now with a leading space, now cut, with entities in it."""
    text = escape(item.story.paragraphs[0], quote=False)
    return dice.choice((text, " " + text, text[:60] + "..."))


def _image(picture: Picture) -> dict[str, str]:
    return {
        "u": "https:" + picture.url,
        "w": str(picture.width),
        "h": str(picture.height),
        "t": picture.caption,
    }


def _newest(ledger: Ledger, count: int) -> list[Published]:
    items = [item for item in ledger.listed(2519) if item.expect == "article" and item.url.startswith("https:")]
    return items[:count]


RSS_ITEM = """\t\t<item>
\t\t\t<title>
\t\t\t\t<![CDATA[{title}]]>
\t\t\t</title>
\t\t\t<link>http://go.rss.sina.com.cn/redirect.php?url={link}</link>
\t\t\t<author>WWW.SINA.COM.CN</author>
\t\t\t<guid>http://go.rss.sina.com.cn/redirect.php?url={link}</guid>
\t\t\t<category>
\t\t\t\t<![CDATA[演示财经]]>
\t\t\t</category>
\t\t\t<pubDate>{published}</pubDate>
\t\t\t<comments></comments>
\t\t\t<description>
\t\t\t\t<![CDATA[{summary}....]]>
\t\t\t</description>
\t\t</item>"""

RSS = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0">
\t<channel>
\t\t<title>
\t\t\t<![CDATA[演示财经要闻]]>
\t\t</title>
\t\t<image>
\t\t\t<title>
\t\t\t\t<![CDATA[演示财经]]>
\t\t\t</title>
\t\t\t<link>http://finance.sina.com.cn</link>
\t\t\t<url>http://n.sinaimg.cn/demo/w100h40/logo.png</url>
\t\t</image>
\t\t<description>
\t\t\t<![CDATA[演示用的要闻汇总]]>
\t\t</description>
\t\t<link>http://finance.sina.com.cn</link>
\t\t<language>zh-cn</language>
\t\t<generator>WWW.SINA.COM.CN</generator>
\t\t<ttl>5</ttl>
\t\t<pubDate>{published}</pubDate>
\t\t<category></category>
{items}
\t</channel>
</rss>
"""


def rss(ledger: Ledger) -> Answer:
    """RSS 2.0 with redirecting links, CDATA titles amid white space, true GMT dates and cut descriptions."""
    newest = _newest(ledger, 20)
    items = "\n".join(
        RSS_ITEM.format(
            title=item.title,
            link=item.url,
            published=http_date(item.ctime),
            summary=item.story.paragraphs[0][:80],
        )
        for item in newest
    )
    changed = max(item.mtime for item in newest)
    text = RSS.format(published=http_date(newest[0].ctime), items=items)
    return Answer(text.encode(), type="text/xml", modified=changed)


ATOM_ENTRY = """  <entry>
    <id>tag:rss.sina.com.cn,2026:{id}</id>
    <title>{title}</title>
    <link rel="alternate" type="text/html" href="{link}"/>
    <published>{published}</published>
    <updated>{updated}</updated>
    <author><name>{media}</name></author>
{categories}
    <content type="html">{content}</content>
  </entry>"""

ATOM = """<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="zh-CN">
  <id>tag:rss.sina.com.cn,2026:atom</id>
  <title>演示财经全文</title>
  <link rel="self" href="http://rss.sina.com.cn/demo/atom.xml"/>
  <link rel="alternate" href="https://finance.sina.com.cn/"/>
  <updated>{updated}</updated>
{entries}
</feed>
"""


def atom(ledger: Ledger) -> Answer:
    """Atom whose entries carry the whole text of articles that the roll lists announce too."""
    newest = _newest(ledger, 12)
    entries = "\n".join(
        ATOM_ENTRY.format(
            id=item.id,
            title=xml(item.title),
            link=item.url,
            published=item.ctime.astimezone(BEIJING).isoformat(),
            updated=item.mtime.astimezone(BEIJING).isoformat(),
            media=xml(item.story.media),
            categories="\n".join(f'    <category term="{word}"/>' for word in item.story.keywords),
            content=xml(body(item)),
        )
        for item in newest
    )
    changed = max(item.mtime for item in newest)
    text = ATOM.format(updated=changed.astimezone(BEIJING).isoformat(), entries=entries)
    return Answer(text.encode(), type="application/atom+xml", modified=changed)
