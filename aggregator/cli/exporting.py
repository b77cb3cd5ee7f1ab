"""``export``: the archive's documents as files, or chosen articles for other programs."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Annotated

import typer

from aggregator.app import export_all, export_until
from aggregator.archive import Reader
from aggregator.archive.searching import Wanted
from aggregator.articles.plaintext import text_of
from aggregator.articles.rules import Rules
from aggregator.cli.frame import ConfigOption, JsonOption, app, settings_of
from aggregator.cli.instants import AsOfOption, commit_of, span_of
from aggregator.cli.output import complain, print_json
from aggregator.config import Settings
from aggregator.errors import ArchiveError, ConfigError
from aggregator.export.feeds import Head, write_atom, write_json_feed
from aggregator.export.images import ImageFolder
from aggregator.export.tables import write_csv, write_jsonl, write_parquet
from aggregator.export.warc import write_warc
from aggregator.text.dates import parse_iso
from aggregator.text.query import match_of, parse

Names = list[str] | None
_FEED_LENGTH = 100  # entries of a feed, unless told otherwise
_ALL = 2**31
_MADE_OF_ROWS = {"jsonl": write_jsonl, "csv": write_csv, "parquet": write_parquet}
_FEEDS = {"atom": write_atom, "json_feed": write_json_feed}


@dataclass(frozen=True, slots=True)
class _View:
    """One file that is asked for: its form, and where it goes ("-" is standard output)."""

    form: str
    place: Path


@app.command(
    epilog="aggregator export --to blog/source/_posts · aggregator export --to march --as-of 2026-03-01 ·"
    " aggregator export --csv week.csv --since 2026-03-01 --until 2026-03-07 ·"
    " aggregator export --atom lpr.atom --search LPR"
)
def export(
    to: Annotated[Path | None, typer.Option("--to", metavar="DIR", help="The folder; else export.hexo.dir.")] = None,
    images: Annotated[
        Path | None,
        typer.Option("--images", metavar="DIR", help="Copy stored images here, and let documents point to the copies."),
    ] = None,
    image_url: Annotated[
        str | None,
        typer.Option("--image-url", metavar="URL", help="Where the site has that folder; else / and its name."),
    ] = None,
    jsonl: Annotated[Path | None, typer.Option("--jsonl", metavar="FILE", help="Articles as JSON Lines.")] = None,
    csv: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Articles for a spreadsheet.")] = None,
    parquet: Annotated[Path | None, typer.Option("--parquet", metavar="FILE", help="Articles as Parquet.")] = None,
    atom: Annotated[Path | None, typer.Option("--atom", metavar="FILE", help="A feed with full text.")] = None,
    json_feed: Annotated[Path | None, typer.Option("--json-feed", metavar="FILE", help="The same as JSON.")] = None,
    warc: Annotated[Path | None, typer.Option("--warc", metavar="FILE", help="The pages, as web archives do.")] = None,
    search: Annotated[str | None, typer.Option(metavar="WORDS", help="Only articles with these words.")] = None,
    feed: Annotated[Names, typer.Option(metavar="NAME", help="Only those seen in this feed; again for more.")] = None,
    category: Annotated[Names, typer.Option(metavar="NAME", help="Only those in it; again for more.")] = None,
    media: Annotated[Names, typer.Option(metavar="NAME", help="Only those from it; again for more.")] = None,
    symbol: Annotated[Names, typer.Option(metavar="SYMBOL", help="Only those naming it; again for more.")] = None,
    since: Annotated[str | None, typer.Option(metavar="TIME", help="Published (or first seen) from then on.")] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Up to then; 2026-01 is up to its end.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="So many at most; 100 in a feed, else all.")] = None,
    as_of: AsOfOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Write every document as C1/C2/C3/<name>.md (a second run changes no file), or chosen articles as one file."""
    settings = settings_of(config)
    places = {"jsonl": jsonl, "csv": csv, "parquet": parquet, "atom": atom, "json_feed": json_feed, "warc": warc}
    views = [_View(form, place) for form, place in places.items() if place]
    chosen = any((search, feed, category, media, symbol, since, until, limit))
    if views and (to or images or image_url):
        raise ConfigError("documents and one file are two exports", where="export", hint="Run it once for each")
    if not views and chosen:
        hint = "Name what they go to: --jsonl, --csv, --parquet, --atom, --json-feed or --warc FILE"
        raise ConfigError("the tree of documents is of all articles", where="export", hint=hint)
    if not views:
        _export_documents(settings, to, images, image_url, as_of, as_json=as_json)
        return
    zone = settings.timezone
    with Reader(settings.archive) as reader:
        wanted = Wanted(
            match=_match(search),
            feeds=tuple(feed or ()),
            categories=tuple(category or ()),
            media=tuple(media or ()),
            symbols=tuple(symbol or ()),
            since=span_of(since, zone, "--since")[0] if since else None,
            before=span_of(until, zone, "--until")[1] if until else None,
            until=commit_of(reader, as_of, zone),
            order="time",
            limit=limit or _ALL,
        )
        if wanted.match and reader.unindexed():
            complain("some versions are not in the index yet; `aggregator reindex` adds them")
        title = search or ", ".join(feed or ()) or "aggregator"
        rules = settings.site_rules()
        counts = {view.form: _written(view, reader, wanted, rules, title, limit) for view in views}
    if as_json:
        print_json(counts)
        return
    for view in views:
        what = "pages" if view.form == "warc" else "articles"
        complain(f"{counts[view.form]} {what} written to {view.place}")


