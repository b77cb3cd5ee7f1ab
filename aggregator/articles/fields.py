"""The fields of an article: what its page says of title, times, medium, editor, keywords, symbols and cover."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime

from selectolax.lexbor import LexborHTMLParser

from aggregator.articles.plaintext import kept
from aggregator.articles.rules import Rule, Rules
from aggregator.articles.tree import first_text, secure, texts, words
from aggregator.text.characters import one_line
from aggregator.text.dates import instant
from aggregator.text.urls import absolute

_TAIL = re.compile(r"(?:[_|][^_|]*)?[_|-]\s*(?:新浪\w*|手机新浪网)\s*\Z")
_EDITOR = re.compile(r"(?:责任编辑|责编)\s*[:：]\s*(?P<name>[^\s()（）]+)(?:\s+(?P<code>[A-Z]{1,4}\d{1,6})\b)?")
_ORIGINAL = re.compile(r"[（(]?原标题\s*[:：]\s*(?P<title>[^\n]{1,200})")
_REPORTER = re.compile(r"(?:[（(]?\s*(?:本报|本刊|\w{0,12})?记者\s*[:：]?\s*)(?P<name>[\u4e00-\u9fff·]{2,4})\s*[）)]")
_VISIBLE_DATE = re.compile(r"(?:19|20)\d\d\s*[年./-]\s*\d{1,2}\s*[月./-]\s*\d{1,2}日?(?:\s*\d{1,2}:\d\d(?::\d\d)?)?")
_URL_DAY = re.compile(r"/((?:19|20)\d\d)-?([01]\d)-?([0-3]\d)/")
_SYMBOLS = re.compile(r"<!--\s*news_keyword_pub,(?P<market>\w*),(?P<codes>[^>]*?)\s*-->")
_QUOTE = re.compile(r"<span\s+id=[\"']?(?P<market>\w*stock)_(?P<code>[A-Za-z0-9.]+)[\"']?")
_IMAGE = re.compile(r'<!--.*?-->|<img\b[^>]*?\ssrc="(?P<src>[^"]+)"', re.S)
_CREATED = ("weibo: article:create_at", "article:published_time", "bytedance:published_time")
_UPDATED = ("weibo: article:update_at", "bytedance:updated_time", "article:modified_time")


def title_of(tree: LexborHTMLParser, meta: Mapping[str, str], rule: Rule | None) -> str:
    """The headline: where the rule looks, else ``og:title``, else ``<title>`` without the site's tail."""
    shown = first_text(tree, rule.title) if rule else ""
    named = meta.get("og:title") or _TAIL.sub("", first_text(tree, ["title"]))
    return one_line(shown or named)


def published_of(
    tree: LexborHTMLParser, meta: Mapping[str, str], rule: Rule | None, url: str, zone: str | None
) -> datetime | None:
    """The publication, by order of trust: create_at, published_time, the date shown, the day in the address."""
    for name in _CREATED:
        at = instant(meta.get(name, ""), zone)
        if at:
            return at
    shown = [found[0] for text in texts(tree, rule.time if rule else ()) if (found := _VISIBLE_DATE.search(text))]
    day = _URL_DAY.search(url)
    candidates = [*shown, "-".join(day.groups()) if day else ""]
    return next((at for text in candidates if (at := instant(text, zone))), None)


def modified_of(meta: Mapping[str, str], zone: str | None) -> datetime | None:
    """The last edit the page tells of."""
    return next((at for name in _UPDATED if (at := instant(meta.get(name, ""), zone))), None)


def media_of(tree: LexborHTMLParser, meta: Mapping[str, str], rule: Rule | None) -> str | None:
    """The medium the article comes from."""
    shown = (_VISIBLE_DATE.sub("", text) for text in texts(tree, rule.media if rule else ()))
    names = [*(one_line(text) for text in shown), meta.get("article:author", ""), meta.get("mediaid", "")]
    return next((name.removeprefix("来源：").strip() for name in names if name.strip()), None)


def editor_of(tree: LexborHTMLParser, rule: Rule | None) -> tuple[str | None, str | None]:
    """The editor in charge and the editor's code: 责任编辑：陈悠然 SF104."""
    found = (_EDITOR.search(text) for text in texts(tree, rule.editor if rule else ()))
    first = next((match for match in found if match), None)
    return (first["name"], first["code"]) if first else (None, None)


def author_of(text: str) -> str | None:
    """The reporter, where the first or last lines name exactly one in brackets: （记者 某某）."""
    lines = text.split("\n")
    names = {match["name"] for line in (*lines[:2], *lines[-2:]) if (match := _REPORTER.search(line))}
    return names.pop() if len(names) == 1 else None


def original_title_of(body_text: str) -> str | None:
    """The 原标题 a reprint names in one of its first lines."""
    found = next((m for line in body_text.split("\n")[:4] if (m := _ORIGINAL.match(line))), None)
    return found["title"].strip().rstrip("）)") if found else None


def keywords_of(tree: LexborHTMLParser, meta: Mapping[str, str], rule: Rule | None) -> tuple[str, ...]:
    """The tags; ``keywords`` is not asked, because it repeats the title where there are none (docs/sina.md)."""
    if meta.get("tags"):
        return _unique(meta["tags"].replace("，", ",").split(","))
    nodes = [node for selector in (rule.keywords if rule else ()) for node in tree.css(selector)]
    return _unique(words(node) for node in nodes)


def symbols_of(source: str, prefixes: Mapping[str, str]) -> tuple[str, ...]:
    """Related symbols a body's source names: its ``news_keyword_pub`` comment, and its links to quotations.

    Only the body is asked: the columns beside it quote whatever moves that day.
    """
    found = [(m["market"], code) for m in _SYMBOLS.finditer(source) for code in m["codes"].split("&")]
    found += [(m["market"], m["code"]) for m in _QUOTE.finditer(source)]
    return _unique(_symbol(market, code.strip(), prefixes) for market, code in found if code.strip())


def _symbol(market: str, code: str, prefixes: Mapping[str, str]) -> str:
    prefix = prefixes.get(market, f"{market}:")
    if market == "hkstock":
        return prefix + code.lower().removeprefix("hk")
    return prefix + (code.lower() if market == "stock" else code)


def cover_of(body: str, rule: str | None, meta: Mapping[str, str], url: str, rules: Rules) -> str | None:
    """The first picture of the body that is the article's own, else ``og:image``; no QR code, no house logo.

    What ``text`` leaves out holds no cover either: the house changes the address of its QR code, not its place.
    """
    pictures = [match["src"] for match in _IMAGE.finditer(kept(body, rule, rules)) if match["src"]]
    for source in (*pictures, meta.get("og:image", "")):
        address = absolute(source.replace("&amp;", "&"), url)
        if address and not rules.not_a_cover.search(address):
            return secure(address)
    return None


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in map(one_line, names) if name))
