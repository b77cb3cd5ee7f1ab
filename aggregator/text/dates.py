"""A source's own date strings into instants, and instants into text.

An instant is an aware ``datetime`` in UTC, in whole seconds (more is never stored). What cannot be read without
guessing is ``None``: never "now", never clamped. Forms: RFC 822, 1123, 2822 and asctime; ISO 8601, RFC 3339 and W3CDTF;
the Chinese forms of Sina's pages of 2006 to 2026; epoch seconds and milliseconds. Years outside 1800..2199 are unknown:
such a date is a slip or a placeholder.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

YEARS = range(1800, 2200)
AHEAD = timedelta(hours=48)  # a publication further in the future is an error of its source
_LONGEST = 120  # characters; no date is longer
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH_NAMES = "january february march april may june july august september october november december".split()
_CHINA = frozenset({"Asia/Shanghai", "Asia/Chongqing", "Asia/Harbin", "Asia/Taipei", "Asia/Macau", "PRC", "ROC"})
# Hours east of UTC. CST is American unless the feed's zone is Chinese; IST means three things, so it is unknown. The
# letters are RFC 822's (section 5.1), which RSS 2.0 refers to.
_ZONES = {
    **{letter: -hours for hours, letter in enumerate("abcdefghiklm", 1)},
    **{letter: hours for hours, letter in enumerate("nopqrstuvwxy", 1)},
    **dict.fromkeys(("gmt", "utc", "ut", "z", "wet"), 0.0),
    **{"est": -5, "edt": -4, "et": -5, "cst": -6, "cdt": -5, "ct": -6, "mst": -7, "mdt": -6, "mt": -7},
    **{
        "pst": -8,
        "pdt": -7,
        "pt": -8,
        "akst": -9,
        "akdt": -8,
        "hst": -10,
        "ast": -4,
        "adt": -3,
        "nst": -3.5,
        "ndt": -2.5,
    },
    **{
        "bst": 1,
        "west": 1,
        "cet": 1,
        "met": 1,
        "cest": 2,
        "mest": 2,
        "eet": 2,
        "eest": 3,
        "msk": 3,
        "jst": 9,
        "kst": 9,
    },
    **{"hkt": 8, "sgt": 8, "awst": 8, "acst": 9.5, "aest": 10, "aedt": 11, "nzst": 12, "nzdt": 13, "北京时间": 8},
}
_CLOCK = (
    r"(?:(?P<noon>上午|下午|午前|午後|오전|오후)\s*)?"
    r"(?P<hour>\d{1,2})\s*[:时時点]\s*(?P<minute>\d{1,2})分?(?:\s*[:分]?\s*(?P<second>\d{1,2})(?:[.,]\d+)?秒?)?"
    r"(?:\s*(?P<half>[ap]\.?m\.?))?"
)
_ZONE = r"(?:\s*(?P<zone>[A-Za-z]{1,5}(?:\s*[+-]\d{1,2}(?::?\d{2})?)?|[+-]\d{1,2}(?::?\d{2})?|北京时间))?"
_MONTH = r"(?P<name>[A-Za-z]{3,9})\.?"
_DAY = r"(?P<day>\d{1,2})"
_WEEKDAY = r"(?:[A-Za-z]{2,9}\.?\s*,?\s*)?"
_TIME_AFTER = rf"(?:,?\s*(?:at\s+)?{_CLOCK}{_ZONE})?"
_FORMS = tuple(
    re.compile(form, re.I | re.ASCII)
    for form in (
        rf"{_WEEKDAY}{_DAY}(?:st|nd|rd|th)?[\s-]*{_MONTH}[\s,-]*(?P<year>\d{{4}}|\d{{2,3}}){_TIME_AFTER}",  # RFC 822
        rf"{_WEEKDAY}{_MONTH}\s*{_DAY}(?:st|nd|rd|th)?,?\s+(?P<year>\d{{4}}){_TIME_AFTER}",  # January 2, 2006
        rf"{_WEEKDAY}{_MONTH}\s+{_DAY}\s+{_CLOCK}{_ZONE}\s+(?P<year>\d{{4}})",  # asctime
        r"(?P<year>\d{4})(?:-(?P<month>\d{2}))?",  # W3CDTF: a year, a month
        r"(?P<year>\d{4})-?(?P<ordinal>\d{3})",
        rf"(?P<year>\d{{4}})-(?P<month>\d{{1,2}})-{_DAY}(?:\s*[T ]\s*(?:{_CLOCK}{_ZONE})?)?",
        rf"(?P<year>\d{{4}})-(?P<month>\d{{1,2}})-{_DAY}\s*[T ]\s*(?P<hour>\d{{2}}){_ZONE}",
        r"(?P<year>\d{4})-?(?P<month>\d{2})-?(?P<day>\d{2})"
        r"(?:\s*T?\s*(?P<hour>\d{2}):?(?P<minute>\d{2})(?::?(?P<second>\d{2})(?:[.,]\d+)?)?" + _ZONE + ")?",
        rf"{_WEEKDAY}(?P<year>\d{{4}})(?P<mark>[/.])(?P<month>\d{{1,2}})(?P=mark){_DAY}(?:\s+{_CLOCK}{_ZONE})?",
        rf"(?P<year>\d{{4}})\s*[年년]\s*(?P<month>\d{{1,2}})\s*[月월]\s*{_DAY}\s*[日号號일]?\s*(?:[(]?(?:星期|周|週)[一二三四五六日天][)]?\s*)?"
        rf"(?:,?\s*{_CLOCK}{_ZONE})?",
    )
)
# How nearly every feed writes them, RFC 822's and RFC 3339's; whatever is odd in one is for the forms above.
_MAIL = re.compile(
    r"(?:[A-Z][a-z]{2}, )?(\d\d?) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) (?:GMT|([+-])(0\d|1[0-3])([0-5]\d))",
    re.ASCII,
)
_INTERNET = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-](?:0\d|1[0-3]):[0-5]\d)", re.ASCII)
_NUMBERS = {name: number for number, name in enumerate(_MONTHS, 1)}
_COMMENT = re.compile(r"\([^()]*\)")
_AFTERNOON = frozenset({"下午", "午後", "오후"})
_OFFSET = re.compile(r"(?P<word>[^\s+-]*)\s*(?P<sign>[+-]?)(?P<hours>\d{0,2}):?(?P<minutes>(?:\d{2})?)")
_UNIVERSAL = frozenset({"", "gmt", "utc", "ut", "z"})


def instant(text: str, zone: str | None = None) -> datetime | None:
    """The instant a date string plainly means, ``None`` if it means none. Never raises.

    ``zone`` is the IANA name in which a text without an offset is read (``None``: UTC); it also decides whether CST is
    China's or America's. A wrong weekday is ignored; relative words ("今天 15:10") are unknown. 24:00 is the next day's
    beginning; second 60 counts only where leap seconds happen, at 23:59:60 UTC on a month's last day.
    """
    if not text or len(text) > _LONGEST:
        return None
    if (usual := _usual(text)) is not None:
        return usual
    tidied = _tidied(text)
    if re.fullmatch(r"\d{10}|\d{13}", tidied, re.ASCII):
        return from_epoch(tidied)
    for form in _FORMS:
        found = form.fullmatch(tidied)
        if found is not None:
            return _moment({k: v for k, v in found.groupdict().items() if v is not None}, zone)
    return None


def _usual(text: str) -> datetime | None:
    """The instant of a date as feeds write it, in a fifth of the time; ``None`` for any other, and where it is odd."""
    try:
        if found := _MAIL.fullmatch(text):
            moment, year = _mailed(*found.groups()), int(found[3])
        elif _INTERNET.fullmatch(text):
            moment, year = datetime.fromisoformat(text).astimezone(UTC), int(text[:4])
        else:
            return None
    except (KeyError, OverflowError, ValueError):
        return None
    return moment if year in YEARS and moment.year in YEARS else None


def _mailed(
    day: str, month: str, year: str, hour: str, minute: str, second: str, sign: str, hours: str, minutes: str
) -> datetime:
    """The instant of these parts. Raises ``KeyError`` or ``ValueError`` where they make none, or none so simple."""
    moment = datetime(int(year), _NUMBERS[month], int(day), int(hour), int(minute), int(second), tzinfo=UTC)
    if sign is None:
        return moment
    ahead = timedelta(hours=int(hours), minutes=int(minutes))
    return moment + ahead if sign == "-" else moment - ahead


def from_epoch(value: str | int | float | None) -> datetime | None:
    """Seconds (or, from 10^11 on, milliseconds) since 1970; ``None`` for 0, for what is no number, and out of range."""
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, str) and not re.fullmatch(r"\s*\d{1,17}(?:\.\d{0,9})?\s*", value, re.ASCII):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    seconds = number / 1000 if abs(number) >= 1e11 else number
    if not 0 < seconds < 7_258_118_400:  # 2200-01-01; false for NaN too
        return None
    return datetime.fromtimestamp(int(seconds), UTC)


def iso(moment: datetime) -> str:
    """``2022-07-14T07:10:07Z``: UTC, whole seconds, the one form that is stored and printed."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")[:19] + "Z"


