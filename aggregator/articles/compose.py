"""An article out of what its page and its listing say, and the document out of the article."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from aggregator.articles.document import Document, files, render
from aggregator.articles.document import placeholder as picture
from aggregator.model import Article, Entry, Page, Pending, Settled, Signs
from aggregator.text.characters import escape_attribute, escape_text, one_line
from aggregator.text.html import body_with_text, plain

_TITLE_FROM_TEXT = 60  # characters, as readers cut a flash that has no headline


def from_entry(entry: Entry, base: str) -> Article:
    """An article whose listing carries it: its content, or else its summary, is the body."""
    html, text = body_with_text(entry.original or entry.summary or "", entry.link or base)
    return Article(url=entry.link or base, title=entry.title, html=html, text=text, rule="listing")


def link_only_article(entry: Entry, reason: str) -> Article:
    """An article of which only the link can be kept, and why: a film, a blog, a topic page, or it is gone."""
    return Article(url=entry.link or "", title=entry.title, text=plain(entry.summary or ""), reason=reason)


def merged(article: Article, entry: Entry) -> Article:
    """The article with what its listing knows better: the title, and times to the second (docs/sina.md)."""
    symbols = dict.fromkeys((*article.symbols, *entry.symbols))
    title = one_line(entry.title) or article.title or one_line(article.text)[:_TITLE_FROM_TEXT] or article.url
    return replace(
        article,
        title=title,
        published=entry.published or article.published,
        modified=article.modified or (entry.updated if entry.updated != entry.published else None),
        author=article.author or entry.author,
        media=article.media or entry.media,
        symbols=tuple(symbols),
    )


def compose(
    task: Pending,
    article: Article,
    placeholder: str,
    fingerprint: str,
    page: Page | int | None,
    signs: Signs | None = None,
) -> Settled:
    """All the archive stores of a settled article; ``placeholder`` as the configuration has it.

    The key's own picture is stored as its address: a key changes where its feed is renamed, a document does not.

    Raises:
        ParseError: kind ``document``, when its front matter would not parse back.
    """
    cover = picture(task.key) if placeholder == "picsum" else placeholder
    document = _document(article, task.key, task.categories, task.date, cover)
    cause = "changed" if task.revisions else "first"
    return Settled(article, render(document), cover, files(document), fingerprint, page, cause, signs)


def rendered(article: Article, key: str, categories: tuple[str, str, str], date: datetime, placeholder: str) -> str:
    """The document of a stored revision: the very text that ``compose`` gave when it was settled.

    Raises:
        ParseError: kind ``document``, when its front matter would not parse back.
    """
    return render(_document(article, key, categories, date, placeholder))


def _document(
    article: Article, key: str, categories: tuple[str, str, str], date: datetime, placeholder: str
) -> Document:
    return Document(key, article.title, categories, date, _body(article), placeholder)


def _body(article: Article) -> str:
    """The document's body; a link-only article shows its link and what the listing said."""
    if article.html:
        return article.html
    link = f'<p><a href="{escape_attribute(article.url)}">{escape_text(article.title)}</a></p>'
    return link + "".join(f"\n<p>{escape_text(line)}</p>" for line in article.text.splitlines())
