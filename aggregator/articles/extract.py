"""A page's bytes into an article: proven to be the one asked for, then read by the first rule that finds a body."""

from __future__ import annotations

import json
import re
from dataclasses import replace

from selectolax.lexbor import LexborHTMLParser

from aggregator.articles import fields
from aggregator.articles.guess import guessed
from aggregator.articles.plaintext import text_of
from aggregator.articles.proof import Witness, prove
from aggregator.articles.rules import FALLBACK, SINA_ZONE, Rule, Rules, built_in
from aggregator.articles.signs import signs_of
from aggregator.articles.tree import grow, metas, secure
from aggregator.errors import ParseError
from aggregator.model import Article, Page, Signs
from aggregator.text.characters import escape_attribute, escape_text
from aggregator.text.charset import declared_in, decode
from aggregator.text.html import body_html, plain
from aggregator.text.urls import absolute, host_of, is_sina


def extract(page: Page, *, zone: str | None = None, title: str = "", rules: Rules | None = None) -> Article:
    """The article a page holds, as ``read`` finds it."""
    return read(page, zone=zone, title=title, rules=rules)[0]


def read(page: Page, *, zone: str | None = None, title: str = "", rules: Rules | None = None) -> tuple[Article, Signs]:
    """The article a page holds, and the signs of its template; ``page.url`` is the address it was asked for.

    ``zone`` is the IANA zone of dates without one; Sina's pages are always read in Asia/Shanghai. ``title`` is the
    listing's, one more thing by which a page may prove to be the article. ``rules`` are the built-in ones unless given.

    Raises:
        ParseError: ``wrong_page`` when the page does not prove to be the article asked for, ``extract_failed`` when no
            rule finds a body. A host without rules is read by trafilatura, and the article says so.
    """
    known = rules or built_in()
    decoded = decode(page.body, header=page.headers.get("content-type"), declared=declared_in(page.body))
    tree = grow(decoded.text, page.url)
    prove(Witness(tree, page.url, page.final_url, title, known))
    hosts = (host_of(page.url), host_of(page.final_url))
    rows = known.rows_for(*hosts)
    rule, inner = _body(tree, decoded.text, rows)
    if not rows:
        inner = guessed(decoded.text, page.url)
    body = body_html(inner, secure(page.final_url or page.url))
    name = rule.name if rule else FALLBACK
    text = text_of(body, name, known)
    if not text and fields.cover_of(body, name, {}, page.url, known) is None:
        raise _nothing(page.url, rows, known.version)
    read_in = SINA_ZONE if any(map(is_sina, hosts)) else zone
    article = _filled(Article(page.url, "", html=body, text=text, rule=name), tree, inner, known, read_in)
    return article, signs_of(tree, decoded, rule, text)


def _filled(article: Article, tree: LexborHTMLParser, inner: str, rules: Rules, zone: str | None) -> Article:
    """The article with every field its page tells; ``inner`` is its body's source."""
    meta, rule = metas(tree), rules.named(article.rule)
    editor, code = fields.editor_of(tree, rule)
    return replace(
        article,
        title=fields.title_of(tree, meta, rule),
        published=fields.published_of(tree, meta, rule, article.url, zone),
        modified=fields.modified_of(meta, zone),
        author=fields.author_of(article.text),
        media=fields.media_of(tree, meta, rule),
        editor=editor,
        editor_code=code,
        original_title=fields.original_title_of(plain(article.html)),
        keywords=fields.keywords_of(tree, meta, rule),
        symbols=fields.symbols_of(inner if rule else "", rules.symbols),
        cover=fields.cover_of(article.html, article.rule, meta, article.url, rules),
        rules_version=rules.version,
    )


def _body(tree: LexborHTMLParser, source: str, rows: tuple[Rule, ...]) -> tuple[Rule | None, str]:
    """The first row whose mark is there and whose body holds anything, with that body's inner HTML."""
    for rule in rows:
        if rule.mark and tree.css_first(rule.mark) is None:
            continue
        inner = _inner(tree, source, rule)
        if plain(inner) or "<img" in inner:
            return rule, inner
    return None, ""


def _inner(tree: LexborHTMLParser, source: str, rule: Rule) -> str:
    if rule.slides:
        return _slides(source, rule.slides)
    if rule.between:
        opening, closing = rule.between
        found = re.search(f"{opening}(.*?){closing}", source, re.S)
        if found:
            return found[1]
    nodes = (tree.css_first(selector) for selector in rule.body)
    inner = next((node.inner_html or "" for node in nodes if node is not None and (node.inner_html or "").strip()), "")
    return _undelayed(inner, rule.lazy) if rule.lazy else inner


def _undelayed(inner: str, attribute: str) -> str:
    """Images whose address waits in another attribute until a script moves it, with the address where it belongs."""
    tree = LexborHTMLParser(f"<!DOCTYPE html><body>{inner}")
    for image in tree.css(f"img[{attribute}]"):
        image.attrs["src"] = image.attributes.get(attribute) or ""
    return (tree.body.inner_html if tree.body is not None else "") or ""


def _slides(source: str, variable: str) -> str:
    """The pictures of a slide show with their captions, out of its inline data."""
    found = re.search(rf"\b{variable}\s*=\s*(?=\{{)", source)
    if not found:
        return ""
    try:
        data, _ = json.JSONDecoder().raw_decode(source, found.end())
    except (ValueError, RecursionError):
        return ""
    images = data.get("images") if isinstance(data, dict) else None
    return "\n".join(_slide(image) for image in images if isinstance(image, dict)) if isinstance(images, list) else ""


def _slide(image: dict[str, object]) -> str:
    address = absolute(str(image.get("download_img") or image.get("image_url") or ""), None)
    picture = f'<p><img src="{escape_attribute(address)}"></p>' if address else ""
    words = plain(str(image.get("intro") or ""))
    return picture + (f"<p>{escape_text(words)}</p>" if words else "")


def _nothing(url: str, rows: tuple[Rule, ...], version: str) -> ParseError:
    tried = ", ".join(rule.name for rule in rows) or FALLBACK
    return ParseError(
        f"no rule finds a body (rules {version}: {tried})",
        kind="extract_failed",
        where=url,
        hint="Its bytes are kept; it is read again when the rules change",
    )
