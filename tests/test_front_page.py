"""The front page, held against what SQL says of the same archive."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from test_pages import CHINESE, archived, asked

pytest.importorskip("datasette", reason="the extra [browse] is not installed")
SHANGHAI = "strftime('%Y-%m-%d', published, '+8 hours')"


def query(archive: Path, sql: str, *values: object) -> list[tuple[Any, ...]]:
    db = sqlite3.connect(archive)
    try:
        return db.execute(sql, values).fetchall()
    finally:
        db.close()


@pytest.fixture(scope="module")
def today(demo_archive: Path) -> str:
    """The day with most of the demo's news."""
    sql = f"SELECT {SHANGHAI} FROM articles WHERE revision NOT NULL GROUP BY 1 ORDER BY count(*) DESC"
    return str(query(demo_archive, sql)[0][0])


def pages_of(archive: Path, today: str, more: str = "") -> str:
    """All pages of a day, one after the other."""
    addresses = [f"/archive/-/news?day={today}&page={number}{more}" for number in (1, 2, 3)]
    answers = asked(*addresses, of=(archive,), **CHINESE)
    assert {answer.status_code for answer in answers} == {200}
    return "".join(answer.text for answer in answers)


def test_a_day_has_all_its_articles_each_once_under_its_hour(demo_archive: Path, today: str) -> None:
    page = pages_of(demo_archive, today)
    sql = f"SELECT id, strftime('%H', published, '+8 hours') FROM articles WHERE revision NOT NULL AND {SHANGHAI} = ?"
    expected = sorted((str(hour), int(number)) for number, hour in query(demo_archive, sql, today))
    found = []
    for section in page.split('<section class="hour">')[1:]:
        hour = re.search(r'id="h(\d\d)"', section)
        assert hour
        lines = section.partition("</ol>")[0]
        found += [(hour[1], int(number)) for number in re.findall(r'"headline" href="/archive/articles/(\d+)"', lines)]
    assert sorted(found) == expected
    assert f"{len(expected)} 篇" in page


def test_lines_of_the_7x24_are_told_from_articles_of_their_titles(demo_archive: Path, today: str) -> None:
    page = pages_of(demo_archive, today)
    sql = f"SELECT count(*) FROM articles WHERE revision NOT NULL AND key LIKE 'sina:live:%' AND {SHANGHAI} = ?"
    ((expected,),) = query(demo_archive, sql, today)
    lines = [part for part in page.split('<li class="line">')[1:] if "快讯</span>" in part.partition("</li>")[0]]
    assert len(lines) == expected


def test_the_hours_are_drawn_and_lead_to_themselves(demo_archive: Path, today: str) -> None:
    page = pages_of(demo_archive, today).partition("</svg>")[0]
    sql = (
        "SELECT CAST(strftime('%H', published, '+8 hours') AS INTEGER), count(*) FROM articles"
        f" WHERE revision NOT NULL AND {SHANGHAI} = ? GROUP BY 1"
    )
    expected = {(str(hour), str(count)) for hour, count in query(demo_archive, sql, today)}
    assert set(re.findall(r'hour=(\d+)" aria-label="\d\d:00 起的一小时：(\d+) 篇"', page)) == expected
    hour, count = max(expected)
    (shown,) = asked(f"/archive/-/news?day={today}&hour={hour}", of=(demo_archive,), **CHINESE)
    assert shown.text.count('<li class="line">') == int(count)


def test_pictures_are_covers_out_of_the_store_and_never_the_code(demo_archive: Path, today: str) -> None:
    page = pages_of(demo_archive, today)
    leads = page.partition('<section class="leads"')[2].partition("</section>")[0]
    images = re.findall(r'<img src="([^"]+)"', leads)
    assert len(images) == 5
    assert len(re.findall(r"<img ", page)) == 5
    covers = {
        sha for (sha,) in query(demo_archive, "SELECT sha256 FROM images i JOIN image_fetches f ON f.image = i.id")
    }
    assert {address.rpartition("/")[2] for address in images} <= covers
    codes = "SELECT url FROM image_fetches f JOIN images i ON i.id = f.image WHERE i.sha256 = ?"
    for address in images:
        assert not any("cece9e13" in url for (url,) in query(demo_archive, codes, address.rpartition("/")[2]))
    for answer in asked(*images, of=(demo_archive,)):
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "image/png"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in answer.headers["content-security-policy"]
        assert answer.content.startswith(b"\x89PNG")
    (again,) = asked(images[0], of=(demo_archive,), **{"if-none-match": f'"{images[0].rpartition("/")[2]}"'})
    assert again.status_code == 304
    (absent,) = asked("/archive/-/image/" + "0" * 64, of=(demo_archive,))
    assert absent.status_code == 404


