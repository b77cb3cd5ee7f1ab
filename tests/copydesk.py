"""A copy desk for tests: articles of our own, and the edits editors make in them, each known to change facts or not.

Written from how copy is corrected, not from how edits are judged: nothing of ``aggregator.articles`` is used here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random

from aggregator.demo.newsroom import write

DESKS = "adr ashare bank forex futures hk macro market omo opinion us".split()


@dataclass(frozen=True)
class Copy:
    """An article on the desk; ``day`` is its day of publication."""

    title: str
    paragraphs: tuple[str, ...]
    day: date
    original_title: str | None = None

    @property
    def text(self) -> str:
        return "\n".join(self.paragraphs)


@dataclass(frozen=True)
class Edited:
    """One edit: what was done, whether it changed facts, and both versions."""

    what: str
    material: bool
    before: Copy
    after: Copy


Edit = Callable[[Copy, Random], Copy | None]  # None: there is nothing to do it to

OWN = (
    (
        "蓝桥科技拟3.6亿元收购云图数据51%股权",
        "蓝桥科技（688123）3月1日晚间公告，公司拟以3.6亿元收购云图数据51%股权，交易完成后云图数据将成为公司控股子公司。"
        "公司董事会于2026年2月27日审议通过了上述议案。",
        "公告显示，云图数据2025年实现营业收入2.48亿元，同比增长18.3%，净利润4120万元，同比下降6.5%。"
        "转让方承诺，2026年至2028年累计净利润不低于1.5亿元。",
        "蓝桥科技董事长在接受采访时表示，收购资金全部来自自有资金，不会增加公司的资产负债率。公司否认了此前关于终止收购的传闻。",
        "截至3月1日收盘，蓝桥科技报42.18元，上涨2.35%，总市值187亿元。",
    ),
    (
        "江岸银行一季度净利润同比增长4.2% 不良率下降3个基点",
        "江岸银行4月28日披露一季报，报告期内实现营业收入126.4亿元，同比增长2.1%；归属于母公司股东的净利润51.7亿元，同比增长4.2%。",
        "截至3月末，该行不良贷款率为1.18%，较上年末下降3个基点；拨备覆盖率为312.5%，较上年末提高4.6个百分点。",
        "该行拟向全体股东每10股派发现金红利2.15元，共计派发38.7亿元。利润分配方案尚需股东大会批准。",
        "该行副行长在业绩说明会上说，净息差收窄的压力仍在，今年不会扩大高风险业务的规模。",
    ),
    (
        "远港航运证实两艘货轮延误 称不影响全年盈利预测",
        "远港航运（01919.HK）6月11日确认，旗下两艘货轮因港口拥堵延误，预计6月15日上午9:30靠泊。公司未调整全年盈利预测。",
        "公司表示，延误涉及集装箱约3200个，货值约1.8亿美元。受影响的客户共46家，均已收到通知。",
        "今年前5个月，公司完成货运量2860万吨，环比下降1.2%。市场人士认为，运价短期内有望上涨。",
        "交易所数据显示，南向资金当日净买入远港航运2.3亿港元，持股比例升至12.6%。",
    ),
    (
        "临州城投否认债务违约 已足额兑付8亿元中票",
        "9月22日，临州城投发布声明，否认网传的债务违约，称已于9月20日足额兑付本金8亿元的中期票据及利息3120万元。",
        "声明称，公司目前账面货币资金24.6亿元，未使用的银行授信额度65亿元，不存在逾期债务。",
        "评级机构维持其AA+评级，展望稳定。公司计划在四季度发行不超过10亿元的公司债，用于偿还到期债务。",
        "据统计，今年以来临州市一般公共预算收入完成186.3亿元，同比增长5.7%，其中税收收入增长3.9%。",
    ),
    (
        "股东减持 嘉禾医药今年以来下跌两成",
        "嘉禾医药（sz002999）11月5日公告，持股5%以上股东通过集中竞价卖出公司股份860万股，占总股本的1.2%，减持均价23.4元。",
        "减持计划已于11月4日实施完毕。公司称，该股东与公司实际控制人不存在关联关系，未来六个月内无继续减持的安排。",
        "三季报显示，公司前三季度亏损1.36亿元，上年同期盈利8200万元。公司解释，亏损主要由于集采降价。",
        "今年以来，嘉禾医药股价累计下跌20.8%，目前市盈率约35倍。三家机构维持买入评级。",
    ),
    (
        "央行将开展3000亿元买断式逆回购 期限3个月",
        "中国人民银行公告称，为保持流动性充裕，将于2026年5月8日开展3000亿元买断式逆回购操作，期限为3个月（91天）。",
        "5月有9000亿元3个月期买断式逆回购到期，此次操作后仍有缺口。分析人士预计，央行月内可能还会开展6个月期操作。",
        "同日，央行以固定利率、数量招标方式开展了1585亿元7天期逆回购，操作利率1.40%，当日净投放632亿元。",
        "货币市场利率下行，隔夜利率报1.32%，下跌4.5个基点；7天期利率报1.51%，上涨1.2个基点。",
    ),
    (
        "新域汽车7月交付4.27万辆 环比增长6.1%",
        "新域汽车8月1日公布，7月共交付新车42,700辆，同比增长38.4%，环比增长6.1%。其中出口5,130辆。",
        "公司称，第二工厂将于9月投产，规划年产能20万辆。工厂总投资36亿元，已投入21亿元。",
        "公司预计三季度交付量为12.5万至13万辆，收入在310亿元以上，毛利率将提高0.5个百分点至18.2%。",
        "公司承认，部分车型的座椅存在异响，已免费更换1.1万套，没有发生安全事故。",
    ),
    (
        "国内成品油价周三上调 每吨涨155元",
        "国家发展改革委消息，自2026年10月14日24时起，国内汽油、柴油价格每吨分别提高155元和150元。",
        "折合每升92号汽油上涨0.12元，加满50升的油箱多花6元。本次调价是今年第20轮调整，呈9涨8跌3搁浅的格局。",
        "国际油价方面，布伦特原油期货11月合约收于每桶71.35美元，上涨1.6%；纽约原油期货收于67.80美元，下跌0.3%。",
        "业内人士表示，下一轮调价窗口为10月28日24时，下调的可能性较大。",
    ),
)  # fmt: skip


def copies(dice: Random) -> Copy:
    """An article: one of the replica's newsroom, or one of those above."""
    day = date(2026, 1, 5) + timedelta(days=dice.randrange(340))
    if dice.random() < 0.5:
        title, *paragraphs = dice.choice(OWN)
        return Copy(title, tuple(paragraphs), day)
    story = write(dice.choice(DESKS), dice, datetime(day.year, day.month, day.day, 10, 20))
    return Copy(story.title, story.paragraphs, day)


