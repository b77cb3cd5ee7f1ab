"""What is doubtful in a listing that was read without an error: kept as it came, and said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from aggregator.model import Entry, Listing, Page
from aggregator.text import dates
from aggregator.text.charset import Decoded
from aggregator.text.mojibake import gbk_in

_HAN = re.compile("[\u4e00-\u9fff]")


def doubted(listing: Listing, page: Page) -> Listing:
    """The listing with a warning for each entry from the future, and for each that looks read in a wrong encoding."""
    warnings = (*_ahead(listing.entries, page), *_misread(listing.entries))
    return replace(listing, warnings=(*listing.warnings, *warnings)) if warnings else listing


def of_decoding(decoded: Decoded) -> Iterator[str]:
    """What a listing's bytes left to doubt."""
    if decoded.damaged:
        yield f"broken bytes in {decoded.encoding}: each became U+FFFD"
    if decoded.mixed:
        yield f"texts in gb18030 among {decoded.encoding}: read as such"


def _ahead(entries: tuple[Entry, ...], page: Page) -> Iterator[str]:
    for number, entry in enumerate(entries, 1):
        if entry.published is not None and dates.too_far_ahead(entry.published, page.fetched_at):
            yield f"item {number}: published {dates.iso(entry.published)}, more than 48 hours ahead"


def _misread(entries: tuple[Entry, ...]) -> Iterator[str]:
    """Entries of a Chinese listing that read like GBK taken for UTF-8: more than half of the other entries hold Han."""
    suspects = [(number, found) for number, entry in enumerate(entries, 1) if (found := _suspect(entry))]
    chinese = sum(1 for entry in entries if any(map(_HAN.search, _texts(entry)))) if suspects else 0
    if chinese * 2 > len(entries) - len(suspects):
        for number, (odd, han) in suspects:
            yield f"item {number}: “{odd[:20]}” may be “{han[:20]}” in GBK, read as UTF-8"


def _suspect(entry: Entry) -> tuple[str, str] | None:
    return next((found for text in _texts(entry) if (found := gbk_in(text))), None)


def _texts(entry: Entry) -> Iterator[str]:
    yield entry.title
    yield from (text for text in (entry.author, entry.media, entry.summary, entry.content) if text)
    yield from entry.categories
