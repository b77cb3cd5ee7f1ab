"""Sina's roll API (``feed.mix.sina.com.cn/api/roll/get``): JSON or JSONP into a listing.

Facts of the format: docs/sina.md section 1, from captures of 2026. All scalars may be strings or numbers, ``img`` an
array or an object, and any key may be missing. An error comes with status 200 and a ``status.code`` other than 0.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from aggregator.errors import ParseError
from aggregator.model import Enclosure, Entry, Listing, Page
from aggregator.sources.doubts import of_decoding
from aggregator.sources.jsontext import dump, load, objects, text_of
from aggregator.sources.refusal import refused
from aggregator.sources.rolldata import compared
from aggregator.sources.titles import shortened
from aggregator.text import dates, urls
from aggregator.text.characters import one_line
from aggregator.text.charset import decode
from aggregator.text.html import clean

_MOST_ODDITIES = 20  # new keys named; a hostile answer may have thousands
_LONGEST_LIDS = 1_000  # characters; the longest measured are 90
_NUMBER = re.compile(r"(?<![0-9])[0-9]{1,9}(?![0-9])")
PAGE_SIZE = 50  # the server clamps num to 50 without a word


def address(url: str, page: int = 1) -> str:
    """The API address to ask for a page of the list, at full size, all other parameters as configured."""
    parts = urlsplit(url)
    kept = [(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if k not in ("num", "page")]
    query = urlencode([*kept, ("num", str(PAGE_SIZE)), ("page", str(page))])
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))


def recognises(text: str) -> bool:
    """Whether a text is an answer of this API, a good one or an error."""
    try:
        document = load(text)
    except ValueError:
        return False
    result = _object(document, "result")
    return "status" in result and ("data" in result or "rtime" in result)


def parse(page: Page, zone: str | None = None) -> Listing:
    """The listing in an answer. ``zone`` has no meaning here: the API speaks in epoch seconds.

    Raises ``ParseError``: ``api_error`` for a status code other than 0, ``blocked`` for a challenge page, else
    ``not_a_feed``. One broken item is a warning and never loses the others.
    """
    decoded = decode(page.body, header=page.headers.get("content-type"))
    result = _result(page, decoded.text)
    data = result.get("data")
    entries: list[Entry] = []
    warnings = list(of_decoding(decoded))
    for number, item in enumerate(data if isinstance(data, list) else [], 1):
        try:
            entry, remarks = _entry(item)
        except ValueError as error:
            warnings.append(f"item {number} left out: {error}")
            continue
        entries.append(entry)
        warnings.extend(f"item {number}: {remark}" for remark in remarks)
    return Listing(
        format="sina-roll",
        entries=tuple(entries),
        warnings=tuple(warnings),
        oddities=tuple(_oddities(objects(data))),
        updated=dates.from_epoch(text_of(result, "rtime")),
        lid=next(iter(_numbers(text_of(result, "lid"))), None),
    )


# Most answers are like the last one but for two times, which stand before the items: it need not be read to tell that.
_TIMES = re.compile(rb'"(?:timestamp|rtime)"\s*:\s*(?:"[^"\\]*"|[0-9]+)')
_DIGESTS: dict[bytes, str] = {}  # by the hash of an answer without these times
_MOST_DIGESTS = 1_000


def _oddities(items: list[Mapping[str, object]]) -> Iterator[str]:
    """Keys that no item had when the API was measured, and usual ones that most items lack now."""
    keys = compared(frozenset(item) for item in items)
    yield from (f"new key {key[:40]}" for key in keys.unknown[:_MOST_ODDITIES])
    yield from (f"no key {key}" for key in keys.missing)


def digest(page: Page) -> str:
    """SHA-256 of the items alone: ``timestamp`` and ``rtime`` move with every answer. Never raises."""
    head, mark, items = page.body.partition(b'"data":')
    told = hashlib.sha256(_TIMES.sub(b"", head) + mark + items).digest()
    found = _DIGESTS.get(told)
    if found is None:
        if len(_DIGESTS) >= _MOST_DIGESTS:
            _DIGESTS.clear()
        found = _DIGESTS[told] = _digest(page.body)
    return found


def _digest(body: bytes) -> str:
    try:
        content = dump(_object(load(decode(body).text), "result")["data"], sort=True)
    except (ValueError, KeyError):
        content = body
    return hashlib.sha256(content).hexdigest()


def _result(page: Page, text: str) -> Mapping[str, object]:
    """The ``result`` object of a good answer."""
    try:
        document = load(text)
    except ValueError as error:
        raise refused(page, text) from error
    result = _object(document, "result")
    status = _object(result, "status")
    if "code" not in status:
        raise refused(page, text)
    code = text_of(status, "code")
    if code != "0":
        raise ParseError(
            f"the API answers code {code}: {text_of(status, 'msg')}",
            kind="api_error",
            where=page.url,
            hint="Check the pair of pageid and lid in the feed's url: each lid is registered with one pageid",
        )
    if result.get("data") and not isinstance(result["data"], list):
        raise ParseError("result.data is no array", kind="api_error", where=page.url, hint="The API may have changed")
    return result


def _object(value: object, key: str) -> Mapping[str, object]:
    """The object under a key of an object, an empty one for anything else."""
    inner = value.get(key) if isinstance(value, dict) else None
    return inner if isinstance(inner, dict) else {}


def _entry(item: object) -> tuple[Entry, list[str]]:
    """One item with remarks about it; ``ValueError`` where nothing in it identifies an article."""
    if not isinstance(item, dict):
        raise ValueError("no object")
    identity, link = text_of(item, "docid") or None, _link(item)
    title, remarks = shortened(_plain(text_of(item, "title") or text_of(item, "stitle")))
    if identity is None and link is None:
        raise ValueError("neither docid nor url")
    lead = clean(text_of(item, "intro") or text_of(item, "summary") or text_of(item, "wapsummary"), link)
    entry = Entry(
        id=identity,
        link=link,
        title=title,
        published=dates.from_epoch(text_of(item, "ctime")),
        updated=dates.from_epoch(text_of(item, "mtime")),
        indexed=dates.from_epoch(text_of(item, "intime")),
        published_text=text_of(item, "ctime") or None,
        author=_plain(text_of(item, "author")) or None,
        media=_plain(text_of(item, "media_name")) or None,
        summary=lead.strip(" \t\n\u3000\xa0") or None,
        categories=_keywords(text_of(item, "keywords")),
        enclosures=tuple(_images(item.get("images"))),
        raw=dump(item),
        lids=_numbers(text_of(item, "lids")),
    )
    return entry, remarks


def _numbers(text: str) -> tuple[int, ...]:
    """The numbers of lists in a text, in rising order."""
    found = {int(one) for one in _NUMBER.findall(text[:_LONGEST_LIDS])}
    return tuple(sorted(found))


def _plain(text: str) -> str:
    """A scalar's text without character references; ``shortened`` or the model's one line come after."""
    return one_line(html.unescape(text))


def _link(item: Mapping[str, object]) -> str | None:
    """The article's address: the PC page, else the mobile one; over https where the host is Sina's."""
    for candidate in _addresses(item):
        url = urls.absolute(urls.unwrap(candidate), None)
        if url is not None:
            return _secure(url)
    return None


def _addresses(item: Mapping[str, object]) -> Iterator[str]:
    for single, several in (("url", "urls"), ("wapurl", "wapurls")):
        yield text_of(item, single)
        listed = item.get(several)
        if isinstance(listed, str):
            try:
                listed = load(listed)
            except ValueError:
                continue
        if isinstance(listed, list):
            yield from (one for one in listed if isinstance(one, str))


def _secure(url: str) -> str:
    return re.sub(r"^http:", "https:", url, flags=re.I) if urls.is_sina(urls.host_of(url)) else url


def _keywords(text: str) -> tuple[str, ...]:
    words = (_plain(word) for word in re.split("[,，;；|]", text))
    return tuple(dict.fromkeys(word for word in words if word))


def _images(value: object) -> Iterator[Enclosure]:
    """The article's pictures; ``img`` is left out, being the house logo wherever it is an object."""
    seen: set[str] = set()
    for image in objects(value):
        url = urls.absolute(text_of(image, "u"), None)
        if url is not None and url not in seen:
            seen.add(url)
            yield Enclosure(_secure(url))
