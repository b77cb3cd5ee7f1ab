"""JSON as servers really send it: JSONP, NaN, numbers without end, lone surrogates."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping

_WRAPPER = re.compile(r"\s*(?:/\*.{0,200}?\*/\s*)?(?:try\s*\{\s*)?[A-Za-z_$][\w$.]{0,100}\s*\(", re.S)
_AFTER = re.compile(r"[\s;)}]*(?:catch\s*\(\w*\)\s*\{\s*\}\s*;?)?\s*")
_LONE = re.compile("[\ud800-\udfff]")  # half of a surrogate pair: no character, and UTF-8 has no bytes for it
_SAFE_DIGITS = 18  # below 2^63; a longer integer stays the text it was


def load(text: str) -> object:
    """The value of a JSON or JSONP text. Raises ``ValueError`` for anything else, however deep or long it is.

    ``NaN`` and ``Infinity`` become ``None``; an integer beyond 64 bits, or a float beyond range, stays its own text; of
    equal keys the last wins.
    """
    start = text.lstrip("\ufeff \t\r\n")
    wrapper = _WRAPPER.match(start)
    try:
        value, end = _DECODER.raw_decode(start, _skip(start, wrapper.end() if wrapper else 0))
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    if not _AFTER.fullmatch(start, end):
        raise ValueError(f"more text after the JSON value, at character {end}")
    return value


def dump(value: object, *, sort: bool = False) -> bytes:
    """Compact JSON in UTF-8, the same for the same value; a lone surrogate becomes ``?``. Raises ``ValueError``."""
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=sort)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    return text.encode("utf-8", "replace")


def text_of(item: Mapping[str, object], key: str) -> str:
    """A scalar of an object as trimmed text: strings and numbers alike, "" for what is missing or no scalar.

    A lone surrogate becomes U+FFFD.
    """
    value = item.get(key)
    if isinstance(value, str):
        return _LONE.sub("\ufffd", value.strip())
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def objects(value: object) -> list[Mapping[str, object]]:
    """The objects in an array; [] for anything else."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= _SAFE_DIGITS else digits


def _float(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text


def _constant(_name: str) -> None:
    return None


_DECODER = json.JSONDecoder(parse_int=_integer, parse_float=_float, parse_constant=_constant, strict=False)
