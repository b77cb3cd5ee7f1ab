"""Whether a page that came says that its article is no longer there: a notice, or the home page in its place.

The words are data (``gone`` in rules.toml). A page that only mentions them is none: a notice is short.
"""

from __future__ import annotations

from aggregator.articles.proof import is_front, seen
from aggregator.articles.rules import Rules
from aggregator.articles.tree import first_text, grow
from aggregator.model import Page
from aggregator.text.charset import declared_in, decode

_ALL_IT_SAYS = 60  # characters of an article's text that is nothing but a notice


def notice_in(page: Page, rules: Rules) -> str | None:
    """What a page that is not the article asked for says of it, in a few words; ``None`` if it says something else."""
    if is_front(page.final_url) and not is_front(page.url):
        return f"redirected to the home page {page.final_url}"
    decoded = decode(page.body, header=page.headers.get("content-type"), declared=declared_in(page.body))
    tree = grow(decoded.text, page.url)
    words = seen(tree)
    if len(words) > rules.gone_length:
        return None
    found = (rules.gone.search(text) for text in (first_text(tree, ["title"]), words))
    return next((f"a notice: {match[0]}" for match in found if match), None)


def is_notice(text: str, rules: Rules) -> bool:
    """Whether an article's whole text is such a notice, as where a site leaves the page and takes out the body."""
    return len(text) <= _ALL_IT_SAYS and rules.gone.search(text) is not None
