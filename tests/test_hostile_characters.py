"""Encodings that lie, are missing, or are mixed: ids C1 to C4 of the catalogue of hostile inputs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hostile import Verdict, attack
from hypothesis import assume, given
from hypothesis import strategies as st
from web_server import reply
from world import START

from aggregator.errors import ParseError
from aggregator.model import Page
from aggregator.sources import SOURCES, sniff
from aggregator.text.charset import Decoded, decode
from aggregator.text.mojibake import gbk_in

TITLE = "央行开展一千亿元逆回购操作"
RARE = "㐀𠮷䶮镕堃"  # beyond GB2312: GBK's own, and four bytes in GB18030
WORDS = "分析人士认为，市场流动性保持合理充裕，利率走势平稳。"
BOM = b"\xef\xbb\xbf"


def feed_of(*titles: str, label: str | None = None, words: str = WORDS) -> str:
    """A feed of these titles, as text."""
    declaration = f'<?xml version="1.0" encoding="{label}"?>' if label else '<?xml version="1.0"?>'
    items = "".join(
        f"<item><title>{title}</title><guid>c{n}</guid><description>{words}</description></item>"
        for n, title in enumerate(titles)
    )
    return f'{declaration}<rss version="2.0"><channel><title>财经</title>{items}</channel></rss>'


def served(folder: Path, body: bytes, content_type: str = "text/xml") -> Verdict:
    """What becomes of a feed with this body and Content-Type."""
    headers = {"Content_Type": content_type} if content_type else {}
    return attack(folder, reply(200, body, **headers), feed="pages: false")


def titles(verdict: Verdict) -> list[object]:
    return [row["title"] for row in verdict.entries]


@pytest.mark.parametrize(
    ("label", "content_type"),
    [
        ("utf-8", "text/xml"),
        (None, "text/xml"),
        (None, ""),
        (None, "text/xml; charset=gbk"),
        ("utf-8", "text/xml; charset=utf-8"),
        ("utf-8", "text/xml; charset=gb2312"),
        ("gb2312", "text/xml"),
        ("gbk", "text/xml; charset=utf-8"),
        ("GB18030", "text/html; charset=iso-8859-1"),
    ],
)
def test_c1_gbk_whatever_the_label_says(tmp_path: Path, label: str | None, content_type: str) -> None:
    body = feed_of(TITLE, TITLE + RARE, label=label).encode("gb18030")
    verdict = served(tmp_path, body, content_type)
    assert titles(verdict) == [TITLE, TITLE + RARE]
    assert {row["summary"] for row in verdict.entries} == {WORDS}


@pytest.mark.parametrize("label", ["big5", "utf-8", None])
def test_c1_big5_is_not_taken_for_gb(tmp_path: Path, label: str | None) -> None:
    words = "分析師認為，市場流動性維持合理充裕，利率走勢平穩，這個數據顯示經濟復甦。"
    body = feed_of("央行今日進行公開市場操作", label=label, words=words).replace("财经", "財經").encode("big5")
    assert [(row["title"], row["summary"]) for row in served(tmp_path, body).entries] == [
        ("央行今日進行公開市場操作", words)
    ]


@pytest.mark.parametrize(
    ("label", "content_type"),
    [
        ("gbk", "text/xml"),
        ("iso-8859-1", "text/xml"),
        (None, "text/plain"),
        (None, "text/xml"),  # RFC 3023 made this US-ASCII
        ("big5", "text/xml; charset=gb2312"),
        ("us-ascii", "text/xml; charset=iso-8859-1"),
    ],
)
def test_c2_utf8_whatever_the_label_says(tmp_path: Path, label: str | None, content_type: str) -> None:
    assert titles(served(tmp_path, feed_of(TITLE + RARE, label=label).encode(), content_type)) == [TITLE + RARE]


@pytest.mark.parametrize(
    ("mark", "codec"),
    [
        (BOM, "utf-8"),
        (BOM * 2, "utf-8"),
        (b"\xff\xfe", "utf-16-le"),
        (b"\xfe\xff", "utf-16-be"),
        (b"", "utf-16-le"),
        (b"", "utf-16-be"),
        (b"\xff\xfe\0\0", "utf-32-le"),
        (b"", "utf-32-be"),
    ],
)
def test_c2_marks_and_wide_encodings(tmp_path: Path, mark: bytes, codec: str) -> None:
    body = mark + feed_of(TITLE + RARE, label="utf-16").encode(codec)
    assert titles(served(tmp_path, body, "text/xml; charset=gbk")) == [TITLE + RARE]


@pytest.mark.parametrize("content_type", ["text/xml", "text/xml; charset=utf-7"])
def test_c2_utf7_is_not_decoded(tmp_path: Path, content_type: str) -> None:
    smuggled = "+ADw-script+AD4-alert(1)+ADw-/script+AD4-"
    body = feed_of(smuggled, label="utf-7").encode()
    assert titles(served(tmp_path, body, content_type)) == [smuggled]


def test_c3_a_cut_byte_costs_one_character(tmp_path: Path) -> None:
    listed = [f"{TITLE}之{n}" for n in range(60)]
    good = feed_of(*listed).encode()
    assert len(good) > 10_000
    at = good.index("操作之7".encode()) + 3  # the first byte of 作
    verdict = served(tmp_path, good[:at] + good[at + 1 :])
    hurt = titles(verdict)
    assert [n for n in range(60) if hurt[n] != listed[n]] == [7]
    assert str(hurt[7]).replace("\ufffd", "") == listed[7].replace("作", "")
    assert {row["summary"] for row in verdict.entries} == {WORDS}


def listing_of(body: bytes) -> tuple[list[str], tuple[str, ...]]:
    """Titles and warnings of a body."""
    page = Page("https://site.example/f", "https://site.example/f", 200, {}, body, START)
    found = SOURCES[sniff(page)].parse(page, None)
    return [entry.title for entry in found.entries], found.warnings


def told(folder: Path) -> object:
    """What ``status`` says of the attacked feed's listing."""
    feeds = '[{name: bad, source: feed, url: "http://bad.example/bad", categories: [甲, 乙, 丙]}]'
    (folder / "config.yaml").write_text(f"archive: archive.db\nfeeds: {feeds}\n", encoding="utf-8")
    call = [sys.executable, "-m", "aggregator", "status", "--json", "--config", str(folder / "config.yaml")]
    done = subprocess.run(call, capture_output=True, check=True)
    return next(feed["warnings"] for feed in json.loads(done.stdout)["feeds"] if feed["name"] == "bad")


