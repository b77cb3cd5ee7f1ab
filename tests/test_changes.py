"""Material or cosmetic: what edits change in facts, measured on edits whose kind is known."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from html import escape
from pathlib import Path

import pytest
from copydesk import Copy, Edited, edits

from aggregator.articles.changes import Telling, judge
from aggregator.articles.facts import facts_of
from aggregator.articles.plaintext import text_of
from aggregator.articles.rules import built_in
from aggregator.articles.verdict import MOST, Evidence
from aggregator.text.numerals import number

DAY = date(2026, 3, 2)
REST = "\n市场人士认为，短期走势仍取决于政策与流动性，投资者宜保持耐心。\n截至2月末，行业库存为320万吨，环比下降1.5%。"


def telling(copy: Copy) -> Telling:
    return Telling(copy.title, copy.original_title, copy.text)


def body(text: str) -> Telling:
    return Telling("公司动态", None, text + REST)


def measured(cases: Sequence[Edited], name: str) -> tuple[float, float]:
    """Precision and recall of "material", printed; what was judged wrong too."""
    judged = [(one, judge(telling(one.before), telling(one.after), one.before.day)) for one in cases]
    said = [one for one, verdict in judged if verdict.verdict == "material"]
    right, there = sum(one.material for one in said), sum(one.material for one in cases)
    print(f"material edits, {name}: precision {right}/{len(said)}, recall {right}/{there}")
    print(*(f"{one.what}: {it}" for one, it in judged if (it.verdict == "material") != one.material), sep="\n")
    return right / len(said), right / there


@pytest.mark.parametrize("seed", [1, 20260301])  # the second was never looked at while the judge was written
def test_edits_of_our_own_copy_are_told_apart(seed: int) -> None:
    precision, recall = measured(edits(seed, 300), f"our own copy, seed {seed}")
    assert precision >= 0.95
    assert recall >= 0.95


def test_edits_of_real_copy_are_told_apart(shared: Path) -> None:
    real = [copy for day in ("15", "17") for copy in articles(shared / f"corpus/sina/phbs_sinaCompany_202006{day}.csv")]
    precision, recall = measured(edits(20260301, 300, lambda dice: dice.choice(real)), f"{len(real)} real articles")
    assert precision >= 0.95
    assert recall >= 0.95


def rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def text(row: dict[str, str]) -> str:
    """The cleaned text of a row of the corpus, whose paragraphs are joined with commas."""
    html = "".join(f"<p>{escape(line)}</p>" for line in row["content"].split(","))
    return text_of(html, None, built_in())


def articles(path: Path) -> Iterator[Copy]:
    for row in rows(path):
        lines = tuple(text(row).split("\n"))
        if len(lines) >= 3:
            yield Copy(row["title"], lines, date.fromisoformat(row["datetime"][:10]))


def test_a_promotion_that_changed_is_no_edit(shared: Path) -> None:
    before, after = rows(shared / "corpus/sina/phbs_edited_article_two_versions_2020-06-18_SUBSET.csv")
    assert before["content"] != after["content"]
    verdict = judge(Telling(before["title"], None, text(before)), Telling(after["title"], None, text(after)))
    assert verdict.verdict == "cosmetic"


def test_real_reprints_changed_no_fact(shared: Path) -> None:
    """All 21 pairs were read side by side: other headlines, bylines, sources, notices, line breaks, marks beside names
    and (14) a paragraph of the text put first once more; no figure, date or direction differs in any of them.
    """
    corpus = shared / "corpus/sina"
    by_link = {row["link"]: row for row in rows(corpus / "phbs_near_duplicate_rows_2018-2020_SUBSET.csv")}
    pairs = (corpus / "phbs_near_duplicate_pairs.tsv").read_text(encoding="utf-8").splitlines()[1:]
    wrong = []
    for place, line in enumerate(pairs, start=1):
        one, two = (by_link[link] for link in line.split("\t")[1:])
        verdict = judge(Telling(one["title"], None, text(one)), Telling(two["title"], None, text(two)))
        wrong += [(place, verdict.evidence)] if verdict.verdict == "material" else []
    print(f"real reprints judged cosmetic: {len(pairs) - len(wrong)}/{len(pairs)}")
    assert len(pairs) == 21
    assert wrong == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("公司拟以3.6亿元收购云图数据。", "公司拟以3.06亿元收购云图数据。"),
        ("公司预计全年净利润为2-3亿元。", "公司预计全年净利润为2-5亿元。"),
        ("成交额1.2万亿元。", "成交额1.2亿元。"),
        ("产能约12万吨。", "产能约12万辆。"),
        ("货值3亿美元。", "货值3亿港元。"),
        ("同比减少-3.5%。", "同比减少3.5%。"),
        ("现金分红比例约三成。", "现金分红比例约五成。"),
        ("共有三家机构参与。", "共有四家机构参与。"),
        ("毛利率为32.5%，净利率为12.1%。", "毛利率为12.1%，净利率为32.5%。"),
        ("会议定于周三召开。", "会议定于周四召开。"),
        ("公司今年亏损3亿元。", "公司去年亏损3亿元。"),
        ("业绩预增50%左右。", "业绩预减50%左右。"),
        ("沪指报3021.45点，跌0.32%。", "沪指报3021.45点，涨0.32%。"),
        ("公司股票将于3月3日复牌。", "公司股票将于3月3日停牌。"),
        ("张三因涉嫌内幕交易被立案调查。", "张三因内幕交易被立案调查。"),
        ("该提案获得股东大会通过。", "该提案被股东大会否决。"),
        ("公司未收到立案告知书。", "公司已收到立案告知书。"),
        ("公司已完成交割。", "公司尚未完成交割。"),
        ("美联储宣布加息25个基点。", "美联储宣布降息25个基点。"),
        ("首席财务官李四将离任。", "首席财务官李四将出任。"),
        ("合同金额不超过2亿元。", "合同金额不低于2亿元。"),
        ("公司去年亏损近3亿元。", "公司去年亏损逾3亿元。"),
        ("亏损8.51亿元。", "盈利8.51亿元。"),
        ("A公司承认数据造假。", "A公司否认数据造假。"),
        ("公司不存在应披露而未披露的信息。", "公司存在应披露而未披露的信息。"),
        ("公司将于3月5日召开股东大会。", "公司将于3月5日召开股东大会，届时将审议2项议案。"),
        ("成交额9000亿元3个月未变。", "成交额9000亿美元3个月未变。"),
    ],
)
def test_a_changed_fact_is_material_both_ways(before: str, after: str) -> None:
    assert judge(body(before), body(after), DAY).verdict == "material"
    assert judge(body(after), body(before), DAY).verdict == "material"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("公司2026年3月1日公告，拟收购云图数据。", "3月1日，公司公告，拟收购云图数据。"),
        ("净利润3.6亿元，同比增长12.5%。", "净利润为36,000万元，同比增加12.5%。"),
        ("净利润3.6亿元，同比增长12.5%。", "公司实现净利润人民币３．６亿元，较上年同期增长12.5%。"),
        ("净利润3.6亿元。", "净利润360,000,000元。"),
        ("沪指跌0.32%，报3021.45点。", "沪指报3021.45点，下跌0.32%。"),
        ("共有三家机构参与。", "共有3家机构参与。"),
        ("公司昨日公告，回购100万股。", "公司3月1日公告，回购100万股。"),
        ("今日，公司收到通知。", "3月2日，公司收到通知。"),
        ("去年公司营收10亿元。", "2025年公司营收10亿元。"),
        ("利率下调25个基点。", "利率下降25bp。"),
        ("利率下调25个基点。", "利率下调0.25个百分点。"),
        ("一季度营收增长3%。", "第一季度营收增长3%。"),
        ("公司预计净利润2亿至3亿元。", "公司预计净利润为2-3亿元。"),
        ("他说，市场不会一直上涨。", "他表示：“市场不会一直上涨。”"),
        ("会议于上午9点半开始。", "会议于9:30开始。"),
        ("贵州茅台（600519）上涨2%。", "贵州茅台(sh600519)上涨2%。"),
        ("贵州茅台上涨2%。", "贵州茅台（600519.SH）上涨2%。"),
        ("约有两千名员工受影响。", "约有2000名员工受影响。"),
        ("装机容量达1.2GW。", "装机容量达120万千瓦。"),
        ("其中，新能源业务增长3%，传统业务下降2%。", "新能源业务增长3%。传统业务则下降2%。"),
        ("公司表示，目前生产经营一切正常。", "公司称，当前生产经营正常。"),
        ("公司拟收购云图数据51%股权。", "公司计划收购云图数据51%的股权。"),
        ("预计三季度交付12.5万辆。", "三季度预计交付12.5万辆。"),
        ("资金净流入2亿。", "资金净流入2亿元。"),
        ("他还指出，将继续推进改革。", "他还指出，要继续推进改革。"),
        ("1.2026年净利润3亿元。", "2026年净利润3亿元。"),
    ],
)
def test_other_words_for_the_same_are_cosmetic_both_ways(before: str, after: str) -> None:
    assert judge(body(before), body(after), DAY).evidence == ()
    assert judge(body(after), body(before), DAY).evidence == ()


def test_the_evidence_names_the_words_and_the_place() -> None:
    before = Telling("蓝桥科技拟3.6亿元收购云图数据", None, f"净利润同比增长5%。{REST}")
    after = Telling("蓝桥科技拟3.06亿元收购云图数据", "蓝桥科技拟3.6亿元收购云图数据", f"净利润同比下降5%。{REST}")
    assert judge(before, after).evidence == (
        Evidence("amount", "title", "3.6亿元", "3.06亿元"),
        Evidence("amount", "title_against_original", "3.6亿元", "3.06亿元"),
        Evidence("reversal", "body", "增长", "下降"),
    )


def test_text_without_figures_counts_from_a_stated_length_on() -> None:
    long = "该公司发言人随后回应称，管理层正在与主要股东就重组方案进行沟通，目前双方尚未就核心条款达成一致。"
    (evidence,) = judge(body("公司拟重组。"), body(f"公司拟重组。{long}")).evidence
    assert (evidence.kind, evidence.before) == ("added", None)
    assert judge(body("公司拟重组。"), body("公司拟重组。市场对此反应平淡。")).verdict == "cosmetic"


def test_a_title_written_anew_counts_by_what_the_text_does_not_say() -> None:
    text = f"公司去年亏损4.75亿元，上年盈利1.2亿元。{REST}"
    old = Telling("视远方为稻草的德远航空：2025年亏损4.75亿元", None, text)
    assert judge(old, Telling("德远航空上市后一地鸡毛：巨亏近5亿", None, text), DAY).verdict == "cosmetic"
    assert judge(old, Telling("德远航空上市后一地鸡毛：巨亏7亿", None, text), DAY).verdict == "material"


def test_evidence_stays_short() -> None:
    before = "".join(f"第{n}条生产线的产值为{n}.5亿元。" for n in range(1, 80))
    verdict = judge(body(before), body(before.replace(".5亿", ".6亿")))
    assert len(verdict.evidence) == MOST


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("3.6亿", 360_000_000),
        ("3亿6000万", 360_000_000),
        ("三千六百万", 36_000_000),
        ("三点六亿", 360_000_000),
        ("1.2万亿", 1_200_000_000_000),
        ("十二", 12),
        ("一百零五", 105),
        ("两万五千", 25_000),
        ("百万", 1_000_000),
        ("", 0),
    ],
)
def test_numbers_are_read_however_they_are_written(written: str, value: int) -> None:
    assert number(written) == Decimal(value)


@pytest.mark.parametrize("words", ["统一安排", "千方百计", "万科", "十分", "沪深三百家", "5G网络", "责任编辑SF104"])
def test_not_every_digit_is_a_figure(words: str) -> None:
    assert [fact.words for fact in facts_of(words)] == (["三百家"] if "三百" in words else [])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("1," * 5_000, "2," * 5_000),
        ("涨1%。" * 2_000, "跌2%。" * 2_000),
        ("甲1亿元、" * 2_000, "甲2亿元、" * 2_000),
        ("一" * 10_000, "二" * 10_000),
        ("3月" * 5_000, "4月" * 5_000),
        ("不" * 10_000, "未" * 10_000),
        ("(阅读" * 4_000, "(评论" * 4_000),
        ("9:3" * 4_000, "9:4" * 4_000),
    ],
)
def test_no_text_makes_it_slow(before: str, after: str) -> None:
    started = time.process_time()
    judge(Telling("", None, before), Telling("", None, after))
    assert time.process_time() - started < 3
