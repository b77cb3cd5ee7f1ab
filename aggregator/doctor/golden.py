"""A page or a listing of a bundle as a test case: its bytes, and what is read from them today.

A page is ``NAME.html`` and ``NAME.json``: url, final_url, type (Content-Type), title (the listing's), zone, and what
comes of it, ``fields`` and ``text`` or ``error`` (its kind). A listing is ``NAME.xml`` (``NAME.listing`` where it is no
XML) and ``NAME.json`` as ``aggregator parse --json`` prints it.
Where the feed's ``encoding`` decides, the bytes are in UTF-8.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from aggregator.articles.extract import extract
from aggregator.articles.rules import Rules
from aggregator.doctor.visit import Visit
from aggregator.errors import ConfigError, ParseError
from aggregator.model import Article, Listing, Page
from aggregator.sources.spelling import listing_as_told, page_as_told
from aggregator.text.dates import iso

_FIELDS = (
    "title", "published", "modified", "author", "media", "editor", "editor_code", "original_title", "keywords",
    "symbols", "cover", "rule",
)  # fmt: skip

Described = Callable[[Listing], Mapping[str, object]]


def write_golden(visit: Visit, of: str, target: Path, described: Described) -> tuple[Path, Path]:
    """Write the input and the expectation of a page (named by address) or a listing (by feed); both files.

    Raises:
        ConfigError: the bundle has no such answer, the page takes too long to be read, the files are there already, or
            they cannot be written.
    """
    for seen in visit.seen.pages:
        if seen.url == of and isinstance(seen.answer, Page):
            if isinstance(seen.read, ParseError) and seen.read.kind in ("too_slow", "too_heavy"):
                raise ConfigError(f"this page is no test case, it is {seen.read.kind}", where=of, hint=seen.read.hint)
            page = page_as_told(seen.feed, seen.answer)
            told = page_case(page, seen.entry.title, seen.feed.zone, visit.bundle.settings.site_rules())
            return _written(target, ".html", page.body, told)
    for one in visit.seen.feeds:
        if one.feed.name == of and isinstance(one.answer, Page) and isinstance(one.listing, Listing):
            body = listing_as_told(one.feed, one.answer).body
            suffix = ".xml" if one.answer.body.lstrip()[:1] == b"<" else ".listing"
            return _written(target, suffix, body, described(one.listing))
    known = [one.feed.name for one in visit.seen.feeds] + [seen.url for seen in visit.seen.pages]
    raise ConfigError(f"the bundle has no answer of {of!r}", where="--of", hint=f"It knows {', '.join(known[:6])} …")


def page_case(page: Page, title: str, zone: str | None, rules: Rules) -> dict[str, object]:
    """A page with what is read from it, as ``NAME.json`` holds it."""
    known: dict[str, object] = {
        "url": page.url,
        "final_url": page.final_url,
        "type": page.headers.get("content-type", ""),
        "title": title,
        "zone": zone,
    }
    try:
        article = extract(page, zone=zone, title=title, rules=rules)
    except ParseError as error:
        return known | {"error": error.kind}
    return known | {"fields": {name: _value(article, name) for name in _FIELDS}, "text": article.text}


def _value(article: Article, name: str) -> object:
    value = getattr(article, name)
    if isinstance(value, datetime):
        return iso(value)
    return list(value) if isinstance(value, tuple) else value


def page_of(case: Mapping[str, object], body: bytes) -> Page:
    """The page of a case, as if it had just been answered."""
    at = datetime(2026, 1, 1, tzinfo=UTC)  # no field of an article depends on it
    return Page(str(case["url"]), str(case["final_url"]), 200, {"content-type": str(case["type"])}, body, at)


def _written(target: Path, suffix: str, body: bytes, told: Mapping[str, object]) -> tuple[Path, Path]:
    files = (target.with_name(target.name + suffix), target.with_name(target.name + ".json"))
    there = next((file for file in files if file.exists()), None)
    if there:
        raise ConfigError("this file is there already", where=str(there), hint="Name another case, or move it away")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        files[0].write_bytes(body)
        files[1].write_text(json.dumps(told, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        hint = "Name a folder this user may write to"
        raise ConfigError(str(error.strerror), where=str(target), hint=hint) from error
    return files
