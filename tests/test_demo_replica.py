"""The replica of Sina answers as its ledger says, in the shapes of the captures, and leaves nothing behind."""

from __future__ import annotations

import gzip
import html
import http.client
import json
import re
import struct
import threading
import xml.etree.ElementTree as ET
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from aggregator.demo import Replica
from aggregator.demo.ledger import BEIJING, CHANNELS, Published
from aggregator.demo.replica import SEED

NOW = datetime(2026, 9, 29, 0, 39, 35, tzinfo=UTC)
BROWSER = {"User-Agent": "Mozilla/5.0 (test)", "Referer": "https://finance.sina.com.cn/roll/"}
CAPTURE = "corpus/sina/roll_153_2516_2026-09-29_page2_EXCERPT.json"


@dataclass(frozen=True)
class Got:
    status: int
    headers: dict[str, str]
    body: bytes


def clock() -> datetime:
    return NOW


def get(replica: Replica, url: str, headers: dict[str, str] | None = None, method: str = "GET") -> Got:
    """Fetch ``url`` from the replica as a client with ``connect_to`` would."""
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    connection = http.client.HTTPConnection(urlsplit(replica.connect_to()[parts.netloc]).netloc, timeout=10)
    try:
        connection.request(method, target, headers={"Host": parts.netloc, **(headers or {})})
        answer = connection.getresponse()
        names = {name.lower(): value for name, value in answer.getheaders()}
        return Got(answer.status, names, answer.read())
    finally:
        connection.close()


def roll_body(replica: Replica, pageid: int, lid: int, more: str = "&num=50&page=1") -> bytes:
    url = f"https://feed.mix.sina.com.cn/api/roll/get?pageid={pageid}&lid={lid}{more}"
    return get(replica, url, BROWSER).body


def roll(replica: Replica, pageid: int, lid: int, more: str = "&num=50&page=1") -> dict:
    return json.loads(roll_body(replica, pageid, lid, more))["result"]


@pytest.fixture(scope="module")
def replica() -> Iterator[Replica]:
    with Replica(clock) as running:
        yield running


@pytest.fixture
def living() -> Iterator[Replica]:
    """A replica of its own for a test that lets time pass."""
    with Replica(clock) as running:
        yield running


def one(replica: Replica, chosen: Callable[[Published], bool]) -> Published:
    return next(item for item in replica.ledger if chosen(item))


def with_template(replica: Replica, name: str) -> Published:
    return one(replica, lambda item: item.template == name)


def visible(page: str) -> str:
    """The text of a page without its tags, spaces and entities."""
    return re.sub(r"\s+", "", html.unescape(re.sub(r"<[^>]*>", "", page)))


# --- the roll API ------------------------------------------------------------------------------


