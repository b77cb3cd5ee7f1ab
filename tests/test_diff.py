"""The difference of two texts: complete, readable, and quick whatever the texts are."""

from __future__ import annotations

import time
from itertools import pairwise
from random import Random

import pytest
from copydesk import copies, edits
from hypothesis import given
from hypothesis import strategies as st

from aggregator.text.diff import Run, by_line, difference

words = st.text(st.sampled_from("增长下降，。\n3.6亿元%A "), max_size=60)


def shown(before: str, after: str) -> str:
    marks = {"equal": "{}", "delete": "[-{}-]", "insert": "{{+{}+}}"}
    return "".join(marks[run.op].format(run.text) for run in difference(before, after))


def old_and_new(runs: tuple[Run, ...]) -> tuple[str, str]:
    return (
        "".join(run.text for run in runs if run.op != "insert"),
        "".join(run.text for run in runs if run.op != "delete"),
    )


@given(words, words)
def test_both_texts_are_in_the_runs(before: str, after: str) -> None:
    runs = difference(before, after)
    assert old_and_new(runs) == (before, after)
    assert all(run.text for run in runs)
    assert all((one.op, two.op) != ("insert", "delete") and one.op != two.op for one, two in pairwise(runs))


def test_edits_of_copy_are_in_the_runs_too() -> None:
    for edit in edits(7, 60):
        before, after = edit.before.text, edit.after.text
        assert old_and_new(difference(before, after)) == (before, after)


@pytest.mark.parametrize(
    ("before", "after", "runs"),
    [
        ("净利润3.6亿元。", "净利润3.06亿元。", "净利润[-3.6亿元-]{+3.06亿元+}。"),
        ("同比增长5%。", "同比下降5%。", "同比[-增长-]{+下降+}5%。"),
        ("下调25个基点", "下调25BP", "下调[-25个基点-]{+25BP+}"),
        ("3月1日公告", "3月11日公告", "3月[-1-]{+11+}日公告"),
        ("英伟达 NVIDIA 上涨", "英伟达 NVDA 上涨", "英伟达 [-NVIDIA-]{+NVDA+} 上涨"),
        ("甲。\n乙。", "甲。\n丙来了。\n乙。", "甲。\n{+丙来了。\n+}乙。"),
        ("甲公司上涨。乙公司下跌。", "甲公司上涨。\n乙公司下跌。", "甲公司上涨。{+\n+}乙公司下跌。"),
        # the 的 that both happen to have is no island between two changes
        ("该公司董事长昨晚宣布的消息", "该公司董事长称此前的传闻", "该公司董事长[-昨晚宣布的消息-]{+称此前的传闻+}"),
        ("", "", ""),
        ("", "新", "{+新+}"),
    ],
)
def test_a_reader_sees_what_changed(before: str, after: str, runs: str) -> None:
    assert shown(before, after) == runs


def test_lines_are_taken_apart() -> None:
    runs = difference("甲。\n乙公司跌1%。", "甲。\n新。\n乙公司涨1%。")
    assert by_line(runs) == [
        (Run("equal", "甲。"),),
        (Run("insert", "新。"), Run("insert", "")),
        (Run("equal", "乙公司"), Run("delete", "跌"), Run("insert", "涨"), Run("equal", "1%。")),
    ]


def long(seed: int) -> str:
    dice, lines = Random(seed), list[str]()
    while sum(map(len, lines)) < 10_000:
        lines += copies(dice).paragraphs
    return "\n".join(lines)


def noisy(text: str) -> str:
    dice = Random(3)
    return "".join(letter if dice.random() > 0.1 else dice.choice("的一是了我") for letter in text)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(long(1), long(1).replace("3.", "4.").replace("增长", "下降"), id="corrected"),
        pytest.param(long(1), noisy(long(1)), id="a tenth of it changed"),
        pytest.param(long(1), long(2), id="another article"),
        pytest.param(long(1).replace("\n", ""), long(2).replace("\n", ""), id="one line"),
        pytest.param(long(1).replace("。", "的"), noisy(long(1).replace("。", "的")), id="no sentences"),
        pytest.param("一二" * 5_000, "二一" * 5_000, id="two letters"),
        pytest.param("一\n二\n" * 2_500, "二\n三\n一\n" * 1_700, id="short lines"),
        pytest.param("一，二，" * 2_500, "二，三，一，" * 1_700, id="short clauses"),
        pytest.param("1" * 10_000, "1" * 9_999 + "2", id="one figure"),
    ],
)
def test_ten_thousand_characters_take_less_than_half_a_second(before: str, after: str) -> None:
    started = time.process_time()
    runs = difference(before, after)
    assert time.process_time() - started < 0.5
    assert old_and_new(runs) == (before, after)