def _in_body(copy: Copy, pattern: str, change: Callable[[re.Match[str], Random], str], dice: Random) -> Copy | None:
    """The copy with one place of the body changed."""
    places = [(n, found) for n, text in enumerate(copy.paragraphs) for found in re.finditer(pattern, text)]
    dice.shuffle(places)
    for n, found in places:
        words = change(found, dice)
        if words != found[0]:
            text = copy.paragraphs[n]
            return _with(copy, n, text[: found.start()] + words + text[found.end() :])
    return None


def _everywhere(copy: Copy, pattern: str, change: Callable[[re.Match[str]], str] | str) -> Copy | None:
    done = replace(copy, paragraphs=tuple(re.sub(pattern, change, text) for text in copy.paragraphs))
    return done if done != copy else None


def _with(copy: Copy, number: int, text: str) -> Copy:
    return replace(copy, paragraphs=(*copy.paragraphs[:number], text, *copy.paragraphs[number + 1 :]))


def _swap_words(*pairs: tuple[str, str]) -> Edit:
    """One of the words, wherever it is, becomes its partner."""
    table = {**dict(pairs), **{two: one for one, two in pairs}}
    pattern = "|".join(sorted(table, key=len, reverse=True))
    return lambda copy, dice: _in_body(copy, pattern, lambda found, _: table[found[0]], dice)


def _inserted(pattern: str, words: str) -> Edit:
    return lambda copy, dice: _in_body(copy, pattern, lambda found, _: words.replace("…", found[0]), dice)


# --- edits that change facts ------------------------------------------------------------------------------------------

_AMOUNT = r"\d[\d,]*(?:\.\d+)?(?=(?:[万亿]+)?(?:元|美元|港元|股|吨|辆|家|个(?!月|基点|百分点)|万|亿))"


