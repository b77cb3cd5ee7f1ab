"""Lists that Sina serves as pages: a column's articles, a company's news and announcements. HTML into a listing.

Facts of the formats: docs/sina.md. Company pages say gb2312 and hold more (they are read as gb18030). A column's dates
have no year, an announcement's no time of day.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

from selectolax.lexbor import LexborHTMLParser

from aggregator.errors import ParseError
from aggregator.model import Entry, Listing, Page
from aggregator.sources.doubts import of_decoding
from aggregator.sources.refusal import refused
from aggregator.sources.titles import shortened
from aggregator.text import dates, urls
from aggregator.text.characters import one_line
from aggregator.text.charset import decode

ZONE = "Asia/Shanghai"
_COLUMN = re.compile(r"<ul[^>]{0,200}\bid=[\"']?listcontent\b", re.I)
_COMPANY = re.compile(r"<div[^>]{0,200}\bclass=[\"']?datelist\b", re.I)
_MONTH_DAY = re.compile(r"(?P<month>\d{1,2})月(?P<day>\d{1,2})日\s*(?P<clock>\d{1,2}:\d{2})?")
_DAY = re.compile(r"(?P<day>\d{4}-\d{2}-\d{2})(?:\s+(?P<clock>\d{2}:\d{2}))?")
_IN_ADDRESS = re.compile(r"/(\d{4})-(\d{2})-(\d{2})/")
_PUBLISHED = re.compile(r"<!--\s*(?:\[ published at|cached)\s*(\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2})")
_EXCHANGES = (("6", "sh"), ("9", "sh"), ("0", "sz"), ("2", "sz"), ("3", "sz"), ("4", "bj"), ("8", "bj"))
_SYMBOL = re.compile(r"/(?:symbol|stockid)/((?:sh|sz|bj)?\d{6})\b")
_ROW = re.compile(r"([^<]*)<a\b[^>]*?\bhref=\"([^\"]*)\"[^>]*>(.*?)</a>", re.S)


@dataclass(frozen=True, slots=True)
class _Row:
    """One line of a list: the address and title of its link, and the words that tell its date."""

    href: str
    title: str
    date: str


def recognises_column(text: str) -> bool:
    """Whether a text is a column's page."""
    return _COLUMN.search(text) is not None


def recognises_company(text: str) -> bool:
    """Whether a text is a page of a company's news or announcements."""
    return _COMPANY.search(text) is not None


def parse_column(page: Page, zone: str | None = None) -> Listing:
    """The articles of a column; dates are Beijing's. Raises ``ParseError``."""
    return _parsed(page, "sina-column", _column_rows, _without_year)


def parse_company(page: Page, zone: str | None = None) -> Listing:
    """A company's news or announcements, each with the company's symbol. Raises ``ParseError``."""
    listing = _parsed(page, "sina-company", _company_rows, _whole_date)
    symbols = tuple(_symbol(page.url))
    return replace(listing, entries=tuple(replace(one, symbols=symbols) for one in listing.entries))


def digest(page: Page) -> str:
    """SHA-256 of the rows alone: the time of printing and what stands around moves. Never raises."""
    text = decode(page.body, header=page.headers.get("content-type")).text
    rows = (_column_rows(text) if recognises_column(text) else _company_rows(text)) or []
    content = "\n".join(f"{row.href}\t{row.title}\t{row.date}" for row in rows).encode() if rows else page.body
    return hashlib.sha256(content).hexdigest()


