"""Dates that mislead, and dates that mean nothing: ids D1 to D3 of the catalogue of hostile inputs."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path

import pytest
from hostile import Verdict, attack
from hypothesis import given
from hypothesis import strategies as st
from web_server import reply
from world import START

from aggregator.config import parse
from aggregator.model import Page
from aggregator.sources import SOURCES
from aggregator.text.dates import instant, iso

SEED = "2022-07-14T07:10:07Z"
MINUTE = "2022-07-14T07:10:00Z"
CHINESE = "zone: Asia/Shanghai"
# D2: what a feed read in Asia/Shanghai means by these.
IN_CHINA = {
    "Thu, 14 Jul 2022 15:10:07 CST": SEED,
    "Thu, 14 Jul 2022 15:10:07": SEED,
    "2022-07-14 15:10:07": SEED,
    "2022-07-14T15:10:07": SEED,
    "2022年07月14日 15:10": MINUTE,
    "2022年7月14日15:10:07": SEED,
    "2022年07月14日 下午3:10": MINUTE,
    "２０２２年７月１４日　１５：１０": MINUTE,
    "2022/07/14 15:10": MINUTE,
    "2022.07.14 15:10:07": SEED,
    "1657782607": SEED,
    "1657782607000": SEED,
    "Thu, 14 Jul 2022 07:10:07 GMT": SEED,  # what names its zone is not read in another
}
# The same words where nobody says that the feed is Chinese.
ELSEWHERE = {
    "Thu, 14 Jul 2022 01:10:07 CST": SEED,  # North America's
    "Thu, 14 Jul 2022 02:10:07 CDT": SEED,
    "2022-07-14 07:10:07": SEED,
    "2022年07月14日 07:10": MINUTE,
    "1657782607": SEED,
}
UNKNOWN = (
    *("今天 15:10", "昨天 15:10", "刚刚", "5分钟前", "yesterday", "now", "15:10", "07-14 15:10", "07月14日 15:10"),
    *("9999-12-31T23:59:59Z", "Fri, 31 Dec 9999 23:59:59 GMT", "0001-01-01T00:00:00Z", "99999999999-01-01"),
    *("-0001-01-01", "0000-00-00 00:00:00", "-99999999", "+9999", "253402300799999", "0", "-1657782607"),
    *("Thu, 32 Jul 2022 07:10:07 GMT", "Thu, 14 Jul 2022 25:61:00 GMT", "Thu, 14 Jul 2022 07:10:60 GMT"),
    *("Thu, 14 Jul 2022 07:10:07 +9999", "Thu, 14 Jul 2022 07:10:07 -99999999", "2022-02-30", "2022-13-01"),
    *("14/07/2022", "07/14/2022 15:10", "１２３", "Invalid Date", "NaN", "null", "<b>2022</b>", "2022-07-14 15:10 XYZ"),
)


def dated(*dates: str) -> bytes:
    """A feed with an item for each date."""
    texts = [text.replace("<", "&lt;") for text in dates]
    items = "".join(
        f"<item><title>第{n}条</title><guid>d{n}</guid><pubDate>{text}</pubDate></item>" for n, text in enumerate(texts)
    )
    return f'<rss version="2.0"><channel><title>电讯</title>{items}</channel></rss>'.encode()


def read(folder: Path, dates: tuple[str, ...], feed: str = "") -> tuple[Verdict, dict[object, object]]:
    """What the archive holds after a feed with these dates: the source's text -> the instant."""
    verdict = attack(folder, reply(200, dated(*dates)), feed=f"pages: false, {feed}")
    return verdict, {row["published_text"]: row["published"] for row in verdict.entries}


def test_d1_exact_instants(tmp_path: Path) -> None:
    texts = (
        *("Thu, 14 Jul 2022 07:10:07 GMT", "Thu, 14 Jul 2022 15:10:07 +0800", "Thu, 14 Jul 2022 15:10:07 +08:00"),
        *("2022-07-14T15:10:07+08:00", "2022-07-14T07:10:07.999Z", "Thu, 14 Jul 2022 03:10:07 EDT"),
    )
    for zone in ("", CHINESE):
        folder = tmp_path / f"zone{len(zone)}"
        folder.mkdir()
        assert read(folder, texts, zone)[1] == dict.fromkeys(texts, SEED)


def test_d2_chinese_forms_in_the_zone_of_the_feed(tmp_path: Path) -> None:
    assert read(tmp_path, tuple(IN_CHINA), CHINESE)[1] == {
        key.replace("\u3000", "\u3000"): IN_CHINA[key] for key in IN_CHINA
    }


def test_d2_the_same_forms_elsewhere(tmp_path: Path) -> None:
    assert read(tmp_path, tuple(ELSEWHERE))[1] == ELSEWHERE


@pytest.mark.parametrize(
    ("host", "zone"),
    [("rss.sina.com.cn", "Asia/Shanghai"), ("finance.sina.cn", "Asia/Shanghai"), ("wire.example", None)],
)
def test_d2_feeds_of_sinas_hosts_are_in_china_by_themselves(tmp_path: Path, host: str, zone: str | None) -> None:
    text = f'feeds: [{{name: a, source: feed, url: "https://{host}/f", categories: [甲, 乙, 丙]}}]'
    (feed,) = parse(text, tmp_path / "config.yaml").feed_list()
    assert feed.zone == zone
    page = Page(feed.url, feed.url, 200, {}, dated("Thu, 14 Jul 2022 15:10:07 CST"), START)
    (entry,) = SOURCES["feed"].parse(page, feed.zone).entries
    assert entry.published is not None
    assert iso(entry.published) == (SEED if zone else "2022-07-14T21:10:07Z")


