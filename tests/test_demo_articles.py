"""What the replica of Sina publishes, edits and removes is what its ledger says, on pages of each era."""

from __future__ import annotations

import html
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path
from random import Random

import pytest
from demo_client import NOW, clock, get, holds_text, one, roll, roll_body, with_template

from aggregator.demo import Replica, newsroom
from aggregator.demo.ledger import BEIJING, CHANNELS, Published
from aggregator.demo.replica import SEED


@pytest.fixture(scope="module")
def replica() -> Iterator[Replica]:
    with Replica(clock) as running:
        yield running


@pytest.fixture
def living() -> Iterator[Replica]:
    """A replica of its own for a test that lets time pass."""
    with Replica(clock) as running:
        yield running


# --- what was published ------------------------------------------------------------------------


def test_the_first_pages_of_the_channels_hold_enough_good_articles(replica: Replica) -> None:
    good = {item.docid for item in replica.ledger.good()}
    heard = {item["docid"] for channel in CHANNELS for item in roll(replica, channel.pageid, channel.lid)["data"]}
    assert len(heard & good) >= 120


def test_one_article_is_in_up_to_five_channels_with_one_address(replica: Replica) -> None:
    addresses: dict[str, list[str]] = {}
    for channel in CHANNELS:
        for item in roll(replica, channel.pageid, channel.lid)["data"]:
            addresses.setdefault(item["docid"], []).append(item["url"])
    assert max(len(urls) for urls in addresses.values()) >= 5
    assert all(len(set(urls)) == 1 for urls in addresses.values())


def test_ids_addresses_and_times_have_the_measured_forms(replica: Replica) -> None:
    for item in replica.ledger:
        assert re.fullmatch(r"[a-z]{7}\d{7}", item.id)
        assert 5 <= (item.mtime - item.ctime).total_seconds() <= 5_101
        assert 0 <= (item.intime - item.mtime).total_seconds() <= 20
        assert item.intime <= NOW
        days = re.findall(r"/(\d{4})-?(\d\d)-?(\d\d)/", item.url)
        assert all("-".join(day) == f"{item.ctime.astimezone(BEIJING):%Y-%m-%d}" for day in days)
    fresh = [item.ctime for item in replica.ledger if item.ctime > NOW - timedelta(days=1)]
    assert timedelta(minutes=2) < NOW - max(fresh) < timedelta(minutes=6)
    assert len({item.oid for item in replica.ledger}) == len(replica.ledger.published)


def test_titles_hold_the_characters_that_break_documents(replica: Replica) -> None:
    titles = "".join(item.title for item in replica.ledger)
    assert set("“”[]'\":{}%｜：？【】（） ") <= set(titles)


def test_texts_have_the_promised_sizes(replica: Replica) -> None:
    for item in replica.ledger.good():
        assert 3 <= len(item.story.paragraphs) <= 8
        assert 300 <= len(item.story.text) <= 1_500
        assert "{" not in item.story.text


def test_only_the_reprint_is_similar_to_another_article(replica: Replica) -> None:
    shingles = {}
    for item in replica.ledger.good():
        text = re.sub(r"\W", "", item.story.text)
        shingles[item.id] = {text[at : at + 8] for at in range(len(text) - 7)}
    reprint = one(replica, lambda item: item.note.startswith("a reprint"))
    first = replica.ledger.published[reprint.twin or ""]
    assert (reprint.story.text, reprint.id) == (first.story.text, reprint.id)
    assert reprint.title != first.title
    similar = {
        frozenset((one_id, other_id))
        for (one_id, left), (other_id, right) in combinations(shingles.items(), 2)
        if len(left & right) >= 0.6 * len(left | right)
    }
    assert similar == {frozenset((reprint.id, first.id))}


def test_no_text_is_taken_from_the_corpora(replica: Replica, shared: Path) -> None:
    size = 12
    ours: set[str] = set()
    for item in replica.ledger:
        for run in re.findall(r"[\u4e00-\u9fff，、“”]+", item.story.text):
            ours.update(run[at : at + size] for at in range(len(run) - size + 1))
    taken: set[str] = set()
    for folder in ("sina", "frontmatter"):
        for file in sorted((shared / "corpus" / folder).iterdir()):
            text = file.read_text(encoding="utf-8", errors="replace")
            taken |= ours & {text[at : at + size] for at in range(len(text) - size + 1)}
    assert len(ours) > 4_000
    assert not taken