def _slip(number: str, dice: Random) -> str:
    """A figure as a hurried hand types it, or as it reads when corrected: a zero put in, digits in another order."""
    digits = number.replace(",", "")
    whole, _, part = digits.partition(".")
    choices = [str(Decimal(digits) * 10), f"{whole}{dice.randint(1, 9)}{'.' + part if part else ''}"]
    if part:
        choices += [f"{whole}.0{part}", f"{int(whole) + dice.randint(1, 9)}.{part}", whole + part]
    if len(whole) > 1 and whole[0] != whole[1]:
        choices.append(f"{whole[1]}{whole[0]}{whole[2:]}{'.' + part if part else ''}")
    good = [one for one in choices if one[0] != "0" or one.startswith("0.")]
    return dice.choice([one for one in good if Decimal(one) != Decimal(digits)] or [f"{digits}1"])


def corrected_amount(copy: Copy, dice: Random) -> Copy | None:
    return _in_body(copy, _AMOUNT, lambda found, dice: _slip(found[0], dice), dice)


def corrected_share(copy: Copy, dice: Random) -> Copy | None:
    return _in_body(copy, r"\d+\.\d+(?=%)", lambda found, dice: _slip(found[0], dice), dice)


def corrected_scale(copy: Copy, dice: Random) -> Copy | None:
    turn = {"亿": "万", "万": "亿"}
    return _in_body(copy, r"(?<=\d)[亿万](?=元|美元|港元|股)", lambda found, _: turn[found[0]], dice)


def corrected_currency(copy: Copy, dice: Random) -> Copy | None:
    others = {"元": "美元", "美元": "港元", "港元": "元"}
    return _in_body(copy, "(?<=[亿万])(?:美元|港元|元)", lambda found, _: others[found[0]], dice)


def points_for_percent(copy: Copy, dice: Random) -> Copy | None:
    return _in_body(copy, r"(?<=\d)%", lambda *_: "个百分点", dice)


def basis_points(copy: Copy, dice: Random) -> Copy | None:
    return _in_body(copy, r"\d+(?:\.\d+)?(?=个基点)", lambda found, dice: _slip(found[0], dice), dice)


def corrected_day(copy: Copy, dice: Random) -> Copy | None:
    def change(found: re.Match[str], dice: Random) -> str:
        return str((int(found[0]) + dice.randint(1, 9)) % 28 + 1)

    return _in_body(copy, r"(?<=月)\d{1,2}(?=日)", change, dice)


def corrected_month(copy: Copy, dice: Random) -> Copy | None:
    return _in_body(copy, r"(?<![\d个])\d{1,2}(?=月)", lambda found, dice: str(int(found[0]) % 12 + 1), dice)


def corrected_year(copy: Copy, dice: Random) -> Copy | None:
    return _in_body(copy, "20[12]\\d(?=年)", lambda found, dice: str(int(found[0]) + dice.choice((-1, 1))), dice)


def corrected_time(copy: Copy, dice: Random) -> Copy | None:
    return _in_body(copy, r"\d{1,2}(?=:\d\d|时)", lambda found, dice: str((int(found[0]) + 3) % 24), dice)


def corrected_quarter(copy: Copy, dice: Random) -> Copy | None:
    turn = {"一季度": "二季度", "三季度": "四季度", "四季度": "三季度", "第三季度": "第二季度", "上半年": "下半年"}
    return _in_body(copy, "(?<!前)(?:第三季度|[一三四]季度|上半年)", lambda found, _: turn[found[0]], dice)


def corrected_code(copy: Copy, dice: Random) -> Copy | None:
    def change(found: re.Match[str], dice: Random) -> str:
        last = int(found[0][-1])
        return found[0][:-1] + str((last + dice.randint(1, 9)) % 10)

    return _in_body(copy, r"(?<=[（hzH])\d{5,6}(?=[）.])", change, dice)


turned_direction = _swap_words(("同比增长", "同比下降"), ("上涨", "下跌"), ("上升", "下降"), ("净流入", "净流出"),
                               ("提高", "降低"), ("扩大", "收窄"))  # fmt: skip
turned_profit = _swap_words(("亏损1", "盈利1"), ("盈利8", "亏损8"), ("净利润4", "净亏损4"))
turned_trade = _swap_words(("增持", "减持"), ("净买入", "净卖出"), ("通过集中竞价卖出", "通过集中竞价买入"))
turned_word = _swap_words(("否认", "承认"), ("确认", "否认"), ("证实", "否认"))
done_not_planned = _swap_words(("拟以", "已以"), ("拟向", "已向"), ("将于", "已于"), ("将成为", "已成为"))
other_basis = _swap_words(("同比", "环比"))
other_bound = _swap_words(("不低于", "不超过"), ("元以上", "元以下"))