@pytest.mark.parametrize("zone", ["", CHINESE])
def test_d3_what_means_no_instant_is_unknown_and_kept_as_text(tmp_path: Path, zone: str) -> None:
    verdict, found = read(tmp_path, UNKNOWN, zone)
    assert found == dict.fromkeys(UNKNOWN)
    assert (verdict.report.status, verdict.feed["newest"]) == ("ok", None)
    # No date is invented: an article without one carries the instant it was first seen at, and no publication.
    articles = [row for row in verdict.articles if str(row["title"]).startswith("第") and row["id"] > 4]
    assert len(articles) == len(UNKNOWN)
    assert {row["published"] for row in articles} == {None}
    assert {row["date"] for row in articles} == {row["first_seen"] for row in articles}


FUTURE = ("Mon, 01 Jan 2199 00:00:00 GMT", "2027-11-23", "Fri, 27 Nov 2026 08:10:00 GMT")


def test_d3_the_future_is_flagged_and_never_makes_a_feed_fresh(tmp_path: Path) -> None:
    old = "Fri, 20 Nov 2026 08:00:00 GMT"
    verdict, found = read(tmp_path, (*FUTURE, old), "expect_newest_within: 2d")
    assert found["2027-11-23"] == "2027-11-23T00:00:00Z"  # kept as the source says it
    assert (verdict.report.status, verdict.feed["newest"]) == ("stale", "2026-11-20T08:00:00Z")


@pytest.mark.parametrize("source", ["feed", "jsonfeed", "sina-roll"])
def test_d3_every_kind_of_listing_says_what_is_from_the_future(source: str) -> None:
    late, soon = START + timedelta(hours=48, seconds=1), START + timedelta(hours=48)
    items = [{"id": "1", "date_published": iso(soon)}, {"id": "2", "date_published": iso(late)}]
    roll = [{"docid": "a", "ctime": int(soon.timestamp())}, {"docid": "b", "ctime": str(int(late.timestamp()))}]
    bodies = {
        "feed": dated(iso(soon), iso(late)),
        "jsonfeed": json.dumps({"version": "https://jsonfeed.org/version/1", "items": items}).encode(),
        "sina-roll": json.dumps({"result": {"status": {"code": 0}, "data": roll}}).encode(),
    }
    page = Page("https://x.example/", "https://x.example/", 200, {}, bodies[source], START)
    listing = SOURCES["sina-roll" if source == "sina-roll" else "feed"].parse(page, None)
    assert listing.warnings == ("item 2: published 2026-11-25T08:00:01Z, more than 48 hours ahead",)


# -- against the standard library -------------------------------------------------------------------------------------

moments = st.datetimes(datetime(1800, 1, 2), datetime(2199, 12, 30)).map(lambda at: at.replace(microsecond=0))
offsets = st.integers(-14 * 60, 14 * 60)
names = st.sampled_from("GMT UT EST EDT CST CDT MST MDT PST PDT".split())


@given(moments, offsets, st.booleans(), st.booleans())
def test_rfc_822_means_what_email_utils_says(at: datetime, offset: int, weekday: bool, seconds: bool) -> None:
    sign, minutes = "-" if offset < 0 else "+", abs(offset)
    text = format_datetime(at.replace(tzinfo=UTC)).removesuffix(" +0000")
    text = text if weekday else text.partition(", ")[2]
    text = text if seconds else text[: -len(":00")]
    text += f" {sign}{minutes // 60:02}{minutes % 60:02}"
    expected = parsedate_to_datetime(text)
    expected = expected if expected.tzinfo else expected.replace(tzinfo=UTC)  # it takes -0000 for "nowhere"
    assert instant(text) == instant(text, "Asia/Shanghai") == expected


@given(moments.filter(lambda at: not 1950 <= at.year < 1969), names, st.booleans())
def test_rfc_822s_own_zones_and_years(at: datetime, name: str, short: bool) -> None:
    # Two-digit years from 50 to 68 are the last century's in RFC 2822 (section 4.3); email.utils has POSIX's rule.
    year = f"{at.year % 100:02}" if short and (1969 <= at.year < 2050) else f"{at.year}"
    text = f"{format_datetime(at)[: -len('1999 00:00:00 -0000')]}{year} {at:%H:%M:%S} {name}"
    assert instant(text) == parsedate_to_datetime(text).astimezone(UTC)


@given(moments, offsets, st.sampled_from(["T", "t", " "]), st.integers(0, 999_999), st.booleans())
def test_rfc_3339_means_what_fromisoformat_says(at: datetime, offset: int, mark: str, micro: int, zulu: bool) -> None:
    sign, minutes = "-" if offset < 0 else "+", abs(offset)
    fraction = f".{micro:06}" if micro else ""
    zone = "Z" if zulu else f"{sign}{minutes // 60:02}:{minutes % 60:02}"
    text = f"{at:%Y-%m-%d}{mark}{at:%H:%M:%S}{fraction}{zone}"
    expected = datetime.fromisoformat(text.upper()).astimezone(UTC).replace(microsecond=0)
    assert instant(text) == instant(text, "Asia/Shanghai") == expected


@given(
    st.text() | st.from_regex(r"[0-9 年月日:/.TZ+-]{1,40}"),
    st.sampled_from([None, "Asia/Shanghai", "America/New_York"]),
)
def test_any_text_is_unknown_or_an_instant_in_utc(text: str, zone: str | None) -> None:
    found = instant(text, zone)
    assert found is None or (found.tzinfo is UTC and found.microsecond == 0 and 1800 <= found.year <= 2199)
