"""One article as one HTML file that needs nothing else and runs nothing."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from aggregator.export.images import Inlined
from aggregator.text.html import with_sources, within

_PAGE = """<!DOCTYPE html>
<html lang="zh">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src {sources}; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>
body {{ max-width: 42em; margin: 2em auto; padding: 0 1em; font: 1.06em/1.9 "Noto Serif CJK SC", "Songti SC", serif; }}
h1 {{ line-height: 1.4; }} img {{ max-width: 100%; }} .about {{ color: #555; font: 0.85em/1.6 sans-serif; }}
@media (prefers-color-scheme: dark) {{ body {{ background: #16181c; color: #ddd; }} a {{ color: #8ab4f8; }} }}
</style>
<h1>{title}</h1>
<p class="about">{about}</p>
{body}
"""


# The source's time has no label, as on its own pages; ours has.
_ABOUT = {"media": "", "published": "", "editor": "", "first_seen": "first seen ", "as_of": "as known at "}


def page_of(article: Mapping[str, object], images: Inlined | None = None) -> str:
    """The page of an article as ``Reader.article`` gives it; its body goes through the cleaner once more.

    With ``images`` it holds those that are stored, and loads nothing at all where none is missing.
    """
    about = [f"{label}{article[name]}" for name, label in _ABOUT.items() if article.get(name)]
    link = escape(str(article.get("url") or ""))
    about_html = " · ".join([*map(escape, about), f'<a href="{link}" rel="noopener noreferrer">{link}</a>'])
    body = within(str(article.get("body") or ""), str(article.get("url") or ""))
    sources = "http: https:"
    if images:
        body = with_sources(body, images)
        sources = " ".join(["data:"] * bool(images.done) + [sources] * bool(images.missing)) or sources
    return _PAGE.format(title=escape(str(article["title"])), about=about_html, body=body, sources=sources)
