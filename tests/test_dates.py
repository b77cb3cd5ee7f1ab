"""Date strings of sources into instants: the instant meant, or unknown; never another one, never "now"."""

from __future__ import annotations

import locale
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.text.dates import from_epoch, instant, iso, parse_iso, rfc1123, too_far_ahead

SEED = datetime(2022, 7, 14, 7, 10, 7, tzinfo=UTC)
CHINA = "Asia/Shanghai"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Thu, 14 Jul 2022 07:10:07 GMT", SEED),
        ("Thu, 14 Jul 2022 15:10:07 +0800", SEED),
        ("Thu, 14 Jul 2022 15:10:07 +08:00", SEED),
        ("14 July 2022 15:10:07 UTC+8", SEED),
        ("Mon, 14 Jul 2022 07:10:07 Z", SEED),  # it was a Thursday
        ("Thu,14 Jul 22 03:10:07 EDT", SEED),
        ("14 Jul 2022 01:10:07 CST", SEED),  # America's, without a Chinese zone
        ("Thu, 14 Jul 2022 00:10:07 PDT (a comment)", SEED),
        ("Thu Jul 14 07:10:07 2022", SEED),
        ("Thu Jul 14 15:10:07 +0800 2022", SEED),
        ("July 14, 2022, 7:10:07 am", SEED),
        ("31 Dec 99 23:59:59 +0000", datetime(1999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("31 Dec 2002 14:20:20 -0234", datetime(2002, 12, 31, 16, 54, 20, tzinfo=UTC)),
        ("2022-07-14T07:10:07Z", SEED),
        ("2022-07-14t07:10:07.25z", SEED),
        ("2022-07-14T071007Z", SEED),
        ("14 Jul 2022 06:10:07 A", SEED),  # RFC 822: A is an hour west
        ("14 Jul 2022 11:10:07 Q", SEED),
        ("Thu (a (nested\\)) comment), 14(th) Jul(y) 2022 07:10:07 GMT", SEED),
        ("2022-07-14T15:10:07+08:00", SEED),
        ("2022-07-14 15:10:07 +0800", SEED),
        ("20220714T071007Z", SEED),
        ("2022-195", datetime(2022, 7, 14, tzinfo=UTC)),
        ("2022-07-14", datetime(2022, 7, 14, tzinfo=UTC)),
        ("2022-07", datetime(2022, 7, 1, tzinfo=UTC)),
        ("2022", datetime(2022, 1, 1, tzinfo=UTC)),
        ("2022-07-14T24:00:00Z", datetime(2022, 7, 15, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2017, 1, 1, tzinfo=UTC)),
        ("1657782607", SEED),
        ("1657782607000", SEED),
        ("  Thu, 14 Jul 2022\n07:10:07 GMT ", SEED),
    ],
)
def test_instants_without_a_zone_of_the_feed(text: str, expected: datetime) -> None:
    assert instant(text) == expected


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2022年07月14日 15:10", 0),
        ("2022年07月14日 15:10:07", 7),
        ("2022年7月14日15:10", 0),
        ("2022年07月14日 15时10分07秒", 7),
        ("2022年07月14日 下午3:10", 0),
        ("2022年07月14日 星期四 15:10", 0),
        ("２０２２年７月１４日　１５：１０", 0),
        ("2022/07/14 15:10", 0),
        ("2022.07.14 15:10:07", 7),
        ("2022-07-14 15:10", 0),
        ("2022-07-14 15:10:07", 7),
        ("2022-07-14 15:10:07 北京时间", 7),
        ("Thu, 14 Jul 2022 15:10:07 CST", 7),
        ("Thu, 14 Jul 2022 15:10:07", 7),
    ],
)
def test_chinese_forms(text: str, seconds: int) -> None:
    assert instant(text, CHINA) == SEED.replace(second=seconds)


def test_a_text_without_an_offset_is_read_in_the_zone() -> None:
    assert instant("2022-07-14 15:10:07") == SEED + timedelta(hours=8)
    assert instant("2022-07-14 09:10:07", "Europe/Paris") == SEED
    assert instant("2022-07-14 15:10:07", "No/Such") is None
    assert instant("2022-07-14T07:10:07Z", "No/Such") == SEED


