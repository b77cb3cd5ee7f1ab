"""What is answered where a page is not there, or is asked for in a way that makes no sense."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from datasette.utils.asgi import Base400, Response
from datasette.views.base import DatasetteError

from aggregator.browse.archives import archives_of


def refusal(datasette: Any, request: Any, exception: Exception) -> Awaitable[Response] | None:
    """The answer to what the visitor did wrong, as a page or as JSON; ``None`` for every other error.

    Datasette prints the exception with all variables around it, a page of whatever visitors sent, which takes it half a
    second.
    """
    if not isinstance(exception, Base400 | DatasetteError) or not archives_of(datasette):
        return None
    # A DatasetteError is about what was asked for, also where it says 500: a column that is not there to sort by.
    status = exception.status if exception.status < 500 else 400
    told: dict[str, Any] = {"status": status, "title": None, "error": "", "ok": False}
    if not isinstance(exception, DatasetteError):
        return _answer(datasette, request, told | {"error": str(exception.args[0]) if exception.args else ""})
    # Where it is HTML there is a script in it; its title says as much.
    error = exception.title if exception.message_is_html else exception.message
    return _answer(datasette, request, exception.error_dict | told | {"error": str(error), "title": exception.title})


async def _answer(datasette: Any, request: Any, said: dict[str, Any]) -> Response:
    if request.path.endswith(".json"):
        return Response.json(said, status=said["status"])
    html = await datasette.render_template("aggregator/error.html", said, request=request, view_name="error")
    return Response.html(html, status=said["status"])
