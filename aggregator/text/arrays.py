"""Many texts at once, as arrays of characters: their tokens and their letters, as the functions for one text give them.

By numpy, which takes 0.1 s to load: for who has texts to index or to compare, not for who asks something.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import TypeAlias

from aggregator.text.lean import NDArray, np
from aggregator.text.tokens import CJK, GAP, LETTER, tokens

Points: TypeAlias = NDArray[np.uint32]
"""The characters of a text as numbers."""

_RUN, _WORD, _ALNUM, _END = 1, 2, 4, 8  # what a character is: of a CJK run, of a word, alphanumeric, behind a text
_PATTERNS = ((_RUN, f"{CJK}+"), (_WORD, f"{LETTER}+"), (_ALNUM, r"[^\W_]+"))
_LAST = 0xFFFF  # of those in the table; it is no letter
_MOST = 32_768  # characters at once: the arrays of so many stay in the processor's cache


def tokens_of_all(texts: Sequence[str]) -> list[str]:
    """The tokens of each of these folded texts, as ``tokens`` gives them."""
    return [one for group in groups(texts) for one in (_tokens(group) if group[1:] else map(tokens, group))]


def letters_of_all(texts: Sequence[str]) -> list[Points]:
    """The letters and digits of each of these folded texts: whatever ``str.isalnum`` takes for one."""
    points = _points("".join(texts))
    counted = (_kinds(points) & _ALNUM) != 0
    ends = np.cumsum([0, *map(len, texts)])
    kept = np.append(0, np.cumsum(counted))[ends]
    return np.split(points[counted], kept[1:-1])


def _points(text: str) -> Points:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


def groups(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """The texts in their order, some at once; one that is longer than some should be is alone."""
    start = size = 0
    for number, text in enumerate(texts):
        size += len(text) + 1
        if size > _MOST and number > start:
            yield texts[start:number]
            start, size = number, len(text) + 1
    if texts:
        yield texts[start:]


def _tokens(texts: Sequence[str]) -> list[str]:
    """Of every character that is in a run: it, for CJK the next one of the run, and a blank where a token ends."""
    points = _points("\n".join((*texts, "")))
    kinds = _kinds(points) & (_RUN | _WORD)
    kinds[np.cumsum([len(text) + 1 for text in texts]) - 1] = _END
    places = np.flatnonzero(kinds)
    points, kinds = points[places], kinds[places]
    touching = np.diff(places, append=-1) == 1  # the next one stands right behind it
    alike = np.equal(kinds, np.append(kinds[1:], 0))
    goes_on, cjk = touching & alike, kinds == _RUN
    gaps = ~alike & ~touching & (kinds != _END) & (np.append(kinds[1:], _END) != _END)  # behind it, before the next run
    pairs = goes_on & cjk
    blanks = (cjk | ~goes_on) & (kinds != _END)
    ends = np.cumsum(1 + pairs + blanks + 2 * gaps)
    begins = np.append(0, ends[:-1])
    made = np.full(ends[-1], ord(" "), dtype="<u4")
    made[begins] = points
    made[begins[pairs] + 1] = points[np.flatnonzero(pairs) + 1]
    made[ends[gaps] - 2] = ord(GAP)
    return [one.rstrip(" ") for one in made.tobytes().decode("utf-32-le").split("\n")[:-1]]


def _kinds(points: Points) -> NDArray[np.uint8]:
    kinds = _table()[np.minimum(points, _LAST)]
    high = np.flatnonzero(points > _LAST)
    if len(high):
        signs, places = np.unique(points[high], return_inverse=True)
        kinds[high] = _kinds_of(signs.tolist())[places]
    return kinds


@cache
def _table() -> NDArray[np.uint8]:
    return _kinds_of(range(_LAST + 1))


def _kinds_of(points: Iterable[int]) -> NDArray[np.uint8]:
    signs = "".join(map(chr, points))
    kinds = np.zeros(len(signs), dtype=np.uint8)
    for kind, pattern in _PATTERNS:
        for run in re.finditer(pattern, signs):
            kinds[run.start() : run.end()] |= kind
    return kinds
