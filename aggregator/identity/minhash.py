"""MinHash over runs of characters, by numpy, which takes 0.1 s to load: only who compares texts imports this module."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Hashes: TypeAlias = NDArray[np.uint64]
_ROWS, _BANDS = 4, 16
_CHUNK = 512  # shingles hashed at once: the table stays in the processor's cache


def shingles(words: str, size: int) -> Hashes:
    """The hashes of all runs of so many characters, each once, in order."""
    return np.unique(hashed(words, size))


def hashed(words: str, size: int) -> Hashes:
    """The hashes of all runs of so many characters as they come."""
    points = np.frombuffer(words.encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    count = len(points) - size + 1
    hashes = np.zeros(max(count, 0), dtype=np.uint64)
    for offset in range(size if count > 0 else 0):
        hashes = hashes * np.uint64(0x100000001B3) + points[offset : offset + count]
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


def band_keys(hashes: Hashes, size: int) -> list[int]:
    """The bands of a text that has these shingles of that size, as signed 64-bit integers."""
    short = (hashes >> np.uint64(32)).astype(np.uint32)
    least = np.full(_ROWS * _BANDS, np.iinfo(np.uint32).max, dtype=np.uint32)
    table = np.empty((_ROWS * _BANDS, min(_CHUNK, len(short))), dtype=np.uint32)
    for start in range(0, len(short), _CHUNK):
        some = short[None, start : start + _CHUNK]
        part = table[:, : some.shape[1]]
        np.multiply(some, _FACTORS, out=part)
        np.add(part, _TERMS, out=part)
        np.minimum(least, part.min(axis=1), out=least)
    keys = np.arange(_BANDS, dtype=np.uint64) + np.uint64(size << 8)  # no band shares a key with another one
    for row in range(_ROWS):
        keys = _mixed(keys ^ least[row::_ROWS].astype(np.uint64)) + np.uint64(row)
    return [int(key) for key in keys.view(np.int64)]


def jaccard(one: Hashes, other: Hashes) -> float:
    """The Jaccard index of two texts' shingles."""
    common = len(np.intersect1d(one, other, assume_unique=True))
    return common / (len(one) + len(other) - common) if common else 0.0