def shape(value: object) -> object:
    """The JSON type; of an object its keys and their types."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    return [shape(inner) for inner in value[:1]] if isinstance(value, list) else type(value).__name__


def test_the_roll_answer_has_the_keys_and_types_of_the_capture(replica: Replica, shared: Path) -> None:
    captured = json.loads((shared / CAPTURE).read_text(encoding="utf-8"))["result"]
    answered = roll(replica, 153, 2516)
    assert shape({**answered, "data": []}) == shape({**captured, "data": []})
    assert list(answered) == list(captured)
    plain, extended = captured["data"]
    shapes = {tuple(item): shape(item) for item in (plain, extended)}
    for item in answered["data"]:
        like = shapes[tuple(item)]  # the same keys in the same order, with or without mlids and ext
        assert shape({**item, "img": [], "images": []}) == {**like, "img": [], "images": []}
    seen = {json.dumps(shape(item["img"])) for item in answered["data"]}
    assert seen == {json.dumps(shape(plain["img"])), json.dumps(shape(extended["img"]))}
    pictures = [item["images"] for item in answered["data"] if item["images"]]
    assert shape(pictures[0]) == shape(plain["images"])
    assert {len(item) for item in answered["data"]} == {42, 44}


def test_the_roll_answer_is_escaped_as_the_api_escapes(replica: Replica) -> None:
    body = roll_body(replica, 155, 1686)
    assert body.isascii()
    assert b"https:\\/\\/finance.sina.com.cn\\/" in body
    assert re.search(rb"(?<!\\)/", body) is None


def test_jsonp_wraps_the_same_answer(replica: Replica) -> None:
    body = roll_body(replica, 155, 1686, "&num=3&page=1&callback=feedCardJsonpCallback").decode()
    head, tail = "try{feedCardJsonpCallback(", ");}catch(e){};"
    assert body.startswith(head)
    assert body.endswith(tail)
    assert len(json.loads(body[len(head) : -len(tail)])["result"]["data"]) == 3


def test_num_is_clamped_and_pages_follow_each_other(replica: Replica) -> None:
    first = roll(replica, 153, 2516, "&num=100&page=1")
    second = roll(replica, 153, 2516, "&num=100&page=2")
    assert len(first["data"]) == len(second["data"]) == 50
    assert first["total"] == len(replica.ledger.listed(2516))
    assert not {item["docid"] for item in first["data"]} & {item["docid"] for item in second["data"]}
    ctimes = [int(item["ctime"]) for item in first["data"] + second["data"]]
    assert ctimes == sorted(ctimes, reverse=True)
    assert (first["start"], first["end"]) == (ctimes[0], ctimes[49])
    assert roll(replica, 153, 2516, "&num=50&page=9")["data"] == []


def test_every_answer_has_another_timestamp(replica: Replica) -> None:
    answers = [roll(replica, 155, 1690) for _ in range(3)]
    assert len({answer["rtime"] for answer in answers}) == 3
    assert len({answer["timestamp"] for answer in answers}) == 3
    assert answers[0]["data"] == answers[1]["data"] == answers[2]["data"]
    assert re.fullmatch(r"Tue Sep 29 08:\d\d:\d\d \+0800 2026", answers[0]["timestamp"])


@pytest.mark.parametrize("channel", CHANNELS, ids=lambda channel: str(channel.lid))
def test_each_shipped_channel_answers_as_the_ledger_says(replica: Replica, channel) -> None:
    answer = roll(replica, channel.pageid, channel.lid)
    newest = max((int(item["ctime"]) for item in answer["data"]), default=0)
    code = answer["status"]["code"]
    kind = "api_error" if code == 11 else "empty" if not newest else "ok"
    if kind == "ok" and NOW.timestamp() - newest > 86_400:
        kind = "stale"
    assert kind == channel.expect
    assert answer["status"]["msg"] == ("列表和页面没有经过注册" if code else "succ")


def test_a_wrong_pair_is_not_registered(replica: Replica) -> None:
    assert roll(replica, 153, 1686)["status"]["code"] == 11
    assert roll(replica, 155, 2516)["status"]["code"] == 11


@pytest.mark.parametrize("missing", ["User-Agent", "Referer"])
def test_the_api_refuses_who_does_not_look_like_a_browser(replica: Replica, missing: str) -> None:
    url = "https://feed.mix.sina.com.cn/api/roll/get?pageid=155&lid=1686&num=50&page=1"
    headers = {name: value for name, value in BROWSER.items() if name != missing}
    assert get(replica, url, headers).status == 403


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
        assert _holds_text(item, text) == (item.expect == "article"), item.note
        if item.expect == "article":
            assert 20_000 <= len(got.body) <= 70_000


def _proves(item: Published) -> bool:
    return item.expect == "article" or item.template in ("bodiless", "challenge")


def _holds_text(item: Published, page: str) -> bool:
    text = page if item.template != "slides" else page.replace("\\/", "/").replace('\\"', '"')
    shown = visible(text).replace("(0,0.00,0.00%)", "")
    return all(re.sub(r"\s+", "", paragraph) in shown for paragraph in item.story.paragraphs)


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
    assert _holds_text(item, got.body.decode())


def test_pictures_are_whole_png_files_of_the_size_named(replica: Replica) -> None:
    item = one(replica, lambda item: bool(item.pictures))
    picture = item.pictures[0]
    got = get(replica, "https:" + picture.url)
    assert got.headers["content-type"] == "image/png"
    assert struct.unpack(">II", got.body[16:24]) == (picture.width, picture.height)
    length = struct.unpack(">I", got.body[33:37])[0]
    pixels = zlib.decompress(got.body[41 : 41 + length])
    assert len(pixels) == picture.height * (1 + 3 * picture.width)
    assert got.body.endswith(b"IEND" + struct.pack(">I", zlib.crc32(b"IEND")))


# --- the feeds ---------------------------------------------------------------------------------


def test_the_rss_feed_has_sinas_shape(replica: Replica) -> None:
    got = get(replica, "http://rss.sina.com.cn/roll/finance/hot_roll.xml")
    channel = ET.fromstring(got.body).find("channel")
    assert channel is not None
    items = channel.findall("item")
    assert len(items) == 20
    known = {item.url: item for item in replica.ledger}
    for entry in items:
        link = entry.findtext("link", "")
        assert link.startswith("http://go.rss.sina.com.cn/redirect.php?url=https://")
        item = known[link.partition("url=")[2]]
        title = entry.findtext("title", "")
        assert title.startswith("\n\t")
        assert title.strip() == item.title
        assert entry.findtext("pubDate") == item.ctime.strftime("%a, %d %b %Y %H:%M:%S GMT")
        assert entry.findtext("description", "").strip().endswith("....")
    redirected = get(replica, items[0].findtext("link", ""))
    assert redirected.status == 302
    assert redirected.headers["location"] in known


def test_the_atom_feed_carries_whole_texts(replica: Replica) -> None:
    name = "{http://www.w3.org/2005/Atom}"
    root = ET.fromstring(get(replica, "http://rss.sina.com.cn/demo/atom.xml").body)
    entries = root.findall(name + "entry")
    assert len(entries) == 12
    for entry in entries:
        item = replica.ledger.published[entry.findtext(name + "id", "").rpartition(":")[2]]
        content = entry.findtext(name + "content", "")
        assert _holds_text(item, content)
        assert len(visible(content)) >= 200


# --- HTTP --------------------------------------------------------------------------------------


def test_pages_and_feeds_honour_conditional_requests(replica: Replica) -> None:
    for url in (with_template(replica, "finance2019").url, "http://rss.sina.com.cn/roll/finance/hot_roll.xml"):
        whole = get(replica, url)
        etag, modified = whole.headers["etag"], whole.headers["last-modified"]
        again = get(replica, url, {"If-None-Match": f'"other", W/{etag}'})
        assert (again.status, again.body) == (304, b"")
        assert again.headers["etag"] == etag
        assert get(replica, url, {"If-Modified-Since": modified}).status == 304
        assert get(replica, url, {"If-None-Match": '"other"', "If-Modified-Since": modified}).status == 200
        assert get(replica, url, {"If-Modified-Since": "yesterday"}).status == 200


def test_the_roll_api_has_no_validators(replica: Replica) -> None:
    got = get(replica, "https://feed.mix.sina.com.cn/api/roll/get?pageid=155&lid=1686&num=50&page=1", BROWSER)
    assert not {"etag", "last-modified"} & set(got.headers)


def test_a_client_that_takes_gzip_gets_it(replica: Replica) -> None:
    url = with_template(replica, "finance2026").url
    packed = get(replica, url, {"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == get(replica, url).body


def test_a_connection_serves_many_requests(replica: Replica) -> None:
    connection = http.client.HTTPConnection(urlsplit(replica.address).netloc, timeout=10)
    try:
        connection.connect()
        socket = connection.sock
        for item in list(replica.ledger)[:5]:
            parts = urlsplit(item.url)
            connection.request("GET", parts.path, headers={"Host": f"{parts.netloc}:8377"})
            assert connection.getresponse().read()
        assert connection.sock is socket
    finally:
        connection.close()


def test_head_sends_no_body_and_unknown_places_are_404(replica: Replica) -> None:
    url = with_template(replica, "finance2026").url
    head = get(replica, url, method="HEAD")
    assert (head.status, head.body) == (200, b"")
    assert int(head.headers["content-length"]) == len(get(replica, url).body)
    assert get(replica, "https://finance.sina.com.cn/robots.txt").status == 404
    assert get(replica, "https://n.sinaimg.cn/none.gif").status == 404


def test_requests_are_counted_by_page(living: Replica) -> None:
    item = with_template(living, "finance2019")
    path = urlsplit(item.url).path
    get(living, item.url)
    get(living, item.url + "?from=list")
    assert living.requests["GET", "finance.sina.com.cn", path] == 2
    assert sum(living.requests.values()) == 2


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
                assert _holds_text(item, got.body.decode())
            case "edited":
                old, new = item.versions
                assert item.mtime > before[item.id].mtime
                assert item.ctime == before[item.id].ctime
                assert listed[item.docid]["mtime"] == str(int(item.mtime.timestamp()))
                changed = [pair for pair in zip(old.paragraphs, new.paragraphs, strict=True) if len(set(pair)) == 2]
                assert len(changed) == 1
                assert sum(a != b for a, b in zip(*changed[0], strict=True)) == 1
                assert b"article:update_at" in got.body
                assert _holds_text(item, got.body.decode())
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


def test_serve_advances_until_it_is_told_to_stop(living: Replica) -> None:
    stop = threading.Event()
    told: list[int] = []

    def tell(changes: list) -> None:
        told.append(len(changes))
        if len(told) == 3:
            stop.set()

    living.serve(stop, every=0.001, tell=tell)
    assert len(told) == 3
    assert sum(told) == len(living.ledger.changes)


def test_a_replica_that_runs_for_long_forgets_the_oldest() -> None:
    with Replica(clock, keep=200) as long:
        oldest = next(iter(long.ledger))
        for _ in range(40):
            long.advance()
        assert len(long.ledger.published) == 200
        assert get(long, oldest.url).status == 404
        assert {get(long, item.url).status for item in long.ledger} <= {200, 404}
        assert len({item.oid for item in long.ledger}) == 200


def test_nothing_is_left_after_stop() -> None:
    before = set(threading.enumerate())
    replica = Replica(clock)
    with pytest.raises(RuntimeError, match="not running"):
        _ = replica.address
    replica.start()
    waiting = http.client.HTTPConnection(urlsplit(replica.address).netloc, timeout=10)
    try:
        waiting.request("GET", "/", headers={"Host": "finance.sina.com.cn"})
        assert waiting.getresponse().read()
        assert set(threading.enumerate()) > before
        port = int(replica.address.rpartition(":")[2])
        replica.stop()
        replica.stop()
        assert set(threading.enumerate()) == before
    finally:
        waiting.close()
    with Replica(clock, port=port) as again:
        assert again.address.endswith(f":{port}")
