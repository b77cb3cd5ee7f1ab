"""The Datasette plugin: titles lead to the article, and an article's row is a page to read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from datasette import hookimpl
from markupsafe import Markup, escape

from aggregator.text.html import within

_ARTICLE = (
    "select r.body, r.url, r.editor, r.keywords, r.symbols, r.n, r.cause, r.rule, f.name as feed, w.error"
    " from articles a left join revisions r on r.id = a.revision left join feeds f on f.id = a.home_feed"
    " left join work w on w.article = a.id where a.id = ?"
)


@hookimpl  # type: ignore[untyped-decorator]  # Datasette ships no types
def render_cell(value: object, column: str, table: str | None, database: str, row: Any) -> Markup | None:
    """Titles of articles are links to their page."""
    if table == "articles" and column == "title" and value:
        return Markup('<a href="{}/articles/{}">{}</a>').format(f"/{database}", row["id"], str(value))
    return None


@hookimpl  # type: ignore[untyped-decorator]  # Datasette ships no types
def extra_template_vars(datasette: Any, database: str, table: str | None, view_name: str, request: Any) -> object:
    """What the page of an article shows beyond its row; nothing elsewhere."""
    if table != "articles" or view_name != "row":
        return {}

    async def reading() -> dict[str, object]:
        number = request.url_vars["pks"]
        found = (await datasette.get_database(database).execute(_ARTICLE, [number])).first()
        if found is None:
            return {}
        body = Markup(within(found["body"] or "", found["url"]))
        return {"reading": {**dict(found), "body": body, "url": escape(found["url"] or "")}}

    awaited: Callable[[], Awaitable[dict[str, object]]] = reading
    return awaited