def _parsed(
    page: Page,
    name: str,
    rows_of: Callable[[str], list[_Row] | None],
    when: Callable[[_Row, str, Page], datetime | None],
) -> Listing:
    decoded = decode(page.body, header=page.headers.get("content-type"))
    rows = rows_of(decoded.text)
    if rows is None:
        raise _no_list(page, decoded.text)
    entries: list[Entry] = []
    warnings = list(of_decoding(decoded))
    for number, row in enumerate(rows, 1):
        link = urls.absolute(urls.unwrap(row.href), page.final_url)
        if link is None:
            warnings.append(f"item {number} left out: no address")
            continue
        title, remarks = shortened(one_line(row.title))
        warnings.extend(f"item {number}: {remark}" for remark in remarks)
        at = when(row, decoded.text, page)
        told, raw = row.date or None, _raw(row)
        entries.append(Entry(None, _secure(link), title, published=at, published_text=told, raw=raw))
    return Listing(format=name, title=_title(decoded.text), entries=tuple(entries), warnings=tuple(warnings))


def _no_list(page: Page, text: str) -> ParseError:
    error = refused(page, text)
    if error.kind == "blocked":
        return error
    said = f"there is no list on this page: {error.message}"
    return ParseError(said, kind=error.kind, where=page.url, hint=error.hint)


def _column_rows(text: str) -> list[_Row] | None:
    found = LexborHTMLParser(text).css_first("ul#listcontent")
    if found is None:
        return None
    rows = []
    for item in found.css("li"):
        link, date = item.css_first("a"), item.css_first("span")
        if link is not None:
            words = date.text(deep=True) if date is not None else ""
            rows.append(_Row(link.attributes.get("href") or "", link.text(deep=True), words.strip(" ()（）\t\n")))
    return rows


def _company_rows(text: str) -> list[_Row] | None:
    """The rows are no elements: a date as text, a link, a line break."""
    found = LexborHTMLParser(text).css_first("div.datelist")
    if found is None:
        return None
    rows = []
    for before, _, _ in _ROW.findall(found.inner_html or ""):
        rows.append(one_line(before.replace("&nbsp;", " ")))
    links = found.css("a")
    return [_Row(a.attributes.get("href") or "", a.text(deep=True), date) for a, date in zip(links, rows, strict=False)]


def _without_year(row: _Row, text: str, page: Page) -> datetime | None:
    """The date in the year that lies nearest to the day in the row's address, else to when the page was printed."""
    found = _MONTH_DAY.search(row.date)
    day = _IN_ADDRESS.search(row.href)
    printed = _PUBLISHED.search(text)
    near = dates.instant("-".join(day.groups()), ZONE) if day else None
    near = near or (dates.instant(printed[1], ZONE) if printed else None) or page.fetched_at
    if found is None:
        return None
    clock = found["clock"] or "00:00"
    years = (near.year - 1, near.year, near.year + 1)
    told = (dates.instant(f"{year}-{int(found['month']):02}-{int(found['day']):02} {clock}", ZONE) for year in years)
    return min(filter(None, told), key=lambda at: abs(at - near), default=None)


def _whole_date(row: _Row, text: str, page: Page) -> datetime | None:
    found = _DAY.search(row.date)
    return dates.instant(f"{found['day']} {found['clock'] or '00:00'}", ZONE) if found else None


def _symbol(url: str) -> Iterator[str]:
    """The company whose page it is, by the page's address."""
    named = _SYMBOL.search(url)
    query = parse_qs(urlsplit(url).query)
    code = named[1] if named else next((query[key][0] for key in ("symbol", "stockid") if key in query), "")
    if re.fullmatch(r"(?:sh|sz|bj)\d{6}", code):
        yield code
    elif re.fullmatch(r"\d{6}", code):
        yield next((exchange for first, exchange in _EXCHANGES if code.startswith(first)), "") + code


def _secure(url: str) -> str:
    return re.sub(r"^http:", "https:", url, flags=re.I) if urls.is_sina(urls.host_of(url)) else url


def _raw(row: _Row) -> bytes:
    """What the list says of an article, as a piece of HTML of ours: a row of a company's page is no element."""
    return f"{row.date}\t{row.href}\t{row.title}".encode()


def _title(text: str) -> str | None:
    found = LexborHTMLParser(text[:20_000]).css_first("title")
    return one_line(found.text(deep=True)) or None if found is not None else None
