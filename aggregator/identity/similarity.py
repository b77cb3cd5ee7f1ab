"""Similarity of texts: MinHash finds what may be a reprint, the Jaccard index of the shingles decides it.

Shingles are runs of characters, not of words: Chinese has no blanks between words. Measured on Sina's company news of
June 2020: a wire story and its reprints stand at 0.8 and above, unrelated texts below 0.1 (docs/archive.md).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from aggregator.text.characters import nfkc
from aggregator.text.diff import difference
from aggregator.text.tokens import folded

VERSION = 1  # of all that is below: signatures of another version are not comparable
LONG = 200  # characters; texts of at least so many are compared by longer shingles
SHORTEST = 20  # characters; below it nothing is called a reprint: "详见公告" is everywhere

_NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
_CODE = re.compile(r"(?<![\d.])\d{6}(?![\d.])")  # of a security in Shanghai, Shenzhen or Beijing
_FEW_NUMBERS = 5  # that many must all be in the other text; of more, one may be another
_OTHER_NUMBERS = 0.1  # of more still, that share may be others
_NAMED = 2  # times that a name gives way to another one, in a form filled in for two


@dataclass(frozen=True, slots=True)
class Scale:
    """How texts of one length are compared: the size of a shingle, and the Jaccard index from which on they are one."""

    shingle: int
    threshold: float


_SHORT_SCALE, _LONG_SCALE = Scale(4, 0.9), Scale(8, 0.8)
# Two texts can only reach a threshold when the shorter has that share of the longer one's shingles; so a text just
# above the border may still equal one just below it.
_BORDER = LONG / _SHORT_SCALE.threshold


def bands(text: str) -> tuple[int, ...]:
    """The keys of a text's look-up: two texts that are alike share one of them, but for one pair in a thousand.

    Signed 64-bit integers, none for a text too short to be compared. A pair with a Jaccard index of 0.8 is missed with
    a probability of (1 - 0.8⁴)¹⁶ = 0.0002.
    """
    return bands_of_all([folded(text)])[0]


def bands_of_all(texts: Sequence[str]) -> list[tuple[int, ...]]:
    """The ``bands`` of each of these folded texts; of many at once they take a third of the time."""
    from aggregator.text.arrays import groups

    return [keys for group in groups(texts) for keys in _bands(group)]


def _bands(texts: Sequence[str]) -> list[tuple[int, ...]]:
    from aggregator.identity.minhash import band_keys
    from aggregator.text.arrays import letters_of_all

    words = letters_of_all(texts)
    found: list[tuple[int, ...]] = [() for _ in texts]
    for scale in (_SHORT_SCALE, _LONG_SCALE):
        chosen = [number for number, one in enumerate(words) if scale in _scales(len(one))]
        for number, keys in zip(chosen, band_keys([words[one] for one in chosen], scale.shingle), strict=True):
            found[number] += tuple(keys)
    return found


def resemblance(one: str, other: str) -> float | None:
    """The Jaccard index of the shingles of two texts that are one text reprinted, ``None`` where they are not.

    A form filled in twice is no reprint: one with other figures, for another security, or in which one name stands
    throughout in the place of another. Of the numbers in the text that has fewer, nearly all must be in the other; in
    the real reprints all of them are, but for one in fifty.
    """
    from aggregator.identity.minhash import jaccard, shingles
    from aggregator.text.arrays import letters_of_all

    first, second = letters_of_all((folded(one), folded(other)))
    shorter = min(len(first), len(second))
    if shorter < SHORTEST:
        return None
    scale = _LONG_SCALE if shorter >= LONG else _SHORT_SCALE
    index = jaccard(shingles(first, scale.shingle), shingles(second, scale.shingle))
    return index if index >= scale.threshold and _of_one_thing(one, other) else None


def _scales(length: int) -> Iterator[Scale]:
    if SHORTEST <= length <= _BORDER:
        yield _SHORT_SCALE
    if length >= LONG:
        yield _LONG_SCALE


def _of_one_thing(one: str, other: str) -> bool:
    first, second = (nfkc(text) for text in (one, other))
    return _numbers_agree(first, second) and _codes_agree(first, second) and not _renamed(first, second)


def _numbers_agree(one: str, other: str) -> bool:
    first, second = _numbers(one), _numbers(other)
    fewer = min(len(first), len(second))
    others = max(1, _OTHER_NUMBERS * fewer) if fewer > _FEW_NUMBERS else 0
    return fewer - len(first & second) <= others


def _numbers(text: str) -> frozenset[str]:
    return frozenset(number.replace(",", "") for number in _NUMBER.findall(text))


def _codes_agree(one: str, other: str) -> bool:
    first, second = set(_CODE.findall(one)), set(_CODE.findall(other))
    return not first or not second or bool(first & second)


def _renamed(one: str, other: str) -> bool:
    """Whether a name that only the one text has stands, more than once, where the other has a name of its own."""
    runs = difference(one, other)
    changes = Counter((old.text, new.text) for old, new in pairwise(runs) if (old.op, new.op) == ("delete", "insert"))
    return any(
        times >= _NAMED
        and min(len(old), len(new)) > 1
        and old.isalpha()
        and new.isalpha()
        and old not in other
        and new not in one
        for (old, new), times in changes.items()
    )
