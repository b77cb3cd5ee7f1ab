"""Sina's roll API: good answers, errors at status 200, and items that are broken each in its own way."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.errors import ParseError
from aggregator.model import Enclosure, Listing, Page
from aggregator.sources import SOURCES, sniff
from aggregator.text.dates import iso

URL = "https://feed.mix.sina.com.cn/api/roll/get?pageid=155&lid=1686&num=10&page=3&k="
ROLL = SOURCES["sina-roll"]


def page(body: bytes | str, content_type: str = "application/json") -> Page:
    raw = body.encode() if isinstance(body, str) else body
    return Page(URL, URL, 200, {"content-type": content_type}, raw, datetime(2026, 9, 29, tzinfo=UTC))


def item(**changes: object) -> dict[str, object]:
    return {
        "docid": "comos:nabcdef1234567",
        "url": "https://finance.sina.com.cn/china/2026-09-28/doc-inabcdef1234567.shtml",
        "wapurl": "https://finance.sina.cn/2026-09-28/detail-inabcdef1234567.d.html",
        "title": "央行开展逆回购操作",
        "intro": " 市场流动性合理充裕。",
        "ctime": "1790596208",
        "mtime": "1790596290",
        "intime": "1790596301",
        "media_name": "示例财经",
        **changes,
    }


def answer(*items: object, code: object = 0, **result: object) -> str:
    status = {"code": code, "msg": "succ" if code == 0 else "列表和页面没有经过注册"}
    return json.dumps({"result": {"status": status, "data": list(items), **result}})


def parse(body: bytes | str) -> Listing:
    return ROLL.parse(page(body), None)


def test_the_fields_of_an_item() -> None:
    listing = parse(answer(item(), rtime=1790613575))
    (entry,) = listing.entries
    assert (listing.format, listing.warnings) == ("sina-roll", ())
    assert listing.updated is not None
    assert iso(listing.updated) == "2026-09-28T16:39:35Z"
    assert (entry.id, entry.title, entry.media) == ("comos:nabcdef1234567", "央行开展逆回购操作", "示例财经")
    assert entry.link == "https://finance.sina.com.cn/china/2026-09-28/doc-inabcdef1234567.shtml"
    assert [iso(d) for d in (entry.published, entry.updated, entry.indexed) if d] == [
        "2026-09-28T11:50:08Z",
        "2026-09-28T11:51:30Z",
        "2026-09-28T11:51:41Z",
    ]
    assert (entry.summary, entry.content, entry.full_text) == ("市场流动性合理充裕。", None, False)
    assert entry.raw == json.dumps(item(), ensure_ascii=False, separators=(",", ":")).encode()


def test_the_capture_of_2026(shared: Path) -> None:
    body = (shared / "corpus/sina/roll_153_2516_2026-09-29_page2_EXCERPT.json").read_bytes()
    source = json.loads(body)["result"]["data"]
    listing = parse(body)
    assert (len(listing.entries), listing.warnings) == (2, ())
    for entry, item in zip(listing.entries, source, strict=True):
        assert (entry.id, entry.link, entry.title) == (item["docid"], item["url"], item["title"])
        assert entry.published == datetime.fromtimestamp(int(item["ctime"]), UTC)
        assert entry.updated == datetime.fromtimestamp(int(item["mtime"]), UTC)
        assert entry.indexed == datetime.fromtimestamp(int(item["intime"]), UTC)
        assert (entry.published_text, entry.media) == (item["ctime"], item["media_name"])
        assert (entry.author, entry.summary) == (None, item["intro"].strip())
        assert [e.url for e in entry.enclosures] == [image["u"] for image in item["images"]]
        assert json.loads(entry.raw) == item


@pytest.mark.parametrize(
    "wrapped",
    ["cb({});", "try{{cb({});}}catch(e){{}};", "  /**/ jQuery_1.x( {} )", "\ufefftry {{ cb({}) }} catch(e) {{}}"],
)
def test_jsonp_is_json(wrapped: str) -> None:
    body = wrapped.format(answer(item()))
    assert parse(body) == parse(answer(item()))
    assert sniff(page(body)) == "sina-roll"


def test_scalars_may_be_strings_or_numbers() -> None:
    same = item(ctime=1790596208, mtime=1790596290.0, intime="1790596301")
    assert parse(answer(same, code="0")).entries[0].published == parse(answer(item())).entries[0].published
    assert parse(answer(item(docid=17))).entries[0].id == "17"


@pytest.mark.parametrize("code", [11, "11", -1])
def test_a_code_other_than_0_is_an_error_at_status_200(code: object) -> None:
    with pytest.raises(ParseError, match="列表和页面没有经过注册") as caught:
        parse(answer(code=code))
    assert caught.value.kind == "api_error"
    assert str(code) in caught.value.message
    assert "pageid" in caught.value.hint
    assert sniff(page(answer(code=code))) == "sina-roll"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("", "not_a_feed"),
        ("<html><title>安全验证</title></html>", "blocked"),
        ("<html><title>首页</title></html>", "not_a_feed"),
        ('{"data": []}', "not_a_feed"),
        ("[" * 100_000, "not_a_feed"),
        ("cb(", "not_a_feed"),
        (answer(item())[:-20], "not_a_feed"),
    ],
)
def test_what_is_no_answer_of_the_api(body: str, kind: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse(body)
    assert caught.value.kind == kind
    assert caught.value.where == URL


def test_an_empty_list_is_no_error() -> None:
    assert parse(answer()).entries == ()
    assert parse('{"result":{"status":{"code":0},"data":null}}').entries == ()


def test_img_is_a_list_or_the_house_logo_and_never_an_enclosure() -> None:
    logo = {"u": "http://n.sinaimg.cn/logo.png", "w": 100, "h": 100, "t": ""}
    pictures = [{"u": "//n.sinaimg.cn/a.jpg", "w": "550"}, {"u": "http://n.sinaimg.cn/b.jpg"}, {"u": "javascript:x"}, 7]
    for img in ([], logo, "", None):
        entry = parse(answer(item(img=img, images=pictures))).entries[0]
        assert entry.enclosures == (
            Enclosure("https://n.sinaimg.cn/a.jpg"),
            Enclosure("https://n.sinaimg.cn/b.jpg"),
        )


@pytest.mark.parametrize(
    ("changes", "link"),
    [
        ({"url": "//finance.sina.com.cn/a.shtml"}, "https://finance.sina.com.cn/a.shtml"),
        ({"url": "http://blog.sina.com.cn/s/blog_1.html"}, "https://blog.sina.com.cn/s/blog_1.html"),
        ({"url": "http://elsewhere.example/a"}, "http://elsewhere.example/a"),
        ({"url": "", "urls": '["https://finance.sina.com.cn/b.shtml"]'}, "https://finance.sina.com.cn/b.shtml"),
        ({"url": "", "urls": "[broken"}, "https://finance.sina.cn/2026-09-28/detail-inabcdef1234567.d.html"),
        ({"url": "javascript:alert(1)", "wapurl": ""}, None),
    ],
)
def test_the_link(changes: dict[str, object], link: str | None) -> None:
    assert parse(answer(item(**changes))).entries[0].link == link


def test_link_only_items_are_kept() -> None:
    video = {"url": "https://video.sina.com.cn/p/1.html", "title": "视频", "vid": "42"}
    topic = {"url": "https://finance.sina.com.cn/zt_d/x/", "title": "专题", "ctime": "bad"}
    entries = parse(answer(video, topic)).entries
    assert [(e.id, e.title, e.published) for e in entries] == [(None, "视频", None), (None, "专题", None)]


def test_titles_and_leads_are_decoded_and_trimmed() -> None:
    entry = parse(
        answer(
            item(title=" \n　Hardt &amp; Co．　上涨\t18%\x00 ", intro="　 A &amp; B &lt;b&gt;<script>x</script> ...")
        )
    ).entries[0]
    assert entry.title == "Hardt & Co．　上涨 18%"
    assert entry.summary == "A & B &lt;b> ..."


def test_keywords_become_categories() -> None:
    assert parse(answer(item(keywords="央行,利率，央行; "))).entries[0].categories == ("央行", "利率")


def test_one_broken_item_never_loses_the_others() -> None:
    listing = parse(answer(item(), "text", {}, None, {"title": "no address"}, item(title="last")))
    assert [e.title for e in listing.entries] == ["央行开展逆回购操作", "last"]
    assert len(listing.warnings) == 4
    assert listing.warnings[0] == "item 2 left out: no object"


def test_values_that_json_libraries_trip_over() -> None:
    head, tail = answer(item(title="TITLE", oid="OID")).split('"OID"')
    for value in ("9" * 5000, "NaN", "-Infinity", "1e999", "9223372036854775808", '"\\ud800"', "[" * 200 + "]" * 200):
        entry = parse(head + value + tail).entries[0]
        entry.raw.decode("utf-8")
        assert entry.id == "comos:nabcdef1234567"
    assert parse(answer(item(title="a\ud800b"))).entries[0].title == "a\ufffdb"
    assert parse(head.replace('"TITLE"', '"first", "title": "second"') + "1" + tail).entries[0].title == "second"


def test_a_title_without_end_is_cut_and_said() -> None:
    listing = parse(answer(item(title="长" * 5000)))
    assert len(listing.entries[0].title) == 1000
    assert listing.warnings == ("item 1: title of 5000 characters cut at 1000",)


def test_the_digest_covers_the_items_alone() -> None:
    first = page(answer(item(), timestamp="Tue Sep 29 00:39:35 +0800 2026", rtime=1790613575))
    later = page(answer(item(), timestamp="Tue Sep 29 00:44:35 +0800 2026", rtime=1790613875, total=100_351))
    assert ROLL.digest(first) == ROLL.digest(later)
    assert ROLL.digest(first) != ROLL.digest(page(answer(item(mtime="1790596999"))))
    assert ROLL.digest(page("<html>")) != ROLL.digest(page("<html/>"))
    assert len(ROLL.digest(page(b"\xff" * 9))) == 64


TRICKY = st.sampled_from(
    ["", "1", "2", '"data":[1]', '"timestamp":"1"', '"rtime":1', "\\", '\\"rtime":2,"data":', "中"]
)
VALUES = TRICKY | st.sampled_from([0, 1, 12]) | st.lists(st.dictionaries(st.sampled_from(["data", "rtime"]), TRICKY))
RESULTS = st.dictionaries(st.sampled_from(["timestamp", "rtime", "top", "data"]), VALUES).flatmap(
    lambda result: st.permutations(list(result.items())).map(dict)
)


@given(st.lists(RESULTS, min_size=2, max_size=6), st.booleans())
def test_equal_digests_are_equal_items_wherever_the_times_stand(results: list[dict[str, object]], tight: bool) -> None:
    separators = (",", ":") if tight else None
    digests = [ROLL.digest(page(json.dumps({"result": one}, separators=separators))) for one in results]
    items = [json.dumps(one["data"], sort_keys=True) for one in results if "data" in one]
    told = [digest for one, digest in zip(results, digests, strict=True) if "data" in one]
    assert all((a == b) == (x == y) for a, x in zip(items, told, strict=True) for b, y in zip(items, told, strict=True))


def test_the_address_asks_for_one_full_first_page() -> None:
    assert ROLL.address(URL) == ("https://feed.mix.sina.com.cn/api/roll/get?pageid=155&lid=1686&k=&num=50&page=1")
    assert ROLL.address(ROLL.address(URL)) == ROLL.address(URL)
