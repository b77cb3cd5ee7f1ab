"""MinHash over runs of characters, by numpy, which takes 0.1 s to load: only who compares texts imports this module."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import pairwise
from typing import TypeAlias

from aggregator.text.arrays import Points
from aggregator.text.lean import NDArray, np

Hashes: TypeAlias = NDArray[np.uint64]
_ROWS, _BANDS = 4, 16
_CHUNK = 1_024  # shingles hashed at once: the table stays in the processor's cache
_BASE = 0x100000001B3


def shingles(words: Points, size: int) -> Hashes:
    """The hashes of all runs of so many characters, a power of two, each once, in order."""
    return np.unique(_hashed(words, size))


def _hashed(words: Points, size: int) -> Hashes:
    """The hashes of all runs of so many characters as they come: polynomials, of which two make one twice as long."""
    hashes, base, length = words.astype(np.uint64), _BASE, 1
    while length < size:
        hashes = hashes[:-length] * np.uint64(base) + hashes[length:]
        base, length = base * base % 2**64, 2 * length
    return _mixed(hashes)


def _mixed(values: Hashes) -> Hashes:
    """Every bit depends on every other one (the finaliser of SplitMix64)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


_SEEDS = _mixed(np.arange(1, _ROWS * _BANDS + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15))
_FACTORS = (_mixed(_SEEDS) >> np.uint64(32)).astype(np.uint32)[:, None] | np.uint32(
    1
)  # odd: no two shingles become one
_TERMS = (_SEEDS >> np.uint64(32)).astype(np.uint32)[:, None]


def band_keys(texts: Sequence[Points], size: int) -> list[list[int]]:
    """The bands of texts by their shingles of that size, as signed 64-bit integers. None is shorter than a shingle."""
    if not texts:
        return []
    ends = np.cumsum([0, *map(len, texts)])
    short = (_hashed(np.concatenate(texts), size) >> np.uint64(32)).astype(np.uint32)
    least = np.array([_least(short[start : end - size + 1]) for start, end in pairwise(ends)], dtype=np.uint64)
    keys = np.arange(_BANDS, dtype=np.uint64) + np.uint64(size << 8)  # no band shares a key with another one
    for row in range(_ROWS):
        keys = _mixed(keys ^ least[:, row::_ROWS]) + np.uint64(row)
    found: list[list[int]] = keys.view(np.int64).tolist()
    return found


def _least(short: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Of each hash function the least value over a text's shingles."""
    parts = (short[start : start + _CHUNK] * _FACTORS for start in range(0, len(short), _CHUNK))
    return reduce(np.minimum, (np.add(part, _TERMS, out=part).min(axis=1) for part in parts))


def jaccard(one: Hashes, other: Hashes) -> float:
    """The Jaccard index of two texts' shingles."""
    common = len(np.intersect1d(one, other, assume_unique=True))
    return common / (len(one) + len(other) - common) if common else 0.0
