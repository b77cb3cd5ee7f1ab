"""OPML in and out: what other readers write is read, however broken; what goes out comes back the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.config import Settings, add_feeds, parse, starter
from aggregator.errors import ConfigError, ParseError
from aggregator.model import Feed
from aggregator.opml import Decision, plan, read, write
from aggregator.opml.terms import SETTINGS, categories_of, folders_of
from aggregator.text.characters import one_line

ROOT = Path(__file__).resolve().parent.parent
WHEN = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
EMPTY = "archive: a.db\n"
FEED = '<outline type="rss" text="A" xmlUrl="https://a.example/f"/>'


def opml(body: str, root: str = "") -> bytes:
    return f'<?xml version="1.0"?>\n<opml version="2.0"{root}>\n<body>\n{body}\n</body></opml>'.encode()


def settings(text: str) -> Settings:
    return parse(text, Path("config.yaml"))


def decisions(body: bytes | str, config: str = EMPTY) -> list[Decision]:
    return plan(read(body if isinstance(body, bytes) else opml(body)).outlines, settings(config))


def imported(body: bytes | str, config: str = EMPTY) -> Settings:
    """The configuration after an import of everything that can be added."""
    rows = [one.row for one in decisions(body, config) if one.row]
    return settings(add_feeds(config, rows))


def exported(found: Settings) -> bytes:
    return write(found, WHEN, secrets=True).encode()


# -- reading -------------------------------------------------------------------------------------------------------

CHINESE = '<outline text="新浪财经 国内要闻" xmlUrl="https://a.example/f"/>'
READABLE = {
    "a bare ampersand": (b'<opml><outline text="A&B" xmlUrl="https://a.example/f?x=1&y=2"/></opml>', "A&B"),
    "names that only HTML knows": (b'<opml><outline text="A &raquo; B" xmlUrl="https://a.example/f"/></opml>', "A » B"),
    "an angle bracket": (b'<opml><outline text="I <3 U" xmlUrl="https://a.example/f"/></opml>', "I <3 U"),
    "control characters": (b'<opml><outline text="A\x00\x0bB&#1;" xmlUrl="https://a.example/f"/></opml>', "AB"),
    "half a pair": (b'<opml><outline text="A&#xD83D;" xmlUrl="https://a.example/f"/></opml>', "A\ufffd"),
    "a BOM": (b"\xef\xbb\xbf" + opml(CHINESE), "新浪财经 国内要闻"),
    "UTF-16": (opml(CHINESE).decode().encode("utf-16"), "新浪财经 国内要闻"),
    "GBK that says UTF-8": (
        b'<?xml version="1.0" encoding="utf-8"?>' + opml(CHINESE).decode().encode("gbk"),
        "新浪财经 国内要闻",
    ),
    "GB2312": (
        b'<?xml version="1.0" encoding="gb2312"?><opml>' + CHINESE.encode("gbk") + b"</opml>",
        "新浪财经 国内要闻",
    ),
    "windows-1252": (b'<opml><outline text="caf\xe9" xmlUrl="https://a.example/f"/></opml>', "café"),
    "windows-1251": (
        b'<?xml version="1.0" encoding="windows-1251"?><opml>'
        + '<outline text="Новости дня" xmlUrl="https://a.example/f"/></opml>'.encode("cp1251"),
        "Новости дня",
    ),
    "a server's warning before it": (b"<br />\n<b>Warning</b>: x in y\n" + opml(FEED), "A"),
    "a DOCTYPE": (b'<!DOCTYPE opml SYSTEM "http://127.0.0.1:9/opml.dtd">' + opml(FEED), "A"),
    "a namespace": (opml(FEED, ' xmlns="http://opml.org/spec2"'), "A"),
    "capitals": (b'<OPML><BODY><OUTLINE TEXT="A" XMLURL="https://a.example/f"/></BODY></OPML>', "A"),
    "no body": (b"<opml>" + FEED.encode() + b"</opml>", "A"),
    "a title only": (b'<opml><outline text="" title="A" xmlUrl="https://a.example/f"/></opml>', "A"),
}


@pytest.mark.parametrize(("body", "name"), READABLE.values(), ids=READABLE)
def test_what_is_slightly_broken_is_read_as_it_was_meant(body: bytes, name: str) -> None:
    (one,) = decisions(body)
    assert (one.verdict, one.name) == ("added", name)
    assert one.url.startswith("https://a.example/f")
    assert read(body).damage is None


BROKEN = {
    "cut": opml(FEED + "\n<outline text='B' xmlU")[:-20],
    "an element left open": opml(f"<outline text='F'>{FEED}"),
    "an attribute without quotes": opml(FEED + "\n<outline text=B xmlUrl='https://b.example'/>"),
    "a quote too many": opml(FEED + "\n<outline text='B' xmlUrl='https://b.example''/>"),
    "two files in one": opml(FEED) + opml(FEED.replace("a.example", "b.example")),
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_what_is_badly_broken_is_read_as_far_as_it_goes_and_told(body: bytes) -> None:
    found = read(body)
    assert found.outlines[0].get("xmlUrl") == "https://a.example/f"
    assert found.damage is not None
    assert found.damage.startswith("line ")


def test_lines_are_those_of_the_file() -> None:
    body = (
        f"\n<?xml version='1.0'?>\n<!-- a\n-->\n<opml>\n<body>\n{FEED}\n\n<outline/>\n<outline text=x/>\n</body></opml>"
    )
    found = read(body.encode())
    assert [one.line for one in found.outlines] == [7, 9, 10]
    assert str(found.damage).startswith("line 10: ")


# -- folders and categories ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("folders", "categories"),
    [
        ([], ("未分类", "a.example", "a.example")),
        (["A"], ("A", "a.example", "a.example")),
        (["A", "B"], ("A", "B", "a.example")),
        (["A", "B", "C"], ("A", "B", "C")),
        (["A", "B", "C", "D", "E"], ("A", "B", "C－D－E")),
        (["A", "", "C"], ("A", "C", "a.example")),
        (["", "\x0b"], ("未分类", "a.example", "a.example")),
    ],
)
def test_folders_become_three_categories(folders: list[str], categories: tuple[str, str, str]) -> None:
    inside = "".join(f'<outline text="{name}">' for name in folders) + FEED + "</outline>" * len(folders)
    assert imported(inside).feed_list()[0].categories == categories


NAMES = st.sampled_from(["A", "B", "未分类", "a.example"])


@given(st.lists(NAMES, max_size=3))
def test_folders_and_categories_are_inverse(folders: list[str]) -> None:
    three = categories_of(folders, "a.example") or ["未分类", "a.example", "a.example"]
    again = categories_of(folders_of(three, "a.example"), "a.example") or ["未分类", "a.example", "a.example"]
    assert again == three


def test_a_category_files_a_feed_that_is_in_no_folder() -> None:
    feed = FEED.replace("<outline", '<outline category="/Boston/Weather,tag"')
    assert imported(feed).feed_list()[0].categories == ("Boston", "Weather", "a.example")
    within = imported(f'<outline text="F">{feed}</outline>')
    assert within.feed_list()[0].categories == ("F", "a.example", "a.example")
    assert within.feeds[0].opml == {"category": "/Boston/Weather,tag"}


# -- names and addresses -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("--help", "help"),
        ("-- - -", "a.example"),
        ("https://b.example/feed", "b.example/feed"),
        ("x://://y", "y"),
        ("A\u202eB", "AB"),
        ("A&#10;&#9;B", "A B"),
        ("'\": #[]{}", "'\": #[]{}"),
        ("null", "null"),
        ("no", "no"),
        ("1e3", "1e3"),
        ("A - name: B", "A - name: B"),
        ("!!python/object:x", "!!python/object:x"),
        ("*a &b", "*a &b"),
        ("x" * 101, "x" * 99 + "…"),
        ("", "a.example"),
        ("新浪财经－国內", "新浪财经－国內"),
    ],
)
def test_a_name_is_the_text_as_far_as_a_feed_may_be_called_so(text: str, name: str) -> None:
    escaped = text.replace("&", "&amp;").replace("&amp;#", "&#").replace('"', "&quot;")
    found = imported(FEED.replace('"A"', f'"{escaped}"'))
    assert [feed.name for feed in found.feeds] == [name]
    if one_line(text) not in (name, "", "A&#10;&#9;B"):  # what was changed is not lost
        assert found.feeds[0].opml["title"] == text


def test_names_are_made_unique_and_nothing_is_quadratic() -> None:
    config = add_feeds(EMPTY, [{"name": "A", "source": "feed", "url": "https://z.example/"}])
    two = FEED + FEED.replace("a.example", "b.example")
    assert [one.name for one in decisions(two, config)] == ["A 2", "A 3"]
    many = "".join(f'<outline text="{"A" * 99}" xmlUrl="https://a.example/{n}"/>' for n in range(5000))
    started = time.process_time()
    found = decisions(many)
    assert len({one.name for one in found}) == 5000
    assert time.process_time() - started < 20


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("feed://a.example/f", "http://a.example/f"),
        ("feed:https://a.example/f", "https://a.example/f"),
        (" https://a.example/&#10;f ", "https://a.example/f"),
        ("https://a.example/a b", "https://a.example/a%20b"),
        ("https://a.example/f?a=1&amp;b=2", "https://a.example/f?a=1&b=2"),
    ],
)
def test_addresses_are_tidied(written: str, url: str) -> None:
    assert imported(f'<outline text="A" xmlUrl="{written}"/>').feeds[0].url == url


def test_the_url_of_old_files_is_an_address_if_the_outline_is_a_feed() -> None:
    found = decisions(
        '<outline type="rss" text="A" url="https://a.example/f"/><outline text="B" url="https://b.example"/>'
    )
    assert [one.verdict for one in found] == ["added", "skipped"]


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://",
        "/etc/passwd",
        "data:text/xml,x",
        "https://a.example:99999/",
        "http://[::1/",
        "feed:",
    ],
)
def test_an_address_that_is_none_is_refused_and_the_rest_is_added(url: str) -> None:
    found = decisions(f'<outline text="E" xmlUrl="{url}"/>{FEED}')
    assert [one.verdict for one in found] == ["refused", "added"]
    assert "url: " in found[0].why


@pytest.mark.parametrize(
    "other",
    ["http://a.example/f", "HTTPS://WWW.A.EXAMPLE:443/f", "https://a.example/f#top", "feed://a.example/%66"],
)
def test_one_listing_under_two_spellings_is_one_feed(other: str) -> None:
    first, second = decisions(FEED.replace("a.example", "www.a.example") + FEED.replace("https://a.example/f", other))
    assert (first.verdict, second.verdict, second.why) == ("added", "skipped", "twice in this file, first in line 4")
    config = add_feeds(EMPTY, [first.row or {}])
    assert {one.why for one in decisions(FEED, config)} == {"already there, as A"}


def test_lists_that_differ_in_their_query_are_two() -> None:
    roll = "https://feed.mix.sina.com.cn/api/roll/get?pageid=155&amp;lid="
    urls = [
        roll + "1686",
        roll + "1687&amp;num=20",
        "https://a.example/forum.php?mod=rss",
        "https://a.example/forum.php",
    ]
    found = imported("".join(f'<outline text="A" xmlUrl="{url}"/>' for url in urls))
    assert [feed.source for feed in found.feeds] == ["sina-roll", "sina-roll", "feed", "feed"]
    again = decisions(f'<outline text="A" xmlUrl="{roll}1687&amp;num=50&amp;page=2"/>', add_feeds(EMPTY, _rows(found)))
    assert [one.why for one in again] == ["already there, as A 2"]


def _rows(found: Settings) -> list[dict[str, object]]:
    return [{"name": feed.name, "source": feed.source, "url": feed.url} for feed in found.feeds]


@pytest.mark.parametrize(
    ("outline", "why"),
    [
        ('<outline type="include" text="x" url="http://127.0.0.1:9/o.opml"/>', "nothing is fetched"),
        ('<outline type="link" text="x" url="https://b.example/"/>', "no feed"),
        ('<outline text="a note"/>', "no xmlUrl"),
        ('<outline text="F" isComment="true"><outline xmlUrl="https://b.example"/></outline>', "commented out"),
        ("<outline/>", "no xmlUrl"),
    ],
)
def test_what_is_no_feed_is_skipped_and_said(outline: str, why: str) -> None:
    first, second = decisions(outline + FEED)
    assert (first.verdict, second.verdict) == ("skipped", "added")
    assert why in first.why


# -- out, and in again ---------------------------------------------------------------------------------------------


def test_the_shipped_configuration_comes_back_the_same() -> None:
    shipped = settings(starter())
    text = exported(shipped)
    # `interval` is of the file, for all its feeds, and stays there.
    assert imported(text).feed_list() == tuple(replace(feed, slowest=None) for feed in shipped.feed_list())
    assert exported(imported(text)) == text
    root = ET.fromstring(text)
    assert (root.tag, root.get("version")) == ("opml", "2.0")
    assert [child.tag for child in root] == ["head", "body"]
    assert root.findtext("head/dateCreated") == "Tue, 24 Nov 2026 08:00:00 GMT"
    assert all(outline.get("text") for outline in root.iter("outline"))
    feeds = [one for one in root.iter("outline") if one.get("xmlUrl")]
    assert [one.get("text") for one in feeds] == [feed.name for feed in shipped.feeds]
    assert {one.get("type") for one in feeds} == {"rss"}
    assert len(root.findall("body/outline/outline/outline/outline")) == 10


def test_attributes_nobody_here_knows_come_out_again() -> None:
    outline = (
        '<outline text="A" title="The A" type="atom" xmlUrl="https://a.example/f" htmlUrl="https://a.example/?a&amp;b"'
        ' description="&lt;b&gt; &quot;1&quot;&#10;2" custom="" version="RSS2" x:y="1" z:y="2" xml:lang="de" u:k="3"'
        ' created="x"/>'
    )
    found = imported(opml(outline, ' xmlns:x="urn:x" xmlns:z="urn:z"'))
    ((_, after),) = [(o.get("text"), dict(o.attrib)) for o in ET.fromstring(exported(found)).iter("outline")]
    assert after == {
        "text": "A",
        "title": "The A",
        "type": "atom",
        "xmlUrl": "https://a.example/f",
        "htmlUrl": "https://a.example/?a&b",
        "description": '<b> "1"\n2',
        "custom": "",
        "version": "RSS2",
        "created": "x",
        "{urn:x}y": "1",
        "{urn:z}y": "2",
        "{urn:undeclared:u}k": "3",
        "{http://www.w3.org/XML/1998/namespace}lang": "de",
    }
    assert imported(exported(found)).feeds == found.feeds


def test_one_prefix_may_mean_two_things() -> None:
    first = FEED.replace("<outline", '<outline xmlns:x="urn:1" x:k="1"')
    second = FEED.replace("<outline", '<outline xmlns:x="urn:2" x:k="2"').replace("a.example", "b.example")
    found = ET.fromstring(exported(imported(first + second))).iter("outline")
    assert [(one.get("{urn:1}k"), one.get("{urn:2}k")) for one in found] == [("1", None), (None, "2")]


def test_what_cannot_be_kept_is_said() -> None:
    outline = FEED.replace("<outline", f'<outline big="{"x" * 4001}" aggregator:mood="good" other="1"')
    (one,) = decisions(outline)
    assert (one.verdict, one.why) == ("added", "not kept: aggregator:mood, big")
    assert one.row is not None
    assert one.row["opml"] == {"other": "1"}
    folder = read(opml(f'<outline text="F" isOpen="true" x:y="1">{FEED}</outline>', ' xmlns:x="urn:x"'))
    assert folder.warnings == ("attributes of folders are not kept: isOpen, x:y",)


def test_a_prefix_of_ours_that_means_something_else_is_not_ours() -> None:
    outline = FEED.replace("<outline", '<outline xmlns:aggregator="urn:other" aggregator:every="x"')
    found = imported(outline)
    assert found.feeds[0].opml == {"aggregator-:every": "x", "xmlns:aggregator-": "urn:other"}
    assert ET.fromstring(exported(found)).find(".//outline[@xmlUrl]").get("{urn:other}every") == "x"  # type: ignore[union-attr]


def test_a_setting_that_cannot_be_is_refused_in_the_words_of_the_configuration() -> None:
    (one,) = decisions(FEED.replace("<outline", '<outline aggregator:every="soon" aggregator:headers="["'))
    assert one.verdict == "refused"
    assert "every: must be a duration" in one.why
    assert "headers: must be a section" in one.why


def test_every_setting_of_a_feed_has_its_attribute() -> None:
    elsewhere = {"name", "url", "categories", "slowest"}  # how often at least is said by the file, for all feeds
    of_this_machine = {"cookies", "proxy"}
    states = {"way"}
    assert {field.name for field in fields(Feed)} == {*SETTINGS} | elsewhere | of_this_machine | states


def test_what_a_feed_keeps_and_where_else_it_is_asked_come_back_and_credentials_stay() -> None:
    ways = "[{source: feed, url: 'https://me:hush@b.example/f'}]"
    feed = f"{{name: a, source: feed, url: 'https://a.example/f', keep: [利率, {{title: '/a|b/'}}], fallback: {ways}}}"
    found = settings(f"feeds:\n- {feed}\n")
    assert "hush" not in write(found, WHEN)
    whole = settings(f"feeds:\n- {feed.replace('me:hush@', '')}\n")
    (again,) = imported(write(whole, WHEN)).feed_list()
    assert (again.keep, again.fallback) == (whole.feed_list()[0].keep, whole.feed_list()[0].fallback)


def test_secrets_are_left_out_unless_asked_for() -> None:
    feed = "{name: a, source: feed, url: 'https://me:hush@a.example/f', headers: {Cookie: hush}}"
    found = settings(f"feeds:\n- {feed}\n")
    assert "hush" not in write(found, WHEN)
    assert "https://a.example/f" in write(found, WHEN)
    assert imported(exported(found)).feed_list() == found.feed_list()


def test_a_feed_added_to_a_folder_by_hand_keeps_the_order() -> None:
    folders = ["X", "Y", "X"]
    rows = [
        {"name": f"{n}", "source": "feed", "url": f"https://{n}.example/", "categories": [folder, "b", "c"]}
        for n, folder in enumerate(folders)
    ]
    found = settings(add_feeds(EMPTY, rows))
    assert imported(exported(found)).feed_list() == found.feed_list()


LINE = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")) | st.sampled_from("<>&\"' :#-/,{}[]"), max_size=12
)
TEXT = st.text(st.characters(exclude_categories=("Cs",)) | st.sampled_from("<>&\"'\n\t"), max_size=20)
PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12).map(str.strip)
HOST = st.sampled_from(["a.example", "www.b.example:8080", "rss.sina.com.cn", "[2001:db8::1]", "例子.example"])
PATH = st.text(st.sampled_from("ab/?&=%<>\"'#;é中"), max_size=10)
KEY = st.sampled_from(
    "htmlUrl description type title category version created url x:k y:k xmlns:x xmlns:y xml:lang ü".split()
)
OPTIONS = {
    "categories": st.tuples(LINE, LINE, LINE) | st.tuples(LINE, st.just("a.example"), st.just("a.example")),
    "every": st.integers(1, 10**6),
    "enabled": st.booleans(),
    "pages": st.sampled_from(["auto", True, False]),
    "zone": st.sampled_from(["UTC", "Asia/Shanghai", "Europe/Berlin"]),
    "expect_newest_within": st.sampled_from(["1s", "90m", "7d", "36h"]),
    "retry_after_scope": st.sampled_from(["host", "feed"]),
    "headers": st.dictionaries(st.sampled_from(["X-A", "Cookie"]), PRINTABLE),
    "opml": st.dictionaries(KEY, TEXT, max_size=4),
}
ROLL = "https://feed.mix.sina.com.cn/api/roll/get?pageid=155&lid="
URL = st.builds(lambda host, path: f"https://{host}/{path}", HOST, PATH) | st.integers(0, 10**6).map(
    lambda n: f"{ROLL}{n}"
)
ROW = st.fixed_dictionaries(
    {"name": LINE, "source": st.sampled_from(["feed", "sina-roll"]), "url": URL}, optional=OPTIONS
)
DEFAULTS = st.fixed_dictionaries(
    {}, optional={key: OPTIONS[key] for key in ("every", "pages", "zone", "expect_newest_within")}
)


@given(st.lists(ROW, max_size=4), DEFAULTS)
def test_any_feeds_come_back_the_same(rows: list[dict[str, object]], defaults: dict[str, object]) -> None:
    text = EMPTY + f"defaults: {json.dumps(defaults)}\n"
    for row in rows:
        try:
            longer = add_feeds(text, [row])
            found = settings(longer)
        except ConfigError:
            continue
        if not any("the same url" in warning for warning in found.warnings()):
            text = longer
    before = settings(text)
    out = exported(before)
    assert ET.fromstring(out) is not None
    verdicts = decisions(out)
    if {one.verdict for one in verdicts} <= {"added"}:
        after = imported(out)
        assert after.feed_list() == before.feed_list()
        assert exported(after) == out
    else:  # two addresses of one listing; never anything else
        assert {one.why.split(",")[0] for one in verdicts} <= {"", "twice in this file"}


# -- hostile files -------------------------------------------------------------------------------------------------

LOL = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 11))
HOSTILE = {
    "billion laughs": (f'<!DOCTYPE opml [<!ENTITY a0 "ha">{LOL}]><opml><outline text="&a10;"/></opml>', "entities"),
    "quadratic": (f'<!DOCTYPE opml [<!ENTITY a "{"a" * 10**5}">]><opml text="{"&a;" * 20000}"/>', "entities"),
    "a file of ours": (
        '<!DOCTYPE o [<!ENTITY x SYSTEM "file:///etc/passwd">]><opml><outline text="&x;"/></opml>',
        "entities",
    ),
    "an address": ('<!DOCTYPE o [<!ENTITY % x SYSTEM "http://127.0.0.1:9/"> %x;]><opml/>', "entities"),
    "in UTF-16": ('<!DOCTYPE o [<!ENTITY x SYSTEM "file:///etc/passwd">]><opml/>', "entities"),
    "1e5 outlines": (
        "<opml>" + "".join(f'<outline xmlUrl="http://a.b/{n}"/>' for n in range(10**5)) + "</opml>",
        "too_large",
    ),
    "10,000 nested": ("<opml>" + '<outline text="a">' * 9_999 + FEED + "</outline>" * 9_999 + "</opml>", "too_large"),
    "1e6 other elements": ("<opml>" + "<a>" * 10**6 + FEED + "</opml>", "too_large"),
    "9 MB": ("<opml>" + " " * 9_000_000 + "</opml>", "too_large"),
    "an RSS feed": ('<rss version="2.0"><channel><title>x</title></channel></rss>', "not_opml"),
    "a page": ("<!doctype html><title>Sign in</title>", "not_opml"),
    "nothing": ("", "not_opml"),
    "zeros": ("\0" * 1000, "not_opml"),
    "JSON": ('{"opml": 1}', "not_opml"),
}


@pytest.mark.parametrize(("text", "kind"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_file_is_refused_at_once(text: str, kind: str, request: pytest.FixtureRequest) -> None:
    body = text.encode("utf-16" if "UTF-16" in request.node.name else "utf-8")
    started = time.process_time()
    with pytest.raises(ParseError) as caught:
        read(body)
    assert caught.value.kind == kind
    assert caught.value.hint
    assert time.process_time() - started < 5


def test_half_a_tag_is_damage() -> None:
    found = read(b"<opml ")
    assert found.outlines == ()
    assert found.damage


def test_an_entity_nobody_declared_is_text() -> None:
    (one,) = decisions(FEED.replace('"A"', '"&lol; &a10;"'))
    assert one.name == "&lol; &a10;"


@pytest.mark.parametrize("number", [1, 100, 5000])
def test_an_outline_with_many_attributes_is_no_way_in(number: int) -> None:
    outline = "<outline " + " ".join(f'a{n}="x"' for n in range(number)) + ' text="A" xmlUrl="https://a.example/f"/>'
    found = decisions(outline)
    assert [one.verdict for one in found] == ["added" if number < 99 else "skipped"]


@given(
    st.binary(max_size=60) | st.text(st.sampled_from("<opml outline/>=\"'&;!-[]?x: \n"), max_size=60).map(str.encode)
)
def test_no_bytes_raise_anything_but_a_typed_error(noise: bytes) -> None:
    for body in (noise, b"<opml>" + noise + FEED.encode() + b"</opml>", b"<opml " + noise):
        try:
            found = read(body)
        except ParseError as error:
            assert error.kind in ("not_opml", "entities", "too_large")  # noqa: PT017
            continue
        plan(found.outlines, settings(EMPTY))


# -- the commands --------------------------------------------------------------------------------------------------


def aggregator(home: Path, *words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    command = [sys.executable, "-m", "aggregator", "opml", *words]
    return subprocess.run(command, cwd=home, env=environment, capture_output=True, timeout=60, input=stdin, check=False)


BAD = '<outline text="bad" xmlUrl="javascript:x"/>'
MIXED = opml(f'<outline text="Folder">{FEED}</outline>\n{BAD}\n{FEED}\n<outline text="note"/>')
ADDED = (
    "\n  - name: A\n    source: feed\n    url: https://a.example/f\n    categories: [Folder, a.example, a.example]\n"
)


def test_import_appends_and_keeps_comments(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(starter(), encoding="utf-8")
    (tmp_path / "in.opml").write_bytes(MIXED)
    dry = aggregator(tmp_path, "import", "in.opml", "--dry-run")
    assert dry.returncode == 1
    assert b"nothing written (--dry-run)" in dry.stderr
    assert file.read_text(encoding="utf-8") == starter()
    done = aggregator(tmp_path, "import", "-", "--json", stdin=MIXED)
    told = json.loads(done.stdout)
    assert done.returncode == 1
    assert [(one["line"], one["verdict"]) for one in told["outlines"]] == [
        (4, "added"),
        (5, "refused"),
        (6, "skipped"),
        (7, "skipped"),
    ]
    after = file.read_text(encoding="utf-8")
    assert after.replace(ADDED, "") == starter()
    again = aggregator(tmp_path, "import", "in.opml")
    assert again.returncode == 1
    assert b"already there, as A" in again.stdout
    assert b"0 added, 3 skipped, 1 refused; nothing written" in again.stderr
    assert file.read_text(encoding="utf-8") == after


def test_export_to_a_file_and_to_stdout_and_in_again(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(starter(), encoding="utf-8")
    assert aggregator(tmp_path, "export", "out.opml").returncode == 0
    printed = aggregator(tmp_path, "export").stdout
    assert printed == (tmp_path / "out.opml").read_bytes()
    assert b"aggregator:every" not in printed  # how often is said by `interval`, which is of the file, not of a feed
    (tmp_path / "other.yaml").write_text(EMPTY + "interval: {min: 5m, max: 30m}\n", encoding="utf-8")
    done = aggregator(tmp_path, "import", "out.opml", "--config", "other.yaml")
    assert done.returncode == 0, done.stderr
    other = settings((tmp_path / "other.yaml").read_text(encoding="utf-8"))
    assert other.feed_list() == settings(starter()).feed_list()


@pytest.mark.parametrize(
    ("words", "files", "code", "fragment"),
    [
        (("import", "no.opml"), {}, 2, "No such file"),
        (("import", "."), {}, 2, "Is a directory"),
        (("import", "x.opml"), {"x.opml": "<rss/>"}, 1, "x.opml: this is no OPML: its root element is <rss>"),
        (("import", "x.opml"), {"x.opml": HOSTILE["billion laughs"][0]}, 1, "declares entities"),
        (("import", "x.opml"), {"x.opml": "<opml>" + FEED}, 1, "feeds may be missing: line 1"),
        (
            ("import", "x.opml"),
            {"x.opml": f"<opml>{FEED}</opml>", "config.yaml": "feeds: {a: b}\n"},
            2,
            "must be a list",
        ),
        (
            ("import", "x.opml"),
            {"x.opml": f"<opml>{FEED}</opml>", "config.yaml": "{archive: a.db}\n"},
            2,
            "change the file by hand",
        ),
        (("export", "config.yaml"), {}, 2, "the configuration itself"),
        (("export", "no/where.opml"), {}, 2, "cannot be written"),
    ],
)
def test_mistakes(tmp_path: Path, words: tuple[str, ...], files: dict[str, str], code: int, fragment: str) -> None:
    for name, text in {"config.yaml": EMPTY, **files}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    done = aggregator(tmp_path, *words)
    assert (done.returncode, b"Traceback" in done.stderr) == (code, False), done.stderr
    assert fragment in done.stderr.decode()
    if "missing" not in fragment:
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
