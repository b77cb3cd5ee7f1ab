"""RSS 0.9x to 2.0, RDF, Atom and CDF into a listing: through feedparser, or ``strict`` where that gives the same.

feedparser gets repaired UTF-8 bytes as a stream, never a URL, str or bytes: those it may open. It
sanitises nothing and reads no dates here: ``text.html`` and ``text.dates`` do, and they know Chinese dates.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

from aggregator.errors import ParseError
from aggregator.model import Entry, Listing, Page
from aggregator.sources.channel import listing_of
from aggregator.sources.doubles import single
from aggregator.sources.doubts import of_decoding
from aggregator.sources.entries import entry_of
from aggregator.sources.found import Found, one, several, text_at
from aggregator.sources.outline import Outline, around, mended, outline
from aggregator.sources.portions import portions
from aggregator.sources.refusal import is_html, refused
from aggregator.sources.repair import repaired, without_preamble
from aggregator.sources.strict import read
from aggregator.text import urls
from aggregator.text.characters import one_line
from aggregator.text.charset import decode

_TRUNCATED = "truncated: the document ends before its root element does; an item cut off is dropped"
_HEADERS = {"content-type": "application/xml; charset=utf-8"}


def parse(page: Page, zone: str | None = None, *, strict: bool = True) -> Listing:
    """The listing in a feed; dates without an offset are read in ``zone``. Raises ``ParseError``.

    ``strict``: plain RSS 2.0 is read without feedparser; the listing is the same, in less time.

    Broken XML is read as far as it goes, with a warning; an item cut off by the end of the body is dropped.
    """
    decoded = decode(page.body, header=page.headers.get("content-type"))
    if is_html(without_preamble(decoded.text)):
        raise refused(page, decoded.text)
    seen = outline(decoded.text)
    whole = mended(decoded.text, seen)
    parts = _parsed_in_portions(page, decoded.text if whole is None else whole, seen, strict=strict)
    found, items = next(parts)
    version = text_at(found, "version")
    if not version and not items and seen.root.lower() != "channel":  # CDF, the one kind without a version
        raise refused(page, decoded.text)
    feed = one(found, "feed")
    base = _base(page) or urls.absolute(text_at(feed, "link"), None)
    entries: list[Entry] = []
    warnings = [*of_decoding(decoded), *([] if whole is None else [_TRUNCATED])]
    for part, some in chain([(found, items)], parts):
        warnings.extend(_faults(part) if whole is None else [])
        for item, raw in some:
            entry, remarks = entry_of(item, raw, base=base, zone=zone, version=version)
            entries.append(entry)
            warnings.extend(f"item {len(entries)}: {remark}" for remark in remarks)
    return replace(
        listing_of(feed, around(decoded.text, seen), page, base=base, zone=zone),
        format=version or "cdf",
        entries=tuple(entries),
        warnings=tuple(warnings),
    )


def digest(page: Page) -> str:
    """SHA-256 of the items alone: a channel's lastBuildDate moves without news. Never raises.

    A body in which no items are seen is hashed whole.
    """
    text = page.body.decode("latin-1")  # keeps every byte; no charset of feeds has "<" inside another character
    items, body = outline(text).items, memoryview(page.body)
    content = b"\n".join(body[start:end] for start, end in items) if items else page.body
    return hashlib.sha256(content).hexdigest()


def _base(page: Page) -> str | None:
    """What relative addresses are relative to: Content-Location where the server sends one, else the page itself."""
    own = urls.absolute(page.final_url or page.url, None)
    return urls.absolute(page.headers.get("content-location", ""), own) or own


def _parsed_in_portions(
    page: Page, text: str, seen: Outline, *, strict: bool
) -> Iterator[tuple[Found, list[tuple[Found, str | None]]]]:
    """What stands in each portion of the feed, with its items and their own text."""
    for portion, outlined in portions(text, seen):
        whole = repaired(single(portion, outlined))
        found = (read(whole, len(outlined.items)) if strict else None) or _parsed(page, whole)
        items = several(found, "entries")
        yield found, list(zip(items, _slices(portion, outlined, len(items)), strict=True))


def _parsed(page: Page, text: str) -> Found:
    """feedparser's result."""
    import feedparser  # commands that read no feed start without it

    stream = io.BytesIO(text.encode("utf-8", "replace"))
    try:
        result: Found = feedparser.parse(
            stream, response_headers=_HEADERS, sanitize_html=False, resolve_relative_uris=False
        )
    except Exception as error:  # whatever a parser of others' making trips over is the feed's fault, not the program's
        raise ParseError(
            f"the XML parser fails on this body: {type(error).__name__}: {error}",
            where=page.url,
            hint="Keep the body and report it: parsers should never fail",
        ) from error
    return result


def _slices(text: str, seen: Outline, expected: int) -> list[str | None]:
    """Each item's own text; ``None`` for all when the scan and the parser disagree on what an item is."""
    if len(seen.items) != expected:
        return [None] * expected
    return [text[start:end] for start, end in seen.items]


def _faults(found: Found) -> Iterator[str]:
    """What feedparser says against the feed; lines and columns are those of the repaired text."""
    if dict.get(found, "bozo"):
        yield one_line(f"not well-formed XML: {dict.get(found, 'bozo_exception')}")[:200]
