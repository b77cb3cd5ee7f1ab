"""Words that turn a statement round, as data: 增长 and 下降, 拟 and 已, 否认 and 确认."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType

Pole = tuple[str, str]  # a scale and one of its ends

# A scale -> its two ends. A word of one end in place of a word of the other is a reversal.
_OPPOSITES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "direction": (
            "增长 增加 上涨 上升 上行 走高 走强 攀升 回升 提高 提升 提速 上调 调升 上浮 大涨 暴涨 飙升 收涨 领涨 涨停"
            " 涨幅 增幅 升值 扩大 高开 反弹 加快 新高 预增 续涨 翻倍 翻番 高于 好于 增至 升至 涨至 升 增 涨",
            "下降 减少 下跌 下滑 下行 走低 走弱 回落 降低 放缓 下调 调降 下浮 大跌 暴跌 跳水 收跌 领跌 跌停 跌幅 降幅"
            " 贬值 收窄 缩小 低开 滑落 新低 预减 续跌 腰斩 减半 低于 不及 逊于 减至 降至 跌至 跌 降 减",
        ),
        "profit": (
            "净利润 净利 盈利 扭亏为盈 扭亏 净赚 获利 预盈 首盈",
            "亏损 由盈转亏 转亏 净亏 净亏损 巨亏 预亏 首亏",
        ),
        "done": ("拟 将 计划 打算 准备 即将 有待 待 预计 有望", "已经 已 完成"),
        "word": ("承认 确认 证实 属实", "否认 辟谣 驳斥 不实 失实"),
        "trade": (
            "买入 净买入 增持 购入 买进 加仓 申购 做多 看多 看涨 收购",
            "卖出 净卖出 减持 抛售 减仓 赎回 做空 看空 看跌 出售",
        ),
        "flow": ("净流入 净投放 流入", "净流出 净回笼 流出"),
        "basis": ("同比", "环比"),
        "consent": ("通过 批准 获批 同意 核准 支持 受理", "否决 驳回 拒绝 反对 不予"),
        "bound": (
            "不超过 不高于 不多于 至多 最多 以内 以下 不足 不到 接近 近",
            "不低于 不少于 至少 最少 以上 超过 突破 逾 超",
        ),
        "course": ("恢复 复牌 启动 继续 重启 开始", "暂停 停牌 终止 中止 取消 停止 叫停"),
        "office": ("出任 担任 任命 聘任 上任 当选 就任", "辞任 辞职 离任 卸任 免去 罢免"),
        "market": ("上市", "退市"),
        "rates": ("加息", "降息"),
        "verdict": ("胜诉", "败诉"),
        "party": ("买方 甲方 原告 受让方", "卖方 乙方 被告 转让方"),
    }
)
# One end is enough: put in or left out, these turn or weaken what is said.
_ALONE: Mapping[str, str] = MappingProxyType(
    {
        "not": "并未 尚未 从未 未 没有 并不 并非 并无 不会 不再 无需 无意 未能 不 无 非",
        "perhaps": "拟 可能 或将 据传 传闻 疑似 涉嫌 考虑 有望 计划",
    }
)
# Words in which one of those above means nothing of the kind.
_INNOCENT = """
    未来 不过 不仅 不但 不断 不少 不同 不良 不动产 不等 不久 不论 不管 不乏 不锈钢 不只 不得不
    不可避免 不排除 不确定性 不变 不佳
    无论 无锡 无人机 无人驾驶 无疑 无线 非常 非农 非洲 非金属 非银 非公开 非标 除非 是非 南非 差不多 了不起 值得
    将近 将军 即将 待遇 等待 期待 招待 近日 近期 近年 近来 近三 近两 近一 附近 最近 靠近 邻近 超级 超市 超额 超预期 超出
    增速 增值税 增量 增资 增发 增强 新增 增设 增产 减值 减税 减轻 减排 减产 降温 降准 降本
    升级 晋升 跌价 涨价 涨跌 升降 增减 减资
    预计算 已有 已故 通过审议 通信 开始日""".split()
_DIGITS_NEXT = ("升", "增", "涨", "跌", "降", "减", "近", "超", "逾")  # alone, these count before a figure only


def _words() -> tuple[re.Pattern[str], Mapping[str, tuple[Pole, ...]]]:
    meaning: dict[str, tuple[Pole, ...]] = {}
    for scale, ends in _OPPOSITES.items():
        for end, words in zip("+-", ends, strict=True):
            for word in words.split():
                meaning[word] = (*meaning.get(word, ()), (scale, end))
    for scale, words in _ALONE.items():
        for word in words.split():
            meaning[word] = (*meaning.get(word, ()), (scale, ""))
    known = sorted({*meaning, *_INNOCENT}, key=len, reverse=True)
    patterns = (f"{word}(?=[近超逾约至到了]?[0-9#])" if word in _DIGITS_NEXT else word for word in known)
    return re.compile("|".join(patterns)), MappingProxyType({word: meaning.get(word, ()) for word in known})


_FOUND, _MEANING = _words()


def poles_of(text: str) -> dict[Pole, str]:
    """The poles a text takes, each with the words that say so; a scale taken twice at one end counts once more."""
    found: dict[Pole, str] = {}
    for match in _FOUND.finditer(text):
        for pole in _MEANING[match[0]]:
            found[pole] = f"{found[pole]} {match[0]}" if pole in found else match[0]
    return found


def reversals(before: str, after: str) -> list[tuple[str, str]]:
    """The words of both by which one turns the other round; "" where a word was only put in or left out."""
    mine, theirs = poles_of(before), poles_of(after)
    lost, gained = _more(mine, theirs), _more(theirs, mine)
    turned = [
        (mine[scale, end], theirs[scale, other])
        for (scale, end) in lost
        for other in "+-"
        if end and other != end and (scale, other) in gained
    ]
    alone = [(mine.get(pole, ""), theirs.get(pole, "")) for pole in (*lost, *gained) if not pole[1]]
    return turned + alone


def _more(one: Mapping[Pole, str], two: Mapping[Pole, str]) -> list[Pole]:
    """The poles taken more often in the one than in the other."""
    counts = Counter({pole: len(words.split()) for pole, words in one.items()})
    counts.subtract({pole: len(words.split()) for pole, words in two.items()})
    return [pole for pole, more in counts.items() if more > 0]
