"""Verdicts and their evidence, and how the facts of two sentences are held against each other."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from aggregator.articles.facts import Fact, Kind, Part, skeleton
from aggregator.articles.sentences import grams, likeness

EvidenceKind = Literal["amount", "percent", "date", "time", "code", "reversal", "order", "added", "removed"]
Where = Literal["title", "original_title", "title_against_original", "body"]
Judgement = Literal["material", "cosmetic"]

MOST = 12  # pieces of evidence that are kept
_WORDS = 80  # characters of each
_OPEN_PAIRS = 40_000  # of more facts than that only equal ones are looked for: no article has so many
_SAME_SENTENCE = 0.8  # so alike, two sentences name their facts in the same places


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that makes an edit material: the words before and after; ``None`` where there were none."""

    kind: EvidenceKind
    where: Where
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an edit changed facts, and at most ``MOST`` pieces of evidence; cosmetic ones have none."""

    verdict: Judgement
    evidence: tuple[Evidence, ...] = ()


def evidence_of(found: Iterable[Evidence]) -> Verdict:
    """The verdict that evidence makes: the same is told once, long words are cut."""
    short = (Evidence(one.kind, one.where, _cut(one.before), _cut(one.after)) for one in found)
    kept = tuple(dict.fromkeys(short))[:MOST]
    return Verdict("material" if kept else "cosmetic", kept)


def _cut(words: str | None) -> str | None:
    return words if words is None or len(words) <= _WORDS else words[: _WORDS - 1] + "…"


Changed = list[tuple[Kind, str, str]]


def differing(
    before: Sequence[Fact], after: Sequence[Fact], *, pairing: bool = True
) -> tuple[Changed, list[Fact], list[Fact]]:
    """The facts that changed (kind and both words), those that are only before, and those that are only after.

    With ``pairing`` a lost fact and a gained one of the same kind are one that changed.
    """
    lost, gained = _without(before, after)
    changed: Changed = []
    if not pairing:
        return changed, lost, gained
    partners: defaultdict[str, deque[Fact]] = defaultdict(deque)
    for fact in gained:
        partners[_family(fact)].append(fact)
    alone = []
    for fact in lost:
        same = partners[_family(fact)]
        if same:
            other = same.popleft()
            changed.append((other.kind, fact.words, other.words))
        else:
            alone.append(fact)
    return changed, alone, [fact for waiting in partners.values() for fact in waiting]


def _family(fact: Fact) -> str:
    return "amount" if fact.kind == "percent" else fact.kind


def _without(before: Sequence[Fact], after: Sequence[Fact]) -> tuple[list[Fact], list[Fact]]:
    """What is left of both when every fact has met one it agrees with, exact ones first."""
    common = Counter(fact.parts for fact in before) & Counter(fact.parts for fact in after)
    mine, theirs = _left(before, common), _left(after, common)
    if len(mine) * len(theirs) > _OPEN_PAIRS:
        return mine, theirs
    for fact in tuple(mine):
        met = next((one for one in theirs if fact.agrees(one)), None)
        if met is not None:
            mine.remove(fact)
            theirs.remove(met)
    return mine, theirs


def _left(facts: Sequence[Fact], common: Counter[tuple[Part, ...]]) -> list[Fact]:
    waiting, rest = Counter(common), []
    for fact in facts:
        if waiting[fact.parts]:
            waiting[fact.parts] -= 1
        else:
            rest.append(fact)
    return rest


def swapped(one: str, mine: Sequence[Fact], two: str, theirs: Sequence[Fact]) -> bool:
    """Whether two sentences say the same of the same facts in another order: 3亿、5亿 and 5亿、3亿."""
    if all(fact.agrees(other) for fact, other in zip(mine, theirs, strict=False)):
        return False
    shapes = [grams(skeleton(text, tuple(facts))) for text, facts in ((one, mine), (two, theirs))]
    if likeness(*shapes) < _SAME_SENTENCE:
        return False
    for family in {_family(fact) for fact in mine}:
        rows = [[fact for fact in facts if _family(fact) == family] for facts in (mine, theirs)]
        if any(not fact.agrees(other) for fact, other in zip(*rows, strict=False)):
            return True
    return False
