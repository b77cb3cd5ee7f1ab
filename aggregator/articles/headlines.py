"""Titles held against each other: of two versions, and of one version against the 原标题 it was published under."""

from __future__ import annotations

from datetime import date

from aggregator.articles.facts import Fact, facts_of, skeleton
from aggregator.articles.heard import Heard, rounded
from aggregator.articles.poles import reversals
from aggregator.articles.sentences import grams, likeness, sound, spelled
from aggregator.articles.verdict import Evidence, Where, differing, swapped

_SAME = 0.6  # so alike, a title was edited and not written anew
_RELATED = 0.35

Titles = tuple[str, str | None]


def headline(
    before: str, after: str, where: Where, heard: tuple[Heard, Heard], day: date | None = None
) -> list[Evidence]:
    """What a changed title says otherwise.

    Of an edited title every fact counts; of one written anew those the version before, or after, has nowhere.
    """
    one, two = spelled(before), spelled(after)
    if not one or not two or sound(one) == sound(two):
        return []
    mine, theirs = facts_of(one, day), facts_of(two, day)
    alike = likeness(grams(skeleton(one, mine)), grams(skeleton(two, theirs)))
    changed, lost, gained = differing(mine, theirs, pairing=alike >= _SAME)
    found = [Evidence(kind, where, old, new) for kind, old, new in changed]
    if not (changed or lost or gained) and swapped(one, mine, two, theirs):
        found.append(Evidence("order", where, one, two))
    found += [Evidence(fact.kind, where, fact.words, None) for fact in lost if _new(fact, heard[1])]
    found += [Evidence(fact.kind, where, None, fact.words) for fact in gained if _new(fact, heard[0])]
    turns = reversals(one, two) if alike >= _RELATED else []
    return found + [
        Evidence("reversal", where, old or None, new or None) for old, new in turns if alike >= _SAME or (old and new)
    ]


def _new(fact: Fact, other: Heard) -> bool:
    return fact.kind in ("amount", "percent", "date", "time") and not other.names(fact)


def against_original(before: Titles, after: Titles, day: date | None = None) -> list[Evidence]:
    """Where the title now says otherwise than the 原标题 does, and did not before; ``before`` is the 原标题's words."""
    old = set(_conflicts(*before, day))
    return [one for one in _conflicts(*after, day) if one not in old]


def _conflicts(title: str, original: str | None, day: date | None) -> list[Evidence]:
    one, two = spelled(original or ""), spelled(title)
    if not one or sound(one) == sound(two):
        return []
    mine, theirs = facts_of(one, day), facts_of(two, day)
    if likeness(grams(skeleton(one, mine)), grams(skeleton(two, theirs))) < _RELATED:
        return []
    _, lost, gained = differing(mine, theirs, pairing=False)
    turned = [(old, new) for old, new in reversals(one, two) if old and new]
    return [Evidence("reversal", "title_against_original", old, new) for old, new in turned] + [
        Evidence(fact.kind, "title_against_original", fact.words, other.words)
        for fact, other in zip(lost, gained, strict=False)
        if fact.kind == other.kind and not rounded(fact, other) and not rounded(other, fact)
    ]
