"""The words of a text as the index holds them. Pure; another ``VERSION`` means another index.

A text is runs: of Chinese, Japanese and Korean characters, and words of any other letters and digits. What stands
between runs (blanks, punctuation, symbols) is not searched, and no run is crossed. A CJK run becomes its pairs of
characters and its last character, so that any part of it is found: one character as the beginning of a token, longer
ones as pairs in a row. A word is one token. Where a word and a CJK run are neighbours but do not touch, ``GAP`` stands
between them, so that LPR报价 is not found in LPR、报价.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from aggregator.text.characters import nfkc

VERSION = 1
GAP = "\ue000"  # for private use: to SQLite a token, to us part of no run

# Han with 々〆〇, kana, bopomofo, Hangul; as far as NFKC leaves them.
_CJK = (
    "\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3105-\u312f\u31a0-\u31bf\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\ufa0e-\ufa29\U00020000-\U0003ffff"
)
_NO_LETTERS = "\u19b0-\u19c9\u1cf2\u1cf3"  # Python takes them for letters, SQLite's unicode61 did not
CJK = f"[{_CJK}]"  # of a CJK run, as a pattern
LETTER = f"[^\\W_{_CJK}{_NO_LETTERS}]"  # of a word, as a pattern
BETWEEN = f"[\\W_{_NO_LETTERS}]"  # what is in no run, as a pattern
_RUN = re.compile(f"({CJK}+)|{LETTER}+")
_WORD = re.compile(f"({LETTER}+)")
_NO_WORD = re.compile(f"[_{_NO_LETTERS}]")
_BETWEEN = re.compile(f"[^\\w{_CJK}]+")
_BLANK = " ".encode("utf-32-le")
_ACROSS = re.compile(" {3}[^ ] ")  # of 丙 丁, behind 丙: its blank, one behind that, and 丁 with the blank before it


class Run(NamedTuple):
    """A run of a folded text, and where in it. ``touches``: the run before it ends there."""

    text: str
    start: int
    cjk: bool
    touches: bool


def folded(text: str) -> str:
    """The text as it is compared: NFKC (full-width letters are letters), without case."""
    return nfkc(text).casefold()


def runs(text: str) -> list[Run]:
    """The runs of a folded text in their order."""
    found: list[Run] = []
    end = -1
    for one in _RUN.finditer(text):
        start, after = one.span()
        found.append(Run(one[0], start, one.lastindex is not None, start == end))
        end = after
    return found


def tokens(text: str) -> str:
    """The tokens of a text in their order, with blanks between."""
    made: list[str] = []
    last = None  # whether the run before was CJK
    pieces = _WORD.split(_BETWEEN.sub(" ", _NO_WORD.sub(" ", folded(text))))
    for number, piece in enumerate(pieces):
        if number % 2:
            if last and pieces[number - 1][-1:] == " ":
                made.append(GAP)
            made.append(piece)
            last = False
        elif flat := piece.strip(" "):
            if last is False and piece[0] == " ":
                made.append(GAP)
            made.append(_pairs(flat))
            last = True
    return " ".join(made)


def _pairs(flat: str) -> str:
    """The tokens of CJK runs with a blank between: of 甲乙丙 丁 those are 甲乙 乙丙 丙 丁.

    Written by slices over all of them at once, which takes a fifth of the time of making each: every character gets
    the next one and a blank behind it; where that is a blank, the two characters around it are one token too many.
    """
    points = flat.encode("utf-32-le")
    following = points[4:] + _BLANK
    made = bytearray((bytes(8) + _BLANK) * len(flat))
    for byte in range(3):  # the fourth is always 0
        made[byte::12] = points[byte::4]
        made[byte + 4 :: 12] = following[byte::4]
    return _ACROSS.sub(" ", made.decode("utf-32-le")).rstrip(" ")
