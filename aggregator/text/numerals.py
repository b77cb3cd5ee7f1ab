"""Numbers as Chinese copy writes them, read to an exact value: 3.6亿, 3亿6000万, 三千六百万, 三点六亿."""

from __future__ import annotations

import re
from decimal import Decimal

ARABIC = r"\d+(?:\.\d+)?"
STEP = "(?:[十百万亿]|千(?![瓦克米]))"  # the 千 of 千瓦 is its unit's
HAN = f"(?:[零〇一二两三四五六七八九]|{STEP})"

_DIGITS = {**{digit: str(value) for value, digit in enumerate("零一二三四五六七八九")}, "〇": "0", "两": "2", "点": "."}
_STEPS = {"": 1, "十": 10, "百": 100, "千": 1_000}
_SCALES = {"亿": 100_000_000, "万": 10_000}
_ONES = "[零〇一二两三四五六七八九]+"
_TERM = re.compile(rf"({ARABIC}|{_ONES}(?:点{_ONES})?|)([十百千]*)")


def number(text: str) -> Decimal:
    """The value of a number written with digits, with Han or with both; an empty one is 0.

    ``text`` holds nothing else, no thousands separator and no sign: "1.2万亿", "3亿6000万", "十二", "二〇二六".
    """
    for scale, factor in _SCALES.items():
        before, found, after = text.rpartition(scale)
        if found:
            return number(before or "1") * factor + number(after)
    return sum((_term(digits, steps) for digits, steps in _TERM.findall(text) if digits or steps), Decimal(0))


def _term(digits: str, steps: str) -> Decimal:
    """One figure with its tens, hundreds, thousands: "三十", "3千", "十"."""
    value = Decimal("".join(_DIGITS.get(digit, digit) for digit in digits)) if digits else Decimal(1)
    for step in steps:
        value *= _STEPS[step]
    return value
