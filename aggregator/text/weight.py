"""What a page may weigh before a tree is built of it: parsers are quadratic, or worse, in some things a page can hold.

Measured with lexbor: 100,000 nested ``<div>`` take 21 s and 100,000 attributes of one tag 40 s; 500 different
``<font>`` left open in a ``<p>`` before 10,000 ``<p>``, 48 kB in all, take 2 GB, because each paragraph opens them all
again (HTML standard, 13.2.4.3). The largest real article page measured has 3,100 tags, 33 open elements, 40 attributes
in a tag and 2,027 such elements. The bounds are read off the text without a tokenizer, so they stop what is crude, not
every attack.
"""

from __future__ import annotations

import re

MAX_TAGS = 100_000  # about 2 s of work; the largest real page measured has 4,000
SHALLOW = 20_000  # tags; whatever their nesting, half a second of work
MAX_OPEN = 2_000  # elements left open in a page of more tags than that
MAX_FORMATTING = 500  # of them formatting elements
MAX_REOPENED = 200_000  # elements the parser would open by itself; 80 MB
MAX_ATTRIBUTES = 2_000

_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]*)([^<>]*)")
_CROWDED = re.compile(
    r"<[a-zA-Z][^\s/>]*+(?:[\s/]*+=?[^\s/>=]++(?:\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'|[^\s>\"'][^\s>]*+|))?+)"
    rf"{{{MAX_ATTRIBUTES}}}"
)
_FORMATTING = frozenset("a b big code em font i nobr s small strike strong tt u".split())
# Elements whose end the next of their kind implies, and those without content: they do not nest.
_UNNESTED = frozenset(
    """area br col embed hr img input link meta param source track wbr p li dt dd tr td th thead tbody tfoot option
    optgroup html head body""".split()
)
_ALIKE = 3  # the parser opens at most three formatting elements with equal attributes again


def excess(html: str) -> str | None:
    """What there is too much of in a page for a tree to be built of it; ``None`` when it is fine. One pass."""
    tags = html.count("<")
    if tags > MAX_TAGS:
        return f"{tags} tags"
    if _CROWDED.search(html):
        return f"a tag with {MAX_ATTRIBUTES} attributes or more"
    unclosed = _left_open(html) if tags > SHALLOW else 0
    if unclosed > MAX_OPEN:
        return f"{unclosed} open elements"
    return _reopened(html)


def _left_open(html: str) -> int:
    """An upper bound of the depth: per name more starts than ends, added up.

    An end the parser ignores still counts, because what made it be ignored is then itself open, and counted.
    """
    counts: dict[str, int] = {}
    total = deepest = 0
    for closing, name, _ in _TAG.findall(html):
        name = name.lower()
        count = counts.get(name, 0)
        if name in _UNNESTED or (closing and not count):
            continue
        step = -1 if closing else 1
        counts[name] = count + step
        total += step
        deepest = max(deepest, total)
    return deepest


def _reopened(html: str) -> str | None:
    """How many formatting elements the parser might open again, if that is too many."""
    active: dict[str, list[str]] = {}
    waiting = total = 0
    for closing, name, rest in _TAG.findall(html):
        name = name.lower()
        if name not in _FORMATTING:
            total += waiting
            continue
        same = active.setdefault(name, [])
        if closing and same:
            same.pop()
            waiting -= 1
        elif not closing and same.count(rest) < _ALIKE:
            same.append(rest)
            waiting += 1
        if waiting > MAX_FORMATTING:
            return f"{waiting} open formatting elements"
    return f"{total} elements out of ones left open" if total > MAX_REOPENED else None
