"""Where in a text a query's words are, and the part of a text that shows them best."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from aggregator.text.query import Words, pattern_of
from aggregator.text.tokens import folded

_BEFORE = 20  # characters of a snippet before its first mark
_MOST_WORDS = 32  # of a query are shown
_MOST_MARKS = 1000  # of one word in one text
_MOST_BEGINNINGS = 50  # that are compared

Mark = tuple[int, int]  # where it begins and where it has ended


@dataclass(frozen=True, slots=True)
class Snippet:
    """A part of a text, with … where it was cut, and the marks in it, in order and apart."""

    text: str
    marks: tuple[Mark, ...]


def marked(text: str, query: Sequence[Words]) -> Snippet:
    """The whole of a short text, such as a title."""
    whole = unicodedata.normalize("NFC", text)
    return Snippet(whole, _joined(mark for mark, _ in _found(whole, query)))


def snippet(text: str, query: Sequence[Words], length: int = 100) -> Snippet:
    """Some ``length`` characters on one line, where most of the query's words are; the beginning where none is."""
    line = " ".join(unicodedata.normalize("NFC", text).split())
    found = _found(line, query)
    first = _densest(found, length - _BEFORE)
    begin = first - _BEFORE if first > length - _BEFORE else 0
    end = begin + length
    head, tail = "…" if begin else "", "…" if end < len(line) else ""
    shift = len(head) - begin
    inside = _joined((a, b) for (a, b), _ in found if begin <= a and b <= end)
    return Snippet(head + line[begin:end] + tail, tuple((a + shift, b + shift) for a, b in inside))


def _found(text: str, query: Sequence[Words]) -> list[tuple[Mark, int]]:
    """Where the wanted words are, and which of them each is, in order."""
    plain, origins = _traced(text)
    wanted = [words for words in query if words.wanted][:_MOST_WORDS]
    return sorted(
        ((origins[hit.start()], origins[hit.end() - 1] + 1), which)
        for which, words in enumerate(wanted)
        for hit in islice(pattern_of(words).finditer(plain), _MOST_MARKS)
    )


def _traced(text: str) -> tuple[str, Sequence[int]]:
    """The folded text, and for each of its characters the place of the one it comes from."""
    plain = folded(text)
    if len(plain) == len(text):
        return plain, range(len(text))
    pieces = [folded(character) for character in text]
    return "".join(pieces), [at for at, piece in enumerate(pieces) for _ in piece]


def _densest(found: Sequence[tuple[Mark, int]], length: int) -> int:
    """Where the stretch begins that shows most of the words, and most often; 0 where there is none."""

    def seen(place: int) -> tuple[int, int]:
        end = found[place][0][0] + length
        inside = [which for mark, which in found[place:] if mark[1] <= end]
        return len(set(inside)), len(inside)

    best = max(range(min(len(found), _MOST_BEGINNINGS)), key=seen, default=None)
    return 0 if best is None else found[best][0][0]


def _joined(marks: Iterable[Mark]) -> tuple[Mark, ...]:
    """Marks without overlap, in order."""
    made: list[Mark] = []
    for begin, end in marks:
        if made and begin < made[-1][1]:
            made[-1] = (made[-1][0], max(end, made[-1][1]))
        else:
            made.append((begin, end))
    return tuple(made)