# --- the pages ---------------------------------------------------------------------------------


def test_every_page_answers_as_the_ledger_says(replica: Replica) -> None:
    for item in replica.ledger:
        got = get(replica, item.url)
        text = got.body.decode("gbk" if item.template == "gb2312" else "utf-8")
        assert got.status == (404 if item.expect == "not_found" else 200), item.note
        assert (item.id in text) == (item.docid.startswith("comos:") and _proves(item)), item.note
        assert holds_text(item, text) == (item.expect == "article"), item.note
        if item.expect == "article":
            assert 20_000 <= len(got.body) <= 70_000


def _proves(item: Published) -> bool:
    return item.expect == "article" or item.template in ("bodiless", "challenge")


def test_the_broken_pages_are_broken_in_their_own_way(replica: Replica) -> None:
    assert "安全验证" in get(replica, with_template(replica, "challenge").url).body.decode()
    assert get(replica, with_template(replica, "empty").url).body == b""
    lost = with_template(replica, "another")
    shown = get(replica, lost.url).body.decode()
    assert lost.twin
    assert f'<meta name="publishid" content="{lost.twin}">' in shown
    bodiless = with_template(replica, "bodiless")
    page = get(replica, bodiless.url).body.decode()
    assert f'<meta name="publishid" content="{bodiless.id}">' in page
    assert "artibody" not in page
    expected = {"not_found", "wrong_page", "extract_failed", "blog", "topic", "video"}
    assert {item.expect for item in replica.ledger.broken()} == expected


def test_the_old_page_is_gbk_and_not_gb2312(replica: Replica) -> None:
    old = with_template(replica, "gb2312")
    got = get(replica, old.url)
    assert re.fullmatch(r"http://finance\.sina\.com\.cn/china/jrxw/20140318/0119\d{8}\.shtml", old.url)
    assert got.headers["content-type"] == "text/html"
    with pytest.raises(UnicodeDecodeError):
        got.body.decode("utf-8")
    with pytest.raises(UnicodeDecodeError):
        got.body.decode("gb2312")
    text = got.body.decode("gbk")
    assert "charset=gb2312" in text
    assert old.title in html.unescape(text)
    assert "2014年03月18日 01:19" in text


@pytest.mark.parametrize(
    ("template", "marks"),
    [
        ("finance2026", ["\n<!DOCTYPE html>\n<!-- [ published at ", 'id="artibody"', "appendQr_wrap"]),
        ("finance2019", ["<!--news_web_article_v2017_meta -->", "<!-- 原始正文begin -->", 'class="article-editor"']),
        ("news2018", ['<div class="article" id="article">', 'class="show_author"', 'data-wbkey="']),
        ("web2014", ['<h1 id="artibodyTitle"', 'class="article article_16" id="artibody"', "2017年12月01日18:30"]),
        ("gb2312", ['class="blkContainerSblkCon" id="artibody"', "publish_helper name='原始正文'", 'id="media_name"']),
        ("wap", ['<h1 class="art_tit_h1">', 'class="art_pic_card art_content"', 'class="art_time"']),
        ("slides", ["var slide_data = {", "download_img"]),
    ],
)
def test_each_era_has_the_marks_of_its_template(replica: Replica, template: str, marks: list[str]) -> None:
    item = with_template(replica, template)
    page = get(replica, item.url).body.decode("gbk" if template == "gb2312" else "utf-8")
    for mark in marks:
        assert mark in page
    assert page.startswith("\n") == (template == "finance2026")


def test_quote_links_are_unquoted_in_2026(replica: Replica) -> None:
    item = one(
        replica,
        lambda item: (
            item.template == "finance2026" and item.story.desk.market == "usstock" and bool(item.story.companies)
        ),
    )
    page = get(replica, item.url).body.decode()
    for name, code in item.story.companies:
        if name in item.story.text:
            assert (
                f"<span id=usstock_{code}><a href=https://stock.finance.sina.com.cn/usstock/quotes/{code}.html " in page
            )
            assert f">{name}</a></span><span id=quote_{code}></span>" in page
    assert "<!-- news_keyword_pub,usstock," + "&".join(code for _, code in item.story.companies) in page


