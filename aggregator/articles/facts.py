"""What a reader could check in a text: amounts, shares, counts, dates, times and stock codes, each in one spelling.

The same fact written otherwise is the same value: 3.6亿元 and 36000万元, 25个基点 and 0.25个百分点, 2026年3月1日 and
2026-03-01. What is left open on one side agrees with anything on the other: a date without its year, an amount without
its unit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Literal

from aggregator.text.numerals import ARABIC, HAN, STEP, number

Kind = Literal["amount", "percent", "date", "time", "code"]
Part = Decimal | int | str | None


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact: its ``parts`` (``None`` is left open), the ``words`` that say it and where they begin."""

    kind: Kind
    parts: tuple[Part, ...]
    words: str
    start: int

    @property
    def end(self) -> int:
        """Where its words end."""
        return self.start + len(self.words)

    def agrees(self, other: Fact) -> bool:
        """Whether both can be the same fact."""
        if self.kind != other.kind:
            return _short_year(self, other) or _short_year(other, self)
        pairs = zip(self.parts, other.parts, strict=False)
        return all(one is None or two is None or one == two for one, two in pairs)


def _short_year(short: Fact, full: Fact) -> bool:
    """14年 can be 2014年."""
    if short.kind != "amount" or full.kind != "date" or short.parts[1] != "年":
        return False
    value, (year, *rest) = short.parts[0], full.parts
    if not isinstance(value, Decimal) or not isinstance(year, int) or value < 10:
        return False
    return year % 100 == value and all(part is None for part in rest)


# Unit as written -> unit compared, and how many of that one it is.
_SAME: Mapping[str, tuple[str, Decimal]] = MappingProxyType(
    {
        **dict.fromkeys(("元人民币", "人民币", "人民币元", "RMB", "CNY", "¥"), ("元", Decimal(1))),
        **dict.fromkeys(("港币", "HKD", "HK$"), ("港元", Decimal(1))),
        **dict.fromkeys(("美金", "USD", "US$", "$"), ("美元", Decimal(1))),
        **dict.fromkeys(("欧元", "EUR", "€"), ("欧元", Decimal(1))),
        **dict.fromkeys(("个百分点", "百分点", "pct"), ("百分点", Decimal(1))),
        **dict.fromkeys(("个基点", "基点", "bp", "bps", "BP", "BPs", "个bp", "个BP"), ("百分点", Decimal("0.01"))),
        "成": ("%", Decimal(10)),
        **dict.fromkeys(("名", "位"), ("人", Decimal(1))),
        **dict.fromkeys(("公斤", "千克"), ("吨", Decimal("0.001"))),
        "千米": ("公里", Decimal(1)),
        **dict.fromkeys(("兆瓦", "MW"), ("千瓦", Decimal(1_000))),
        **dict.fromkeys(("吉瓦", "GW"), ("千瓦", Decimal(1_000_000))),
        "kW": ("千瓦", Decimal(1)),
    }
)
_PLAIN_UNITS = """
    美元 港元 日元 英镑 澳元 加元 韩元 卢布 瑞郎 新台币 元 股 手 吨 克 盎司 桶 平方米 平方公里 亩 公顷 公里 米
    千瓦时 千瓦 GWh MWh 度 辆 台 架 艘 套 部 件 人次 人 户 家 只 支 条 项 个月 个交易日 交易日 个 次 笔 份 宗 起 种
    倍 点 张 座 所 天 小时 分钟 秒 周 年 岁 期 级 层 款 届 轮 批 集 % 连板 连阳 板""".split()
_UNIT = "|".join(re.escape(unit) for unit in sorted({*_PLAIN_UNITS, *_SAME} - {"$", "¥", "€"}, key=len, reverse=True))
_CURRENCY = r"人民币|美元|港元|港币|US\$|HK\$|USD|HKD|RMB|CNY|[$¥€]"
_MANY = "[多余]?"
_LATIN = "[0-9A-Za-z]"
_AFTER = "[0-9A-Za-z%)~年月日号时点元股家个倍万亿-]"  # a dash behind one of these joins the ends of a range

