"""Sentences and clauses of Chinese copy in one spelling, and which sentence of one text became which of another."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")
Pair = tuple[T | None, T | None]

ALIKE = 0.35  # share of neighbouring characters in common from which two sentences are the same one, edited
NEAR = 20  # sentences before and as many after, of all that share the same two characters
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_WIDE_THOUSANDS = re.compile("(?<=[０-９])，(?=[０-９]{3}(?![０-９]))")
_IDLE_SPACE = re.compile(r"(?<![0-9A-Za-z%])[^\S\n]+|[^\S\n]+(?![0-9A-Za-z])|(?<=[A-Za-z])[^\S\n]+(?=\d)")
_QUOTES = re.compile("[\"'“”‘’「」『』《》〈〉【】\\[\\]〔〕*#]")
_END = re.compile(r"[。!?;…\n]+")
_PAUSE = re.compile(r"(?<!\d)[,:]|[,:](?!\d)|[。!?;、|\n ]")
_SOUND = re.compile(r"(?<!\d)[^\w%#-]+|[^\w%#-]+(?!\d)|-(?!\d)")  # a point and a minus belong to their figure
# Marks editors and the site put beside names, and the numbers of a list: they say nothing.
_MARKS = re.compile(
    r"\((?:维权|图|组图|视频|附图|附股|更新|更正|下称.{1,12}|以下简称.{1,14})\)|^\d{1,2}\.(?=(?:19|20)\d\d年)", re.M
)


def spelled(text: str) -> str:
    """The text with one spelling of width, quotes, thousands separators and idle spaces; lines stay lines."""
    plain = unicodedata.normalize("NFKC", _WIDE_THOUSANDS.sub("", text))
    plain = _MARKS.sub("", _QUOTES.sub("", _THOUSANDS.sub("", plain)))
    return _IDLE_SPACE.sub("", plain).replace("—", "-").replace("–", "-").replace("~", "-")


def sentences(text: str) -> list[str]:
    """The sentences of a spelled text."""
    return [sentence for sentence in _END.split(text) if sound(sentence)]


def clauses(sentence: str) -> list[str]:
    """The clauses of a spelled sentence: what stands between commas and colons that are no part of a figure."""
    return [clause for clause in _PAUSE.split(sentence) if sound(clause)]


def sound(sentence: str) -> str:
    """What is left of a sentence without punctuation and spaces: two that sound alike are one."""
    return _SOUND.sub("", sentence)


def grams(text: str) -> Counter[str]:
    """The pairs of neighbouring characters, and how often each comes."""
    said = sound(text)
    return Counter(said[at : at + 2] for at in range(max(1, len(said) - 1)))


def likeness(one: Counter[str], two: Counter[str]) -> float:
    """From 0 to 1: what two texts have in common of both (Dice)."""
    whole = one.total() + two.total()
    return 2 * (one & two).total() / whole if whole else 1.0


def contained(part: Counter[str], whole: Counter[str]) -> float:
    """From 0 to 1: how much of the one is in the other."""
    return (part & whole).total() / part.total() if part else 1.0


def paired(before: Sequence[T], after: Sequence[T], shape: Callable[[T], str], least: float = ALIKE) -> list[Pair[T]]:
    """Each item of ``before`` with what became of it in ``after``; ``None`` stands for no counterpart.

    Two items belong together when their shapes are alike; the most alike first, of equals the nearest in place. Of
    what shares two characters only the nearest are looked at, so that the work grows with the texts, not their square.
    """
    shapes = [grams(shape(item)) for item in after]
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, counts in enumerate(shapes):
        for gram in counts:
            places[gram].append(place)
    found: list[tuple[float, int, int, int]] = []
    for number, item in enumerate(before):
        mine = grams(shape(item))
        near = {place for gram in mine for place in _nearest(places[gram], number)}
        scored = ((likeness(mine, shapes[place]), place) for place in near)
        found += [(-score, abs(number - place), number, place) for score, place in scored if score >= least]
    partner = _chosen(found)
    taken = set(partner.values())
    pairs: list[Pair[T]] = [
        (item, after[partner[number]] if number in partner else None) for number, item in enumerate(before)
    ]
    return pairs + [(None, item) for place, item in enumerate(after) if place not in taken]


def _nearest(places: Sequence[int], number: int) -> Sequence[int]:
    at = bisect(places, number)
    return places[max(0, at - NEAR) : at + NEAR]


def _chosen(found: list[tuple[float, int, int, int]]) -> dict[int, int]:
    partner: dict[int, int] = {}
    taken: set[int] = set()
    for _, _, number, place in sorted(found):
        if number not in partner and place not in taken:
            partner[number] = place
            taken.add(place)
    return partner


def unmatched(before: Sequence[str], after: Sequence[str]) -> tuple[list[str], list[str]]:
    """What of each sounds like nothing of the other, wherever it stands there."""
    common = Counter(map(sound, before)) & Counter(map(sound, after))
    return _without(before, common), _without(after, common)


def _without(items: Sequence[str], common: Counter[str]) -> list[str]:
    left, rest = Counter(common), []
    for item in items:
        name = sound(item)
        if left[name]:
            left[name] -= 1
        else:
            rest.append(item)
    return rest
