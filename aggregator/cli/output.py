"""How things look: tables and JSON on stdout, words and progress on stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Self, TextIO
from unicodedata import combining, east_asian_width
from zoneinfo import ZoneInfo

from aggregator.text.characters import OBEYED
from aggregator.text.characters import visible as visible

if TYPE_CHECKING:  # what draws is loaded where something is drawn
    from rich.console import Console
    from rich.progress import Progress

COLOURS = {
    "ok": "green",
    "unchanged": "dim",
    "degraded": "yellow",
    "empty": "yellow",
    "stale": "yellow",
    "held": "yellow",
    "paused": "dim",
    "gone": "magenta",
    "blocked": "red",
    "not_a_feed": "red",
    "failed": "red",
    "dropped": "dim",
    "added": "green",
    "skipped": "dim",
    "refused": "red",
}


def out() -> Console:
    """The console on stdout, made when asked for so that it sees the stream of the moment."""
    from rich.console import Console

    return Console(file=sys.stdout, highlight=False, soft_wrap=True, emoji=False)


def err() -> Console:
    """The console on stderr."""
    from rich.console import Console

    return Console(file=sys.stderr, highlight=False, soft_wrap=True, emoji=False)


def complain(text: str) -> None:
    """One message on stderr; what strangers wrote in it cannot colour or break the terminal."""
    print(visible(text), file=sys.stderr)


def alarm(text: str) -> None:
    """One message on stderr that must not be overlooked: in red where there are colours."""
    err().print(visible(text), style="red", markup=False)


def print_json(value: object) -> None:
    """A value as JSON on stdout, Chinese as it is; characters a terminal would obey as their escapes."""
    text = json.dumps(value, ensure_ascii=False, indent=2, default=str)
    print(OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str | None = None) -> None:
    """A table on stdout; columns whose name ends with ``#`` are numbers. A pipe or file has no width to keep to."""
    if not _is_drawn(sys.stdout):
        _print_plain(columns, rows, title)
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    heading = Text(visible(title)) if title else None
    table = Table(title=heading, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(name.rstrip("#"), justify="right" if name.endswith("#") else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(cell(value) for value in row))
    Console(file=sys.stdout, highlight=False, emoji=False).print(table)


def _print_plain(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str | None) -> None:
    """A table without colours, which takes rich a third of a millisecond a row."""
    if title:
        print(visible(title))
    lines = [[name.rstrip("#") for name in columns]]
    lines += [["" if value is None else visible(str(value)) for value in row] for row in rows]
    widths = [max(map(_width, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = [(text, " " * (width - _width(text))) for text, width in zip(line, widths, strict=True)]
        numbers = [name.endswith("#") for name in columns]
        parts = (room + text if right else text + room for (text, room), right in zip(cells, numbers, strict=True))
        print("  ".join(parts).rstrip())


def _width(text: str) -> int:
    """The columns of a terminal that a text takes."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(one) else 1 + (east_asian_width(one) in "WF") for one in text)


def _is_drawn(stream: TextIO) -> bool:
    """Whether a stream shows colours and bars: a terminal, or what is told to be one."""
    return stream.isatty() or bool(os.environ.get("FORCE_COLOR"))


def print_hooks(hooks: Iterable[Mapping[str, object]], zone: str) -> None:
    """What hooks have still to tell, and what they gave up; nothing where there are none."""
    columns = ["hook", "waiting#", "delivered#", "dead#", "next", "why", "error"]
    rows = [
        (
            hook["name"],
            *(hook[name] for name in ("waiting", "delivered", "dead")),
            local(str(hook["next_try"]), zone) if hook["next_try"] else "",
            hook["error_kind"],
            hook["error"],
        )
        for hook in hooks
    ]
    if rows:
        print_table(columns, rows, title="\nHooks, deliveries of the last 30 days")


def print_jobs(jobs: Iterable[Mapping[str, object]], zone: str) -> None:
    """When the daemon last did what it does beside polling, and what of it fails; nothing where it never ran."""
    columns = ["job", "last done", "seconds#", "what it did", "failures#", "why", "error"]
    rows = [
        (
            job["name"],
            local(str(job["ended"]), zone) if job["ended"] else "never",
            *(job[name] for name in ("seconds", "said", "failures", "error_kind", "error")),
        )
        for job in jobs
    ]
    if rows:
        print_table(columns, rows, title="\nUpkeep of the archive")


def cell(value: object) -> str:
    """A value in a table: a status in its colour, nothing for ``None``."""
    from rich.markup import escape

    text = "" if value is None else visible(str(value))
    colour = COLOURS.get(text)
    return f"[{colour}]{text}[/]" if colour else escape(text)


def local(instant: datetime | str | None, zone: str) -> str:
    """An instant in the zone of the configuration, to the minute; "" when unknown."""
    if instant is None:
        return ""
    at = datetime.fromisoformat(instant) if isinstance(instant, str) else instant
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"


class Unseen:
    """A progress bar where nobody looks at one."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def advance(self, task: int, advance: float = 1) -> None:
        """Nothing is drawn."""

    def update(self, task: int, **changed: object) -> None:
        """Nothing is drawn."""


def progress(total: int, what: str) -> tuple[Progress | Unseen, int]:
    """A progress bar on stderr, shown where that is a terminal, and its task."""
    if not _is_drawn(sys.stderr):
        return Unseen(), 0
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = err()
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )
    return bar, int(bar.add_task(what, total=total))
