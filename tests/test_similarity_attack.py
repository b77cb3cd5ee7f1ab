"""Reprints as editors make them and texts that only look alike: how many are told apart, over some 2,300 pairs."""

from __future__ import annotations

from collections import Counter

from similar_pairs import lookalikes, reprints
from test_similarity import alike, jaccard, letters

from aggregator.identity.similarity import LONG

EACH = 130


def _same_text(one: str, other: str) -> bool:
    """Whether the two have as much in common as a reprint must: fewer is beyond what is promised."""
    return jaccard(one, other) >= (0.8 if min(len(letters(one)), len(letters(other))) >= LONG else 0.9)


def test_reprints_are_told_from_what_only_looks_like_them() -> None:
    made, found, missed, wrong = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for kind, one, other in reprints(6, EACH):
        made[kind] += 1
        found[kind] += alike(one, other)
        missed[kind] += not alike(one, other) and _same_text(one, other)
    for kind, one, other in lookalikes(6, EACH):
        made[kind] += 1
        wrong[kind] += alike(one, other)
    print(f"{made.total()} pairs: {found.total()} reprints found, missed {dict(+missed)}, wrong {dict(+wrong)}")
    assert made.total() >= 2_000
    assert found.total() >= 0.95 * (found + missed).total()
    assert found.total() >= 0.99 * (found + wrong).total()


def test_most_lookalikes_have_as_much_in_common_as_a_reprint() -> None:
    """Or the test above would say nothing: forms must be told apart by what they are about, not by their Jaccard."""
    alike_in_letters = Counter(kind for kind, one, other in lookalikes(6, 30) if _same_text(one, other))
    assert {"other company", "other bank", "other progress", "other amount"} <= {*alike_in_letters}
