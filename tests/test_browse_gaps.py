"""What may have been missed is seen in the browser: on the front page, in the calendar of coverage, as a table."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_pages import CHINESE, asked
from world import START, Clock, Site, desk, feed, item, link, page, rss

from aggregator.coverage import HOUR, Missing, Watched, state_of
from aggregator.pipeline import poll

pytest.importorskip("datasette", reason="the extra [browse] is not installed")
WIRE = feed(pages="false")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A feed that was polled every hour until now, with one listing that did not reach back to the one before it."""
    path = tmp_path_factory.mktemp("gaps") / "a.db"
    site = Site(Clock(datetime.now(UTC) - timedelta(hours=7)), {link(number): page(number) for number in range(1, 10)})

    async def run() -> None:
        async with desk(path, site, WIRE) as opened:
            for first in (1, 2, 3, 6, 7, 8):
                site.answers[WIRE.url] = rss(item(first), item(first + 1))
                await poll(opened, WIRE)
                site.clock.move(hours=1)

    asyncio.run(run())
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT state, count(*) FROM gaps GROUP BY 1").fetchall() == [("lost", 1)]
    return path


def test_the_front_page_tells_of_a_gap_and_leads_to_it(archive: Path) -> None:
    (front, table, rows) = asked("/", "/a/missing", "/a/missing.json?_shape=array", of=(archive,), **CHINESE)
    assert 'class="bad" href="/a/missing">1 处未能补回</a>' in front.text
    assert table.status_code == 200
    ((row),) = json.loads(rows.text)
    assert (row["feed"], row["state"]) == (WIRE.name, "lost")
    assert row["since_shanghai"] < row["until_shanghai"]


def test_the_calendar_frames_the_day_of_a_gap_and_counts_what_is_proved(archive: Path) -> None:
    (drawn,) = asked("/a/-/figures", of=(archive,), **CHINESE)
    calendar = drawn.text.partition('id="coverage"')[2].partition("</figure>")[0]
    assert calendar.count(" gap") >= 2  # a day, or two about midnight, and what the frame means
    table = calendar.partition("<table")[2]
    cells = [cell for cell in table.split("<td>")[1:] if "/" in cell.partition("<")[0]]
    proved = sum(int(cell.partition("/")[0]) for cell in cells)
    due = sum(int(cell.partition("<")[0].partition("/")[2]) for cell in cells)
    assert 0 < proved < due <= 6


INSTANTS = st.integers(-40, 36 * 24 * 4).map(lambda quarters: START + timedelta(minutes=15 * quarters))
GAPS = st.lists(st.tuples(INSTANTS, INSTANTS).map(sorted).map(lambda pair: Missing(*pair)), max_size=4)


@given(INSTANTS, INSTANTS, INSTANTS, GAPS)
def test_the_calendar_counts_hours_as_coverage_judges_them(
    first: datetime, last: datetime, at: datetime, gaps: list[Missing]
) -> None:
    from aggregator.browse.pages.figures import calendar

    watched = Watched("wire", first, last, tuple(gaps), {}, {}, {})
    hours = [START + n * HOUR for n in range(24 * 35)]
    states = [state_of(watched, hour) if hour + HOUR <= at else "before" for hour in hours]
    for day, cell in enumerate(calendar(watched, START, (at - START) // HOUR)):
        of_day = [state for state in states[24 * day : 24 * day + 24] if state != "before"]
        assert cell.value == (f"{of_day.count('covered')}/{len(of_day)}" if of_day else "")
        assert (cell.kind == "gap") == ("gap" in of_day)


def test_polls_by_day_count_the_gap(archive: Path) -> None:
    (rows,) = asked("/a/coverage.json?_shape=array", of=(archive,))
    found = json.loads(rows.text)
    assert sum(row["polls"] for row in found) == 6
    assert max(row["gaps"] for row in found) == 1
