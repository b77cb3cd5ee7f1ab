"""A long feed in portions, each a feed of its own: no parser then holds more of it than a portion at a time.

feedparser keeps a dozen dictionaries for every item until the last one is read: in portions a feed of 100,000 items
takes half the memory. And an ill-formed item sends its neighbours alone to the loose parser, not all the others.
"""

from __future__ import annotations

from collections.abc import Iterator

from aggregator.sources.outline import Outline, outline

LONG = 250_000  # characters of items in a portion; a shorter feed stays whole
_TIMES = 4  # a portion is at least so many times as long as what is repeated in each


def portions(text: str, seen: Outline) -> Iterator[tuple[str, Outline]]:
    """Texts that together hold all items of a feed, in order, each between the feed's own head and end.

    With each comes its outline. A feed comes back whole if it is short, or if anything but white space stands between
    its items: that may be a part of the feed itself.
    """
    if not _divisible(text, seen):
        yield text, seen
        return
    head, end = text[: seen.items[0][0]], text[seen.items[-1][1] :]
    least = max(LONG, _TIMES * (len(head) + len(end)))
    first = 0
    for last, (_, stop) in enumerate(seen.items):
        start = seen.items[first][0]
        if stop - start >= least or last == len(seen.items) - 1:
            shift = len(head) - start
            items = tuple((begin + shift, finish + shift) for begin, finish in seen.items[first : last + 1])
            yield f"{head}{text[start:stop]}{end}", Outline(seen.root, items, None)
            first = last + 1


def _divisible(text: str, seen: Outline) -> bool:
    """Whether the items stand side by side, and are long enough to be worth the trouble."""
    if len(text) < 2 * LONG or not seen.items or outline(text[: seen.items[0][0]]).opened is not None:
        return False
    if outline(text[seen.items[-1][1] :]).opened is not None:
        return False
    gaps = zip(seen.items, seen.items[1:], strict=False)
    return all(stop == start or text[stop:start].isspace() for (_, stop), (start, _) in gaps)
