"""Sina's 7x24 live news (``zhibo.sina.com.cn/api/zhibo/feed``, ``app.cj.sina.com.cn/api/news/pc``) into a listing.

Facts of the format: docs/sina.md. A flash has an id of its own at once; the address and docid of its page come minutes
later, if at all. Until then the flash is the article.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from aggregator.errors import ParseError
from aggregator.model import Entry, Listing, Page
from aggregator.sources.doubts import of_decoding
from aggregator.sources.jsontext import dump, load, objects, text_of
from aggregator.sources.people import without_people
from aggregator.sources.refusal import refused
from aggregator.sources.titles import shortened
from aggregator.text import dates, urls
from aggregator.text.characters import escape_text, one_line
from aggregator.text.charset import decode
from aggregator.text.html import clean, plain

ZONE = "Asia/Shanghai"  # of its times, which name none
# Without a page of its own a flash is shown here.
_SHOWN = "https://wap.cj.sina.cn/pc/7x24/{id}"
_BY_DOCID = "https://doc.sina.cn/?id=comos:{id}"  # leads to the page of that id
_HEADLINE = re.compile(r"\s*【(?P<title>[^【】]{1,200})】")
_MEDIUM = re.compile(r"[（(](?P<media>[^（）()，。：:\s]{2,12})[)）]\s*$")
_TITLE_FROM_TEXT = 60  # characters, as readers cut a flash that has no headline
_UNCHECKED = "1970-01-01"
_MARKETS = {"cn": "", "hk": "hk", "us": "us:"}
_SIZES = {"zhibo": ("page_size", "100"), "pc": ("size", "50")}  # the most either API gives


def address(url: str, page: int = 1) -> str:
    """The API address to ask for a page of the list, at full size, all other parameters as configured."""
    parts = urlsplit(url)
    size, most = _SIZES["pc" if parts.path.endswith("/news/pc") else "zhibo"]
    kept = [(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if k not in ("page", "pagesize", size)]
    query = urlencode([*kept, ("page", str(page)), (size, most)])
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))


def recognises(text: str) -> bool:
    """Whether a text is an answer of this API, a good one."""
    try:
        return _feed(load(text)) is not None
    except ValueError:
        return False


def parse(page: Page, zone: str | None = None) -> Listing:
    """The listing in an answer; its times are Beijing's whatever ``zone`` says. Raises ``ParseError``."""
    decoded = decode(page.body, header=page.headers.get("content-type"))
    entries: list[Entry] = []
    warnings = list(of_decoding(decoded))
    for number, item in enumerate(_items(page, decoded.text), 1):
        if text_of(item, "is_delete") not in ("", "0"):
            continue
        try:
            entry, remarks = _entry(item)
        except ValueError as error:
            warnings.append(f"item {number} left out: {error}")
            continue
        entries.append(entry)
        warnings.extend(f"item {number}: {remark}" for remark in remarks)
    return Listing(format="sina-live", entries=tuple(entries), warnings=tuple(warnings))


def digest(page: Page) -> str:
    """SHA-256 of what the items say: counters and the time of the answer move without news. Never raises."""
    try:
        items = _items(page, decode(page.body).text)
        content = dump([[text_of(item, key) for key in _TELLING] for item in items])
    except (ValueError, ParseError):
        content = page.body
    return hashlib.sha256(content).hexdigest()


_TELLING = ("id", "zhibo_id", "rich_text", "create_time", "update_time", "is_delete", "docurl", "ext")


def _items(page: Page, text: str) -> list[Mapping[str, object]]:
    """The items of a good answer."""
    try:
        document = load(text)
    except ValueError as error:
        raise refused(page, text) from error
    feed = _feed(document)
    if feed is not None:
        return objects(feed.get("list"))
    status = _object(_object(document, "result"), "status")
    if "code" not in status:
        raise refused(page, text)
    raise ParseError(
        f"the API answers code {text_of(status, 'code')}: {text_of(status, 'msg')}",
        kind="api_error",
        where=page.url,
        hint="Check zhibo_id in the feed's url",
    )


