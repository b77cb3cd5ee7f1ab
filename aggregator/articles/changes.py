"""What an edit changed in facts: ``judge`` holds two versions of an article against each other.

Material is a changed amount, share, count, date, time or stock code, a word that turns a statement round, a sentence
with such facts that came or went, and new or lost text of substance without any. Everything else is cosmetic: the same
fact written otherwise, other words for it, another order of paragraphs, punctuation, typing slips, bylines, notices.
Not seen are a name put for another name, and what only the meaning of a sentence tells (docs/archive.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal
from zoneinfo import ZoneInfo

from aggregator.articles.facts import Fact, facts_of, skeleton
from aggregator.articles.furniture import furniture
from aggregator.articles.headlines import against_original, headline
from aggregator.articles.heard import Heard
from aggregator.articles.plaintext import text_of
from aggregator.articles.poles import reversals
from aggregator.articles.rules import SINA_ZONE, Rules
from aggregator.articles.sentences import (
    Pair,
    clauses,
    contained,
    grams,
    paired,
    sentences,
    sound,
    spelled,
    unmatched,
)
from aggregator.articles.verdict import Evidence, Verdict, differing, evidence_of, swapped
from aggregator.model import Article

SUBSTANCE = 40  # characters of text without facts that came or went, from which that is material
SHORT = 15  # as many are enough where they are
SHARE = 0.2  # of the text
_FOREIGN = 0.35  # a clause with less than this in common with the old sentence is new in it


@dataclass(frozen=True, slots=True)
class Telling:
    """One version of an article: its title, its 原标题 if it names one, its text as ``plaintext.text_of`` gives it."""

    title: str
    original_title: str | None
    text: str


@dataclass(slots=True)
class _Side:
    """What only one of the two versions has: sentences, facts of edited sentences, clauses without facts."""

    sentences: list[str] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    clauses: list[str] = field(default_factory=list)


def judge(before: Telling, after: Telling, day: date | None = None) -> Verdict:
    """Whether an edit is material, and by what; ``day`` is the day of publication where the source is.

    Pure, and in proportion to what differs: 10,000 characters take some milliseconds, a rewritten article a second.
    """
    old, new = _body(before.text), _body(after.text)
    known, told = (Heard([one.title, *sentences(spelled(one.text))], day) for one in (before, after))
    evidence = [
        *headline(before.title, after.title, "title", (known, told), day),
        *headline(before.original_title or "", after.original_title or "", "original_title", (known, told), day),
        *against_original((before.title, before.original_title), (after.title, after.original_title), day),
        *_bodies(old, new, (known, told), day),
    ]
    return evidence_of(evidence)


def judged(before: Article, after: Article, rules: Rules) -> Verdict | None:
    """What an edit of the source changed in facts; ``None`` where one of the two has a text and the other only a link.

    The texts are derived from both bodies by the same rules.
    """
    if before.reason != after.reason:
        return None
    published = after.published or before.published
    day = published.astimezone(ZoneInfo(SINA_ZONE)).date() if published else None
    one, two = (Telling(each.title, each.original_title, text_told(each, rules)) for each in (before, after))
    return judge(one, two, day)


def text_told(article: Article, rules: Rules) -> str:
    """The cleaned text of an article as it is stored: of its body, or of a link-only one what the listing said."""
    return text_of(article.html, article.rule, rules) if article.html else article.text


def _body(text: str) -> list[str]:
    """The sentences of a text without what is no part of it."""
    lines = [line for line in spelled(text).split("\n") if not furniture(line)]
    return sentences("\n".join(lines))


def _bodies(old: Sequence[str], new: Sequence[str], heard: tuple[Heard, Heard], day: date | None) -> list[Evidence]:
    lost, gained = unmatched(old, new)
    found: list[Evidence] = []
    gone, come = _Side(), _Side()
    for one, two in _became(lost, gained, day):
        if one is not None and two is not None:
            found += _edited(one, two, gone, come, day)
        elif one is not None:
            gone.sentences.append(one)
        elif two is not None:
            come.sentences.append(two)
    return found + _one_sided(gone, come, heard, (len("".join(old)), len("".join(new))), day)


def _became(lost: Sequence[str], gained: Sequence[str], day: date | None) -> list[Pair[str]]:
    """Which sentence became which: by what they say, and of the rest by the figures they share."""
    pairs = paired(lost, gained, lambda sentence: skeleton(sentence, facts_of(sentence, day)))
    whole = [(one, two) for one, two in pairs if one is not None and two is not None]
    alone = [one for one, two in pairs if two is None and one is not None]
    new = [two for one, two in pairs if one is None and two is not None]
    return whole + paired(alone, new, str)


def _edited(one: str, two: str, gone: _Side, come: _Side, day: date | None) -> list[Evidence]:
    """What an edited sentence says otherwise; what it only lost or gained goes to the sides."""
    mine, theirs = facts_of(one, day), facts_of(two, day)
    changed, lost, gained = differing(mine, theirs)
    found = [Evidence(kind, "body", old, new) for kind, old, new in changed]
    if not (changed or lost or gained) and swapped(one, mine, two, theirs):
        words = "、".join(fact.words for fact in mine), "、".join(fact.words for fact in theirs)
        found.append(Evidence("order", "body", *words))
    gone.facts += lost
    come.facts += gained
    kept, kept_too = _shared_clauses(one, two, gone), _shared_clauses(two, one, come)
    found += [Evidence("reversal", "body", old or None, new or None) for old, new in reversals(kept, kept_too)]
    return found


def _shared_clauses(mine: str, other: str, side: _Side) -> str:
    """The clauses of a sentence that the other has too; new ones without facts go to the side."""
    whole = grams(other)
    shared = []
    for clause in clauses(mine):
        if len(clause) >= SHORT // 2 and contained(grams(clause), whole) < _FOREIGN:
            side.clauses.append(clause)
        else:
            shared.append(clause)
    return ",".join(shared)


def _one_sided(
    gone: _Side, come: _Side, heard: tuple[Heard, Heard], lengths: tuple[int, int], day: date | None
) -> list[Evidence]:
    """What came and what went, but for what only moved to another sentence, or repeats what the other version says."""
    known, told = heard
    lost = [(one, [fact for fact in facts_of(one, day) if _counts(fact)]) for one in gone.sentences]
    gained = [(one, [fact for fact in facts_of(one, day) if _counts(fact)]) for one in come.sentences]
    free_lost = gone.facts + [fact for _, facts in lost for fact in facts]
    free_gained = come.facts + [fact for _, facts in gained for fact in facts]
    _, only_lost, only_gained = differing(free_lost, free_gained, pairing=False)
    return [
        *_of_side("removed", gone, lost, frozenset(only_lost), told, lengths[0]),
        *_of_side("added", come, gained, frozenset(only_gained), known, lengths[1]),
    ]


def _of_side(
    kind: Literal["added", "removed"],
    side: _Side,
    whole: Iterable[tuple[str, list[Fact]]],
    left: frozenset[Fact],
    other: Heard,
    length: int,
) -> list[Evidence]:
    unheard = [(one, facts) for one, facts in whole if not furniture(one) and not other.has(one)]
    found = [_placed(kind, one) for one, facts in unheard if any(fact in left for fact in facts)]
    inside = [fact for fact in side.facts if fact in left and _counts(fact)]
    found += [
        Evidence(fact.kind, "body", *((fact.words, None) if kind == "removed" else (None, fact.words)))
        for fact in inside
    ]
    plain = [one for one, facts in unheard if not facts] + [one for one in side.clauses if not other.has(one)]
    size = sum(len(sound(one)) for one in plain)
    if size >= SUBSTANCE or (size >= SHORT and size >= SHARE * length):
        found.append(_placed(kind, "。".join(plain)))
    return found


def _placed(kind: Literal["added", "removed"], words: str) -> Evidence:
    return Evidence(kind, "body", *((words, None) if kind == "removed" else (None, words)))


def _counts(fact: Fact) -> bool:
    """Whether a fact that stands on one side alone says something: a code beside a name, 今日 and 周三 do not."""
    told = fact.kind == "date" and not any(letter.isdecimal() for letter in fact.words)
    return fact.kind != "code" and not told
