"""What a version says, to be asked whether it has something already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import cached_property

from aggregator.articles.facts import Fact, facts_of
from aggregator.articles.poles import reversals
from aggregator.articles.sentences import contained, grams, spelled

_MOSTLY = 0.6  # of a sentence's pairs of characters


class Heard:
    """The sentences of a version, read once and when asked for."""

    def __init__(self, sentences: Sequence[str], day: date | None) -> None:
        self._sentences = [spelled(sentence) for sentence in sentences]
        self._day = day

    @cached_property
    def _grams(self) -> list[Counter[str]]:
        return [grams(sentence) for sentence in self._sentences]

    @cached_property
    def _all_grams(self) -> Counter[str]:
        return sum(self._grams, Counter())

    @cached_property
    def facts(self) -> list[Fact]:
        """All facts of it."""
        return [fact for sentence in self._sentences for fact in facts_of(sentence, self._day)]

    def has(self, words: str) -> bool:
        """Whether one of its sentences says this already, with the same facts."""
        said = grams(words)
        if contained(said, self._all_grams) < _MOSTLY:
            return False
        facts = facts_of(words, self._day)
        likely = (place for place, whole in enumerate(self._grams) if contained(said, whole) >= _MOSTLY)
        return any(
            self._holds(self._sentences[place], facts) and not reversals(self._sentences[place], words)
            for place in likely
        )

    def _holds(self, sentence: str, facts: Sequence[Fact]) -> bool:
        theirs = facts_of(sentence, self._day)
        return all(any(fact.agrees(other) for other in theirs) for fact in facts)

    def names(self, fact: Fact) -> bool:
        """Whether it has this fact anywhere, be it more exactly: 近300亿 where the text says 297.71亿."""
        return any(fact.agrees(other) or rounded(fact, other) for other in self.facts)


def rounded(rough: Fact, exact: Fact) -> bool:
    """Whether the one is the other, told with fewer digits."""
    one, two = rough.parts[0], exact.parts[0]
    if rough.kind != exact.kind or not isinstance(one, Decimal) or not isinstance(two, Decimal):
        return False
    if rough.parts[1] is not None and exact.parts[1] is not None and rough.parts[1] != exact.parts[1]:
        return False
    digits = len(one.as_tuple().digits)
    return digits < len(two.as_tuple().digits) and Decimal(f"{two:.{digits - 1}e}") == one