def test_a_channel_has_its_own_page(demo_archive: Path, today: str) -> None:
    page = pages_of(demo_archive, today, "&feed=sina-banking")
    sql = (
        f"SELECT count(*) FROM articles a JOIN feeds f ON f.id = a.home_feed WHERE {SHANGHAI} = ?"
        " AND revision NOT NULL AND f.name = 'sina-banking'"
    )
    assert page.count('<li class="line">') == query(demo_archive, sql, today)[0][0] > 0
    (unknown,) = asked("/archive/-/news?feed=nix", of=(demo_archive,))
    assert unknown.status_code == 404


def test_how_the_archive_stands_at_a_glance(demo_archive: Path) -> None:
    (page,) = asked("/", of=(demo_archive,), **CHINESE)
    side = page.text.partition('<aside class="side">')[2]
    for sql in ("SELECT count(*) FROM articles", "SELECT count(*) FROM revisions", "SELECT count(*) FROM entries"):
        assert f"<dd>{query(demo_archive, sql)[0][0]:,}</dd>" in side
    for name, status in query(demo_archive, "SELECT name, status FROM feeds WHERE active AND source != 'url'"):
        shown = re.search(rf">{name}</a>.*?</li>", side, re.DOTALL)
        assert shown
        assert ('class="bad"' in shown[0]) == (status == "failed")
    assert "无" in side
    assert "2 天前" not in side


def test_hours_without_a_poll_are_gaps(tmp_path: Path) -> None:
    from aggregator.browse.sql.news import silent_hours

    path = archived(tmp_path, "a.db")
    db = sqlite3.connect(path)
    db.execute("DELETE FROM commits")
    db.executemany(
        "INSERT INTO commits (seq, at) VALUES (?, ?)",
        [(1, "2026-11-26T01:59:00Z"), (2, "2026-11-26T02:30:00.250Z"), (3, "2026-11-26T06:10:00Z")],
    )
    db.execute(
        "INSERT INTO feeds (id, name, source, url, host, categories, position, every)"
        " VALUES (9, 'x', 'feed', 'u', 'h', '[]', 9, 300)"
    )
    db.execute("INSERT INTO poll_hours (feed, hour, status, polls) VALUES (9, '2026-11-26T04:00:00Z', 'unchanged', 12)")
    gaps = silent_hours(db, "2026-11-25T23:17:00Z", 8)
    assert gaps == ["2026-11-26T03:00:00Z", "2026-11-26T05:00:00Z"]
    db.close()


def test_a_day_without_news_and_an_empty_archive(demo_archive: Path, tmp_path: Path) -> None:
    (page,) = asked("/archive/-/news?day=2001-01-01", of=(demo_archive,), **CHINESE)
    assert "这段时间没有文章" in page.text
    (odd,) = asked("/archive/-/news?day=31.12.&hour=99&page=x", of=(demo_archive,), **CHINESE)
    assert odd.status_code == 200
    (empty,) = asked("/a/-/news", of=(archived(tmp_path, "a.db", ()),), **CHINESE)
    assert empty.status_code == 200


def test_several_archives_are_listed(demo_archive: Path, tmp_path: Path) -> None:
    (page,) = asked("/", of=(demo_archive, archived(tmp_path)), **CHINESE)
    assert 'href="/archive/-/news"' in page.text
    assert 'href="/~E6~96~B0~E6~B5~AA+2026/-/news"' in page.text
    ((held,),) = query(demo_archive, "SELECT count(*) FROM articles")
    assert str(held) in page.text
