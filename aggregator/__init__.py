"""An archive of financial news feeds: ``open_archive`` reads one, ``fetch_article`` reads one article off the web."""

from __future__ import annotations

TYPE_CHECKING = False  # typing's, which would take a sixth of what `--version` takes

if TYPE_CHECKING:
    from pathlib import Path

    from aggregator.archive import Reader
    from aggregator.model import Article

__version__ = "0.1.0"
__all__ = ["__version__", "fetch_article", "open_archive"]


def open_archive(path: str | Path) -> Reader:
    """An archive, for reading; a context manager. ``articles()`` yields a mapping per article, oldest first.

    Raises:
        aggregator.errors.ArchiveError: there is no archive at ``path``, or it is none of ours.
    """
    from pathlib import Path

    from aggregator.archive import Reader  # here, so that importing the package costs nothing

    return Reader(Path(path))


def fetch_article(url: str, **network: object) -> Article:
    """Fetch one article's page and extract it; nothing is stored. ``network`` as in ``aggregator.web.Network``.

    Raises:
        aggregator.errors.FetchError: the network gave no usable answer.
        aggregator.errors.ParseError: the page is not the article, or no rule finds a body.
    """
    from aggregator.app import fetch_one

    return fetch_one(url, network)
