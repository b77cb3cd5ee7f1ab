"""Signs: what tells a site's new template from an article that is merely different. Taken from each page as it is read.

Most are about the selectors of the rule that matched: whether they still find something, whatever other place the
field was filled from. The rest describe the page: its quoting, its encoding, the lines at the text's edges.
``articles.drift`` compares the signs of many pages.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from zlib import crc32

from selectolax.lexbor import LexborHTMLParser

from aggregator.articles.rules import Rule
from aggregator.articles.tree import first_text
from aggregator.model import Signs
from aggregator.text.charset import Decoded

_EDGE = 4  # lines at either end
_LEAST = 8  # characters; shorter lines are often alike
_DATE = re.compile(r"(?:19|20)\d\d\s*[年./-]\s*\d{1,2}\s*[月./-]\s*\d{1,2}")
_NAMED = re.compile(r"[:：]\s*\S")


def signs_of(tree: LexborHTMLParser, decoded: Decoded, rule: Rule | None, text: str) -> Signs:
    """The signs of a page; ``text`` is the article's plain text."""
    return Signs(
        rule=rule.name if rule else None,
        title=_found(tree, rule.title if rule else (), re.compile(r"\S")),
        time=_found(tree, rule.time if rule else (), _DATE),
        media=_found(tree, rule.media if rule else (), re.compile(r"\S")),
        editor=_found(tree, rule.editor if rule else (), _NAMED),
        length=len(text),
        charset=decoded.encoding,
        quotes=_quotes(decoded.text),
        lines=_edges(text),
    )


def _found(tree: LexborHTMLParser, selectors: Iterable[str], pattern: re.Pattern[str]) -> bool:
    return any(pattern.search(first_text(tree, [selector])) for selector in selectors)


def _quotes(source: str) -> str:
    """How the page quotes its attributes: the commonest of double, single and none."""
    found = Counter({"double": source.count('="'), "single": source.count("='")})
    found["none"] = source.count("=") - found.total()
    # Scripts and addresses hold bare "=" too, so these count only where hardly anything is quoted.
    return (
        "none"
        if found["none"] > 10 * (found["double"] + found["single"])
        else max("double", "single", key=found.__getitem__)
    )


def _edges(text: str) -> tuple[int, ...]:
    """Hashes of the first and last lines of a text, where a site puts what it adds to every article."""
    lines = text.split("\n")
    edges = lines[:_EDGE] + lines[_EDGE:][-_EDGE:]
    return tuple(dict.fromkeys(crc32(line.encode()) for line in edges if len(line) >= _LEAST))
