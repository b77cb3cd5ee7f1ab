"""RSS, RDF, Atom: what a feed says, what it hides, and what is no feed at all."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.errors import ParseError
from aggregator.model import Enclosure, Entry, Link, Listing, Page
from aggregator.sources import SOURCES, sniff
from aggregator.text.dates import iso

URL = "https://news.example/feeds/all.xml"
FEED = SOURCES["feed"]
LONG = "央行今日开展公开市场操作，市场流动性保持合理充裕。" * 10


def page(body: bytes | str, **headers: str) -> Page:
    raw = body.encode() if isinstance(body, str) else body
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Page(URL, URL, 200, names, raw, datetime(2022, 7, 15, tzinfo=UTC))


def parse(body: bytes | str, zone: str | None = None, **headers: str) -> Listing:
    return FEED.parse(page(body, **headers), zone)


def rss(*items: str, head: str = "", prolog: str = "") -> str:
    channel = "<title>财经</title><link>https://news.example/</link>"
    body = "".join(items)
    return f'<?xml version="1.0"?>{prolog}<rss version="2.0"><channel>{channel}{head}{body}</channel></rss>'


def item(title: str = "标题", number: int = 1, more: str = "") -> str:
    return f"<item><title>{title}</title><link>https://news.example/{number}</link><guid>g{number}</guid>{more}</item>"


def only(body: bytes | str, zone: str | None = None, **headers: str) -> Entry:
    (entry,) = parse(body, zone, **headers).entries
    return entry


RSS = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/">
<channel>
  <title><![CDATA[
    示例 &amp; 财经
  ]]></title>
  <link>https://news.example/</link><language>zh-cn</language><generator>EXAMPLE</generator>
  <managingEditor>editor@news.example (编辑部)</managingEditor>
  <lastBuildDate>Thu, 14 Jul 2022 08:00:00 GMT</lastBuildDate>
  <image><url>//news.example/logo.png</url><title>t</title><link>/</link></image>
  <item>
    <title><![CDATA[
      利率 <b>走势</b> 平稳
    ]]></title>
    <link>http://go.rss.sina.com.cn/redirect.php?url=http://finance.sina.com.cn/a.shtml?x=1&amp;y=2</link>
    <guid isPermaLink="false">id-1</guid>
    <pubDate>Thu, 14 Jul 2022 07:10:07 GMT</pubDate>
    <dc:creator>张三</dc:creator>
    <source url="https://elsewhere.example/rss">示例日报</source>
    <category>金融</category><category>央行</category><category>金融</category>
    <description>&lt;p&gt;摘要 &lt;a href="/b"&gt;链接&lt;/a&gt;&lt;script&gt;x()&lt;/script&gt;&lt;/p&gt;</description>
    <content:encoded><![CDATA[<p>LONG</p>]]></content:encoded>
    <enclosure url="/a.mp3" length="1234" type="audio/mpeg"/>
    <enclosure url="javascript:x()" length="many"/>
  </item>
</channel></rss>""".replace("LONG", LONG)

ATOM = """<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en" xml:base="https://base.example/dir/">
  <title type="html">A &amp;lt; &lt;i&gt;B&lt;/i&gt;</title>
  <link rel="alternate" href="home"/><link rel="self" href="https://news.example/atom"/>
  <updated>2022-07-14T08:00:00Z</updated><author><name>Ann</name><email>ann@example.org</email></author>
  <logo>logo.png</logo><generator uri="https://g.example/">Gen</generator>
  <entry>
    <id>tag:news.example,2022:1</id><title type="text">a &lt;b&gt;literal&lt;/b&gt; tag</title>
    <link href="entry"/><published>2022-07-14T15:10:07+08:00</published><updated>2022-07-14T07:20:00Z</updated>
    <category term="k" label="宏观"/>
    <summary type="text">1 &lt; 2 &lt;script&gt;</summary>
    <content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>x<br/><a href="rel">y</a></p></div></content>
  </entry>
  <entry><id>2</id><title>no dates</title><updated>2022-07-14T07:20:00Z</updated></entry>
</feed>"""