def negated(copy: Copy, dice: Random) -> Copy | None:
    """A "not" put in or taken out: the correction editors fear most."""
    turn = {"未": "已", "不存在": "存在", "没有": "有", "不会": "会", "将成为": "将不会成为", "已收到": "未收到",
            "预计": "并未预计", "通过了": "未通过", "均已": "均未"}  # fmt: skip
    pattern = "未(?=调整|使用)|不存在|没有(?=发生|其他)|不会|将成为|已收到|预计(?=将|央)|通过了|均已"
    return _in_body(copy, pattern, lambda found, _: turn[found[0]], dice)


def weakened(copy: Copy, dice: Random) -> Copy | None:
    return _in_body(copy, "将(?=成为|于|提高|用于|率先)", lambda found, _: "可能", dice)


def swapped_figures(copy: Copy, dice: Random) -> Copy | None:
    """Two figures of one sentence had each other's place."""
    pattern = r"(\d+(?:\.\d+)?)(%|亿元)([^。；\d]{1,30}?)(\d+(?:\.\d+)?)(\2)"
    return _in_body(copy, pattern, lambda found, _: f"{found[4]}{found[2]}{found[3]}{found[1]}{found[2]}", dice)


_NEWS = (
    "截至发稿，公司股价跌幅扩大至{a}.{b}%，成交额{c}亿元。",
    "另据知情人士透露，首批款项{c}.{b}亿元已于{m}月{d}日到账。",
    "交易所{m}月{d}日下发问询函，要求公司在{a}个工作日内作出说明。",
    "公司{m}月{d}日补充公告称，上述数据未经审计，调整后的金额为{c}{b}万元。",
    "监管部门对其处以{c}{a}万元罚款，并对{a}名责任人给予警告。",
)
_STATEMENTS = (
    "该公司发言人随后回应称，管理层正在与主要股东就重组方案进行沟通，目前双方尚未就核心条款达成一致，公司将根据进展及时履行信息披露义务。",
    "一位接近监管层的人士表示，有关部门已经注意到此事，并要求当地派出机构核查相关情况，如果发现违规行为将依法从严处理，绝不姑息。",
    "受此消息影响，多家供应商要求改为现款结算，部分生产线已经停工，工会代表正与管理层商谈员工的安置办法，地方政府也派出了工作组。",
)


def _fill(text: str, dice: Random) -> str:
    return text.format(a=dice.randint(2, 9), b=dice.randint(1, 9), c=dice.randint(11, 97), d=dice.randint(1, 28),
                       m=dice.randint(1, 12))  # fmt: skip


def added_news(copy: Copy, dice: Random) -> Copy | None:
    """A sentence of news, as a paragraph of its own or at the end of one."""
    news, place = _fill(dice.choice(_NEWS), dice), dice.randrange(len(copy.paragraphs))
    if dice.random() < 0.5:
        return _with(copy, place, copy.paragraphs[place] + news)
    return replace(copy, paragraphs=(*copy.paragraphs[: place + 1], news, *copy.paragraphs[place + 1 :]))


def added_statement(copy: Copy, dice: Random) -> Copy | None:
    return replace(copy, paragraphs=(*copy.paragraphs, dice.choice(_STATEMENTS)))


def removed_news(copy: Copy, dice: Random) -> Copy | None:
    """A sentence with figures is withdrawn."""
    return _in_body(copy, r"(?<=。)[^。]*\d+\.\d+[^。]*。", lambda *_: "", dice)


def clause_with_figure(copy: Copy, dice: Random) -> Copy | None:
    return _in_body(
        copy, r"(?<=\d%)(?=。)", lambda _, dice: f"，占比{dice.randint(21, 79)}.{dice.randint(1, 9)}%", dice
    )


def title_figure(copy: Copy, dice: Random) -> Copy | None:
    found = re.search(r"\d+(?:\.\d+)?(?=%|亿|万|个基点)", copy.title)
    if not found:
        return None
    return replace(copy, title=copy.title[: found.start()] + _slip(found[0], dice) + copy.title[found.end() :])


