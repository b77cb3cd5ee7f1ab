"""How long an answer says it stays the newest there is (RFC 9111). Pure: headers in, seconds out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

DAY = 86_400.0

_DIRECTIVE = re.compile(r'([\w-]+)(?:\s*=\s*(?:"([^"]*)"|([^\s,"]*)))?')
_DELTA = re.compile(r"[0-9]+")


def fresh_for(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds for which nothing newer is to be had, at most a day; ``None`` where the answer names none.

    ``max-age`` goes before Expires (RFC 9111 sections 5.2.2.1 and 5.3), and the Age that the answer already has is
    taken off (4.2.3). ``s-maxage`` speaks to shared caches and is ignored; ``no-store`` and ``no-cache`` promise
    nothing; what cannot be read counts as over (4.2.1). Expires is judged against the answer's own Date, so that a
    wrong clock on either side does no harm.
    """
    said = _directives(headers.get("cache-control", ""))
    if said.keys() & {"no-store", "no-cache"}:
        return None
    left = _lifetime(said, headers, now) - (_delta(headers.get("age", "")) or 0.0)
    return min(left, DAY) if left > 0 else None


def http_date(text: str) -> datetime | None:
    """Read a date of HTTP (RFC 9110 section 5.6.7), or of mail, which servers send as well; ``None`` for any other."""
    try:
        instant = parsedate_to_datetime(text)
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _lifetime(said: Mapping[str, str], headers: Mapping[str, str], now: datetime) -> float:
    if "max-age" in said:
        return _delta(said["max-age"]) or 0.0
    expires = http_date(headers.get("expires", ""))
    if expires is None:
        return 0.0
    return (expires - (http_date(headers.get("date", "")) or now)).total_seconds()


def _directives(text: str) -> dict[str, str]:
    """Read Cache-Control; of a directive that is there twice, the first counts."""
    found: dict[str, str] = {}
    for match in _DIRECTIVE.finditer(text):
        found.setdefault(match[1].lower(), match[2] or match[3] or "")
    return found


def _delta(text: str) -> float | None:
    return float(text) if _DELTA.fullmatch(text.strip()) else None
