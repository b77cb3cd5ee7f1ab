"""``--as-of``: an instant as a person writes it, and the archive's commit of that moment."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from aggregator.app import utc_now
from aggregator.archive import Reader
from aggregator.cli.output import complain
from aggregator.errors import ConfigError

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