def title_turned(copy: Copy, dice: Random) -> Copy | None:
    table = {"增长": "下降", "下跌": "上涨", "上涨": "下跌", "拟": "已", "否认": "承认", "证实": "否认", "上调": "下调",
             "将开展": "已开展", "减持": "增持"}  # fmt: skip
    done = re.sub("增长|下跌|上涨|拟|否认|证实|上调|将开展|减持", lambda found: table[found[0]], copy.title, count=1)
    return replace(copy, title=done) if done != copy.title else None


def title_against_original(copy: Copy, dice: Random) -> Copy | None:
    """The house changes a title's figure or direction and leaves the 原标题 that says otherwise."""
    other = title_figure(copy, dice) or title_turned(copy, dice)
    return replace(other, original_title=copy.title) if other else None


# --- edits that do not ------------------------------------------------------------------------------------------------


def moved_paragraphs(copy: Copy, dice: Random) -> Copy | None:
    rest = list(copy.paragraphs[1:])
    dice.shuffle(rest)
    done = replace(copy, paragraphs=(copy.paragraphs[0], *rest))
    return done if done != copy else None


def halved_punctuation(copy: Copy, dice: Random) -> Copy | None:
    table = str.maketrans("，；：（）", ",;:()")
    return replace(
        copy, title=copy.title.translate(table), paragraphs=tuple(t.translate(table) for t in copy.paragraphs)
    )


def other_quotes(copy: Copy, dice: Random) -> Copy | None:
    return _everywhere(copy, "[“”]", lambda found: "「" if found[0] == "“" else "」")


def spaced(copy: Copy, dice: Random) -> Copy | None:
    """Spaces between figures and Han, as some house styles want, and the indent."""
    found = _everywhere(copy, r"(?<=[\d%])(?=[一-鿿])|(?<=[一-鿿])(?=\d)", " ")
    return replace(found, paragraphs=tuple("　　" + text for text in found.paragraphs)) if found else None


def wide_digits(copy: Copy, dice: Random) -> Copy | None:
    return _everywhere(copy, "[0-9.%]", lambda found: chr(ord(found[0]) + 0xFEE0))


def joined_sentences(copy: Copy, dice: Random) -> Copy | None:
    return _in_body(copy, "。(?!$)", lambda _, dice: dice.choice("；，"), dice)


def split_paragraph(copy: Copy, dice: Random) -> Copy | None:
    done = _in_body(copy, "。(?!$)", lambda *_: "。\n", dice)
    return replace(done, paragraphs=tuple(done.text.split("\n"))) if done else None


def merged_paragraphs(copy: Copy, dice: Random) -> Copy | None:
    one, two, *rest = copy.paragraphs
    return replace(copy, paragraphs=(one + two, *rest))


def amount_in_wan(copy: Copy, dice: Random) -> Copy | None:
    """3.6亿元 as 36000万元, or in full."""

    def change(found: re.Match[str], dice: Random) -> str:
        value = Decimal(found[1].replace(",", "")) * 100_000_000
        return f"{(value / 10_000).normalize():f}万" if dice.random() < 0.6 else f"{int(value):,}"

    return _in_body(copy, r"(\d[\d,]*(?:\.\d+)?)亿(?=元|美元|港元)", change, dice)


def amount_in_yi(copy: Copy, dice: Random) -> Copy | None:
    def change(found: re.Match[str], dice: Random) -> str:
        return f"{Decimal(found[1].replace(',', '')) / 10_000:f}亿"

    return _in_body(copy, r"(\d[\d,]*(?:\.\d+)?)万(?=元|美元|港元|股|吨)", change, dice)


def separators(copy: Copy, dice: Random) -> Copy | None:
    """Thousands with a comma, or without."""
    without = _everywhere(copy, r"(?<=\d),(?=\d{3})", "")
    return without or _everywhere(copy, r"(?<![\d.])\d{4}(?=亿|万|个)", lambda found: f"{int(found[0]):,}")


def date_in_full(copy: Copy, dice: Random) -> Copy | None:
    return _in_body(copy, r"(?<!年)(?<!\d)\d{1,2}月\d{1,2}日", lambda found, _: f"{copy.day.year}年{found[0]}", dice)


def date_without_year(copy: Copy, dice: Random) -> Copy | None:
    return _in_body(copy, r"20\d\d年(\d{1,2}月\d{1,2}日)", lambda found, _: found[1], dice)