@pytest.mark.parametrize("misread", ["证券", "系统", "医药", "营业", "水平", "平台 证券", "证券ETF", "目前营业"])
def test_c4_a_gbk_item_that_is_valid_utf8_is_kept_and_flagged(tmp_path: Path, misread: str) -> None:
    odd = misread.encode("gbk").decode("utf-8")
    body = feed_of(TITLE, "第二条", odd, "第四条").encode()
    assert titles(served(tmp_path, body)) == [TITLE, "第二条", odd, "第四条"]
    (warning,) = listing_of(body)[1]
    assert warning.startswith("item 3: ")
    assert told(tmp_path) == [warning]
    assert re.split(r"[ A-Z]", misread)[0] in warning


def test_c4_a_gbk_item_that_is_no_utf8_is_read_and_the_rest_left_alone(tmp_path: Path) -> None:
    body = feed_of(TITLE, "@", "第三条" + RARE).encode().replace(b"@", "国务院常务会议部署稳经济".encode("gbk"))
    assert titles(served(tmp_path, body)) == [TITLE, "国务院常务会议部署稳经济", "第三条" + RARE]
    assert listing_of(body)[1] == ("texts in gb18030 among utf-8: read as such",)


def test_c4_one_long_gbk_item_does_not_outvote_the_feed() -> None:
    body = feed_of(TITLE, "@", words="").encode().replace(b"@", (WORDS * 30).encode("gbk"))
    assert listing_of(body)[0] == [TITLE, WORDS * 30]


def test_c4_in_json_too() -> None:
    items = [{"id": str(n), "title": title} for n, title in enumerate([TITLE, "@", "证券".encode("gbk").decode()])]
    feed = {"version": "https://jsonfeed.org/version/1.1", "title": "财经", "items": items}
    body = json.dumps(feed, ensure_ascii=False).encode().replace(b"@", TITLE.encode("gbk"))
    found, (mixed, flagged) = listing_of(body)
    assert found[:2] == [TITLE, TITLE]
    assert mixed == "texts in gb18030 among utf-8: read as such"
    assert flagged.startswith("item 3: ")


@pytest.mark.parametrize(
    "text",
    [
        *("史蒂夫·乔布斯", "±5°C", "Crédit Agricole à Genève", "Ελλάδα", "Центробанк: ставка", "на", "שלום", "ספר"),
        *("Việt Nam: Bình Dương", "mañana — «señor»", "£5 ¥100", "Ørsted Škoda Łódź", "pīnyīn: Běijīng lǜ", "naïve"),
    ],
)
def test_c4_words_of_other_languages_are_not_suspected(text: str) -> None:
    assert gbk_in(text) is None
    assert listing_of(feed_of(TITLE, "第二条", text).encode())[1] == ()