def test_an_rss_item_field_by_field() -> None:
    entry = only(RSS)
    assert (entry.id, entry.title) == ("id-1", "利率 走势 平稳")
    assert entry.link == "http://finance.sina.com.cn/a.shtml?x=1&y=2"
    assert entry.published == datetime(2022, 7, 14, 7, 10, 7, tzinfo=UTC)
    assert (entry.updated, entry.published_text) == (None, "Thu, 14 Jul 2022 07:10:07 GMT")
    assert (entry.author, entry.media, entry.categories) == ("张三", "示例日报", ("金融", "央行"))
    assert entry.summary == '<p>摘要 <a href="https://news.example/b">链接</a></p>'
    assert (entry.content, entry.full_text) == (f"<p>{LONG}</p>", True)
    assert entry.enclosures == (Enclosure("https://news.example/a.mp3", 1234, "audio/mpeg"),)
    assert entry.raw.decode() == RSS[RSS.index("<item>") : RSS.index("</item>") + 7]


def test_an_rss_channel() -> None:
    listing = parse(RSS)
    assert (listing.format, listing.title, listing.link) == ("rss20", "示例 & 财经", "https://news.example/")
    assert (listing.language, listing.generator, listing.image) == (
        "zh-cn",
        "EXAMPLE",
        "https://news.example/logo.png",
    )
    assert listing.updated == datetime(2022, 7, 14, 8, tzinfo=UTC)
    assert (listing.authors, listing.warnings) == (("编辑部 (editor@news.example)",), ())


def test_an_atom_feed_field_by_field() -> None:
    listing = parse(ATOM)
    assert (listing.format, listing.title, listing.link) == ("atom10", "A < B", "https://base.example/dir/home")
    assert (listing.language, listing.generator, listing.authors) == ("en", "Gen", ("Ann (ann@example.org)",))
    assert listing.image == "https://base.example/dir/logo.png"
    assert Link("https://news.example/atom", "self", "application/atom+xml") in listing.links
    first, second = listing.entries
    assert (first.id, first.link) == ("tag:news.example,2022:1", "https://base.example/dir/entry")
    assert first.title == "a <b>literal</b> tag"  # type="text" is no markup
    assert first.summary == "1 &lt; 2 &lt;script>"
    assert first.content == '<p>x<br><a href="https://base.example/dir/rel">y</a></p>'
    assert (first.published, first.categories) == (datetime(2022, 7, 14, 7, 10, 7, tzinfo=UTC), ("宏观",))
    assert (second.published, second.published_text) == (None, None)  # never from updated
    assert second.updated == datetime(2022, 7, 14, 7, 20, tzinfo=UTC)


