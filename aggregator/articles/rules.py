"""What is known about sites, as a value: ``Rules``, read from ``rules.toml`` and the rows a configuration adds to it.

Data only; what is done with a row stands in ``extract``, ``proof``, ``plaintext`` and ``fields``. docs/rules.md tells
what each key means.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

from aggregator.text.urls import comos_id, host_of

FALLBACK = "trafilatura"  # the rule's name where a host has no row and the body was guessed
SINA_ZONE = "Asia/Shanghai"

Pattern = re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Rule:
    """Where one template keeps the parts of an article. Selectors are CSS, tried in order.

    ``hosts`` are patterns (``*.sina.cn``). ``mark``, if given, must match something on the page. A body is the inner
    HTML of the first of ``body`` that holds anything, or what stands between the two comments of ``between``, which go
    first, or the pictures of the inline variable ``slides``. ``lazy`` names the attribute that holds an image's real
    address. ``remove`` is cut out of ``text``, never out of ``html``. ``identity`` and ``challenge`` add to what
    ``Rules`` says of every page.
    """

    name: str
    hosts: tuple[str, ...]
    body: tuple[str, ...] = ()
    mark: str = ""
    between: tuple[str, str] | None = None
    slides: str = ""
    lazy: str = ""
    title: tuple[str, ...] = ()
    time: tuple[str, ...] = ()
    media: tuple[str, ...] = ()
    editor: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    identity: tuple[str, ...] = ()  # "selector @attribute"
    challenge: str = ""  # a regular expression


@dataclass(frozen=True, slots=True)
class LinkOnly:
    """Links that lead to no article text, and why: "video", "blog", "topic"."""

    reason: str
    hosts: tuple[str, ...]
    path: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything known about sites. ``version`` names the packaged data, and the configuration's rows by a hash."""

    version: str
    rows: tuple[Rule, ...]
    link_only_rows: tuple[LinkOnly, ...]
    identity: tuple[str, ...]
    challenge: Pattern
    challenge_length: int  # characters
    gone: Pattern
    gone_length: int  # characters
    remove: tuple[str, ...]
    promotions: tuple[tuple[str, Pattern], ...]  # each behind a part of all that it finds
    leading: Pattern  # lines that are fields, among the first of a text
    trailing: Pattern  # and among the last
    not_a_cover: Pattern
    symbols: Mapping[str, str]

    def rows_for(self, *hosts: str) -> tuple[Rule, ...]:
        """The rows for any of these hosts, in the order in which they are tried."""
        return tuple(row for row in self.rows if any(_matches(host, row.hosts) for host in hosts))

    def named(self, name: str | None) -> Rule | None:
        """The row of that name, ``None`` for the fallback and for rows of older versions."""
        return next((row for row in self.rows if row.name == name), None)

    def link_only(self, url: str) -> str | None:
        """Why a link leads to no article text: "video", "blog", "topic"; ``None`` for all that may be an article.

        Only what is proven counts: a link with a content id inside a topic's folder is an article.
        """
        host = host_of(url)
        path = urlsplit(url).path if host else ""
        for row in self.link_only_rows:
            if _matches(host, row.hosts) and row.path.match(path):
                return None if row.reason == "topic" and comos_id(url) else row.reason
        return None


@cache
def built_in() -> Rules:
    """The rules of this version of the program."""
    data = tomllib.loads(resources.files("aggregator.articles").joinpath("rules.toml").read_text(encoding="utf-8"))
    everywhere = data["everywhere"]
    return Rules(
        version=data["version"],
        rows=tuple(rule_of(row) for row in data["rule"]),
        link_only_rows=tuple(
            LinkOnly(row["reason"], tuple(row["hosts"]), re.compile(row["path"])) for row in data["link_only"]
        ),
        identity=tuple(everywhere["identity"]),
        challenge=re.compile(everywhere["challenge"].replace("\n", "")),
        challenge_length=everywhere["challenge_length"],
        gone=re.compile(everywhere["gone"].replace("\n", "")),
        gone_length=everywhere["gone_length"],
        remove=tuple(everywhere["remove"]),
        promotions=tuple((part, re.compile(pattern)) for part, pattern in everywhere["promotions"]),
        leading=_any_of(everywhere["leading"] + everywhere["trailing"]),
        trailing=_any_of(everywhere["trailing"]),
        not_a_cover=re.compile("|".join(everywhere["not_a_cover"]), re.I),
        symbols=everywhere["symbols"],
    )


def rule_of(row: Mapping[str, Any], under: Rule | None = None) -> Rule:
    """The rule a row of data means; keys it lacks are those of the rule ``under`` it, or empty."""
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    return replace(under, **values) if under else Rule(**values)


def with_rows(rules: Rules, rows: Iterable[Mapping[str, Any]]) -> Rules:
    """The rules with a configuration's rows over them.

    A row that has the name of a known one changes the keys it gives; any other is tried before all known ones. The
    version then ends in ``+`` and eight digits of the rows' hash, so that a changed row counts as a new version.
    """
    given = list(rows)
    if not given:
        return rules
    named = {row["name"]: row for row in given}
    known = [rule_of(named[rule.name], rule) if rule.name in named else rule for rule in rules.rows]
    fresh = [rule_of(row) for row in given if rules.named(row["name"]) is None]
    digest = hashlib.sha256(json.dumps(given, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
    return replace(rules, rows=(*fresh, *known), version=f"{rules.version}+{digest[:8]}")


def flaw(key: str, value: str) -> str | None:
    """What is wrong with one selector, claim or pattern under a row's key; ``None`` if it can be used."""
    if key in ("between", "challenge"):
        try:
            re.compile(value)
        except re.error as error:
            return f"is no regular expression: {error}"
        return None
    from selectolax.lexbor import LexborHTMLParser, SelectolaxError  # only for rows of one's own

    selector = value
    if key == "identity":
        selector, attribute = claim_of(value)
        if not selector or not attribute:
            return 'must be a selector and an attribute, as in meta[property="og:url"] @content'
    try:
        LexborHTMLParser("").css(selector)
    except SelectolaxError:
        return f"is no CSS selector: {selector}"
    return None


def claim_of(text: str) -> tuple[str, str]:
    """The selector and the attribute of an ``identity`` entry, "selector @attribute"."""
    selector, _, attribute = text.rpartition("@")
    return selector.strip(), attribute.strip()


def _matches(host: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(host, pattern) for pattern in patterns)


def _any_of(patterns: Iterable[str]) -> Pattern:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns))
