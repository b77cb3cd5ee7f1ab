"""What may be done to an input, and small inputs of our own to do it to; ``fuzz.py`` does it."""

from __future__ import annotations

import random
from collections.abc import Sequence

LARGEST = 200_000  # bytes

_RSS = """<?xml version="1.0" encoding="gbk"?><rss version="2.0"><channel><title>财经</title><item><title>央行</title>
<link>http://x.example/1</link><guid>1</guid><pubDate>Thu, 14 Jul 2022 15:10:07 +0800</pubDate><category>a</category>
<content:encoded><![CDATA[<p>正文<img src="/a.png"></p>]]></content:encoded></item></channel></rss>"""
_ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title type="html">&lt;b&gt;A&lt;/b&gt;</title><entry>
<id>tag:1</id><updated>2022-07-14T07:10:07Z</updated><link href="/1" rel="alternate"/><content type="xhtml">
<div xmlns="http://www.w3.org/1999/xhtml"><p>x<br/>y</p></div></content></entry></feed>"""
_RDF = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">
<channel><title>R</title></channel><item rdf:about="http://x.example/1"><title>T</title><dc:date>2022-07-14</dc:date>
</item></rdf:RDF>"""
_JSON_FEED = """{"version": "https://jsonfeed.org/version/1.1", "title": "J", "items": [{"id": "1", "url": "https://x.example/1",
"content_html": "<p>x</p>", "date_published": "2022-07-14T15:10:07+08:00", "authors": [{"name": "A"}], "tags": ["a"],
"attachments": [{"url": "https://x.example/a.mp3", "mime_type": "audio/mpeg", "size_in_bytes": 12}]}]}"""
_ROLL = """{"result": {"status": {"code": 0, "msg": "succ"}, "timestamp": "x", "rtime": 1657782607, "data": [{
"docid": "comos:mizirav3382651", "url": "https://finance.sina.com.cn/doc-imizirav3382651.shtml", "title": "央行&amp;",
"urls": "[\\"https://a.example/1\\"]", "ctime": "1657782607", "mtime": 1657782607, "intime": "1657782700",
"intro": "<b>x</b>", "images": [{"u": "//n.sinaimg.cn/a.png"}], "keywords": "a,b", "media_name": "新华社",
"img": {"u": "x"}}]}}"""
_PAGE = f"""<!DOCTYPE html><html><head><title>标题</title></head><body><article>
{"<p>央行今日开展公开市场操作。</p>" * 12}</article></body></html>"""
_SINA = """<html><head><meta charset="utf-8"><meta name="publishid" content="mizirav3382651">
<meta property="og:title" content="标题"><meta property="article:published_time" content="2022-07-14T15:10:07+08:00">
</head><body><h1 class="main-title">标题</h1><div class="article" id="artibody"><p>　　原标题：旧题</p>
<p>正文。<img src="//n.sinaimg.cn/a.png" alt></p><!-- news_keyword_pub,stock,sh000001&sz399001 -->
<p class="show_author">责任编辑：某某 SF104</p></div></body></html>"""
OWN = (
    *(("listing", _RSS.encode("gbk")), ("listing", _ATOM.encode()), ("listing", _RDF.encode())),
    *(("listing", _JSON_FEED.encode()), ("roll", _ROLL.encode()), ("page", _PAGE.encode()), ("sina", _SINA.encode())),
)

_WORDS = (
    *("<![CDATA[", "]]>", "<!--", "-->", "<!DOCTYPE x [", "<!ENTITY a '&a;&a;'>", "&a;", "&#xD800;", "&#0;"),
    *("&#99999999999;", "<item>", "</item>", "<entry>", "<channel>", "<rss>", "<feed>", "<title type='xhtml'>"),
    *("<content:encoded>", "&amp;lt;", "<p>", "</p>", "<b>", "<a href='", "<table>", "<svg>", "<math>", "<template>"),
    *(
        "<style>",
        "<plaintext>",
        "<select>",
        "{",
        "}",
        "[",
        "]",
        '"',
        "\\ud800",
        "\\u0000",
        "null",
        "1e999",
        "-1",
        "NaN",
    ),
    *('":', "9" * 400, "callback(", "\ufeff", "utf-16", "gb2312", "encoding='utf-7'", "xml:base='http://['"),
    *("http://[::1", "//", "javascript:", "%", "\0", "\x1b", "证券", "，", "֤ȯ", "\ud800", "\u2028", "CST", "+9999"),
    *("2022年07月14日 15:10", "Thu, 14 Jul 2022", "9999-12-31"),
)
_TOKENS = (
    *(word.encode("utf-8", "surrogatepass") for word in _WORDS),
    *(
        b"\xff\xfe",
        b"\xfe\xff",
        b"\xef\xbb\xbf",
        b"\xd6\xa4\xc8\xaf",
        b"\xc3\xd2\xa8\xe9",
        b"\x80",
        b"\xc3",
        b"\xe4\xb8",
    ),
)


def mutated(rng: random.Random, data: bytes, others: Sequence[tuple[str, bytes]]) -> bytes:
    """The data with one to eight things done to it."""
    made = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 3, 5, 8))):
        _MUTATIONS[rng.randrange(len(_MUTATIONS))](rng, made, others)
    return bytes(made[:LARGEST])


def _flip(rng: random.Random, made: bytearray, _: object) -> None:
    if made:
        made[rng.randrange(len(made))] ^= 1 << rng.randrange(8)


def _cut(rng: random.Random, made: bytearray, _: object) -> None:
    del made[rng.randrange(len(made) + 1) :]


def _remove(rng: random.Random, made: bytearray, _: object) -> None:
    start, end = _span(rng, made)
    del made[start:end]


def _repeat(rng: random.Random, made: bytearray, _: object) -> None:
    start, end = _span(rng, made)
    times = min(rng.choice((1, 2, 10, 100, 3_000)), LARGEST // (end - start + 1))
    made[end:end] = made[start:end] * times


def _move(rng: random.Random, made: bytearray, _: object) -> None:
    start, end = _span(rng, made)
    piece = made[start:end]
    del made[start:end]
    at = rng.randrange(len(made) + 1)
    made[at:at] = piece


def _insert(rng: random.Random, made: bytearray, _: object) -> None:
    at = rng.randrange(len(made) + 1)
    made[at:at] = rng.choice(_TOKENS) * rng.choice((1, 1, 1, 2, 50, 5_000))
    del made[LARGEST:]


def _splice(rng: random.Random, made: bytearray, others: Sequence[tuple[str, bytes]]) -> None:
    other = rng.choice(others)[1]
    start, end = _span(rng, other)
    at = rng.randrange(len(made) + 1)
    made[at : at + rng.choice((0, end - start))] = other[start:end]


def _span(rng: random.Random, data: bytes | bytearray) -> tuple[int, int]:
    """A piece of the data: up to a tag's length, a paragraph's, or anything; often between two tags."""
    start = rng.randrange(len(data) + 1)
    end = min(len(data), start + rng.randrange(1, rng.choice((8, 64, 1_000, 50_000))))
    if rng.random() < 0.4:
        start = max(data.rfind(b"<", 0, start), 0)
        end = data.find(b">", end) + 1 or len(data)
    return start, end


_MUTATIONS = (_flip, _flip, _cut, _remove, _repeat, _move, _insert, _insert, _splice)
