"""Instants as people at a newspaper read them: in Shanghai's time, which has had no summer time since 1991."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from aggregator.text.dates import iso, parse_iso

SHANGHAI = ZoneInfo("Asia/Shanghai")
_FORMS = {"minute": "%Y-%m-%d %H:%M", "second": "%Y-%m-%d %H:%M:%S", "time": "%H:%M", "day": "%Y-%m-%d", "hour": "%H"}


def local(instant: str | None, form: str = "minute") -> str:
    """A stored instant in Shanghai's time, as ``minute``, ``second``, ``time``, ``day`` or ``hour``; "" for none."""
    return parse_iso(instant).astimezone(SHANGHAI).strftime(_FORMS[form]) if instant else ""


def day_of(instant: str) -> date:
    """The day it is in Shanghai."""
    return parse_iso(instant).astimezone(SHANGHAI).date()


def bounds(day: date) -> tuple[str, str]:
    """The first instant of a day in Shanghai, and that of the next, as stored."""
    first = datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)
    return iso(first), iso(first + timedelta(days=1))