def test_rdf_dates_are_dc_dates() -> None:
    body = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
      xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="https://news.example/"><title>t</title></channel>
      <item rdf:about="https://news.example/1"><title>x</title><link>https://news.example/1</link>
      <dc:date>2022-07-14T15:10:07+08:00</dc:date><dc:publisher>社</dc:publisher></item></rdf:RDF>"""
    entry = only(body)
    assert parse(body).format == "rss10"
    assert (entry.id, entry.media) == ("https://news.example/1", "社")
    assert entry.published == datetime(2022, 7, 14, 7, 10, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2022年07月14日 15:10", "2022-07-14T07:10:00Z"),
        ("2022/07/14 15:10", "2022-07-14T07:10:00Z"),
        ("Thu, 14 Jul 2022 15:10:07 CST", "2022-07-14T07:10:07Z"),
        ("1657782607", "2022-07-14T07:10:07Z"),
        ("今天 15:10", None),
        ("9999-01-01", None),
    ],
)
def test_dates_are_read_from_the_sources_own_words(text: str, expected: str | None) -> None:
    entry = only(rss(item(more=f"<pubDate>{text}</pubDate>")), "Asia/Shanghai")
    assert (entry.published and iso(entry.published)) == expected
    assert entry.published_text == text


def test_a_date_far_ahead_is_kept_and_said() -> None:
    listing = parse(rss(item(more="<pubDate>Thu, 14 Jul 2033 07:10:07 GMT</pubDate>")))
    assert listing.entries[0].published is not None
    assert listing.warnings == ("item 1: published 2033-07-14T07:10:07Z, more than 48 hours ahead",)


@pytest.mark.parametrize(
    ("more", "link", "identity"),
    [
        ("<guid>https://news.example/p</guid>", "https://news.example/p", "https://news.example/p"),
        ("<guid>17</guid>", None, "17"),
        ('<guid isPermaLink="false">https://x.example/</guid>', None, "https://x.example/"),
        ("<link>/relative</link>", "https://news.example/relative", None),
        ("<link>javascript:x()</link>", None, None),
    ],
)
def test_links_and_guids(more: str, link: str | None, identity: str | None) -> None:
    entry = only(rss(f"<item><title>t</title>{more}</item>"))
    assert (entry.link, entry.id) == (link, identity)


@pytest.mark.parametrize(
    ("content", "full"),
    [(LONG, True), (LONG[:150], False), (LONG + "...", False), (LONG + "……", False), (f"<p>{LONG}</p> [...]", False)],
)
def test_what_counts_as_the_full_text(content: str, full: bool) -> None:
    prefix = 'xmlns:c="http://purl.org/rss/1.0/modules/content/"'
    entry = only(rss(item(more=f"<c:encoded {prefix}><![CDATA[{content}]]></c:encoded>")))
    assert entry.full_text is full
    assert not only(rss(item(more=f"<description>{LONG}</description>"))).full_text
    assert not only(rss(item(more=f"<description>a</description><description>{LONG}</description>"))).full_text


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        ("", "not_a_feed", "an empty answer"),
        (" \n", "not_a_feed", "an empty answer"),
        ("<!DOCTYPE html><html><title>用户登录</title>", "not_a_feed", "HTML page titled “用户登录”"),
        ("<html><title>x</title><p>请完成安全验证</p></html>", "blocked", "challenge"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "not_a_feed", "a PNG image"),
        ('{"error": "no"}', "not_a_feed", "JSON of another kind"),
        ('[{"a": "<p>安全验证</p>"}]', "not_a_feed", "JSON of another kind"),
        ("<note>x</note>", "not_a_feed", "root element <note>"),
        ('<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"/>', "not_a_feed", "HTML page"),
        ("/etc/hostname", "not_a_feed", "'/etc/hostname'"),
        ("file:///etc/hostname", "not_a_feed", "'file:"),
        ("http://127.0.0.1:9/", "not_a_feed", "'http:"),
    ],
)
def test_what_is_no_feed(body: bytes | str, kind: str, words: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse(body)
    assert (caught.value.kind, caught.value.where) == (kind, URL)
    assert words in caught.value.message
    assert caught.value.hint


def test_a_valid_feed_without_items_is_no_error() -> None:
    listing = parse(rss())
    assert (listing.title, listing.entries, listing.warnings) == ("财经", (), ())


WHOLE = rss(*(item(f"t{n}", n, "<pubDate>Thu, 14 Jul 2022 07:10:07 GMT</pubDate>") for n in range(4)))


@pytest.mark.parametrize("cut", range(120, len(WHOLE), 37))
def test_a_feed_cut_anywhere_keeps_its_whole_items_only(cut: int) -> None:
    whole = parse(WHOLE).entries
    listing = parse(WHOLE[:cut])
    assert listing.entries == whole[: WHOLE[:cut].count("</item>")]
    assert any(w.startswith("truncated") for w in listing.warnings)


def test_references_to_characters_that_do_not_exist() -> None:
    bad = "a&#xD800;b&#xD83D;&#xDE00;c&#x110000;d&#99999999999999;e&#0;&#x1F;f"
    listing = parse(rss(item(bad), item("ok", 2)))
    assert [e.title for e in listing.entries] == ["a�b😀c�d�ef", "ok"]


def test_control_characters_go_and_nothing_else() -> None:
    listing = parse(rss(item("a\x00b\x01c\x1f\ufffe中"), item("ok", 2)))
    assert [e.title for e in listing.entries] == ["abc中", "ok"]


@pytest.mark.parametrize("before", ["  \n", "\ufeff\ufeff", "Notice: x in y\n", "<br />\n<b>Warning</b>: x <i>y</i>\n"])
def test_text_before_the_declaration(before: str) -> None:
    assert parse(before + rss(item())).entries == parse(rss(item())).entries


def test_bare_ampersands_and_html_entities_do_no_harm() -> None:
    listing = parse(rss(item("AT&T &nbsp; R&D&copy; &amp;nbsp;", more="<description><![CDATA[a&b]]></description>")))
    assert (listing.entries[0].title, listing.warnings) == ("AT&T R&D©", ())
    assert listing.entries[0].summary == "a&b"


def test_undeclared_prefixes_are_declared() -> None:
    listing = parse(rss(item(more="<dc:creator>李四</dc:creator>")))
    assert (listing.entries[0].author, listing.warnings) == ("李四", ())


def test_broken_xml_is_read_as_far_as_it_goes() -> None:
    listing = parse(rss(*(item(f"t{n}", n, "<description>a <b>c & d</description>") for n in range(50))))
    assert [e.title for e in listing.entries] == [f"t{n}" for n in range(50)]
    assert listing.warnings[0].startswith("not well-formed XML")


ATTRIBUTES = " ".join(f"a{n}='1'" for n in range(50_000))
LAUGHS = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 11))


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("laughs", rss(item("&a10;"), item("ok", 2), prolog=f'<!DOCTYPE r [<!ENTITY a0 "ha">{LAUGHS}]>')),
        ("quadratic", rss(item("&a;" * 20_000), prolog=f'<!DOCTYPE r [<!ENTITY a "{"x" * 100_000}">]>')),
        ("external", rss(item("&x;"), prolog='<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/hostname">]>')),
        ("comments", rss(item(more="<!--" * 50_000))),
        ("sections", rss(item("ok", 2), item(more="<![CDATA[ & " * 50_000))),
        ("unended tags", rss(item(more='<a href="' * 50_000))),
        ("attributes", rss(f"<item {ATTRIBUTES}><title>t</title></item>")),
        ("deep", rss(item(more=f"<description>{'<b>' * 20_000}{'</b>' * 20_000}</description>"))),
    ],
)
def test_bombs_are_cheap(name: str, body: str) -> None:
    started = time.process_time()
    listing = parse(body)
    assert time.process_time() - started < 10  # seconds; each took minutes, or memory without bound, before its repair
    assert len(listing.entries) >= 1, name
    assert all(len(e.title) <= 1000 for e in listing.entries)


def test_small_entities_of_its_own_are_expanded() -> None:
    assert only(rss(item("&co; &amp; x"), prolog='<!DOCTYPE r [<!ENTITY co "公司">]>')).title == "公司 & x"


def test_a_title_without_end_is_cut_and_said() -> None:
    listing = parse(rss(item("长" * 3000)))
    assert len(listing.entries[0].title) == 1000
    assert listing.warnings == ("item 1: title of 3000 characters cut at 1000",)


@pytest.mark.parametrize("codec", ["gb18030", "big5", "utf-16", "utf-8-sig"])
def test_the_charset_is_told_from_the_bytes(codec: str) -> None:
    text = "今日人民幣匯率走勢平穩，市場預期經濟增長" if codec == "big5" else "今日人民币汇率走势平稳，市场预期经济增长"
    body = rss(item(text)).replace("财经", "財經").encode(codec)
    assert only(body, content_type="text/xml; charset=utf-8").title == text


def test_one_broken_byte_harms_one_title() -> None:
    listing = parse(rss(item("甲乙丙"), item("其余完好", 2)).encode().replace("乙".encode(), b"\xe4\xb9"))
    assert [e.title for e in listing.entries] == ["甲�丙", "其余完好"]
    assert listing.warnings == ("broken bytes in utf-8: each became U+FFFD",)


def test_raw_is_a_json_of_fields_where_slices_are_unsure() -> None:
    body = rss("<item><title>a</title><item><title>b</title></item></item>")
    assert [json.loads(e.raw)["title"] for e in parse(body).entries] == ["a", "b"]


def test_markup_in_comments_and_cdata_is_no_item() -> None:
    more = "<!-- <item> </item> --><description><![CDATA[<item>x</item>]]></description>"
    assert only(rss(item(more=more))).raw.decode() == item(more=more)


def test_the_digest_covers_the_items_alone() -> None:
    first = rss(item(), head="<lastBuildDate>Thu, 14 Jul 2022 07:10:07 GMT</lastBuildDate>")
    later = rss(item(), head="<lastBuildDate>Thu, 14 Jul 2022 07:15:07 GMT</lastBuildDate>")
    assert FEED.digest(page(first)) == FEED.digest(page(later))
    assert FEED.digest(page(first)) != FEED.digest(page(rss(item("edited"))))
    assert FEED.digest(page(b"")) != FEED.digest(page(b"\xff"))


@pytest.mark.parametrize(
    ("head", "seconds"),
    [
        ("", None),
        ("<ttl>60</ttl>", 3_600),
        ("<ttl> 5\n</ttl>", 300),
        ("<ttl>0</ttl>", None),
        ("<ttl>-5</ttl>", None),
        ("<ttl>soon</ttl>", None),
        ("<ttl>١٢</ttl>", None),
        ("<ttl>99999999</ttl>", 86_400),
        (f"<ttl>{'9' * 5_000}</ttl>", None),
        ("<sy:updatePeriod>hourly</sy:updatePeriod>", 3_600),
        ("<sy:updatePeriod>\n hourly </sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency>", 900),
        ("<sy:updateFrequency>2</sy:updateFrequency>", 43_200),
        ("<sy:updatePeriod>yearly</sy:updatePeriod>", 86_400),
        ("<sy:updatePeriod>monthly</sy:updatePeriod><sy:updateFrequency>60</sy:updateFrequency>", 43_200),
        ("<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>0</sy:updateFrequency>", 3_600),
        ("<sy:updatePeriod>now and then</sy:updatePeriod>", None),
        ("<ttl>30</ttl><sy:updatePeriod>hourly</sy:updatePeriod>", 3_600),
    ],
)
def test_the_time_a_listing_wants_between_two_polls(head: str, seconds: int | None) -> None:
    module = 'version="2.0" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"'
    assert parse(rss(item(), head=head).replace('version="2.0"', module)).ttl == seconds


def test_relative_addresses_follow_content_location() -> None:
    body = rss("<item><title>t</title><link>a</link></item>")
    assert only(body, content_location="https://other.example/dir/").link == "https://other.example/dir/a"
    assert only(body).link == "https://news.example/feeds/a"


def test_the_server_may_name_the_language() -> None:
    assert parse(rss(item()), content_language="de-AT, en").language == "de-AT"
    assert parse(rss(item(), head="<language>zh-cn</language>"), content_language="en").language == "zh-cn"


@pytest.mark.parametrize(
    ("head", "image"),
    [
        ('<image><url>/a.png</url></image><itunes:image href="/b.png"/>', "b"),
        ('<media:thumbnail url="/t.png"/><media:content url="/m.png" medium="image"/>', "m"),
        ('<media:content url="/m.mp4" type="video/mp4"/><media:thumbnail url="/t.png"/>', "t"),
        ("<description>&lt;p&gt;&lt;img src='/d.png'&gt;&lt;/p&gt;</description>", "d"),
        ("<image><url>javascript:x()</url></image>", None),
    ],
)
def test_where_the_picture_of_a_feed_may_be(head: str, image: str | None) -> None:
    found = parse(rss(item(), head=head)).image
    assert found == (image and f"https://news.example/{image}.png")


def test_sniffing_and_addresses() -> None:
    assert [sniff(page(body)) for body in (RSS, ATOM, "", "{}", "<html>")] == ["feed"] * 5
    assert FEED.address("https://news.example/f?a=1#b") == "https://news.example/f?a=1#b"


pieces = st.sampled_from(
    [
        "<item>",
        "</item>",
        "<title>",
        "</title>",
        "<![CDATA[",
        "]]>",
        "<!--",
        "-->",
        "&amp;",
        "&#xD800;",
        "<entry/>",
        "</rss>",
    ]
)


@given(st.lists(pieces | st.text(max_size=8), max_size=30).map("".join))
def test_no_text_makes_it_raise_anything_but_a_parse_error(inside: str) -> None:
    body = f'<rss version="2.0"><channel>{inside}'
    FEED.digest(page(body.encode("utf-8", "replace")))
    try:
        listing = parse(body.encode("utf-8", "replace"))
    except ParseError:
        return
    assert all(isinstance(entry.raw, bytes) for entry in listing.entries)
