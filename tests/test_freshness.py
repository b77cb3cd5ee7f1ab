"""For how long an answer is the newest there is, told from its headers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.web.freshness import fresh_for

NOW = datetime(2022, 7, 14, 7, 0, tzinfo=UTC)
SENT = "Thu, 14 Jul 2022 07:00:00 GMT"
LATER = "Thu, 14 Jul 2022 07:10:00 GMT"
DAY = 86_400.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"cache-control": "max-age=600"}, 600.0),
        ({"cache-control": "public, MAX-AGE = 600, must-revalidate"}, 600.0),
        ({"cache-control": 'max-age="600"'}, 600.0),
        ({"cache-control": "max-age=600, max-age=60"}, 600.0),
        ({"cache-control": "max-age=0"}, None),
        ({"cache-control": "max-age=-5"}, None),
        ({"cache-control": "max-age=soon"}, None),
        ({"cache-control": "max-age"}, None),
        ({"cache-control": "max-age=1.5"}, None),
        ({"cache-control": "max-age=99999999999"}, DAY),
        ({"cache-control": f"max-age={'9' * 5_000}"}, DAY),
        ({"cache-control": "s-maxage=600"}, None),
        ({"cache-control": "x-max-age=600"}, None),
        ({"cache-control": "max-age=600, no-cache"}, None),
        ({"cache-control": 'max-age=600, no-cache="set-cookie"'}, None),
        ({"cache-control": "no-store, max-age=600"}, None),
        ({"cache-control": "max-age=600", "age": "200"}, 400.0),
        ({"cache-control": "max-age=600", "age": "600"}, None),
        ({"cache-control": "max-age=600", "age": "-1"}, 600.0),
        ({"cache-control": "max-age=600", "age": "old"}, 600.0),
        ({"cache-control": f"max-age={'9' * 5_000}", "age": "9" * 5_000}, None),
        ({"expires": LATER, "date": SENT}, 600.0),
        ({"expires": LATER}, 600.0),
        ({"expires": LATER, "date": "soon"}, 600.0),
        ({"expires": LATER, "date": SENT, "age": "100"}, 500.0),
        ({"expires": SENT, "date": LATER}, None),
        ({"expires": "0"}, None),
        ({"expires": "-1"}, None),
        ({"expires": "Thu, 99 Jul 2022 07:10:00 GMT"}, None),
        ({"expires": "Sun, 06 Nov 2094 08:49:37 GMT"}, DAY),
        ({"expires": f"{LATER}, {LATER}"}, 600.0),
        ({"expires": LATER, "cache-control": "max-age=60"}, 60.0),
        ({"expires": LATER, "cache-control": "max-age=x"}, None),
        ({"expires": LATER, "cache-control": "no-cache"}, None),
        ({"expires": LATER, "cache-control": "private"}, 600.0),
    ],
)
def test_fresh_for(headers: dict[str, str], seconds: float | None) -> None:
    assert fresh_for(headers, NOW) == seconds


def test_expires_is_judged_against_the_servers_own_clock() -> None:
    ahead = {"expires": "Thu, 14 Jul 2022 10:10:00 GMT", "date": "Thu, 14 Jul 2022 10:00:00 GMT"}
    assert fresh_for(ahead, NOW) == 600.0


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(("cache-control", "expires", "date", "age"), st.text())))
def test_no_header_makes_it_raise_or_leave_its_bounds(headers: dict[str, str]) -> None:
    seconds = fresh_for(headers, NOW)
    assert seconds is None or 0 < seconds <= DAY
