"""Pairs of texts of our own: reprints as editors make them, and texts that only look alike.

The stories are those of the demo's newsroom; notices and flashes are written here, as those forms are: long frames
that stay, with names, dates and figures that do not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from random import Random

from aggregator.demo import newsroom
from aggregator.demo.edition import OPENING
from aggregator.demo.figures import COMPANIES, NAMES, Slots, fixed_slots

Pair = tuple[str, str]
_DESKS = tuple(OPENING)
_START = datetime(2026, 3, 2, 9, 30)
_BANKS = NAMES["bank"] + NAMES["house"]
_LISTED = COMPANIES["ashares"] + COMPANIES["banks"]
_HAN = re.compile("[\u4e00-\u9fa5]")


def _when(dice: Random) -> datetime:
    return _START + timedelta(minutes=dice.randrange(400_000))


def _story(dice: Random) -> str:
    return newsroom.write(dice.choice(_DESKS), dice, _when(dice)).text


# Reprints -----------------------------------------------------------------------------------------------------------


def _credited(text: str, dice: Random) -> str:
    """The medium named above it, the editor and a disclaimer below."""
    paper = dice.choice(NAMES["house"])
    return f"来源：{paper}\n{text}\n（责任编辑：{dice.choice('甲乙丙丁')}）\n本文仅代表作者观点，不构成投资建议。"


def _respelled(text: str, dice: Random) -> str:
    """Full-width figures, other quotation marks, no thousands separators, blanks around Latin letters."""
    text = re.sub(r"(?<=\d),(?=\d{3})", "", text).replace("“", "「").replace("”", "」").replace("，", ", ")
    text = re.sub(r"([A-Za-z]+)", r" \1 ", text)
    return text.translate({ord("0") + n: ord("\uff10") + n for n in range(10)}) if dice.random() < 0.5 else text


def _datelined(text: str, dice: Random) -> str:
    return f"{dice.choice(NAMES['house'])}{dice.choice(NAMES['city'])}电（记者 {dice.choice('赵钱孙李')}某）{text}"


def _shortened(text: str, dice: Random) -> str:
    """Without its last paragraph."""
    return text.rpartition("\n")[0] or text


def _summarised(text: str, dice: Random) -> str:
    return f"核心提示：{text.partition('。')[0]}。\n{text}"


def _mistyped(text: str, dice: Random) -> str:
    places = [found.start() for found in _HAN.finditer(text)]
    characters = list(text)
    for place in dice.sample(places, max(1, len(places) // 150)):
        characters[place] = chr(dice.randrange(0x4E00, 0x9FA5))
    return "".join(characters)


def _reordered(text: str, dice: Random) -> str:
    lines = text.split("\n")
    at = dice.randrange(1, len(lines))
    return "\n".join([*lines[at:], *lines[:at]])


def _corrected(text: str, dice: Random) -> str:
    """One figure of it is another one."""
    found = dice.choice(list(re.finditer(r"\d+\.\d+", text)) or [re.match("", text)])
    return text if found is None else text[: found.start()] + f"{dice.randint(1, 999) / 10}" + text[found.end() :]


def _headed(text: str, dice: Random) -> str:
    """With two sub-headings, and each paragraph indented."""
    lines = [f"　　{line}" for line in text.split("\n")]
    return "\n".join([*lines[:2], dice.choice(("机构怎么看", "市场影响")), *lines[2:4], "后市展望", *lines[4:]])


def _coded(text: str, dice: Random) -> str:
    """The code behind the first mention of each company."""
    for name, code in _LISTED:
        text = text.replace(name, f"{name}（{code[2:]}.{code[:2].upper()}）", 1)
    return text


_EDITS: Mapping[str, Callable[[str, Random], str]] = {
    "credited": _credited,
    "respelled": _respelled,
    "datelined": _datelined,
    "shortened": _shortened,
    "summarised": _summarised,
    "mistyped": _mistyped,
    "reordered": _reordered,
    "corrected": _corrected,
    "headed": _headed,
    "coded": _coded,
}


def _flash(dice: Random, name: str, figure: str, when: datetime) -> str:
    return dice.choice(_FLASHES).format(name=name, figure=figure, day=f"{when.month}月{when.day}日")


_FLASHES = (
    "{name}{day}在互动平台表示，公司本季度新签订单{figure}亿元，产能利用率保持在较高水平，目前生产经营一切正常，没有应披露而未披露的事项。"
    "公司将一如既往做好生产经营管理工作，以良好的业绩回报投资者，请广大投资者注意投资风险，谨慎决策，理性投资。",
    "{name}公告，拟以自有资金{figure}亿元投资建设新材料生产基地，项目建设期预计为两年，资金来源为自有及自筹资金，对当期业绩没有重大影响。"
    "项目建成后将进一步完善公司的产业布局，提升综合竞争力，符合公司的长期发展战略，不存在损害股东利益的情形。",
    "{name}{day}晚间披露业绩快报，上半年实现净利润{figure}亿元，主要因为主营产品销量增加、原材料成本下降以及汇兑收益有所增长。"
    "上述数据为初步核算数据，未经会计师事务所审计，具体以公司正式披露的半年度报告为准，敬请投资者注意投资风险。",
)


def _two_companies(dice: Random) -> Pair:
    """Two of the names, one before and one after."""
    first, second = dice.sample(_LISTED, 2)
    return f"{first[0]}（{first[1][2:]}）", f"{second[0]}（{second[1][2:]}）"


def _flash_reprinted(dice: Random) -> Pair:
    text = _flash(dice, dice.choice(_LISTED)[0], f"{dice.randint(11, 999) / 10}", _when(dice))
    return text, dice.choice((f"【{text}】", f"快讯：{text}", f"{text}（完）", text.replace("，", ",")))


def reprints(seed: int, each: int) -> Iterator[tuple[str, str, str]]:
    """(how it was made, text, reprint): so many of each way an editor reprints."""
    for name, edit in _EDITS.items():
        dice = Random(f"{seed}/{name}")
        for _ in range(each):
            text = _story(dice)
            yield name, text, edit(text, dice)
    dice = Random(f"{seed}/flash")
    for _ in range(each):
        yield "flash", *_flash_reprinted(dice)


# What only looks alike ----------------------------------------------------------------------------------------------


def _another_day(dice: Random) -> Pair:
    """A column: the same sentences on two days, with the figures of each."""
    desk, choice = newsroom.desk(dice.choice(_DESKS)), dice.randrange(1 << 30)
    companies = tuple(dice.sample(desk.companies, 3)) if desk.companies else ()

    def column(when: datetime) -> str:
        chosen, fixed = Random(choice), fixed_slots(Random(choice), when, companies)
        return "\n".join(chosen.choice(group).format_map(Slots(fixed, dice)) for group in desk.paragraphs)

    when = _when(dice)
    return column(when), column(when + timedelta(days=1))


_FRAME = (
    "本公司董事会及全体董事保证本公告内容不存在任何虚假记载、误导性陈述或者重大遗漏，并对其内容的真实性、准确性和完整性承担法律责任。",
    "根据《上市公司股份回购规则》等有关规定，公司应当在每个月的前三个交易日内公告截至上月末的回购进展情况。",
    "回购股份的资金来源为公司自有资金，回购的股份将全部用于员工持股计划或者股权激励，具体方案将在履行相应的审议程序后实施。",
    "公司将严格按照有关规定，在回购期限内根据市场情况择机作出回购决策并予以实施，同时根据回购股份事项的进展情况及时履行信息披露义务。",
    "公司首次回购的时间、数量、价格及集中竞价交易的委托时段均符合有关规定，未在可能对公司证券价格产生重大影响的事项发生之日至依法披露之日内回购。",
    "公司以集中竞价交易方式回购股份，委托价格不为当日交易涨幅限制的价格，未在开盘集合竞价、收盘集合竞价以及股票价格无涨跌幅限制的交易日内进行委托。",
    "敬请广大投资者注意投资风险，理性投资。有关公司的信息以在指定媒体上刊登的公告为准。特此公告。",
)


def _notice(name: str, code: str, when: datetime, dice: Random | None) -> str:
    """A notice of a buy-back's progress; with ``dice`` it tells figures, without a ``code`` its name alone."""
    about = f"{name}（证券代码：{code[2:]}）" if code else name
    told = f"{about}{when.year}年{when.month}月{when.day}日公告，关于股份回购进展的情况如下。"
    bought = (
        f"截至上月末，公司累计回购股份{dice.randint(1, 999)}万股，成交总额{dice.randint(100, 99999)}万元，"
        f"最高价{dice.randint(100, 9999) / 100}元，最低价{dice.randint(100, 9999) / 100}元。"
        if dice
        else "截至上月末，公司尚未实施股份回购。"
    )
    return "\n".join([told, _FRAME[0], _FRAME[1], f"{name}{bought}", *_FRAME[2:-1], f"{name}{_FRAME[-1]}"])


