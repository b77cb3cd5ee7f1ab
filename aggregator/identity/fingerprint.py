"""The fingerprint: whether an article's content is the same as before."""

from __future__ import annotations

import hashlib

from aggregator.text.characters import nfkc


def fingerprint(text: str) -> str:
    """The sha256 (hex) of cleaned text without white space, in NFKC: what a reader would call the same words.

    Give it the text after the removals of the article's rule: promo lines and counters change without an edit.
    """
    words = "".join(nfkc(text).split())
    return hashlib.sha256(words.encode()).hexdigest()
