"""``coverage`` and ``backfill``: what may have been missed, and having it after all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from aggregator.app import App, Fetched, chosen, collect_all, open_app, read_back, told, utc_now
from aggregator.archive import Reader
from aggregator.cli.fetched import exit_code, show_fetched
from aggregator.cli.fetching import settings_for_polls
from aggregator.cli.frame import ConfigOption, JsonOption, app, run_async, settings_of
from aggregator.cli.instants import span_of
from aggregator.cli.output import complain, local, print_json, print_table, progress
from aggregator.cli.polling import followed
from aggregator.config import Settings
from aggregator.coverage import Hour, Watched, hours
from aggregator.errands import Errand
from aggregator.errors import ArchiveError
from aggregator.model import Feed
from aggregator.pipeline import Read
from aggregator.text.dates import iso

_SHOWN = timedelta(days=7)
_MARKS = {"covered": "-", "gap": "!", "silent": "0", "unknown": "?", "before": "."}
_NEWS = "+"
_LEGEND = (
    "+ covered, with news   - covered, nothing came   0 nothing came where there should have been news\n"
    "! something may be missing   ? not read since   . not watched yet"
)
Row = Mapping[str, object]


@app.command(
    epilog="aggregator coverage · aggregator coverage --feed sina-domestic --since 2026-11 · "
    "aggregator coverage --json | jq '.gaps'"
)
def coverage(
    feed: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Of this feed; again for more.")] = None,
    since: Annotated[str | None, typer.Option(metavar="TIME", help="From then on.", show_default="7 days")] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Was anything missed? Each feed hour by hour; exits with 1 where something may be missing."""
    settings = settings_of(config)
    names = [one.name for one in chosen(settings, feed)] if feed else []
    now, zone = utc_now(), ZoneInfo(settings.timezone)
    begin = span_of(since, settings.timezone, "--since")[0] if since else now - _SHOWN
    with Reader(settings.archive) as reader:
        found = [(one, hours(one, begin, now, zone)) for one in reader.watched(names, begin)]
        gaps = [gap for gap in reader.gaps(begin) if not names or gap["feed"] in names]
    if as_json:
        print_json(_as_json(found, gaps))
    else:
        _print(found, gaps, zone)
    raise typer.Exit(int(any(gap["state"] != "filled" and gap["cause"] != "asked" for gap in gaps)))


def _as_json(found: Sequence[tuple[Watched, Sequence[Hour]]], gaps: Iterable[Row]) -> dict[str, object]:
    feeds = [
        {
            "feed": one.feed,
            "hours": [
                {
                    "hour": iso(hour.at),
                    "state": hour.state,
                    "entries": hour.entries,
                    "expected": None if hour.expected is None else round(hour.expected, 1),
                    "polls": hour.polls,
                    "failed": hour.failed,
                }
                for hour in listed
            ],
        }
        for one, listed in found
    ]
    totals = Counter(hour.state for _, listed in found for hour in listed)
    return {"feeds": feeds, "gaps": list(gaps), "totals": dict(totals)}


def _print(found: Sequence[tuple[Watched, Sequence[Hour]]], gaps: Sequence[Row], zone: ZoneInfo) -> None:
    columns = ["feed", "day", "0     6     12    18    ", "polls#", "failed#", "entries#"]
    print_table(columns, (row for one, listed in found for row in _days(one.feed, listed, zone)))
    complain(_LEGEND)
    found_out = [gap for gap in gaps if gap["cause"] != "asked"]
    open_ones = [gap for gap in found_out if gap["state"] != "filled"]
    if open_ones:
        shown = [
            (gap["feed"], local(str(gap["since"]), zone.key), local(str(gap["until"]), zone.key), gap["state"],
             gap["reason"])
            for gap in open_ones
        ]  # fmt: skip
        print_table(["feed", "from", "to", "state", "why"], shown, title="\nOf these times something may be missing")
    silent = sum(hour.state == "silent" for _, listed in found for hour in listed)
    if silent:
        complain(f"{silent} silent hours: nothing came where there should have been news")
    _print_asked([gap for gap in gaps if gap["cause"] == "asked" and gap["state"] != "filled"], zone)
    filled = len(found_out) - len(open_ones)
    complain(f"{len(open_ones)} gaps, {filled} more were filled · times in {zone.key}")