def date_in_iso(copy: Copy, dice: Random) -> Copy | None:
    def change(found: re.Match[str], dice: Random) -> str:
        return f"{found[1]}-{int(found[2]):02}-{int(found[3]):02}{' ' if found[4] else ''}"

    return _in_body(copy, r"(20\d\d)年(\d{1,2})月(\d{1,2})日(?=(\d?))", change, dice)


def today_for_date(copy: Copy, dice: Random) -> Copy | None:
    day = f"{copy.day.month}月{copy.day.day}日"
    return _in_body(copy, rf"(?<!\d){day}", lambda *_: dice.choice(("今日", "今天")), dice)


def basis_points_short(copy: Copy, dice: Random) -> Copy | None:
    return _everywhere(copy, r"(?<=\d)个基点", "BP")


def percent_in_words(copy: Copy, dice: Random) -> Copy | None:
    return _in_body(copy, r"(\d+\.\d+)%", lambda found, _: f"百分之{found[1]}", dice)


def digits_for_han(copy: Copy, dice: Random) -> Copy | None:
    table = {"两艘": "2艘", "三家": "3家", "两成": "20%", "六个月": "6个月", "三成": "30%"}
    return _everywhere(copy, "|".join(table), lambda found: table[found[0]])


def other_wording(copy: Copy, dice: Random) -> Copy | None:
    table = {"上涨": "走高", "下跌": "走低", "表示": "指出", "称": "说", "公告显示": "公告披露",
             "认为": "指出", "提高": "提升", "同比增长": "同比增加", "目前": "当前",
             "主要由于": "主要是因为"}  # fmt: skip
    pattern = "上涨|下跌|表示|公告显示|认为|提高|同比增长|目前|主要由于"
    return _in_body(copy, pattern, lambda found, _: table[found[0]], dice)


def typing_slip(copy: Copy, dice: Random) -> Copy | None:
    """A doubled or a wrong character, put right (here: put in)."""
    table = {"的": "的的", "账面": "帐面", "已经": "己经", "必须": "必需", "其中": "其其中", "截至": "截止",
             "公司": "公司司", "市场": "市埸"}  # fmt: skip
    return _in_body(copy, "|".join(table), lambda found, _: table[found[0]], dice)


def phrase(copy: Copy, dice: Random) -> Copy | None:
    words = dice.choice(("据悉，", "值得注意的是，", "记者了解到，", "具体来看，"))
    return _in_body(copy, r"(?<=。)(?=[一-鿿])", lambda *_: words, dice)


_LINES = (
    "责任编辑：周小舟", "（编辑：何清源 审核：林知远）", "来源：环宇财讯", "作者：许言", "（文章来源：长河经济评论）",
    "风险提示：市场有风险，投资需谨慎。本文不构成投资建议，据此操作，风险自担。",
    "免责声明：本文仅代表作者个人观点，与本网站无关。读者仅作参考，并请自行承担全部责任。",
    "海量资讯、精准解读，尽在新浪财经APP", "点击下载客户端，首月会员立减30元，名额有限先到先得>>",
    "扫描下方二维码，关注本报公众号，每日9点推送早报", "阅读 12.6万", "（阅读原文 评论 356）",
    "更多精彩内容，请登录演示财经客户端", "本文版权归演示财经所有，未经授权不得转载。",
    "炒股就看金麒麟分析师研报，权威，专业，及时，全面，助您挖掘潜力主题机会！",
    "今日全年最低价，直降300元，10节课带你快速入门>>",
)  # fmt: skip


def added_line(copy: Copy, dice: Random) -> Copy | None:
    line = dice.choice(_LINES)
    first = dice.random() < 0.3
    return replace(copy, paragraphs=(line, *copy.paragraphs) if first else (*copy.paragraphs, line))


def other_line(copy: Copy, dice: Random) -> Copy | None:
    """One such line stood there, another stands there now; the first is in ``before`` by ``added_line``."""
    one, two = dice.sample(_LINES, 2)
    return replace(copy, paragraphs=(*copy.paragraphs, one, two))


def code_beside_name(copy: Copy, dice: Random) -> Copy | None:
    """The code in brackets beside a company's name goes, as house styles differ."""
    return _in_body(copy, r"（(?:sz|sh)?\d{5,6}(?:\.HK)?）", lambda *_: "", dice)


def marked_name(copy: Copy, dice: Random) -> Copy | None:
    return _in_body(copy, "公司(?=[^司]{4})", lambda found, _: f"{found[0]}（维权）", dice)


