"""``parse`` and ``article``: what the program makes of any listing or page, for scripts, tests and the curious."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from aggregator.app import chosen, unfiled, utc_now, worked
from aggregator.articles.compose import compose
from aggregator.articles.extract import extract
from aggregator.articles.rules import Rules
from aggregator.cli.frame import ConfigOption, JsonOption, app, run_async, settings_of
from aggregator.cli.output import complain, print_json, print_table
from aggregator.config import Settings
from aggregator.errors import AggregatorError, ConfigError
from aggregator.identity.keys import key_of_url
from aggregator.model import Article, Entry, Listing, Page, Pending
from aggregator.sources import SOURCES, parsed
from aggregator.text.dates import instant, iso

FileArgument = Annotated[str, typer.Argument(metavar="FILE", help="A file, or - for standard input.")]
UrlOption = Annotated[str, typer.Option("--url", help="The address it came from: links are relative to it.")]


@app.command(epilog="aggregator parse feed.xml · curl -s URL | aggregator parse - --url URL --json")
def parse(
    file: FileArgument,
    url: UrlOption = "",
    header: Annotated[list[str] | None, typer.Option(help="A response header, 'K: V'; may be repeated.")] = None,
    source: Annotated[
        str | None, typer.Option(help=f"One of: {', '.join(SOURCES)}; told by the content unless given.")
    ] = None,
    zone: Annotated[str | None, typer.Option(help="Zone of dates without one; else defaults.zone of --config.")] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Parse a listing: RSS, RDF, Atom, JSON Feed, Sina's lists. Nothing is fetched or stored."""
    if source is not None and source not in SOURCES:
        raise ConfigError(f"there is no source {source!r}", where="--source", hint=f"Known: {', '.join(SOURCES)}")
    settings = settings_of(config) if config else Settings()
    page = page_from(file, url, header or [])
    try:
        listing = run_async(worked(settings, parsed, page, source, zone or settings.defaults.zone))
    except AggregatorError as error:
        _refuse(error, as_json=as_json)
    if as_json:
        print_json(listing_json(listing))
        return
    rows = [(iso(e.published) if e.published else "", e.title, e.link) for e in listing.entries]
    print_table(["published", "title", "link"], rows, title=f"{listing.format}: {listing.title or ''}")
    for warning in listing.warnings:
        complain(f"warning: {warning}")


@app.command(epilog="aggregator article page.html --url https://finance.sina.com.cn/…/doc-i….shtml --json")
def article(
    file: FileArgument,
    url: Annotated[str, typer.Option("--url", help="The address the page was asked for.")],
    header: Annotated[list[str] | None, typer.Option(help="A response header, 'K: V'; may be repeated.")] = None,
    published: Annotated[str | None, typer.Option(help="The listing's date, RFC 822 or ISO; it wins.")] = None,
    feed: Annotated[str | None, typer.Option(help="The feed whose categories the document gets.")] = None,
    document: Annotated[
        bool, typer.Option("--document", help="Print the front-matter document, byte for byte.")
    ] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Extract the article from a page. Nothing is fetched or stored."""
    at = _published(published)
    settings = settings_of(config) if feed or config else Settings()
    categories = chosen(settings, [feed])[0].categories if feed else unfiled(url)
    rules = settings.site_rules()
    page = page_from(file, url, header or [])
    reason = rules.link_only(url)
    try:
        found = Article(url=url, title="", reason=reason) if reason else run_async(worked(settings, _read, page, rules))
        if document:
            text = _document(found, categories, url, at)
    except AggregatorError as error:
        _refuse(error, as_json=as_json)
    if document:
        sys.stdout.buffer.write(text.encode())
        return
    values = article_json(found, url, at)
    if as_json:
        print_json(values)
        return
    print_table(["field", "value"], [(name, value) for name, value in values.items() if value and name != "html"])


def _read(page: Page, rules: Rules) -> Article:
    return extract(page, rules=rules)


def _refuse(error: AggregatorError, *, as_json: bool) -> None:
    if as_json:
        print_json({"error": {"kind": error.kind, "message": str(error)}})
    else:
        complain(f"{error.kind}: {error}")
    raise typer.Exit(1)


def _published(text: str | None) -> datetime | None:
    at = instant(text) if text else None
    if text and at is None:
        raise ConfigError(f"no date can be read in {text!r}", where="--published", hint="Write 2022-07-14T07:10:07Z")
    return at


def page_from(file: str, url: str, headers: Sequence[str]) -> Page:
    """A file as if the network had answered it; ``headers`` are lines ``K: V``. Raises ``ConfigError``."""
    try:
        body = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        hint = "Name a file that can be read, or - for standard input"
        raise ConfigError(str(error.strerror), where=file, hint=hint) from error
    return Page(url, url, 200, _headers(headers), body, utc_now())


def _headers(lines: Sequence[str]) -> Mapping[str, str]:
    wrong = next((line for line in lines if ":" not in line), None)
    if wrong is not None:
        raise ConfigError(f"{wrong!r} is no header", where="--header", hint="Write it as 'Content-Type: text/xml'")
    return {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _document(found: Article, categories: tuple[str, str, str], url: str, at: datetime | None) -> str:
    key = key_of_url(url)
    date = at or found.published or datetime.now(UTC)
    task = Pending(0, key, Entry(None, url, found.title), "", categories, date)
    return compose(task, found, "picsum", "", None).document


def article_json(found: Article, url: str, at: datetime | None) -> dict[str, object]:
    """What ``article --json`` prints."""
    published = at or found.published
    return {
        "key": key_of_url(url),
        **asdict(found),
        "published": iso(published) if published else None,
        "modified": iso(found.modified) if found.modified else None,
    }


def listing_json(listing: Listing) -> dict[str, object]:
    """What ``parse --json`` prints."""
    return {
        "format": listing.format,
        "title": listing.title,
        "link": listing.link,
        "entries": [_entry_json(entry) for entry in listing.entries],
        "warnings": list(listing.warnings),
        "language": listing.language,
        "image": listing.image,
        "generator": listing.generator,
        "authors": list(listing.authors),
        "links": [asdict(link) for link in listing.links],
        "updated": iso(listing.updated) if listing.updated else None,
    }


def _entry_json(entry: Entry) -> dict[str, object]:
    return {
        "id": entry.id,
        "title": entry.title,
        "link": entry.link,
        "published": iso(entry.published) if entry.published else None,
        "updated": iso(entry.updated) if entry.updated else None,
        "author": entry.author,
        "summary": entry.summary or entry.content,  # as readers show it; the archive keeps what the listing gave
        "content": entry.content,
        "categories": list(entry.categories),
        "enclosures": [asdict(enclosure) for enclosure in entry.enclosures],
        "media": entry.media,
        "symbols": list(entry.symbols),
    }