def parse_iso(text: str) -> datetime:
    """Back from ``iso``; any ISO 8601 text with an offset will do. Raises ``ValueError`` for anything else."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"no offset in {text!r}")
    return moment.astimezone(UTC)


def rfc1123(moment: datetime) -> str:
    """``Thu, 14 Jul 2022 07:10:07 GMT``, in English whatever the locale (RFC 9110 section 5.6.7)."""
    utc = moment.astimezone(UTC)
    day = f"{_WEEKDAYS[utc.weekday()]}, {utc.day:02} {_MONTHS[utc.month - 1]} {utc.year:04}"
    return f"{day} {utc.hour:02}:{utc.minute:02}:{utc.second:02} GMT"


def too_far_ahead(moment: datetime, now: datetime) -> bool:
    """Whether a publication lies more than 48 hours in the future, which no source means."""
    return moment - now > AHEAD


def _tidied(text: str) -> str:
    """Half-width characters, single blanks, and none of RFC 822's comments, which may nest."""
    plain = unicodedata.normalize("NFKC", re.sub(r"\\.", "", text) if "\\" in text else text)
    count = int("(" in plain)
    while count:
        plain, count = _COMMENT.subn(" ", plain)
    return " ".join(plain.split()).strip(" ,;")


def _moment(parts: dict[str, str], zone: str | None) -> datetime | None:
    """The instant of the named parts of a form."""
    day = _date(parts)
    clock = _clock(parts)
    tz = _offset(parts.get("zone"), zone)
    if day is None or clock is None or tz is None:
        return None
    seconds, leap = clock
    try:
        moment = (day + timedelta(seconds=seconds)).replace(tzinfo=tz).astimezone(UTC)
    except (OverflowError, ValueError):
        return None
    if leap and (moment + timedelta(seconds=1)).strftime("%d %H:%M:%S") != "01 00:00:00":
        return None
    moment += timedelta(seconds=int(leap))
    return moment if moment.year in YEARS else None


