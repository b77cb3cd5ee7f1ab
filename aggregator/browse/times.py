"""Instants as people at a newspaper read them: in Shanghai's time, which has had no summer time since 1991."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from aggregator.browse.language import text
from aggregator.text.dates import iso, parse_iso

SHANGHAI = ZoneInfo("Asia/Shanghai")
# Not strftime's, which go by the machine's locale.
_WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_MONTHS = "January February March April May June July August September October November December".split()
_FORMS = {"minute": "%Y-%m-%d %H:%M", "second": "%Y-%m-%d %H:%M:%S", "time": "%H:%M", "day": "%Y-%m-%d", "hour": "%H"}
_FORMS |= {"clock": "%H:%M:%S", "month": "%Y-%m", "field": "%Y-%m-%dT%H:%M"}  # as a field for local times holds it


def local(instant: str | None, form: str = "minute") -> str:
    """A stored instant in Shanghai's time, in one of the forms below; "" for none."""
    return parse_iso(instant).astimezone(SHANGHAI).strftime(_FORMS[form]) if instant else ""


def day_of(instant: str) -> date:
    """The day it is in Shanghai."""
    return parse_iso(instant).astimezone(SHANGHAI).date()


def bounds(day: date) -> tuple[str, str]:
    """The first instant of a day in Shanghai, and that of the next, as stored."""
    first = datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)
    return iso(first), iso(first + timedelta(days=1))


def hour_bounds(day: date, hour: int) -> tuple[str, str]:
    """The first instant of an hour of a day in Shanghai, and that of the next."""
    first = datetime(day.year, day.month, day.day, hour, tzinfo=SHANGHAI)
    return iso(first), iso(first + timedelta(hours=1))


def ago(language: str, instant: str | None, now: datetime) -> str:
    """How long ago an instant is, in words; "" for none."""
    if not instant:
        return ""
    minutes = int((now - parse_iso(instant)).total_seconds() // 60)
    for unit, size in (("days", 48 * 60), ("hours", 90), ("minutes", 1)):
        if minutes >= size:
            return text(language, f"ago_{unit}", n=minutes // {"days": 1440, "hours": 60, "minutes": 1}[unit])
    return text(language, "ago_now")


def span(language: str, seconds: float) -> str:
    """A duration in its largest unit: 45 s, 5 min, 1.5 h."""
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= size:
            return text(language, f"span_{unit}", n=f"{seconds / size:.3g}")
    return text(language, "span_seconds", n=f"{seconds:.2g}" if seconds < 10 else f"{seconds:.0f}")


def long_day(language: str, day: date) -> str:
    """A day as a newspaper dates itself: 2026年11月27日 星期五, Friday 27 November 2026."""
    if language == "zh":
        return f"{day.year}年{day.month}月{day.day}日 星期{'一二三四五六日'[day.weekday()]}"
    return f"{_WEEKDAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]} {day.year}"


def instant_of(said: str) -> datetime:
    """The instant an ISO 8601 text means, in Shanghai where it names no offset; of a date alone its last moment.

    Raises:
        ValueError: it means none.
    """
    try:
        day = date.fromisoformat(said)
    except ValueError:
        at = datetime.fromisoformat(said)
        return at if at.tzinfo else at.replace(tzinfo=SHANGHAI)
    return datetime(day.year, day.month, day.day, 23, 59, 59, 999_000, tzinfo=SHANGHAI)