def repeated_lead(copy: Copy, dice: Random) -> Copy | None:
    """The lead once more, as a summary above the text."""
    lead = copy.paragraphs[0].partition("。")[0] + "。"
    return replace(copy, paragraphs=(f"内容摘要：{lead}", *copy.paragraphs))


def doubled_paragraph(copy: Copy, dice: Random) -> Copy | None:
    """A paragraph that stood there twice by mistake."""
    number = dice.randrange(len(copy.paragraphs))
    return replace(copy, paragraphs=(*copy.paragraphs[:number], copy.paragraphs[number], *copy.paragraphs[number:]))


def title_punctuation(copy: Copy, dice: Random) -> Copy | None:
    done = copy.title.replace(" ", "，") if " " in copy.title else f"【{copy.title}】"
    return replace(copy, title=done)


def title_with_label(copy: Copy, dice: Random) -> Copy | None:
    return replace(copy, title=dice.choice(("快讯：{}", "{}（附全文）", "独家|{}")).format(copy.title))


def original_named(copy: Copy, dice: Random) -> Copy | None:
    """The 原标题 is now told, and the title is a little shorter."""
    return replace(copy, original_title=copy.title, title=copy.title.replace(" ", "："))


def renminbi(copy: Copy, dice: Random) -> Copy | None:
    return _in_body(copy, r"(?<=[亿万])元", lambda *_: "元人民币", dice)


def ending_remark(copy: Copy, dice: Random) -> Copy | None:
    return replace(
        copy, paragraphs=(*copy.paragraphs, dice.choice(("本报将持续关注。", "（完）", "记者将继续跟进报道。")))
    )


MATERIAL: Mapping[str, Edit] = {
    "amount": corrected_amount, "share": corrected_share, "scale": corrected_scale, "currency": corrected_currency,
    "points for percent": points_for_percent, "basis points": basis_points, "day": corrected_day,
    "month": corrected_month, "year": corrected_year, "time": corrected_time, "quarter": corrected_quarter,
    "code": corrected_code, "direction": turned_direction, "profit": turned_profit, "trade": turned_trade,
    "word": turned_word, "done": done_not_planned, "basis": other_basis, "bound": other_bound, "negated": negated,
    "weakened": weakened, "swapped": swapped_figures, "news": added_news, "statement": added_statement,
    "withdrawn": removed_news, "clause": clause_with_figure, "title figure": title_figure,
    "title turned": title_turned, "title against 原标题": title_against_original,
}  # fmt: skip
COSMETIC: Mapping[str, Edit] = {
    "moved": moved_paragraphs, "punctuation": halved_punctuation, "quotes": other_quotes, "spaces": spaced,
    "wide digits": wide_digits, "joined": joined_sentences, "split": split_paragraph, "merged": merged_paragraphs,
    "in 万": amount_in_wan, "in 亿": amount_in_yi, "separators": separators, "date in full": date_in_full,
    "no year": date_without_year, "iso date": date_in_iso, "today": today_for_date, "BP": basis_points_short,
    "百分之": percent_in_words, "digits": digits_for_han, "wording": other_wording, "slip": typing_slip,
    "phrase": phrase, "line": added_line, "other line": other_line, "no code": code_beside_name, "marked": marked_name,
    "lead": repeated_lead, "doubled": doubled_paragraph, "title marks": title_punctuation, "label": title_with_label,
    "原标题": original_named, "renminbi": renminbi, "remark": ending_remark,
}  # fmt: skip


def edits(seed: int, count: int, source: Callable[[Random], Copy] = copies) -> list[Edited]:
    """So many edits, half of them material; a third come with cosmetic ones beside them, and some are undone."""
    dice = Random(seed)
    return [_one(dice, source, material=number % 2 == 0) for number in range(count)]


def _one(dice: Random, source: Callable[[Random], Copy], *, material: bool) -> Edited:
    table = MATERIAL if material else COSMETIC
    while True:
        name = dice.choice(sorted(table))
        before = source(dice)
        beside = dice.choice(sorted(COSMETIC)) if dice.random() < 0.35 else None
        between = (COSMETIC[beside](before, dice) if beside else None) or before
        after = table[name](between, dice)
        if after is None or after == between:
            continue
        what = name if between is before else f"{name} + {beside}"
        if dice.random() < 0.3:  # the other way round, as a correction of a correction
            before, after = after, before
        return Edited(what, material, before, after)
