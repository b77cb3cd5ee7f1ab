"""``status``, ``show``, ``export``: what the archive holds, and what it held. None of them ever creates an archive."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import typer

from aggregator.app import utc_now
from aggregator.archive import Reader
from aggregator.archive.connecting import log_size
from aggregator.archive.opening import MUCH_LOG
from aggregator.articles.plaintext import text_of
from aggregator.cli.frame import ConfigOption, JsonOption, app, settings_of
from aggregator.cli.instants import AsOfOption, commit_of, instant_of
from aggregator.cli.output import alarm, complain, local, out, print_hooks, print_jobs, print_json, print_table, visible
from aggregator.config import Settings
from aggregator.errors import ConfigError, masked
from aggregator.export.html import page_of
from aggregator.export.images import Inlined, Stored
from aggregator.export.tables import write_csv
from aggregator.health import troubles as whole_troubles
from aggregator.identity.keys import keys_of_url
from aggregator.text.dates import iso

Row = Mapping[str, object]
_INSTANTS = ("available_at", "tradable_at", "published")
_WARNINGS = 3  # as many as `status` tells of a feed; --json has all that are kept


@app.command(epilog="aggregator status · aggregator status --json | jq '.feeds[] | select(.status != \"ok\")'")
def status(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """Health of every feed, what waits, and what could not be had."""
    settings = settings_of(config)
    with Reader(settings.archive) as reader:
        feeds, totals, troubles, drifts = reader.feeds(), reader.totals(), reader.troubles(), reader.drifts()
        images, lost = reader.images(), reader.image_troubles()
        absences, refused = reader.absences(), reader.refused_configuration()
        now, hooks, jobs = reader.vitals(utc_now()), reader.hooks(), reader.jobs()
    unhealthy = list(whole_troubles(feed.polled for feed in now.feeds))
    log = log_size(settings.archive)
    if as_json:
        told = {"totals": totals, "drifts": drifts, "troubles": troubles, "absences": absences, "log_bytes": log}
        told["configuration"] = {"message": refused["message"], "since": refused["at"]} if refused else None
        told["health"] = {"status": "failing" if unhealthy else "ok", "reasons": unhealthy}
        told |= {"hooks": hooks} if hooks else {}
        told |= {"jobs": jobs} if jobs else {}
        told |= {"images": images, "image_troubles": lost} if any(images.values()) else {}
        print_json({"feeds": [_feed_json(row) for row in feeds], **told})
        return
    if log > MUCH_LOG:
        alarm(
            f"the archive's log has grown to {log / 1e6:.0f} MB: a reader that never ends (browse, sqlite3)"
            " keeps it from being folded in; end it, and the next commits do so"
        )
    for reason in unhealthy:
        alarm(f"not healthy: {reason}")
    zone = settings.timezone
    if refused:
        since = local(_text(refused["at"]), zone)
        alarm(f"the daemon has not taken the configuration since {since}: {refused['message']}")
    columns = ["feed", "status", "newest", "last success", "next", "because", "articles#", "waiting#", "why"]
    rows = [
        (
            row["name"],
            _state(row),
            local(_text(row["newest"]), zone),
            local(_text(row["last_success"]), zone),
            *(_next(row, zone) if row["active"] else ("", "")),
            row["articles"],
            row["waiting"],
            row["error_kind"],
        )
        for row in feeds
    ]
    print_table(columns, rows)
    for row in feeds:
        for remark in _remarks(row):
            complain(f"{row['name']}: {remark}")
    complain(", ".join(f"{value} {name.replace('_', ' ')}" for name, value in totals.items()) + f" · times in {zone}")
    for drift in drifts:
        alarm(f"drift: {drift['message']} (since {local(_text(drift['since']), zone)})")
    if drifts:
        complain("Look at a page with `aggregator rules test URL`; a row under `rules` in config.yaml mends it")
    if troubles:
        listed = [
            (masked(str(t["key"])), t["error_kind"], t["state"], local(_text(t["next_try"]), zone), t["title"])
            for t in troubles
        ]
        columns = ["article", "why", "state", "next try", "title"]
        print_table(columns, listed, title="\nArticles that could not be had")
    print_hooks(hooks, zone)
    print_jobs(jobs, zone)
    _tell_absences(absences, zone)
    _tell_images(images, lost, zone)


def _next(row: Row, zone: str) -> tuple[str, str]:
    """When a feed is asked next, and what makes it then."""
    held, due = _text(row["held_until"]), _text(row["next_due"])
    if held and held > (due or ""):
        return local(held, zone), "held"
    return local(due, zone), _text(row["due_why"]) or ""


def _tell_images(images: Row, lost: Sequence[Row], zone: str) -> None:
    """What is there of images and what not; nothing where no feed ever asked for any."""
    if any(images.values()):
        megabytes = f"{int(str(images['bytes'])) / 1e6:.1f} MB"
        complain(
            f"images: {images['stored']} stored ({megabytes}), {images['waiting']} waiting, {images['failed']} failed"
        )
    if lost:
        listed = [
            (masked(str(one["url"])), one["error_kind"], one["state"], local(_text(one["next_try"]), zone))
            for one in lost
        ]
        print_table(["image", "why", "state", "next try"], listed, title="\nImages that could not be had")


def _tell_absences(absences: Sequence[Row], zone: str) -> None:
    """The articles whose page is missing or gone, and what told so."""
    if absences:
        rows = [
            (masked(str(a["key"])), a["absence"], local(_text(a["absent_since"]), zone), a["evidence"], a["title"])
            for a in absences
        ]
        columns = ["article", "page is", "since", "by", "title"]
        print_table(columns, rows, title="\nArticles whose page is not there any more; their text stays")


def _remarks(row: Row) -> Iterator[str]:
    """What there is to say of a feed beyond its row in the table."""
    if row["error"]:
        yield f"{row['error_kind']}: {row['error']}"
    if row["way_url"]:
        yield f"asked at {row['way_url']} since {row['way_since']}: {row['way_why']}; next try at {row['probe_at']}"
    if row["ids_changed"]:
        yield f"all its ids changed at once, last at {row['ids_changed']}; its entries go on as the articles they were"
    if row["moved_to"]:
        yield f"moved to {row['moved_to']}: change the url in config.yaml"
    warnings = row["warnings"]
    if isinstance(warnings, list) and warnings:
        yield f"doubtful in its listing: {'; '.join(warnings[:_WARNINGS])}{' …' if len(warnings) > _WARNINGS else ''}"
    floor, every = row["floor"], row["every"]
    if isinstance(floor, int) and isinstance(every, int) and floor > every:
        yield f"polled later than `every`: its server wants {floor} s between two polls (Cache-Control, Expires or ttl)"


def _feed_json(row: Row) -> dict[str, object]:
    shown = ("name", "source", "url", "articles", "waiting", "failures", "last_polled", "last_success", "newest")
    now = (
        "next_due",
        "due_why",
        "every",
        "slowest",
        "floor",
        "held_until",
        "moved_to",
        "warnings",
        "ids_changed",
        "way_url",
        "way_since",
        "way_why",
        "probe_at",
    )
    values = {name: row[name] for name in (*shown, *now)}
    error = {"kind": row["error_kind"], "message": row["error"]} if row["error_kind"] else None
    return {**values, "status": _state(row), "error": error}


def _state(row: Row) -> str:
    if not row["active"]:
        return "removed"
    return "paused" if not row["enabled"] else str(row["status"] or "never polled")


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


@app.command(
    epilog="aggregator show sina:comos:nitmeau2811260 · aggregator show https://… --as-of 2026-03-01T09:30+08:00"
)
def show(
    what: Annotated[str, typer.Argument(metavar="KEY|URL", help="A key, a URL, or a bare comos id.")],
    document: Annotated[bool, typer.Option("--document", help="The front-matter document, byte for byte.")] = False,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page to read in a browser.")
    ] = None,
    as_of: AsOfOption = None,
    revision: Annotated[int | None, typer.Option(min=1, help="This version of it, instead of the newest.")] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """One article: its fields, its text, where it was seen; as it is, or as it was known at an instant."""
    settings = settings_of(config)
    with Reader(settings.archive) as reader:
        row = looked_up(reader, what, as_of, revision, settings)
        images = Inlined(Stored(reader.image, reader.image_bytes))
        # An image may have become another one since that instant.
        page = page_of(row, None if as_of else images) if html else ""
    if document:
        _write_document(row)
    elif html:
        html.write_text(page, encoding="utf-8")
        complain(f"written to {html}{_told(images)}")
    elif as_json:
        print_json(row)
    else:
        _show(row, settings)


def _told(images: Inlined) -> str:
    """How many images a page holds, and how many it does not."""
    if not images.done + images.missing:
        return ""
    elsewhere = f"; {images.missing} are not stored and load from their sites" if images.missing else ""
    return f", with {images.done} images in it{elsewhere}"


def looked_up(reader: Reader, what: str, as_of: str | None, revision: int | None, settings: Settings) -> Row:
    """The article that is meant, or a ``ConfigError`` that says what the archive does have."""
    until = commit_of(reader, as_of, settings.timezone)
    names, cover = (what, *keys_of_url(what), f"sina:comos:{what}"), settings.document.placeholder
    row = reader.article(*names, until=until, n=revision, cover=cover)
    then = f" as of {as_of}" if as_of else ""
    if row is not None:
        return {**row, "as_of": as_of and iso(instant_of(as_of, settings.timezone))}
    newest = reader.article(*names, until=until) if revision else None
    if newest is not None:
        raise ConfigError(f"it has no version {revision}{then}, but {newest['revision'] or 0}", where=what)
    hint = "Give a key as `aggregator status` prints it, or the article's URL"
    raise ConfigError(f"the archive has no such article{then}", where=what, hint=hint)


def _write_document(row: Row) -> None:
    text = row["document"]
    if not isinstance(text, str):
        if row["forgotten"]:
            raise ConfigError(f"this article was erased at {row['forgotten']}", where=str(row["key"]))
        dropped = "every feed that lists it drops it (keep, drop)" if row["reason"] == "dropped" else None
        waits = "it was waiting to be fetched" if row["as_of"] else "it waits for the next fetch"
        raise ConfigError(
            f"this article has no document yet: {row['error'] or dropped or waits}", where=str(row["key"])
        )
    if row["document_sha256"] not in (None, sha256(text.encode()).hexdigest()):
        complain(
            "this version's document was not quite this one: its feed was renamed, or the program makes it otherwise"
        )
    sys.stdout.buffer.write(text.encode())


def _show(row: Row, settings: Settings) -> None:
    zone = settings.timezone
    if row["forgotten"]:
        complain(f"erased on {local(_text(row['forgotten']), zone)} by `aggregator forget`; only its keys are kept")
    names = ("key", "url", "published", "modified", "first_seen", "seen", "media", "author", "editor", "keywords")
    out().print(visible(str(row["title"] or "")), style="bold", markup=False)
    for name in ("as_of", *names, "symbols", "state", "reason", "revision", "verdict", "file", "rule", "error"):
        value = row[name]
        if name in ("as_of", "published", "modified", "first_seen", "seen"):
            value = local(_text(value), zone)
        if value:
            text = ", ".join(value) if isinstance(value, list) else value
            out().print(visible(f"{name.replace('_', ' '):>10}  {text}"), markup=False)
    if row["absence"]:
        since = local(_text(row["absent_since"]), zone)
        out().print(visible(f"{'page':>10}  {row['absence']} since {since}: {row['absent_because']}"), markup=False)
    sightings = row["sightings"]
    feeds = ", ".join(str(one["feed"]) for one in sightings) if isinstance(sightings, list) else ""
    out().print(f"{'seen in':>10}  {feeds}", markup=False)
    for line in _reprints(row, zone):
        out().print(visible(f"{'reprints':>10}  {line}"), markup=False)
    out().print()
    out().print(visible(text_of(str(row["body"] or ""), _text(row["rule"]), settings.site_rules())), markup=False)


def _reprints(row: Row, zone: str) -> Iterator[str]:
    """The other articles with its text, in the order in which they were seen."""
    found = row["reprints"]
    for one in found if isinstance(found, list) else []:
        if one["id"] != row["id"]:
            media = one["media"] or "-"
            yield f"{local(_text(one['first_seen']), zone)}  {media}  {one['title']}  {masked(one['key'])}"


@app.command(epilog="aggregator symbols sh600519 hk00700 · aggregator symbols --csv > symbols.csv")
def symbols(
    names: Annotated[list[str] | None, typer.Argument(metavar="SYMBOL", help="As sh600519, hk00700, us:MSFT.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV for a spreadsheet on stdout.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Which articles name which symbol, since when that is known here, and the first minute one could trade on it."""
    settings = settings_of(config)
    with Reader(settings.archive) as reader:
        rows = list(reader.symbols(names or ()))
    columns = ["symbol", "available_at", "tradable_at", "published", "media", "title", "key"]
    if as_json:
        print_json(rows)
    elif as_csv:
        write_csv(sys.stdout.buffer, rows, [*columns, "url", "exchange"])
    else:
        zone = settings.timezone
        shown = [[local(_text(row[n]), zone) if n in _INSTANTS else row[n] for n in columns] for row in rows]
        print_table(columns, shown)
        complain(f"{len(rows)} articles and symbols · times in {zone}")
