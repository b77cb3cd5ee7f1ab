"""Chinese prose that nobody wrote: words of two characters by Zipf's law, in sentences; the same for the same seed."""

from __future__ import annotations

from itertools import accumulate
from random import Random

_CHARACTERS = (
    "市场资金利率银行债券股份公司增长下降政策央行监管投资基金贷款存款经济产业消费出口进口汇率美元黄金原油期货合约交易"
    "指数板块上涨回落机构研究报告分析预计去年同比环比数据季度月份企业利润收入成本价格需求供给生产制造技术创新科技能源电力"
    "汽车房地城市项目建设发展改革开放服务平台网络信息安全风险控制管理规范标准会议发布通知意见办法实施推进支持加强完善"
)
_DICE = Random("words")
_WORDS = [a + b for a, b in zip(_DICE.choices(_CHARACTERS, k=3_000), _DICE.choices(_CHARACTERS, k=3_000), strict=True)]
_WEIGHTS = list(accumulate(1 / rank for rank in range(1, len(_WORDS) + 1)))
_STOPS = "，，，，。"


def paragraph(dice: Random, characters: int) -> str:
    """About so many characters of sentences."""
    words = dice.choices(_WORDS, cum_weights=_WEIGHTS, k=characters * 4 // 9)
    parts = ["".join(words[at : at + 4]) + dice.choice(_STOPS) for at in range(0, len(words), 4)]
    return "".join(parts)[:-1] + "。"


def headline(dice: Random) -> str:
    """A title of some twenty characters."""
    return "".join(dice.choices(_WORDS, cum_weights=_WEIGHTS, k=10))