_CODE = (
    rf"(?<!{_LATIN})(?:(?P<market>sh|sz|bj|SH|SZ|BJ)\.?(?P<code>\d{{6}})|(?P<code2>\d{{6}})[.,]?(?P<market2>SH|SZ|BJ)"
    rf"|HK\.?(?P<hk>\d{{4,5}})|(?P<hk2>\d{{4,5}})[.,]?HK|(?P<us>[A-Z]{{1,5}})\.(?:US|N|O)"
    rf"|(?P<bare>[03689]\d{{5}})(?=[)、/]|$))(?!{_LATIN})"
)
_PART_OF_YEAR = "第?[一二三四1-4]季度?|[上下]半年|前三季度|Q[1-4]|[年月][初中末底]"
_SHORT_YEAR = rf"\d\d(?=年(?:[初末中底]|{_PART_OF_YEAR}|\d{{1,2}}月))"
_DATE = (
    rf"(?<![\d.])(?P<year>(?:19|20)\d\d|{_SHORT_YEAR}|二〇[零〇一二三四五六七八九]{{2}})年"
    r"(?:(?P<month>\d{1,2}|[一二三四五六七八九十]{1,2})月份?(?:(?P<day>\d{1,2}|[一二三四五六七八九十]{1,3})[日号])?)?"
    r"|(?<![\d.])(?P<iso>(?:19|20)\d\d)(?P<mark>[-/.])(?P<iso_month>\d{1,2})(?P=mark)(?P<iso_day>\d{1,2})(?![\d.%])"
    r"|(?<![\d.个])(?P<month2>\d{1,2}|(?<![一二三四五六七八九十])[一二三四五六七八九十]{1,2})月份?"
    r"(?:(?P<day2>\d{1,2}|[一二三四五六七八九十]{1,3})[日号])?"
    r"|(?<![\d.])(?P<day3>\d{1,2})(?:日(?![均线元])|号(?=[晚早上下,]|$))"
    r"|(?P<near>[今昨明][日天晚早]|[前后][天日](?!线))|(?P<near_year>[今去明前]年|本年度?|上年)"
    r"|(?:周|星期|礼拜)(?P<weekday>[一二三四五六日天])(?![期年])"
    rf"|(?P<span>{_PART_OF_YEAR})"
)
_TIME = (
    r"(?P<half>上午|早上|早间|凌晨|下午|晚间|晚上|中午)(?P<hour>\d{1,2})(?:[:点时](?P<minute>\d{1,2})?(?P<thirty>半)?分?)"
    r"|(?<!\d)(?P<hour2>[01]?\d|2[0-4])(?::(?P<minute2>[0-5]\d)(?!\d)|时(?:(?P<minute3>\d{1,2})分)?(?![间期代点])"
    r"|点(?P<minute4>\d{1,2})分|点(?P<thirty2>半))"
)
_FIGURE = (
    rf"(?P<currency>{_CURRENCY})?(?P<minus>(?<!{_AFTER})-|负)?(?P<percent>百分之)?"
    rf"(?:(?<!{_LATIN})(?<!{_LATIN}[.])(?P<number>(?:{ARABIC}{_MANY}{STEP}*)+)|(?P<han>{HAN}+(?:点{HAN}+)?))"
    rf"(?P<many>{_MANY})(?:(?P<unit>{_UNIT})|(?!{_LATIN}))"
)
_FACT = re.compile(f"{_CODE}|{_DATE}|{_TIME}|(?P<figure>{_FIGURE})")
_RANGE = re.compile(r"[-~至到—–]+")
_NOON = frozenset(("下午", "晚间", "晚上"))
_NEAR = {"今": 0, "昨": -1, "明": 1, "前": -2, "后": 2}
_NEAR_YEAR = {"今": 0, "本": 0, "去": -1, "上": -1, "前": -2, "明": 1}


def facts_of(text: str, day: date | None = None) -> tuple[Fact, ...]:
    """The facts of a text as ``sentences.spelled`` gives it, in order.

    ``day`` is the article's own, where its source is: it says what 今日 and 去年 are.
    """
    found = [fact for match in _FACT.finditer(text) if (fact := _fact(match, day))]
    return tuple(_ranges(text, found))


def skeleton(text: str, facts: tuple[Fact, ...]) -> str:
    """The text with a mark in place of each fact: what is said, without how much and when."""
    pieces, last = [], 0
    for fact in facts:
        pieces += [text[last : fact.start], "#"]
        last = fact.end
    return "".join(pieces) + text[last:]


def _fact(match: re.Match[str], day: date | None) -> Fact | None:
    for read in (_code, _date, _time, _figure):
        found = read(match, day)
        if found:
            return Fact(found[0], found[1], match[0], match.start())
    return None


Found = tuple[Kind, tuple[Part, ...]] | None


