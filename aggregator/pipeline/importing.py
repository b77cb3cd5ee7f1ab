"""From a file with a document to what the archive takes in. Pure: the bytes are given."""

from __future__ import annotations

from pathlib import PurePosixPath

from aggregator.archive.importing import Taken
from aggregator.articles.document import Document, files
from aggregator.articles.fields import original_title_of, symbols_of
from aggregator.articles.imported import Imported, read_document
from aggregator.articles.plaintext import text_of
from aggregator.articles.rules import Rules
from aggregator.identity.fingerprint import fingerprint
from aggregator.model import Article
from aggregator.text.dates import from_epoch
from aggregator.text.html import body_html

UNFILED = "未分类"


def taken(data: bytes, path: str | None, *, where: str, zone: str, rules: Rules) -> Taken:
    """A file's document, its article and its place: ``path`` below the folder it was found in, else by its categories.

    ``where`` names the file in an error; ``zone`` is that of dates without an offset.

    Raises:
        ParseError: kind ``not_a_document``.
    """
    document = read_document(data, where, zone)
    categories = _three(document.categories, path)
    html = body_html(document.body, None)
    text = text_of(html, None, rules)
    article = Article(
        url="",
        title=document.title,
        published=document.date,
        author=document.author,
        original_title=original_title_of(text),
        symbols=symbols_of(document.body, rules.symbols),
        html=html,
        text=text,
        rule="document",
    )
    place = path or _filed(document, categories)
    return Taken(place, data, document, article, categories, fingerprint(text))


def _three(names: tuple[str, ...], path: str | None) -> tuple[str, str, str]:
    """The three categories; of a document with fewer the folders it lies in stand for those that lack."""
    folders = PurePosixPath(path).parts[:-1] if path else ()
    known = (*names, *folders[len(names) :], UNFILED, UNFILED, UNFILED)
    return known[0], known[1], known[2]


def _filed(document: Imported, categories: tuple[str, str, str]) -> str:
    """Where a document of its title and categories would be written."""
    date = document.date or from_epoch(1)
    assert date is not None, "one second after 1970 is an instant"
    return files(Document(document.title, document.title, categories, date, ""))[0]
