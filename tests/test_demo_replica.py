"""The replica of Sina speaks HTTP and the roll API as captured, and leaves nothing behind."""

from __future__ import annotations

import gzip
import http.client
import json
import re
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from demo_client import BROWSER, NOW, clock, get, holds_text, roll, roll_body, visible, with_template

from aggregator.demo import Replica
from aggregator.demo.ledger import CHANNELS, Channel

CAPTURE = "corpus/sina/roll_153_2516_2026-09-29_page2_EXCERPT.json"


@pytest.fixture(scope="module")
def replica() -> Iterator[Replica]:
    with Replica(clock) as running:
        yield running


@pytest.fixture
def living() -> Iterator[Replica]:
    """A replica of its own for a test that lets time pass."""
    with Replica(clock) as running:
        yield running


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
def test_each_shipped_channel_answers_as_the_ledger_says(replica: Replica, channel: Channel) -> None:
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
        assert holds_text(item, content)
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
    assert get(replica, "https://n.sinaimg.cn/none.gif", BROWSER).status == 404


def test_requests_are_counted_by_page(living: Replica) -> None:
    item = with_template(living, "finance2019")
    path = urlsplit(item.url).path
    get(living, item.url)
    get(living, item.url + "?from=list")
    assert living.requests["GET", "finance.sina.com.cn", path] == 2
    assert sum(living.requests.values()) == 2


# --- its life


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
        assert set(threading.enumerate()) <= before
    finally:
        waiting.close()
    with Replica(clock, port=port) as again:
        assert again.address.endswith(f":{port}")
