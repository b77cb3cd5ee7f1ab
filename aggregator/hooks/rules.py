"""Which facts a hook tells, and how one is told. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass

from aggregator.archive.hooks import Fact
from aggregator.articles.filters import Known, verdict
from aggregator.articles.plaintext import text_of
from aggregator.articles.rules import Rules
from aggregator.model import EventKind, Term

_DETAILS = ("feed", "status", "error_kind", "error", "since", "until", "message")


@dataclass(frozen=True, slots=True)
class When:
    """What a fact must be to be told: of each that is not empty, one must hold."""

    on: tuple[EventKind, ...] = ("new",)
    feeds: tuple[str, ...] = ()
    words: tuple[Term, ...] = ()
    symbols: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """A fact as it goes out: its id, its kind (or "test"), the instant of its commit, and ``body``, JSON in UTF-8."""

    id: str
    type: str
    at: str
    body: bytes


def wanted(when: When, fact: Fact, rules: Rules) -> bool:
    """Whether a fact is to be told. Words and symbols are those of articles; what is told of a feed has none."""
    if fact.kind not in when.on or (when.feeds and not set(when.feeds) & set(fact.feeds)):
        return False
    article = fact.article or {}
    if when.categories and not set(when.categories) & set(_names(article or fact.details, "categories")):
        return False
    if when.symbols and not set(when.symbols) & set(_names(article, "symbols")):
        return False
    return not when.words or _has_words(when.words, fact, rules)


def _has_words(words: tuple[Term, ...], fact: Fact, rules: Rules) -> bool:
    if fact.article is None:
        return False
    body = text_of(str(fact.article["body"] or fact.article["summary"] or ""), fact.rule, rules)
    known = Known(str(fact.article["title"]), _names(fact.article, "symbols"), body)
    return verdict(words, (), known) is True


def _names(values: dict[str, object], name: str) -> tuple[str, ...]:
    found = values.get(name)
    return tuple(map(str, found)) if isinstance(found, list) else ()


def told(fact: Fact) -> Event:
    """A fact as an event: the same bytes whenever it is told."""
    details = {name: fact.details[name] for name in _DETAILS if fact.details.get(name) is not None}
    whole = {"id": fact.id, "type": fact.kind, "at": fact.at, "commit": fact.seq, **details}
    if fact.article is not None:
        whole |= {"feeds": list(fact.feeds), "article": fact.article}
    return Event(fact.id, fact.kind, fact.at, _json(whole))


def trial(hook: str, at: str) -> Event:
    """An event that tells nothing, to try a receiver with."""
    name = f"test-{at}"
    return Event(name, "test", at, _json({"id": name, "type": "test", "at": at, "hook": hook}))


def _json(whole: dict[str, object]) -> bytes:
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
