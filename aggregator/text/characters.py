"""Characters: which may be stored, and how text is written into HTML."""

from __future__ import annotations

import re
import unicodedata
from html.entities import html5

# All but C0 and C1 controls (tab and newline stay), surrogates, and what Unicode calls noncharacters of the BMP. To run
# over it takes half the time of looking for anything else.
_KEPT = "\t\n -~\xa0-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd\U00010000-\U0010ffff"
_PRINTABLE = re.compile(f"[{_KEPT}]*+")
_UNPRINTABLE = re.compile(f"[^{_KEPT}]")
# The look-behind keeps a long run of blanks from being scanned again from each of them.
_BREAK = re.compile(r"(?<! ) *[\t\n\x0b\x0c\r\x85\u2028\u2029][ \t\n\x0b\x0c\r\x85\u2028\u2029]*")
# What a terminal obeys: controls, separators that some take for line ends, marks and overrides of the direction, halves
# of surrogate pairs. Newlines and tabs are not among it.
OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb\ud800-\udfff]"
)
_REFERENCE = re.compile(r"&(?=#[0-9]|#[xX][0-9a-fA-F]|[A-Za-z][A-Za-z0-9]*;?)")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_LEGACY = frozenset(name for name in html5 if not name.endswith(";"))
_LONGEST = max(map(len, _LEGACY))
# What nearly every Chinese text has and NFKC changes: done first, Python's slow way is hardly ever taken.
_MARKS = tuple((mark, unicodedata.normalize("NFKC", mark)) for mark in "，：；！？（）％～\u3000\u2026\xa0")
_WIDE = re.compile("[\uff01-\uff5e]")  # letters and digits, too
_NARROW = {wide: unicodedata.normalize("NFKC", wide) for wide in map(chr, range(0xFF01, 0xFF5F))}


def nfkc(text: str) -> str:
    """The text in NFKC, as ``unicodedata.normalize`` gives it, for a Chinese text in a fraction of its time."""
    if text.isascii():
        return text
    for mark, narrow in _MARKS:
        text = text.replace(mark, narrow)
    if unicodedata.is_normalized("NFKC", text):
        return text
    return unicodedata.normalize("NFKC", _WIDE.sub(lambda found: _NARROW[found[0]], text))


def printable(text: str) -> str:
    """The text without control characters (tab and LF stay), lone surrogates and noncharacters; CRLF becomes LF."""
    if text.isprintable() or _PRINTABLE.fullmatch(text):  # the first is told ten times faster than by a pattern
        return text
    return _UNPRINTABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def one_line(text: str) -> str:
    """A title or a name: printable, in one line, trimmed. Blanks inside stay as they are, ideographic ones too."""
    line = text if text.isprintable() else _BREAK.sub(" ", printable(_BREAK.sub(" ", text)))
    return line.strip(" \u3000\xa0\ufeff")


def visible(text: str) -> str:
    """Text a terminal shows and does not obey: what moves, colours or turns the direction becomes an escape.

    Newlines and tabs stay; of titles, names, addresses and errors the program keeps none.
    """
    return OBEYED.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def escape_text(text: str) -> str:
    """Text as HTML content: ``<`` escaped, ``&`` only where it would begin a character reference, ``>`` raw."""
    return _escape_ampersands(text, attribute=False).replace("<", "&lt;")


def escape_attribute(value: str) -> str:
    """Text as a double-quoted attribute's value; ``&`` raw where HTML would not read a character reference."""
    escaped = _escape_ampersands(value, attribute=True)
    return escaped.replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")


def _escape_ampersands(text: str, *, attribute: bool) -> str:
    if "&" not in text:
        return text
    pieces, last = [], 0
    for found in _REFERENCE.finditer(text):
        if _is_reference(text, found.end(), attribute=attribute):
            pieces.append(text[last : found.end()] + "amp;")
            last = found.end()
    return "".join(pieces) + text[last:]


def _is_reference(text: str, at: int, *, attribute: bool) -> bool:
    """Whether the characters after an ampersand make a character reference (HTML standard, 13.2.5.73)."""
    if text[at] == "#":
        return True
    found = _NAME.match(text, at)
    name = found[0] if found else ""
    following = text[at + len(name) : at + len(name) + 1]
    if following == ";" and name + ";" in html5:
        return True
    if attribute:  # a name without ";" counts there only if neither "=" nor a letter or digit follows
        return name in _LEGACY and following != "="
    return begins_reference(name)


def begins_reference(name: str) -> bool:
    """Whether an ampersand before these letters and digits, and no ``;`` behind them, makes a reference in a text."""
    return any(name[:length] in _LEGACY for length in range(2, _LONGEST + 1))