def test_c4_nothing_is_suspected_in_a_feed_that_is_not_chinese() -> None:
    body = feed_of("Rates on hold", "Yields fall", "֤ȯ", words="Plain").replace("财经", "News").encode()
    assert listing_of(body)[1] == ()


def test_c4_no_entry_of_the_corpora_is_suspected(shared: Path) -> None:
    entries = suspected = 0
    for file in sorted((shared / "corpus").rglob("*.*")):
        if file.suffix not in (".xml", ".json"):
            continue
        page = Page("https://x.example/", "https://x.example/", 200, {}, file.read_bytes(), START)
        try:
            listing = SOURCES[sniff(page)].parse(page, None)
        except ParseError:
            continue
        entries += len(listing.entries)
        suspected += sum(
            gbk_in(text) is not None for entry in listing.entries for text in (entry.title, entry.content or "")
        )
    print(f"suspected of being GBK: {suspected} of {entries} entries")
    assert entries > 1_000
    assert suspected == 0


def test_c1_the_corpus_of_chinese_feeds_is_read_alike_whatever_its_labels(shared: Path) -> None:
    folder = shared / "corpus" / "zh-encodings"
    label = re.compile(rb"(<\?xml[^>]*?)\s+encoding=(\"[^\"]*\"|'[^']*')")
    right = cases = 0
    for row in json.loads((folder / "manifest.json").read_text("utf-8")):
        body = (folder / row["file"]).read_bytes()
        bare, wrong = label.sub(rb"\1", body, count=1), label.sub(rb'\1 encoding="utf-8"', body, count=1)
        assert body not in (bare, wrong)
        expected = listing_of(body.decode(row["encoding"], "replace").encode())[0]
        assert expected
        for variant, header in ((body, ""), (bare, ""), (wrong, ""), (body, "text/xml; charset=utf-8")):
            page = Page("https://x.example/", "https://x.example/", 200, {"content-type": header}, variant, START)
            cases += 1
            right += [entry.title for entry in SOURCES["feed"].parse(page, None).entries] == expected
    print(f"Chinese encodings, titles of parsed feeds: {right}/{cases}")
    assert (right, cases) == (76, 76)


# -- on valid input the decoder says what the standard library says ---------------------------------------------------

anything = st.text(st.characters(exclude_characters="\0\ufeff", exclude_categories=["Cs"]))


def level(codec: str, leads: range) -> list[str]:
    """The characters of a codec under these lead bytes."""
    pairs = (bytes((lead, trail)).decode(codec, "ignore") for lead in leads for trail in range(0x40, 0xFF))
    return [character for character in pairs if len(character) == 1 and not character.isascii()]


@given(anything)
def test_any_text_in_utf8_comes_back(text: str) -> None:
    document = f"<t>{text}</t>"
    assert decode(document.encode()) == Decoded(document, "utf-8")
    assert decode(BOM + document.encode()) == Decoded(document, "utf-8", damaged="\ufffd" in text)


@given(anything, st.sampled_from(["utf-16", "utf-32"]))
def test_any_text_in_a_marked_wide_encoding_comes_back(text: str, codec: str) -> None:
    assert decode(text.encode(codec)).text == text


@pytest.mark.parametrize(
    ("codec", "leads", "labels"),
    [
        ("gb18030", range(0xB0, 0xD8), ["gb2312", "gbk", "gb18030", "x-gbk", "GB_2312-80"]),
        ("big5", range(0xA4, 0xC6), ["big5", "Big5", "cp950", "big5-hkscs"]),
    ],
)
def test_labelled_chinese_is_what_the_standard_library_says(codec: str, leads: range, labels: list[str]) -> None:
    @given(st.text(st.sampled_from(level("gb2312" if codec == "gb18030" else codec, leads)), min_size=4), st.data())
    def check(text: str, data: st.DataObject) -> None:
        label = data.draw(st.sampled_from(labels))
        body = f'<?xml version="1.0" encoding="{label}"?><t>{text}</t>'.encode(codec)
        assume(not is_utf8(body))
        for found in (decode(body), decode(body, header=f"text/xml; charset={label}", declared="utf-8")):
            assert (found.text, found.damaged) == (body.decode(codec), False)

    check()


def is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