def _match(search: str | None) -> str:
    if search is None:
        return ""
    match = match_of(parse(search))
    if match is None:
        raise ConfigError("there is no word to look for", where="--search", hint="Give a word that is to be there")
    return match


def _written(view: _View, reader: Reader, wanted: Wanted, rules: Rules, title: str, limit: int | None) -> int:
    """Write one view; how many articles or pages are in it."""
    if view.form == "warc":
        head = reader.head()
        at = parse_iso(head.at) if head else None
        return _to(view.place, lambda out: write_warc(out, reader.chosen_pages(wanted), at)) if at else 0
    if view.form in _FEEDS:
        newest = replace(wanted, order="seen", limit=limit or _FEED_LENGTH)
        rows = list(_rows(reader, newest, rules))
        return _to(view.place, lambda out: _FEEDS[view.form](out, Head(f"urn:aggregator:{view.form}", title), rows))
    return _to(view.place, lambda out: _MADE_OF_ROWS[view.form](out, _rows(reader, wanted, rules)))


def _rows(reader: Reader, wanted: Wanted, rules: Rules) -> Iterator[Mapping[str, object]]:
    for row in reader.chosen(wanted):
        body, rule = row["body"], row["rule"]
        text = text_of(str(body), str(rule) if rule else None, rules) if body else row["summary"]
        yield {**row, "text": text or ""}


def _to(place: Path, write: Callable[[IO[bytes]], int]) -> int:
    """Let something be written to standard output, or to a file that appears whole or not at all.

    Raises:
        ArchiveError: kind ``no_rights`` or ``disk_full``, naming the file.
    """
    if str(place) == "-":
        count = write(sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return count
    try:
        with tempfile.NamedTemporaryFile(dir=place.parent, prefix=".export-", suffix=".tmp", delete=False) as scratch:
            count = _synced(scratch, write)
        Path(scratch.name).chmod(0o644)
        Path(scratch.name).replace(place)
    except OSError as error:
        kind = "disk_full" if error.errno in (28, 122) else "no_rights"
        hint = "Make room, or name a place where this user may write"
        raise ArchiveError(str(error.strerror), kind=kind, where=str(place), hint=hint) from error
    return count


def _synced(scratch: IO[bytes], write: Callable[[IO[bytes]], int]) -> int:
    try:
        count = write(scratch)
        scratch.flush()
        os.fsync(scratch.fileno())
    except BaseException:
        Path(scratch.name).unlink(missing_ok=True)
        raise
    return count


def _export_documents(
    settings: Settings, to: Path | None, images: Path | None, image_url: str | None, as_of: str | None, *, as_json: bool
) -> None:
    if image_url is not None and images is None:
        raise ConfigError("--image-url needs --images DIR", where=image_url, hint="Name the folder of the copies")
    if as_of is None:
        done = export_all(settings, to, images=ImageFolder(images, image_url) if images else None)
    else:
        if to is None:
            hint = "Name an empty folder: aggregator export --to DIR --as-of INSTANT"
            raise ConfigError("the documents of another time need a folder of their own", where="--to", hint=hint)
        if images:
            raise ConfigError("the documents of another time keep their links", where="--images", hint="Leave one out")
        with Reader(settings.archive) as reader:
            until = commit_of(reader, as_of, settings.timezone)
        done, otherwise = export_until(settings, to, until or 0)
        if otherwise:
            complain(
                f"{otherwise} of them were not quite these: a feed was renamed, or the program makes them otherwise"
            )
    copied = f", {done.images} copies of images written" if images else ""
    if as_json:
        print_json(
            {"written": done.written, "unchanged": done.unchanged, **({"images": done.images} if images else {})}
        )
    else:
        complain(f"{done.written} documents written, {done.unchanged} already as they should be{copied}")
