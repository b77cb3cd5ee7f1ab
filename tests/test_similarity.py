"""Reprints: which texts are one text, found by shared bands and decided by the Jaccard index of their shingles."""

from __future__ import annotations

import csv
import random
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from functools import reduce
from itertools import combinations
from pathlib import Path

import pytest

from aggregator.identity.similarity import LONG, SHORTEST, bands, bands_of_all, resemblance
from aggregator.text.arrays import letters_of_all
from aggregator.text.tokens import folded

_WORDS = (
    "公司 项目 投资 市场 增长 企业 产品 客户 季度 营收 利润 订单 产能 技术 合作 协议 股东 董事会 监管 披露 风险 预期"
    " 供应 需求 价格 原料 出口 进口 汇率 利率 债券 基金 银行 保险 证券 交易 指数 板块 龙头 研发 专利 芯片 电池 汽车"
).split()


def story(seed: int, length: int, numbers: int = 6) -> str:
    """A text of our own: words in an order nobody would write, so that two seeds have nothing in common."""
    chance = random.Random(seed)
    words = [chance.choice(_WORDS) + chr(chance.randrange(0x4E00, 0x9FA5)) for _ in range(length // 3)]
    for _ in range(numbers):
        words.insert(chance.randrange(len(words)), f"{chance.randrange(100, 99999)}万元")
    return "，".join(words)


def edited(text: str, edits: int, seed: int) -> str:
    """A text with so many Han characters replaced."""
    chance = random.Random(seed)
    characters = list(text)
    places = [n for n, one in enumerate(characters) if "\u4e00" <= one <= "\u9fa5"]
    for place in chance.sample(places, edits):
        characters[place] = chr(chance.randrange(0x4E00, 0x9FA5))
    return "".join(characters)


def letters(text: str) -> str:
    """What of a text is compared."""
    return "".join(map(chr, letters_of_all([folded(text)])[0].tolist()))


def mixed(value: int) -> int:
    """The finaliser of SplitMix64."""
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB % 2**64
    return value ^ (value >> 31)


def band_keys(words: str, size: int) -> Iterator[int]:
    """The bands of a text by their definition, in whole numbers one by one."""
    found = {words[at : at + size] for at in range(len(words) - size + 1)}
    hashes = [mixed(reduce(lambda made, one: (made * 0x100000001B3 + ord(one)) % 2**64, one, 0)) >> 32 for one in found]
    least = []
    for number in range(64):
        seed = mixed((number + 1) * 0x9E3779B97F4A7C15 % 2**64)
        factor, term = mixed(seed) >> 32 | 1, seed >> 32
        least.append(min((one * factor + term) % 2**32 for one in hashes))
    for band in range(16):
        key = band + (size << 8)
        for row in range(4):
            key = (mixed(key ^ least[4 * band + row]) + row) % 2**64
        yield key - 2**64 if key >= 2**63 else key


def jaccard(one: str, other: str) -> float:
    """The index as its definition has it, over sets of strings."""
    words = ["".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).casefold())) for text in (one, other)]
    size = 8 if min(map(len, words)) >= 200 else 4
    first, second = ({word[at : at + size] for at in range(len(word) - size + 1)} for word in words)
    return len(first & second) / len(first | second)


def alike(one: str, other: str) -> bool:
    """Whether the archive would link two texts: they meet in a band, and they resemble each other."""
    return bool({*bands(one)} & {*bands(other)}) and resemblance(one, other) is not None


def test_the_index_is_that_of_its_definition_and_decides_at_its_threshold() -> None:
    for seed in range(120):
        text = story(seed, 200 + 13 * seed)
        other = edited(text, seed % 12, seed)
        index = jaccard(text, other)
        assert resemblance(text, other) == (pytest.approx(index) if index >= 0.8 else None)


def test_mutated_texts_are_found_from_the_threshold_on_and_none_below_it() -> None:
    found = missed = 0
    for seed in range(400):
        text = story(seed, 600)
        other = edited(text, seed % 24, seed + 1)
        same = jaccard(text, other) >= 0.8
        assert alike(text, other) <= same
        found, missed = found + alike(text, other), missed + (same and not alike(text, other))
    assert found > 150
    assert missed <= found / 200