def test_the_mobile_page_of_an_article_answers_too(replica: Replica) -> None:
    item = with_template(replica, "finance2026")
    got = get(replica, item.wap)
    assert got.status == 200
    assert holds_text(item, got.body.decode())


def test_pictures_are_whole_png_files_of_the_size_named(replica: Replica) -> None:
    item = one(replica, lambda item: bool(item.pictures))
    picture = item.pictures[0]
    got = get(replica, "https:" + picture.url, {"Referer": "https://finance.sina.com.cn/"})
    assert got.headers["content-type"] == "image/png"
    assert struct.unpack(">II", got.body[16:24]) == (picture.width, picture.height)
    length = struct.unpack(">I", got.body[33:37])[0]
    pixels = zlib.decompress(got.body[41 : 41 + length])
    assert len(pixels) == picture.height * (1 + 3 * picture.width)
    assert got.body.endswith(b"IEND" + struct.pack(">I", zlib.crc32(b"IEND")))


# --- time --------------------------------------------------------------------------------------


def test_the_same_seed_and_clock_give_the_same_bytes() -> None:
    with Replica(clock) as left, Replica(clock) as right, Replica(clock, seed=SEED + 1) as other:
        for _ in range(2):
            left.advance()
            right.advance()
        assert list(left.ledger) == list(right.ledger)
        assert left.ledger.changes == right.ledger.changes
        assert roll_body(left, 153, 2516) == roll_body(right, 153, 2516)
        for template in ("finance2026", "news2018", "gb2312", "slides", "wap"):
            url = with_template(left, template).url
            assert get(left, url).body == get(right, url).body
        assert not set(left.ledger.published) & set(other.ledger.published)


def test_advance_publishes_edits_and_removes(living: Replica) -> None:
    before = {item.id: item for item in living.ledger}
    pages = {item.id: get(living, item.url) for item in before.values() if item.template.startswith("finance")}
    changes = living.advance()
    assert changes == living.ledger.changes
    assert [change.verb for change in changes if change.verb != "published"] == ["late", "edited", "removed"]
    listed = {item["docid"]: item for item in _whole_list(living)}
    for change in changes:
        item = living.ledger.published[change.id]
        got = get(living, item.url)
        match change.verb:
            case "published" | "late":
                assert item.id not in before
                assert item.docid in listed
                assert holds_text(item, got.body.decode())
            case "edited":
                old, new = item.versions
                assert item.mtime > before[item.id].mtime
                assert item.ctime == before[item.id].ctime
                assert listed[item.docid]["mtime"] == str(int(item.mtime.timestamp()))
                changed = [pair for pair in zip(old.paragraphs, new.paragraphs, strict=True) if len(set(pair)) == 2]
                assert len(changed) == 1
                assert sum(a != b for a, b in zip(*changed[0], strict=True)) == 1
                assert b"article:update_at" in got.body
                assert holds_text(item, got.body.decode())
                if item.id in pages:
                    known = {"If-None-Match": pages[item.id].headers["etag"]}
                    assert get(living, item.url, known).status == 200
            case "removed":
                assert item.docid not in listed
                assert got.status == 404
                assert get(living, item.wap).status == 404


def _whole_list(replica: Replica) -> list[dict]:
    pages = [roll(replica, 153, 2516, f"&num=50&page={page}")["data"] for page in range(1, 6)]
    return [item for page in pages for item in page]


def test_the_late_arrival_surfaces_below_newer_entries(living: Replica) -> None:
    (late,) = (change.id for change in living.advance() if change.verb == "late")
    item = living.ledger.published[late]
    assert item.intime - item.ctime == timedelta(minutes=85)
    places = [entry["docid"] for entry in roll(living, 155, 1686)["data"]]
    known = {other.docid for other in living.ledger if other.intime < item.intime}
    above = places[: places.index(item.docid)]
    assert len([docid for docid in above if docid in known]) >= 3
    assert not any(change.verb == "late" for change in living.advance())


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_story_of_any_length_can_be_edited(count: int) -> None:
    story = newsroom.write("adr", Random(1), datetime(2026, 1, 5, tzinfo=UTC))
    short = replace(story, paragraphs=tuple(f"第{n}段，12.5亿元。" for n in range(count)))
    changed = [a != b for a, b in zip(short.paragraphs, newsroom.edited(short, Random(2)).paragraphs, strict=True)]
    assert changed == [place == min(1, count - 1) for place in range(count)]
