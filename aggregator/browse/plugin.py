"""The Datasette plugin: titles lead to the article, an article's row is a page to read, and search boxes know Chinese.

Installed, it is there in every Datasette of the machine, so it looks before it does anything whether a database is an
archive of ours.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

from datasette import hookimpl
from markupsafe import Markup, escape

from aggregator.archive.opening import confine
from aggregator.archive.schema import APPLICATION_ID
from aggregator.browse.archives import archives_of, is_archive
from aggregator.browse.layout import LANGUAGE, STATIC, choose_language, layout, prepare, static
from aggregator.browse.metadata import FACETS, QUIET, TOLD
from aggregator.browse.pages import article, feeds, figures, images, news, published, revisions, search, stored
from aggregator.browse.refusing import refusal
from aggregator.browse.safety import ROBOTS, guarded, may, robots
from aggregator.browse.visit import Visit, address, stock, visit_of
from aggregator.text.query import match_of, parse

View = Callable[[Visit], Awaitable[Any]]

_ARCHIVE = r"^/(?P<archive>[^/.]+)"
# Where our pages are, as regular expressions. They come before Datasette's own routes.
ROUTES: tuple[tuple[str, View], ...] = (
    ("^/$", news.home),
    (f"{_ARCHIVE}/-/news$", news.front),
    (f"{_ARCHIVE}/-/search$", search.search),
    (f"{_ARCHIVE}/articles/(?P<article>[0-9]+)$", article.article),
    (f"{_ARCHIVE}/-/diff/(?P<article>[0-9]+)$", revisions.diff),
    (f"{_ARCHIVE}/-/image/(?P<sha256>[0-9a-f]{{64}})$", images.image),
    (f"{_ARCHIVE}/-/figures$", figures.figures),
    (f"{_ARCHIVE}/-/feeds$", feeds.feeds),
    (f"{_ARCHIVE}/-/feeds/(?P<feed>[^/]+)$", feeds.feed),
    # of the first archive, where none is named
    *((f"{where}/feed(/(?P<feed>[^/]+))?\\.(?P<form>atom|json)$", published.feed) for where in (_ARCHIVE, "^")),
    *((f"{where}/-/articles\\.json$", published.listed) for where in (_ARCHIVE, "^")),
    *((f"{where}/-/articles\\.csv$", published.table) for where in (_ARCHIVE, "^")),
    *((f"{where}/-/document/(?P<key>.+)\\.md$", stored.document) for where in (_ARCHIVE, "^")),
    *((f"{where}/-/page/(?P<number>[0-9]+)$", stored.page) for where in (_ARCHIVE, "^")),
)
_OURS = frozenset(pattern for pattern, _ in ROUTES)

_NOTHING = '""'  # an empty phrase, which FTS5 finds nowhere


def expression(query: str | None) -> str:
    """A query as a person types it, as an expression for MATCH; any text has one."""
    return match_of(parse(query or "")) or _NOTHING


@hookimpl(trylast=True)  # type: ignore[untyped-decorator]  # Datasette ships no types; after its own escape_fts
def prepare_connection(conn: Any) -> None:
    """Search boxes and ``?_search=`` of an archive take queries as ``aggregator search`` does, and so may SQL."""
    if conn.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID:
        for name in ("escape_fts", "search_match"):
            conn.create_function(name, 1, expression, deterministic=True)
        confine(conn)


@hookimpl(optionalhook=True)  # type: ignore[untyped-decorator]  # Datasette ships no types; 1.0 has no such hook
def get_metadata(datasette: Any, key: str | None) -> dict[str, object]:
    """What Datasette shows beside the data of archives, also where nobody named it on the command line.

    Datasette copies what it is told for each of the thirty tables of a page, to see who may look at it: of that we say
    nothing, and by the name ``tables`` it asks for nothing else of ours but facets.
    """
    told = {"allow": {}, "allow_sql": {}, "tables": FACETS}.get(key or "", TOLD)
    return {"databases": dict.fromkeys(archives_of(datasette), told)}


@hookimpl  # type: ignore[untyped-decorator]  # Datasette ships no types
def register_routes(datasette: Any) -> list[tuple[str, object]]:
    """Our pages; they are there before the databases are, so each looks whether it is asked of an archive."""
    around = [(STATIC, static), (LANGUAGE, choose_language), (ROBOTS, robots)]
    return [(pattern, _answer(view)) for pattern, view in ROUTES] + around


def _answer(view: View) -> object:
    """A view as Datasette calls it, with Datasette's own answer where there is no archive."""

    async def answer(datasette: Any, request: Any, send: Any) -> Any:
        visit = await visit_of(datasette, request)
        return await (view(visit) if visit else stock(datasette, request, send, _OURS))

    return answer


@hookimpl  # type: ignore[untyped-decorator]  # Datasette ships no types
def permission_allowed(datasette: Any, action: str, resource: object) -> bool | None:
    """No SQL of one's own on archives, unless the metadata's ``allow_sql`` says so."""
    return may(datasette, action, resource)


@hookimpl(trylast=True)  # type: ignore[untyped-decorator]  # Datasette ships no types; around what others wrap
def asgi_wrapper(datasette: Any) -> object:
    """Headers on every answer that bind a browser, where there is an archive."""

    def wrapped(application: Any) -> Any:
        return guarded(application, datasette)

    return wrapped


@hookimpl(hookwrapper=True)  # type: ignore[untyped-decorator]  # Datasette ships no types
def handle_exception(datasette: Any, request: Any, exception: Exception) -> Iterator[None]:
    """What is not there, or cannot be asked so, is said on a page of ours; Datasette's own would log all it knows."""
    outcome: Any = yield
    answer = refusal(datasette, request, exception)
    if answer:
        outcome.force_result([answer])


@hookimpl  # type: ignore[untyped-decorator]  # Datasette ships no types
def prepare_jinja2_environment(env: Any) -> None:
    """Our templates beside Datasette's."""
    prepare(env)


@hookimpl  # type: ignore[untyped-decorator]  # Datasette ships no types
def render_cell(
    datasette: Any, value: object, column: str, table: str | None, database: str, row: Any
) -> Markup | None:
    """Titles are links to the article's page: in tables, views and queries that tell which article it is.

    Where its verdict stands, the number of a version is one to what it changed.
    """
    if column not in ("title", "version") or not value or not is_archive(datasette, database):
        return None
    if column == "version":
        return _compared(datasette, value, database, row)
    named = "id" if table in ("articles", "v1_articles") else "article"
    number = row[named] if named in row.keys() else None  # noqa: SIM118  # a row of sqlite3 iterates over its values
    if isinstance(number, Mapping):  # a foreign key with its label
        number = number["value"]
    if number is None:
        return None
    where = escape(datasette.urls.table(database, "articles"))
    return Markup(f'<a href="{where}/{escape(number)}">{escape(str(value))}</a>')


def _compared(datasette: Any, version: object, database: str, row: Any) -> Markup | None:
    if not {"article", "verdict"} <= set(row.keys()):
        return None
    where = address(datasette, database, f"-/diff/{row['article']}", to=version)
    return Markup('<a href="{}">{}</a>').format(where, version)


@hookimpl  # type: ignore[untyped-decorator]  # Datasette ships no types
def extra_template_vars(datasette: Any, database: str | None, table: str | None, request: Any) -> dict[str, object]:
    """What is around every page, and which columns of a table are of less interest."""
    quiet = {"quiet": QUIET.get(table or "", ())} if is_archive(datasette, database) else {}
    return layout(datasette, request, database) | quiet