def _print_asked(gaps: Sequence[Row], zone: ZoneInfo) -> None:
    if gaps:
        shown = [(gap["feed"], local(str(gap["since"]), zone.key), gap["state"], gap["reason"]) for gap in gaps]
        print_table(["feed", "back to", "state", "why"], shown, title="\nAsked for by backfill, and not had")


def _days(feed: str, listed: Sequence[Hour], zone: ZoneInfo) -> Iterator[tuple[object, ...]]:
    """A feed's days since it is watched, and the last one, the 24 hours of each as marks."""
    last = max((hour.at.astimezone(zone).date() for hour in listed), default=None)
    for day, some in groupby(listed, lambda hour: hour.at.astimezone(zone).date()):
        of_day = list(some)
        if day != last and all(hour.state == "before" for hour in of_day):
            continue
        # Where clocks are set back, two hours have one place: a gap is what is shown of them.
        worst_last = sorted(of_day, key=lambda hour: hour.state == "gap")
        marks = {hour.at.astimezone(zone).hour: _mark(hour) for hour in worst_last}
        counts = (sum(counted) for counted in zip(*((h.polls, h.failed, h.entries) for h in of_day), strict=True))
        yield feed, day, "".join(marks.get(number, " ") for number in range(24)), *counts


def _mark(hour: Hour) -> str:
    return _NEWS if hour.state == "covered" and hour.entries else _MARKS[hour.state]


@app.command(
    epilog="aggregator backfill sina-domestic --since 2026-11-20 · aggregator backfill sina-live --since 2026-11-26"
)
def backfill(
    feed: Annotated[str, typer.Argument(metavar="FEED", help="A feed whose list has pages: Sina's roll or 7x24.")],
    since: Annotated[str, typer.Option(metavar="TIME", help="Back to what was published then.")],
    pages: Annotated[int | None, typer.Option(min=1, help="Read at most so many pages now.")] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Read a feed's list back, page by page, and archive what it holds. Interrupted, it goes on at the next poll."""
    settings = settings_for_polls(config)
    (one,) = chosen(settings, [feed])
    then = span_of(since, settings.timezone, "--since")[0]
    fetched = run_async(_backfilled(settings, one, then, pages))
    show_fetched(fetched, settings, as_json=as_json)
    raise typer.Exit(exit_code(fetched))


async def _backfilled(settings: Settings, feed: Feed, since: datetime, pages: int | None) -> Fetched:
    """Read back; or, where a daemon holds the archive, have it read back after its polls."""
    try:
        async with open_app(settings) as opened:
            return await _backfill(opened, feed, since, pages)
    except ArchiveError as error:
        if error.kind != "locked":
            raise
        locked = error
    try:
        complain("the daemon reads 20 pages back after each poll of it; `aggregator coverage` shows how far it is")
        return await followed(settings, Errand([feed.name], since=iso(since), revive=True))
    except OSError:
        raise locked from None  # what writes there is no daemon of this user


async def _backfill(opened: App, feed: Feed, since: datetime, pages: int | None) -> Fetched:
    bar, task = progress(0, "pages")
    with bar:

        def follow(read: Read) -> None:
            back = local(read.reached, opened.settings.timezone) or "?"
            bar.update(task, description=f"pages, back to {back}", completed=read.page, total=None)  # type: ignore[arg-type]

        report = await read_back(opened, feed, since, pages, follow)
    waiting = await opened.archive.due(feed)
    bar, task = progress(waiting, "articles")
    with bar:
        reports, outcomes = await collect_all(
            opened,
            [feed],
            [report],
            None,
            lambda _: bar.advance(task),  # type: ignore[arg-type]
        )
    return Fetched(tuple(replace(one, remark=report.remark) for one in reports), told(outcomes))
