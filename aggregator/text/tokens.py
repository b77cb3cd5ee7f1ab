"""The words of a text as the index holds them. Pure; another ``VERSION`` means another index.

A text is runs: of Chinese, Japanese and Korean characters, and words of any other letters and digits. What stands
between runs (blanks, punctuation, symbols) is not searched, and no run is crossed. A CJK run becomes its pairs of
characters and its last character, so that any part of it is found: one character as the beginning of a token, longer
ones as pairs in a row. A word is one token. Where a word and a CJK run are neighbours but do not touch, ``GAP`` stands
between them, so that LPR报价 is not found in LPR、报价.
"""

from __future__ import annotations

import re
import unicodedata
from operator import add
from typing import NamedTuple

VERSION = 1
GAP = "\ue000"  # for private use: to SQLite's unicode61 a token, to us part of no run

# Han with 々〆〇, kana, bopomofo, Hangul; as far as NFKC leaves them.
_CJK = (
    "\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3105-\u312f\u31a0-\u31bf\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\ufa0e-\ufa29\U00020000-\U0003ffff"
)
_NO_LETTERS = "\u19b0-\u19c9\u1cf2\u1cf3"  # Python takes them for letters, unicode61 does not
LETTER = f"[^\\W_{_CJK}{_NO_LETTERS}]"  # of a word, as a pattern
BETWEEN = f"[\\W_{_NO_LETTERS}]"  # what is in no run, as a pattern
_RUN = re.compile(f"([{_CJK}]+)|{LETTER}+")

# What nearly every Chinese text has and NFKC changes: done first, the slow way is hardly ever taken.
_WIDE = re.compile("[\uff01-\uff5e\u3000\u2026\xa0]")
_NARROW = {
    wide: unicodedata.normalize("NFKC", wide) for wide in map(chr, (*range(0xFF01, 0xFF5F), 0x3000, 0x2026, 0xA0))
}


class Run(NamedTuple):
    """A run of a folded text, and where in it. ``touches``: the run before it ends there."""

    text: str
    start: int
    cjk: bool
    touches: bool


def folded(text: str) -> str:
    """The text as it is compared: NFKC (full-width letters are letters), without case."""
    narrow = _WIDE.sub(lambda found: _NARROW[found[0]], text)
    return unicodedata.normalize("NFKC", narrow).casefold()


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
    last = None
    for run, _, cjk, touches in runs(folded(text)):
        if not touches and cjk is not last is not None:
            made.append(GAP)
        if cjk:
            made += map(add, run, run[1:])
            made.append(run[-1])
        else:
            made.append(run)
        last = cjk
    return " ".join(made)