@pytest.mark.parametrize(
    "text",
    [
        *("", "now", "今天 15:10", "昨天", "5分钟前", "yesterday", "5 minutes ago", "09月28日 23:54", "15:10"),
        *("9999-01-01", "0001-01-01", "99999999999-01-01", "-0001-01-01", "1799-12-31", "2200-01-01"),
        *("32 Jul 2022 10:00:00 GMT", "14 Jul 2022 25:61:00 GMT", "14 Jul 2022 07:10:60 GMT", "2022-02-30"),
        *("2022-07-14T24:00:01Z", "2022-07-14T23:59:60Z", "2022-13-01", "2022-366", "14 Foo 2022", "14 Juk 2022"),
        *("14 Jul 2022 07:10:07 +9999", "14 Jul 2022 07:10:07 -99999999", "14 Jul 2022 07:10:07 +1500"),
        *(
            "14 Jul 2022 07:10:07 J",
            "14 Jul 2022 07:10:07 XYZ",
            "14 Jul 2022 13:10 pm x",
            "12/07/2022",
            "0",
            "165778260",
        ),
        "Thu, 14 Jul 2022 07:10:07 GMT and more",
        "1" * 500,
    ],
)
def test_what_is_unknown(text: str) -> None:
    assert instant(text, CHINA) is None


@pytest.mark.parametrize(
    "value", [1657782607, "1657782607", "1657782607000", 1657782607000, 1657782607.9, " 1657782607 "]
)
def test_epochs(value: str | float) -> None:
    assert from_epoch(value) == SEED


@pytest.mark.parametrize("value", [None, "", "0", 0, -1, True, "1e9", "1_657_782_607", float("nan"), 10**400, "9" * 40])
def test_no_epochs(value: str | float | None) -> None:
    assert from_epoch(value) is None


def test_the_written_forms() -> None:
    assert iso(SEED) == "2022-07-14T07:10:07Z"
    assert parse_iso("2022-07-14T15:10:07+08:00") == SEED
    assert rfc1123(SEED) == "Thu, 14 Jul 2022 07:10:07 GMT"
    with pytest.raises(ValueError, match="no offset"):
        parse_iso("2022-07-14T07:10:07")


def test_english_names_whatever_the_locale() -> None:
    before = locale.setlocale(locale.LC_TIME)
    try:
        for name in ("zh_CN.UTF-8", "de_DE.UTF-8", "C.UTF-8"):
            try:
                locale.setlocale(locale.LC_TIME, name)
            except locale.Error:
                continue
            assert rfc1123(SEED) == "Thu, 14 Jul 2022 07:10:07 GMT"
    finally:
        locale.setlocale(locale.LC_TIME, before)


def test_the_future() -> None:
    assert not too_far_ahead(SEED + timedelta(hours=48), SEED)
    assert too_far_ahead(SEED + timedelta(hours=48, seconds=1), SEED)


instants = st.datetimes(datetime(1970, 1, 2), datetime(2199, 12, 30)).map(
    lambda d: d.replace(microsecond=0, tzinfo=UTC)
)


@given(instants)
def test_what_is_written_is_read_back(moment: datetime) -> None:
    assert instant(rfc1123(moment)) == moment
    assert instant(iso(moment)) == moment
    assert parse_iso(iso(moment)) == moment


def test_a_date_as_feeds_write_it_means_the_same_when_it_is_read_as_others_are() -> None:
    dice = Random(8)
    months = ["Jan", "Feb", "Jun", "Dec", "Foo", "jul"]
    years = [*range(1797, 1803), 1900, 2000, 2024, *range(2197, 2203), 20, 12022]
    zones = ["GMT", "Z", "+0800", "-0330", "+08:00", "-13:59", "+1400", "+1460", "-0000", "EST", "+14:01", "+1:00", ""]
    for _ in range(20_000):
        year, month, day = dice.choice(years), dice.randint(0, 13), dice.choice([0, 1, 9, 28, 29, 30, 31, 32])
        clock = f"{dice.choice([0, 7, 23, 24]):02}:{dice.choice([0, 59, 60]):02}:{dice.choice([0, 59, 60, 61]):02}"
        text = f"{year}-{month:02}-{day:02}T{clock}{dice.choice(zones)}"
        if dice.random() < 0.5:
            weekday = dice.choice(["", "Mon, ", "Xyz, ", "mon, "])
            text = f"{weekday}{day:0{dice.randint(1, 2)}} {dice.choice(months)} {year} {clock} {dice.choice(zones)}"
        assert instant(text) == instant(f"{text} ()"), text


@given(
    st.text(max_size=60) | st.text("0123456789-:/年月日T +JanuFebGMTZ.,apm", max_size=40),
    st.sampled_from([None, CHINA, "", "/"]),
)
def test_no_text_makes_it_raise(text: str, zone: str | None) -> None:
    moment = instant(text, zone)
    assert moment is None or 1800 <= moment.year < 2200
