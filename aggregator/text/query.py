"""What a person types to search, read so that any text whatever has a meaning.

Words that all must be there; "…" (also “…”) for words in a row; ``-`` before what must not be there; ``title:``,
``body:`` or ``media:`` before what must be in that field; ``*`` after the beginning of a word. Nothing else is special:
AND, NEAR( and + are what they look like.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from aggregator.text.tokens import BETWEEN, LETTER, folded, runs, tokens

FIELDS = ("title", "body", "media")
_WORDS = re.compile(rf'(-?)(?:({"|".join(FIELDS)}):)?(?:"([^"]*)"?|([^\s"]+))', re.IGNORECASE)
_CURLY = str.maketrans("“”", '""')


@dataclass(frozen=True, slots=True)
class Words:
    """Words in a row, folded, looked for in one field or in all; ``wanted`` or not to be there.

    ``begins``: its last word may go on. A CJK run goes on at either end anyway.
    """

    text: str
    field: str | None
    wanted: bool
    begins: bool


def parse(text: str) -> tuple[Words, ...]:
    """The terms of a query, each once. What has no letter, digit or character of a run is left out."""
    plain = unicodedata.normalize("NFKC", text).translate(_CURLY)
    return tuple(dict.fromkeys(words for found in _WORDS.finditer(plain) if runs((words := _words(found)).text)))


def _words(found: re.Match[str]) -> Words:
    minus, field, phrase, word = found.groups()
    text = phrase if word is None else word
    return Words(folded(text), field and field.lower(), not minus, text.endswith("*"))


def match_of(query: Sequence[Words]) -> str | None:
    """The query as an expression for FTS5's MATCH; ``None`` where nothing is looked for, only kept out."""
    wanted = " AND ".join(_phrase(words) for words in query if words.wanted)
    unwanted = " OR ".join(_phrase(words) for words in query if not words.wanted)
    if not wanted:
        return None
    return f"({wanted}) NOT ({unwanted})" if unwanted else wanted


def _phrase(words: Words) -> str:
    """Words as their tokens in a row; the last token of a CJK run that may go on is the beginning of one, or none."""
    last = runs(words.text)[-1]
    row = tokens(words.text)
    if last.cjk and len(last.text) > 1:
        row = row[: -len(" x")]
    star = "*" if (len(last.text) == 1 if last.cjk else words.begins) else ""
    field = f"{words.field} : " if words.field else ""
    return f'{field}"{row}"{star}'


def pattern_of(words: Words) -> re.Pattern[str]:
    """The words as a pattern that finds in a folded text what MATCH finds, so that it can be shown."""
    found = runs(words.text)
    before = "" if found[0].cjk else f"(?<!{LETTER})"
    after = "" if found[-1].cjk or words.begins else f"(?!{LETTER})"
    row = "".join(("" if run.touches or run is found[0] else f"{BETWEEN}+") + re.escape(run.text) for run in found)
    return re.compile(before + row + after)