def _feed(document: object) -> Mapping[str, object] | None:
    """The object that holds the list, where the answer is a good one."""
    result = _object(document, "result")
    feed = _object(_object(result, "data"), "feed")
    good = text_of(_object(result, "status"), "code") == "0" and isinstance(feed.get("list"), list)
    return feed if good and {"max_id", "page_info"} & feed.keys() else None


def _object(value: object, key: str) -> Mapping[str, object]:
    inner = value.get(key) if isinstance(value, dict) else None
    return inner if isinstance(inner, dict) else {}


def _entry(item: Mapping[str, object]) -> tuple[Entry, list[str]]:
    number, channel = text_of(item, "id"), text_of(item, "zhibo_id")
    if not (number.isdecimal() and channel.isdecimal()):
        raise ValueError("no id")
    ext = _ext(item)
    link = _page_of(item, ext)
    markup = _markup(text_of(item, "rich_text"))
    text = plain(clean(markup))
    title, remarks = shortened(_title(text))
    medium = _MEDIUM.search(text)
    entry = Entry(
        id=f"sina:live:{channel}:{number}",
        link=link or _SHOWN.format(id=number),
        title=title,
        published=_instant(item, "create_time"),
        # No `updated`: its page comes without another update_time, and what says more must not look older.
        published_text=text_of(item, "create_time") or None,
        media=one_line(medium["media"]) if medium else None,
        summary=clean(markup) or None,
        content=clean(markup) or None,
        full_text=link is None,  # with a page of its own, the page is the article
        categories=tuple(_tags(item)),
        symbols=tuple(_symbols(ext)),
        raw=dump(without_people(item)),
        original=markup or None,
    )
    return entry, remarks


def _tags(item: Mapping[str, object]) -> Iterator[str]:
    names = (one_line(text_of(tag, "name")) for tag in objects(item.get("tag")))
    yield from dict.fromkeys(name for name in names if name)


def _ext(item: Mapping[str, object]) -> Mapping[str, object]:
    """The object that is written as a text inside the item."""
    given = item.get("ext")
    try:
        found = load(given) if isinstance(given, str) else given
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _page_of(item: Mapping[str, object], ext: Mapping[str, object]) -> str | None:
    for candidate in (text_of(item, "docurl"), text_of(ext, "docurl")):
        url = urls.absolute(urls.unwrap(candidate), None)
        if url is not None:
            return re.sub(r"^http:", "https:", url, flags=re.I) if urls.is_sina(urls.host_of(url)) else url
    docid = urls.comos_id(f"comos:{text_of(ext, 'docid')}")
    return _BY_DOCID.format(id=docid) if docid else None


def _markup(text: str) -> str:
    """The flash as HTML: plain text keeps its lines."""
    if re.search(r"<[a-zA-Z/!]", text):
        return text
    return "\n".join(f"<p>{escape_text(html.unescape(line.strip()))}</p>" for line in text.splitlines() if line.strip())


def _title(text: str) -> str:
    headline = _HEADLINE.match(text)
    return one_line(headline["title"]) if headline else one_line(text)[:_TITLE_FROM_TEXT]


def _instant(item: Mapping[str, object], key: str) -> datetime | None:
    text = text_of(item, key)
    return None if text.startswith(_UNCHECKED) else dates.instant(text, ZONE)


def _symbols(ext: Mapping[str, object]) -> Iterator[str]:
    """The securities the desk has tagged, as the rest of the archive names them (docs/archive.md)."""
    for stock in objects(ext.get("stocks")):
        market, code = text_of(stock, "market"), one_line(text_of(stock, "symbol"))
        prefix = _MARKETS.get(market, f"{market}:" if market else "")
        if code and market == "hk":
            yield prefix + code.lower().removeprefix("hk")
        elif code:
            yield prefix + (code.lower() if market == "cn" else code.upper())
