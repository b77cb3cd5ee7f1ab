"""Bytes into text: labels that lie, labels that are missing, and bytes that are broken."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.text.charset import Decoded, declared_in, decode

SIMPLIFIED = "央行今日开展公开市场操作，市场流动性保持合理充裕，分析人士认为利率走势平稳。"
TRADITIONAL = "央行今日進行公開市場操作，市場流動性維持合理充裕，分析師認為利率走勢平穩，這個數據顯示經濟復甦。"


def xml(text: str, label: str | None = None) -> str:
    declaration = f'<?xml version="1.0" encoding="{label}"?>' if label else '<?xml version="1.0"?>'
    return f"{declaration}<rss><channel><title>{text}</title></channel></rss>"


def variants(body: bytes) -> list[tuple[bytes, str | None]]:
    """As is; declaration removed; declared utf-8; a wrong charset in the header."""
    label = re.compile(rb"(<\?xml[^>]*?)\s+encoding=(\"[^\"]*\"|'[^']*')")
    bare = label.sub(rb"\1", body, count=1)
    wrong = label.sub(rb'\1 encoding="utf-8"', body, count=1)
    assert bare != body
    assert wrong != body
    return [(body, None), (bare, None), (wrong, None), (body, "text/xml; charset=utf-8")]


def test_corpus_of_chinese_feeds(shared: Path) -> None:
    folder = shared / "corpus" / "zh-encodings"
    right, cases = 0, 0
    for row in json.loads((folder / "manifest.json").read_text("utf-8")):
        for body, header in variants((folder / row["file"]).read_bytes()):
            cases += 1
            right += decode(body, header=header).text == body.decode(row["encoding"], "replace")
    print(f"Chinese encodings: {right}/{cases}")
    assert (right, cases) == (76, 76)


@pytest.mark.parametrize("label", ["gb2312", "GBK", "gb18030", "GB_2312-80", "x-gbk", "utf-8", "iso-8859-1", None])
def test_every_gb_label_means_gb18030(label: str | None) -> None:
    text = xml(SIMPLIFIED + "㐀𠮷", label)  # beyond GBK: four-byte characters
    assert decode(text.encode("gb18030")) == Decoded(text, "gb18030")


@pytest.mark.parametrize("label", ["big5", "utf-8", "windows-1252", None])
def test_big5_without_a_good_label(label: str | None) -> None:
    text = xml(TRADITIONAL, label)
    assert decode(text.encode("big5")) == Decoded(text, "big5")


def test_two_chinese_labels_that_disagree_are_no_evidence() -> None:
    text = xml(TRADITIONAL, "big5")
    assert decode(text.encode("big5"), header="text/xml; charset=gb2312").text == text


@pytest.mark.parametrize("label", ["gbk", "iso-8859-1", "big5", "shift_jis", "nonsense", None])
def test_utf8_wins_over_any_label(label: str | None) -> None:
    text = xml(SIMPLIFIED, label)
    assert decode(text.encode(), header=f"text/plain; charset={label}") == Decoded(text, "utf-8")


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be", "utf-32-be"])
def test_wide_encodings_and_marks(codec: str) -> None:
    text = xml(SIMPLIFIED, "utf-16")
    assert decode(text.encode(codec)).text == text


def test_a_double_mark_is_no_text() -> None:
    assert decode(b"\xef\xbb\xbf\xef\xbb\xbf<rss/>").text == "<rss/>"


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("windows-1252", "“naïve café” — 10 €"),
        ("iso-8859-1", "“naïve café”"),
        ("shift_jis", "日本銀行は政策を決定した"),
        ("euc-kr", "한국은행은 금리를 동결했다"),
        ("koi8-r", "Центральный банк сохранил ставку"),
        ("windows-1251", "Центральный банк сохранил ставку"),
        ("iso-8859-2", "Narodowy bank podniósł stopę"),
        ("iso-2022-jp", "日本銀行は政策を決定した"),
    ],
)
def test_other_labels_are_honoured(label: str, text: str) -> None:
    document = xml(text, label)
    assert decode(document.encode("cp1252" if label == "iso-8859-1" else label)).text == document
    assert decode(xml(text).encode("cp1252" if label == "iso-8859-1" else label), header=label).text == xml(text)


def test_utf7_is_refused() -> None:
    smuggled = b"<?xml version='1.0' encoding='utf-7'?><title>+ADw-script+AD4-</title>"
    assert decode(smuggled).text == smuggled.decode()
    assert decode(smuggled, header="text/xml; charset=utf-7").encoding == "utf-8"


def test_one_broken_byte_costs_one_character() -> None:
    good = xml(SIMPLIFIED * 20).encode()
    at = good.index("公开".encode())
    result = decode(good[:at] + good[at + 1 :])  # the first byte of a character is lost
    assert result.encoding == "utf-8"
    assert result.damaged
    assert result.text.replace("\ufffd", "") == xml(SIMPLIFIED * 20).replace("公", "", 1)


def test_a_broken_byte_in_a_gb_feed_costs_little() -> None:
    good = xml(SIMPLIFIED * 20, "gb2312").encode("gb18030")
    result = decode(good[:-30] + b"\xff" + good[-30:])
    assert result.damaged
    assert result.text.startswith(xml(SIMPLIFIED * 10, "gb2312")[:200])


def test_western_text_without_a_label_is_not_chinese() -> None:
    assert decode("Crédit Agricole a publié ses résultats à Genève".encode("cp1252")).encoding == "cp1252"


def test_the_label_inside() -> None:
    assert declared_in(b"<?xml version='1.0' encoding='GB2312'?><rss/>") == "GB2312"
    assert declared_in(b'<html><meta http-equiv="Content-Type" content="text/html; charset=gbk">') == "gbk"
    assert declared_in(b'<html><meta charset="big5">') == "big5"
    assert declared_in(b" " * 5000 + b'<meta charset="big5">') is None


@given(st.binary(max_size=300), st.sampled_from([None, "gbk", "utf-16", "idna", "x", "text/xml; charset=rot13"]))
def test_no_bytes_and_no_label_make_it_raise(body: bytes, header: str | None) -> None:
    assert isinstance(decode(body, header=header).text, str)


def test_long_lines_cost_linear_time() -> None:
    body = b"a" * 3_000_000 + SIMPLIFIED.encode("gb18030")
    assert decode(body).text.endswith(SIMPLIFIED)
