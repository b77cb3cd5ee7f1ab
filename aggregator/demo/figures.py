"""The words and figures that fill the slots of the copy templates: names stay, figures are drawn anew each time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from random import Random

Company = tuple[str, str]  # name, code as Sina writes it in quote links

COMPANIES: Mapping[str, tuple[Company, ...]] = {
    "banks": (
        ("招商银行", "sh600036"), ("工商银行", "sh601398"), ("宁波银行", "sz002142"), ("平安银行", "sz000001"),
        ("江苏银行", "sh600919"), ("杭州银行", "sh600926"), ("成都银行", "sh601838"), ("兴业银行", "sh601166"),
        ("浦发银行", "sh600000"), ("渝农商行", "sh601077"), ("南京银行", "sh601009"), ("常熟银行", "sh601128"),
    ),
    "ashares": (
        ("宁德时代", "sz300750"), ("贵州茅台", "sh600519"), ("比亚迪", "sz002594"), ("隆基绿能", "sh601012"),
        ("中国中车", "sh601766"), ("海尔智家", "sh600690"), ("东软集团", "sh600718"), ("三一重工", "sh600031"),
        ("立讯精密", "sz002475"), ("阳光电源", "sz300274"), ("万华化学", "sh600309"), ("紫金矿业", "sh601899"),
        ("北方华创", "sz002371"), ("中际旭创", "sz300308"), ("恒瑞医药", "sh600276"), ("伊利股份", "sh600887"),
        ("格力电器", "sz000651"), ("京东方A", "sz000725"), ("牧原股份", "sz002714"), ("福耀玻璃", "sh600660"),
    ),
    "hk": (
        ("腾讯控股", "00700"), ("小米集团-W", "01810"), ("友邦保险", "01299"), ("港交所", "00388"),
        ("泡泡玛特", "09992"), ("安踏体育", "02020"), ("舜宇光学科技", "02382"), ("吉利汽车", "00175"),
        ("新鸿基地产", "00016"), ("海底捞", "06862"), ("比亚迪电子", "00285"), ("信达生物", "01801"),
    ),
    "us": (
        ("美光", "MU"), ("苹果", "AAPL"), ("微软", "MSFT"), ("英伟达", "NVDA"), ("亚马逊", "AMZN"),
        ("特斯拉", "TSLA"), ("甲骨文", "ORCL"), ("耐克", "NKE"), ("波音", "BA"), ("奥多比", "ADBE"),
        ("好市多", "COST"), ("伯克希尔", "BRK.B"), ("博通", "AVGO"), ("英特尔", "INTC"),
    ),
    "adr": (
        ("阿里巴巴", "BABA"), ("京东", "JD"), ("百度", "BIDU"), ("网易", "NTES"), ("拼多多", "PDD"),
        ("理想汽车", "LI"), ("哔哩哔哩", "BILI"), ("携程", "TCOM"),
    ),
}  # fmt: skip

NAMES: Mapping[str, tuple[str, ...]] = {
    "city": tuple("上海 深圳 杭州 苏州 成都 武汉 西安 青岛 合肥 长沙 宁波 郑州 佛山 无锡 厦门 重庆".split()),
    "house": tuple("云岫证券 远帆研究 东篱资本 海石证券 北纬研究院 知行证券 明湖基金 鼎川国际".split()),
    "bank": tuple("江城银行 滨海商行 南屏银行 云港农商行".split()),
    "metal": tuple("沪铜 沪铝 沪锌 螺纹钢 铁矿石 碳酸锂 豆粕 棕榈油 白糖 棉花 玻璃 纯碱".split()),
    "pair": tuple("欧元兑美元 美元兑日元 英镑兑美元 澳元兑美元 美元兑加元 美元兑瑞郎".split()),
    "industry": tuple("光伏 储能 半导体 汽车 家电 机器人 医药 造船 通信设备 有色金属 食品饮料 航空航天".split()),
}

EDITORS: tuple[tuple[str, str], ...] = (
    ("林知远", "SF101"), ("周小舟", ""), ("何清源", "SF233"), ("程一诺", "SF318"), ("许言", ""), ("沈青禾", "SN077"),
)  # fmt: skip

UPS = ("上涨", "下跌", "走高", "走低")
AMOUNTS = {"yi": "亿元", "usd": "亿美元", "hkd": "亿港元"}


def percent(dice: Random) -> str:
    """A share or a rate of change, two digits behind the point."""
    return f"{dice.randint(11, 1899) / 100:.2f}%"


def _amount(unit: str) -> Callable[[Random], str]:
    return lambda dice: f"{dice.choice((dice.randint(1, 99) / 10, dice.randint(101, 9899) / 10)):,.1f}{unit}"


FIGURES: Mapping[str, Callable[[Random], str]] = {
    "pct": percent,
    "move": lambda dice: dice.choice(("上涨", "下跌")) + f"{dice.randint(5, 689) / 100:.2f}%",
    "move2": lambda dice: dice.choice(("上升", "下降")),
    "up": lambda dice: dice.choice(UPS),
    "bp": lambda dice: f"{dice.randint(2, 240) / 2:.1f}个基点",
    "rate": lambda dice: f"{dice.randint(110, 420) / 100:.2f}%",
    "px": lambda dice: f"{dice.randint(105, 98999) / 100:,.2f}",
    "x": lambda dice: f"{dice.randint(12, 98) / 10:.1f}",
    "pmi": lambda dice: f"{dice.randint(472, 539) / 10:.1f}",
    "ppt": lambda dice: f"{dice.randint(320, 7900) * 10:,}",
    "pts": lambda dice: f"{dice.randint(20, 48900) / 100:.2f}点",
    "idx": lambda dice: f"{dice.randint(310000, 2899900) / 100:,.2f}点",
    "fx": lambda dice: f"{dice.randint(69000, 73000) / 10000:.4f}",
    "n": lambda dice: str(dice.randint(11, 98)),
    "n2": lambda dice: str(dice.randint(4, 9)),
} | {name: _amount(unit) for name, unit in AMOUNTS.items()}


class Slots(dict[str, str]):
    """Values for ``str.format_map``: the fixed ones are kept, a figure's slot gives another figure each time.

    ``said`` holds the figures given so far, by kind. Figures of ``first`` are given before new ones, so that an
    article's lead repeats those of its title.
    """

    def __init__(self, fixed: Mapping[str, str], dice: Random, first: Mapping[str, list[str]] | None = None) -> None:
        super().__init__(fixed)
        self._dice = dice
        self._first = {kind: list(figures) for kind, figures in (first or {}).items()}
        self.said: dict[str, list[str]] = {}

    def __missing__(self, name: str) -> str:
        waiting = self._first.get(name)
        figure = waiting.pop(0) if waiting else FIGURES[name](self._dice)
        self.said.setdefault(name, []).append(figure)
        return figure


def _date_words(when: datetime) -> dict[str, str]:
    """What the copy says of its own day; ``when`` is the time of publication in Beijing."""
    last_month = when.replace(day=1) - timedelta(days=1)
    yesterday = when - timedelta(days=1)
    return {
        "day": f"{when.month}月{when.day}日",
        "yday": f"{yesterday.month}月{yesterday.day}日",
        "month": f"{last_month.month}月",
        "dow": "周" + "一二三四五六日"[when.weekday()],
    }


def fixed_slots(dice: Random, when: datetime, companies: tuple[Company, ...]) -> dict[str, str]:
    """The names of one story: ``{city}`` and ``{city2}`` differ, as do ``{co}``, ``{co2}`` and ``{co3}``."""
    slots = _date_words(when)
    for kind, names in NAMES.items():
        slots[kind], slots[kind + "2"] = dice.sample(names, 2)
    for slot, (name, _) in zip(("co", "co2", "co3"), companies, strict=False):
        slots[slot] = name
    if companies:
        slots["code"] = companies[0][1].removeprefix("sh").removeprefix("sz")
    return slots
