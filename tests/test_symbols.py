"""Symbols: what an article names, since when the archive knows, and the first minute in which one could trade on it."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlite_utils import Database
from world import Clock, Site, desk, feed, rss

from aggregator.archive import Reader, SqliteArchive
from aggregator.markets import EXCHANGES, calendars_version, sessions
from aggregator.pipeline import poll
from aggregator.text.dates import iso, parse_iso

exchange_calendars = pytest.importorskip("exchange_calendars", reason="the extra [markets] is not installed")
WIRE = feed("wire", "https://finance.sina.com.cn/feed.xml")
SYMBOL = {"XSHG": ("stock", "sh600519"), "XHKG": ("hkstock", "00700"), "XNYS": ("usstock", "MSFT")}
NAMED = {"XSHG": "sh600519", "XHKG": "hk00700", "XNYS": "us:MSFT"}


def archived(path: Path, clock: Clock, symbols: str) -> None:
    """An archive with one article whose page names these symbols, as Sina's pages do, seen at the clock's instant."""
    url = "https://finance.sina.com.cn/stock/2026-03-01/doc-inhwxyz1234567.shtml"
    entry = f"<item><title>公司要闻</title><link>{url}</link><guid>1</guid></item>"
    text = "".join(f"<p>　　这是第{n}段，说明项目的背景、投资规模与市场前景。</p>" for n in range(8)) + symbols
    page = (
        '<html><head><title>公司要闻</title><meta property="og:url" content="' + url + '"></head><body>'
        f'<h1 class="main-title">公司要闻</h1><div class="article" id="artibody">{text}</div></body></html>'
    )
    site = Site(clock, {WIRE.url: rss(entry), url: page.encode()})

    async def run() -> None:
        async with desk(path / "a.db", site, WIRE) as one:
            await poll(one, WIRE)

    asyncio.run(run())


def filled(path: Path, clock: Clock) -> None:
    """Fill in the sessions as the program does after a poll."""

    async def run() -> None:
        archive = await SqliteArchive.open(path / "a.db", clock, parser="p", rules="r")
        try:
            version = calendars_version() or ""
            since = await archive.calendars_wanted(version)
            assert since is not None
            found = [one for name in EXCHANGES for one in sessions(name, since.date())]
            await archive.fill_sessions(version, found)
            assert await archive.calendars_wanted(version) is None
            clock.move(days=31)
            assert await archive.calendars_wanted(version) is not None
        finally:
            await archive.close()

    asyncio.run(run())


def seen(path: Path) -> list[dict[str, object]]:
    with Reader(path / "a.db") as reader:
        return list(reader.symbols())


def test_what_a_page_tags_is_named_once_and_since_it_is_known(tmp_path: Path) -> None:
    clock = Clock()
    tags = "<!-- news_keyword_pub,stock,sh600519&sz000001 --><!-- news_keyword_pub,usstock,MSFT -->"
    archived(tmp_path, clock, tags)
    rows = seen(tmp_path)
    assert {str(row["symbol"]): row["exchange"] for row in rows} == {
        "sh600519": "XSHG",
        "sz000001": "XSHG",
        "us:MSFT": "XNYS",
    }
    assert {row["tradable_at"] for row in rows} == {None}, "no calendar has been filled in yet"
    assert all(parse_iso(str(row["available_at"])) >= clock.at - timedelta(hours=1) for row in rows)


def test_the_command_prints_a_table_csv_and_json(tmp_path: Path) -> None:
    archived(tmp_path, Clock(), "<!-- news_keyword_pub,stock,sh600519&sz000001 -->")
    (tmp_path / "config.yaml").write_text("archive: a.db\n", encoding="utf-8")
    told = {
        form: subprocess.run(
            [sys.executable, "-m", "aggregator", "symbols", *form.split(), "--config", str(tmp_path / "config.yaml")],
            capture_output=True,
            check=True,
            timeout=60,
        ).stdout.decode()
        for form in ("sh600519", "--csv", "--json")
    }
    assert "公司要闻" in told["sh600519"]
    assert "sz000001" not in told["sh600519"]
    assert told["--csv"].startswith("\ufeffsymbol,")
    rows = list(csv.DictReader(io.StringIO(told["--csv"].removeprefix("\ufeff"))))
    assert [row["symbol"] for row in rows] == [row["symbol"] for row in json.loads(told["--json"])]
    assert {row["exchange"] for row in rows} == {"XSHG"}


def instants(exchange: str, count: int) -> list[datetime]:
    """Instants by chance, and those around every edge of sessions on half-days, holidays and clock changes."""
    chance = random.Random(exchange)
    start = datetime(2025, 11, 20, tzinfo=UTC)
    found = [start + timedelta(seconds=chance.uniform(0, 370 * 86_400)) for _ in range(count)]
    edges = [edge for one in sessions(exchange, start.date()) for edge in (one.opens, one.closes)]
    near = [edge for edge in edges if edge < start + timedelta(days=370)]
    steps = (-60.0, -59.999, -0.001, 0.0, 0.001, 1.0, 60.0)
    return found + [chance.choice(near) + timedelta(seconds=chance.choice(steps)) for _ in range(count)]


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_the_first_tradable_minute_is_the_calendar_s_and_never_before_our_sight(exchange: str, tmp_path: Path) -> None:
    clock = Clock()
    clock.at = datetime(2025, 11, 19, tzinfo=UTC)
    market, code = SYMBOL[exchange]
    archived(tmp_path, clock, f"<!-- news_keyword_pub,{market},{code} -->")
    filled(tmp_path, clock)
    calendar = exchange_calendars.get_calendar(exchange, start="2025-11-01", side="left")
    db = Database(tmp_path / "a.db")
    (commit,) = db.execute('SELECT r."commit" FROM symbols s JOIN revisions r ON r.id = s.revision').fetchone()
    for at in instants(exchange, 100):
        text = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        db.execute("UPDATE commits SET at = ? WHERE seq = ?", [text, commit])
        (told,) = db.execute("SELECT tradable_at FROM v1_symbols WHERE symbol = ?", [NAMED[exchange]]).fetchone()
        whole = parse_iso(text)
        minute = whole if whole.second == whole.microsecond == 0 else whole.replace(second=0, microsecond=0)
        minute += timedelta(minutes=minute < whole)
        expected = calendar.minute_to_trading_minute(minute, "next").to_pydatetime()
        assert (parse_iso(told), parse_iso(told) >= whole) == (expected, True), text
    db.close()


def test_beyond_the_published_calendar_nothing_is_said(tmp_path: Path) -> None:
    clock = Clock()
    archived(tmp_path, clock, "<!-- news_keyword_pub,stock,sh600519 -->")
    filled(tmp_path, clock)
    with Database(tmp_path / "a.db").conn as plain:
        plain.execute("UPDATE commits SET at = '2050-01-03T02:00:00.000Z'")
    assert [row["tradable_at"] for row in seen(tmp_path)] == [None]


def test_the_sessions_of_a_half_day_and_of_a_clock_change() -> None:
    found = {name: list(sessions(name, datetime(2025, 10, 1, tzinfo=UTC).date())) for name in EXCHANGES}
    opening = {iso(one.opens) for one in found["XNYS"]}
    assert {"2025-10-31T13:30:00Z", "2025-11-03T14:30:00Z"} <= opening
    christmas_eve = [one for one in found["XHKG"] if iso(one.opens).startswith("2025-12-24")]
    assert [(iso(one.opens), iso(one.closes)) for one in christmas_eve] == [
        ("2025-12-24T01:30:00Z", "2025-12-24T04:00:00Z")
    ]
    assert not any(iso(one.opens).startswith("2025-10-03") for one in found["XSHG"])
