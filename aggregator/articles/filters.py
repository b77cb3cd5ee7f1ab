"""What a feed keeps and what it drops: words and regular expressions over title, body and symbols. Pure."""

from __future__ import annotations

import re
import unicodedata
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from aggregator.model import Term

_PATTERN = re.compile(r"/(.+)/", re.DOTALL)
# What an expression may take: of a second for one text (a usual one takes some millionths), and how often longer.
_LONGEST = 0.25
_MOST = 4


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
        _expression(text)
    except re.error as error:
        return f"is no regular expression ({error})"
    return None


def verdict(keep: Sequence[Term], drop: Sequence[Term], known: Known) -> bool | None:
    """Whether an article is kept; ``None`` where that cannot be told before its page is read.

    It is dropped if a term of ``drop`` is found in it, or if there are terms to ``keep`` and none of them is. An
    expression that takes too long drops nothing, a warning says so once, and then it is not tried any more.
    """
    if (dropped := _any(drop, known, doubt=False)) is True:
        return False
    kept = _any(keep, known, doubt=True) if keep else True
    if kept is False:
        return False
    return None if dropped is None or kept is None else True


def _any(terms: Iterable[Term], known: Known, *, doubt: bool) -> bool | None:
    """Whether one of the terms is found: ``None`` where none is yet, and one may be; ``doubt`` where one never ends."""
    found = [_found(term, known, doubt) for term in terms]
    return True if True in found else None if None in found else False


def _found(term: Term, known: Known, doubt: bool) -> bool | None:
    parts = ("title", "body", "symbols") if term.part == "any" else (term.part,)
    texts = [known.texts(part) for part in parts]
    if any(_is_in(term.text, text, doubt) for some in texts if some for text in some):
        return True
    return None if None in texts else False


def _is_in(wanted: str, text: str, doubt: bool) -> bool:
    expression = _expression(wanted)
    return expression.matches(text, doubt) if expression else _folded(wanted) in _folded(text)


class _Expression:
    """A regular expression that cannot hang: some need longer than anybody waits for a text of forty characters."""

    def __init__(self, text: str) -> None:
        import regex  # no stop is known to ``re``; only where there is an expression, because it costs a start 20 ms

        re.compile(text)  # Python's own syntax is what is documented
        self._text = text
        try:
            self._pattern = regex.compile(text)
        except regex.error as error:
            raise re.error(str(error)) from error
        self._late = 0

    def matches(self, text: str, doubt: bool) -> bool:
        """Whether it is found in a text; ``doubt`` where that takes too long to tell."""
        if self._late >= _MOST:
            return doubt
        try:
            return self._pattern.search(text, timeout=_LONGEST) is not None
        except TimeoutError:
            self._late += 1
        if self._late == _MOST:
            what = f"the expression /{self._text}/ takes too long, {_MOST} times now: it is not tried any more"
            warnings.warn(f"{what}, and no article is dropped for it", RuntimeWarning, stacklevel=2)
        return doubt


@lru_cache(maxsize=1_000)
def _expression(text: str) -> _Expression | None:
    """The regular expression between slashes; ``None`` for words."""
    match = _PATTERN.fullmatch(text)
    return _Expression(match[1]) if match else None


def _folded(text: str) -> str:
    """Full width and half width, capitals and small letters are one (Unicode NFKC, case folding)."""
    return unicodedata.normalize("NFKC", text).casefold()
