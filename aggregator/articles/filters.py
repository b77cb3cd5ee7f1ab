"""What a feed keeps and what it drops: words and regular expressions over title, body and symbols. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from aggregator.model import Term

_PATTERN = re.compile(r"/(.+)/", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an article; ``None`` is what its page may still say."""

    title: str | None
    symbols: tuple[str, ...] | None
    body: str | None

    def texts(self, part: str) -> tuple[str, ...] | None:
        """The texts a term about ``part`` looks at, ``None`` where they are not known."""
        if part == "symbols":
            return self.symbols
        text = self.title if part == "title" else self.body
        return None if text is None else (text,)


def flaw(text: str) -> str | None:
    """What is wrong with a term as it is written, ``None`` where nothing is."""
    try:
        _pattern(text)
    except re.error as error:
        return f"is no regular expression ({error})"
    return None


def verdict(keep: Sequence[Term], drop: Sequence[Term], known: Known) -> bool | None:
    """Whether an article is kept; ``None`` where that cannot be told before its page is read.

    It is dropped if a term of ``drop`` is found in it, or if there are terms to ``keep`` and none of them is.
    """
    if (dropped := _any(drop, known)) is True:
        return False
    kept = _any(keep, known) if keep else True
    if kept is False:
        return False
    return None if dropped is None or kept is None else True


def _any(terms: Iterable[Term], known: Known) -> bool | None:
    """Whether one of the terms is found: ``None`` where none is yet, and one may be."""
    found = [_found(term, known) for term in terms]
    return True if True in found else None if None in found else False


def _found(term: Term, known: Known) -> bool | None:
    parts = ("title", "body", "symbols") if term.part == "any" else (term.part,)
    texts = [known.texts(part) for part in parts]
    if any(_is_in(term.text, text) for some in texts if some for text in some):
        return True
    return None if None in texts else False


def _is_in(wanted: str, text: str) -> bool:
    pattern = _pattern(wanted)
    return bool(pattern.search(text)) if pattern else _folded(wanted) in _folded(text)


@lru_cache(maxsize=1_000)
def _pattern(text: str) -> re.Pattern[str] | None:
    """The regular expression between slashes; ``None`` for words."""
    match = _PATTERN.fullmatch(text)
    return re.compile(match[1]) if match else None


def _folded(text: str) -> str:
    """Full width and half width, capitals and small letters are one (Unicode NFKC, case folding)."""
    return unicodedata.normalize("NFKC", text).casefold()