_FLASH = "央行今日开展1000亿元7天期逆回购操作，中标利率1.80%"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (story(1, 900), "（来源：某报）\n" + story(1, 900).replace("，", ", ") + "\n责任编辑：某某"),
        (story(2, 900), story(2, 900).replace("万元", "万元人民币", 2)),
        (
            "央行今日开展1000亿元7天期逆回购操作，中标利率1.80%。",
            "【央行今日开展１０００亿元7天期逆回购操作，中标利率1.80%】",
        ),
        (story(3, 190)[:230], story(3, 190)[:230] + "完"),
    ],
    ids=["frame lines", "a word more", "flash in other width", "at the border of the lengths"],
)
def test_reprints_are_alike(one: str, other: str) -> None:
    assert alike(one, other)


_COLUMN = story(7, 1_500, numbers=0)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "央行今日开展1000亿元7天期逆回购操作，中标利率1.80%。",
            "央行今日开展1200亿元7天期逆回购操作，中标利率1.80%。",
        ),
        ("上证指数开盘涨0.5%", "上证指数开盘涨0.5%"),
        (f"{_COLUMN}上证3001.52点，深证9921点，量8121亿元", f"{_COLUMN}上证3040.11点，深证9870点，量7745亿元"),
        (story(8, 900), story(9, 900)),
        ("", ""),
    ],
    ids=["flash with another amount", "too short", "column with the day's figures", "two stories", "nothing"],
)
def test_what_only_looks_alike_is_not(one: str, other: str) -> None:
    assert not alike(one, other)


def test_a_text_too_short_has_no_bands_and_one_at_the_border_has_both_kinds() -> None:
    assert bands("字" * (SHORTEST - 1)) == ()
    assert len(bands(story(1, 90))) == 16
    border = story(4, 400)[:270]
    assert LONG <= len(letters(border)) <= LONG / 0.9
    assert len(bands(border)) == 32
    assert len(bands(story(1, 900))) == 16


def test_the_bands_of_many_texts_are_those_of_each_by_their_definition() -> None:
    chance = random.Random(9)
    signs = [*"央行降准，。 ab1%_Ａ２é々\n", "\U00020001", "\U0001d7d8", "\U0001f600"]
    texts = ["".join(chance.choices(signs, k=length)) for length in (0, 30, 300, 0, 22, 1_500, 285, 33_000, 90)]
    expected = []
    for text in texts:
        words = letters(text)
        sizes = [4] * (SHORTEST <= len(words) <= LONG / 0.9) + [8] * (len(words) >= LONG)
        expected.append(tuple(key for size in sizes for key in band_keys(words, size)))
    assert bands_of_all([folded(text) for text in texts]) == expected
    assert {len(one) for one in expected} == {0, 16, 32}
    assert [bands(text) for text in texts[:3]] == expected[:3]


def test_pairs_of_company_news_are_found_and_no_others(shared: Path) -> None:
    folder, texts = shared / "corpus" / "sina", dict[str, str]()
    tables = ("near_duplicate_rows_2018-2020_SUBSET", "sinaCompany_20200615", "sinaCompany_20200617")
    for name in tables:
        with (folder / f"phbs_{name}.csv").open(encoding="utf-8-sig", newline="") as file:
            texts |= {row["link"]: row["content"] for row in csv.DictReader(file)}
    lines = (folder / "phbs_near_duplicate_pairs.tsv").read_text(encoding="utf-8").splitlines()[1:]
    known = {frozenset(line.split("\t")[1:]) for line in lines}
    met = defaultdict[int, list[str]](list)
    for link, text in texts.items():
        for band in bands(text):
            met[band].append(link)
    candidates = {frozenset(pair) for links in met.values() for pair in combinations(links, 2)}
    found = {pair for pair in candidates if resemblance(*(texts[link] for link in pair)) is not None}
    print(f"reprints: {len(found & known)}/{len(known)} pairs found, {len(found - known)}/{len(found)} false")
    assert found == known


def test_letters_are_what_counts_as_one_to_python() -> None:
    text = "".join(map(chr, (*range(0xD800), *range(0xE000, 0x110000))))
    expected = unicodedata.normalize("NFKC", text).casefold()
    assert letters(text) == "".join(filter(str.isalnum, expected))
