"""Instants and spans of time as a person writes them, and the archive's commit of such a moment."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from aggregator.app import utc_now
from aggregator.archive import Reader
from aggregator.cli.output import complain
from aggregator.errors import ConfigError

_MONTH = re.compile(r"(\d{4})(?:-(\d{2}))?")
_TICK = timedelta(milliseconds=1)  # the archive's own
AsOfOption = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        metavar="INSTANT",
        help="As the archive knew it then: 2026-03-01T09:30+08:00, or with no zone in `timezone`; a date is its end.",
    ),
]


def instant_of(text: str, zone: str) -> datetime:
    """The instant an ISO 8601 text means: without an offset in ``zone``; a date alone is the last moment of that day.

    Raises:
        ConfigError: it means none.
    """
    try:
        at = _read(text.strip(), ZoneInfo(zone))
        at.astimezone(ZoneInfo("UTC"))
    except (ValueError, OverflowError) as error:
        hint = "Write 2026-03-01T09:30+08:00, 2026-03-01T09:30 or 2026-03-01"
        raise ConfigError(f"no instant can be read in {text!r}", where="--as-of", hint=hint) from error
    return at


def _read(text: str, zone: ZoneInfo) -> datetime:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        at = datetime.fromisoformat(text)
        return at if at.tzinfo else at.replace(tzinfo=zone)
    return datetime.combine(day + timedelta(days=1), time(), zone) - _TICK


def span_of(text: str, zone: str, where: str) -> tuple[datetime, datetime]:
    """The first instant of what an ISO 8601 text means, and the first one after it: of a year, month, day or minute.

    Without an offset in ``zone``. ``where`` is the option it was written at.

    Raises:
        ConfigError: it means none.
    """
    home = ZoneInfo(zone)
    try:
        if found := _MONTH.fullmatch(text.strip()):
            year, month = int(found[1]), int(found[2] or 1)
            months = year * 12 + month - 1 + (1 if found[2] else 12)
            _room_before(datetime(year, month, 1, tzinfo=home))
            return datetime(year, month, 1, tzinfo=home), datetime(months // 12, months % 12 + 1, 1, tzinfo=home)
        last = _read(text.strip(), home)
        is_day = len(text.strip()) <= len("2026-01-31")
        first = datetime.combine(last.date(), time(), home) if is_day else last
        _room_before(first)
        return first, last + (_TICK if is_day else timedelta(minutes=1))
    except (ValueError, OverflowError) as error:
        hint = "Write 2026, 2026-03, 2026-03-01 or 2026-03-01T09:30"
        raise ConfigError(f"no time can be read in {text!r}", where=where, hint=hint) from error


def _room_before(at: datetime) -> None:
    """Raises ``ValueError`` for an instant so early that others cannot be counted back from it."""
    if at.year == 1:
        raise ValueError("there is no year before")


def commit_of(reader: Reader, text: str | None, zone: str) -> int | None:
    """The commit that ``until`` of a reader's answers takes; ``None``, the archive as it is, where no instant is named.

    Raises:
        ConfigError: the text means no instant, or the archive did not yet exist then.
    """
    if text is None:
        return None
    at = instant_of(text, zone)
    if at > utc_now():
        complain(f"{text} has not come yet; this is what is known now")
    return reader.commit_at(at)