def _date(parts: dict[str, str]) -> datetime | None:
    """The naive midnight of year, month (number or name) and day, or year and day of year."""
    year = int(parts["year"])
    if len(parts["year"]) < 4:  # RFC 2822 section 4.3
        year += 2000 if len(parts["year"]) == 2 and year < 50 else 1900
    month = _month(parts)
    if year not in YEARS or month is None:
        return None
    try:
        if "ordinal" in parts:
            day = datetime(year, 1, 1) + timedelta(days=int(parts["ordinal"]) - 1)
            return day if day.year == year else None
        return datetime(year, month, int(parts.get("day", "1")))
    except ValueError:
        return None


def _month(parts: dict[str, str]) -> int | None:
    name = parts.get("name")
    if name is None:
        return int(parts.get("month", "1"))
    return next((n for n, whole in enumerate(_MONTH_NAMES, 1) if whole.startswith(name.lower())), None)


def _clock(parts: dict[str, str]) -> tuple[int, bool] | None:
    """Seconds since midnight, and whether one more is a leap second; ``None`` for a time no clock shows."""
    hour, minute, second = (int(parts.get(name, "0")) for name in ("hour", "minute", "second"))
    half, noon = parts.get("half", "").lower(), parts.get("noon", "")
    if half and not 1 <= hour <= 12:
        return None
    if (half.startswith("p") or noon in _AFTERNOON) and hour < 12:
        hour += 12
    elif half.startswith("a") and hour == 12:
        hour = 0
    leap = second == 60
    second -= leap
    if minute > 59 or second > 59 or hour > 24 or (hour == 24 and (minute or second or leap)):
        return None
    return hour * 3600 + minute * 60 + second, leap


def _offset(name: str | None, zone: str | None) -> tzinfo | None:
    """The zone a text names, else the one it is to be read in; ``None`` for a zone unknown."""
    if name is None:
        return _named(zone) if zone else UTC
    found = _OFFSET.fullmatch(name)
    if found is None:
        return None
    word = found["word"].lower()
    if not found["sign"]:
        hours = 8 if word == "cst" and zone in _CHINA else _ZONES.get(word)
        return None if hours is None else timezone(timedelta(hours=hours))
    minutes = int(found["minutes"] or "0")
    total = int(found["hours"]) * 60 + minutes
    if word not in _UNIVERSAL or minutes > 59 or total > 14 * 60:  # UTC+14 is the furthest any clock goes
        return None
    return timezone(timedelta(minutes=-total if found["sign"] == "-" else total))


def _named(zone: str) -> tzinfo | None:
    try:
        return ZoneInfo(zone)
    except (OSError, ValueError, KeyError):  # unknown, or no name at all
        return None