def _code(match: re.Match[str], _: date | None) -> Found:
    got = match.groupdict()
    if hk := got["hk"] or got["hk2"]:
        return "code", ("HK", hk.zfill(5))
    if got["us"]:
        return "code", ("US", got["us"])
    market = got["market"] or got["market2"]
    code = got["code"] or got["code2"] or got["bare"]
    return ("code", (market.upper() if market else None, code)) if code else None


def _date(match: re.Match[str], day: date | None) -> Found:
    """Year, month, day, part of a year, day of the week; what is not said is ``None``."""
    got = match.groupdict()
    if got["iso"]:
        return "date", (int(got["iso"]), int(got["iso_month"]), int(got["iso_day"]), None, None)
    if year := got["year"]:
        full = int("".join(str(number(digit)) for digit in year))
        return "date", (full + 2000 if full < 100 else full, _int(got["month"]), _int(got["day"]), None, None)
    if got["month2"] or got["day3"]:
        return "date", (None, _int(got["month2"]), _int(got["day2"] or got["day3"]), None, None)
    if got["near"] or got["near_year"] or got["weekday"] or got["span"]:
        return "date", _told_from(got, day)
    return None


def _told_from(got: Mapping[str, str | None], day: date | None) -> tuple[Part, ...]:
    """A date that is told from the article's own day, or a part of a year."""
    if near := got["near"]:
        away = _NEAR[near[0]]
        then = day + timedelta(away) if day else None
        return (
            (then.year, then.month, then.day, None, then.weekday()) if then else (None, None, None, f"{away} d", None)
        )
    if near_year := got["near_year"]:
        away = _NEAR_YEAR[near_year[0]]
        return (day.year + away, None, None, None, None) if day else (None, None, None, f"{away} y", None)
    if weekday := got["weekday"]:
        return (None, None, None, None, "一二三四五六日".index(weekday.replace("天", "日")))
    return (None, None, None, _span(got["span"] or ""), None)


def _span(words: str) -> str:
    """One name for a part of a year: Q1 for 一季度 and 第1季度."""
    quarter = re.search("[一二三四1-4](?=季)|(?<=Q)[1-4]", words)
    return f"Q{number(quarter[0])}" if quarter and "前" not in words else words.replace("底", "末")


def _int(text: str | None) -> int | None:
    return int(number(text)) if text else None


def _time(match: re.Match[str], _: date | None) -> Found:
    got = match.groupdict()
    hour = got["hour"] or got["hour2"]
    if hour is None:
        return None
    minute = got["minute"] or got["minute2"] or got["minute3"] or got["minute4"]
    half = 30 if got["thirty"] or got["thirty2"] else int(minute or 0)
    later = 12 if got["half"] in _NOON and int(hour) < 12 else 0
    return "time", ((int(hour) + later) * 60 + half,)


def _figure(match: re.Match[str], _: date | None) -> Found:
    got = match.groupdict()
    written = got["number"] or got["han"]
    unit = "%" if got["percent"] else got["unit"] or got["currency"]
    if not written or not _counts(written, unit, han=bool(got["han"])):
        return None
    name, factor = _SAME.get(unit or "", (unit, Decimal(1)))
    value = number(re.sub("[多余]", "", written)) * factor * (-1 if got["minus"] else 1)
    return ("percent" if name in ("%", "百分点") else "amount"), (value.normalize(), name)


def _counts(written: str, unit: str | None, *, han: bool) -> bool:
    """Whether Han digits are a figure: 三家 and 五百亿 are, the 一 of 一家, 一些 and 统一 is not."""
    return not han or (unit is not None and written not in ("一", "万", "亿", "千", "百", "零")) or len(written) > 2


def _ranges(text: str, facts: list[Fact]) -> Iterator[Fact]:
    """The facts, the lower end of a range with the scale and unit that only its upper end names: 3-5亿元."""
    for number_, fact in enumerate(facts):
        after = facts[number_ + 1] if number_ + 1 < len(facts) else None
        if after and fact.kind == "amount" and fact.parts[1] is None and _RANGE.fullmatch(text[fact.end : after.start]):
            yield _scaled(fact, after)
        else:
            yield fact


def _scaled(fact: Fact, upper: Fact) -> Fact:
    scale = "".join(re.findall("[万亿]", upper.words)) if not re.search("[万亿]", fact.words) else ""
    value = fact.parts[0]
    if upper.kind not in ("amount", "percent") or not isinstance(value, Decimal):
        return fact
    return Fact(upper.kind, ((value * number(f"1{scale}")).normalize(), upper.parts[1]), fact.words, fact.start)
