"""Stock exchanges: which one a symbol is traded on, and when it trades."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib import metadata

EXCHANGES = ("XSHG", "XHKG", "XNYS")
"""The exchanges whose sessions are kept, by ISO 10383; Shenzhen and Beijing keep Shanghai's, Nasdaq New York's."""

_PACKAGE = "exchange_calendars"


@dataclass(frozen=True, slots=True)
class Session:
    """A time in which an exchange trades without a break: UTC, from ``opens`` on, up to but not with ``closes``."""

    exchange: str
    opens: datetime
    closes: datetime


@cache
def calendars_version() -> str | None:
    """The version of the calendars at hand, ``None`` where they are not installed (the extra ``markets``).

    It is looked for once: that reads the folders of all packages, 4 ms, and is asked at every poll.
    """
    try:
        return metadata.version(_PACKAGE)
    except metadata.PackageNotFoundError:
        return None


def sessions(exchange: str, since: date) -> Iterator[Session]:
    """The sessions of an exchange from a day on, as far ahead as its calendar is published: about a year.

    A day with a break at noon is two, half-days end when they ended. Auctions before the opening are no session.
    """
    import exchange_calendars  # loads pandas, which takes a second

    days = exchange_calendars.get_calendar(exchange, start=since.isoformat()).schedule
    for opens, pauses, resumes, closes in days[["open", "break_start", "break_end", "close"]].itertuples(index=False):
        if pauses == pauses:  # not NaT: there is a break
            yield Session(exchange, opens.to_pydatetime(), pauses.to_pydatetime())
        yield Session(exchange, (resumes if resumes == resumes else opens).to_pydatetime(), closes.to_pydatetime())