def _other_company(dice: Random) -> Pair:
    """The same notice on the same day, of two companies that have nothing to tell."""
    (one, code), (other, its) = dice.sample(_LISTED, 2)
    when = _when(dice)
    return _notice(one, code, when, None), _notice(other, its, when, None)


def _other_bank(dice: Random) -> Pair:
    """The same without a code to tell the two apart."""
    one, other = dice.sample(_BANKS, 2)
    when = _when(dice)
    return _notice(one, "", when, None), _notice(other, "", when, None)


def _other_progress(dice: Random) -> Pair:
    """The same notice of one company, a month later."""
    name, code = dice.choice(_LISTED)
    when = _when(dice)
    return _notice(name, code, when, dice), _notice(name, code, when + timedelta(days=30), dice)


def _other_amount(dice: Random) -> Pair:
    name, when, how = dice.choice(_LISTED)[0], _when(dice), dice.randrange(1 << 30)
    one, other = dice.sample(range(11, 999), 2)
    return _flash(Random(how), name, f"{one / 10}", when), _flash(Random(how), name, f"{other / 10}", when)


def _flash_of_another(dice: Random) -> Pair:
    when, how, figure = _when(dice), dice.randrange(1 << 30), f"{dice.randint(11, 999) / 10}"
    one, other = _two_companies(dice)
    return _flash(Random(how), one, figure, when), _flash(Random(how), other, figure, when)


def _same_desk(dice: Random) -> Pair:
    name, when = dice.choice(_DESKS), _when(dice)
    return newsroom.write(name, dice, when).text, newsroom.write(name, dice, when).text


_LOOKALIKES: Mapping[str, Callable[[Random], Pair]] = {
    "another day": _another_day,
    "other company": _other_company,
    "other bank": _other_bank,
    "other progress": _other_progress,
    "other amount": _other_amount,
    "flash of another": _flash_of_another,
    "same desk": _same_desk,
}


def lookalikes(seed: int, each: int) -> Iterator[tuple[str, str, str]]:
    """(what they are, text, another one): so many of each kind that is no reprint."""
    for name, pair in _LOOKALIKES.items():
        dice = Random(f"{seed}/{name}")
        for _ in range(each):
            yield name, *pair(dice)
