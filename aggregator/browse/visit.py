"""A request for one of our pages: which archive it asks, in which language, and how the answer is made."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from datasette.utils.asgi import NotFound, Response

from aggregator.browse.archives import Answer, Connection, archives_of, ask
from aggregator.browse.language import LANGUAGES, language_of, remember, text

HEADERS = {"x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}


@dataclass(frozen=True, slots=True)
class Visit:
    """One request. ``database`` is the archive's name in Datasette."""

    datasette: Any
    request: Any
    database: str

    @property
    def language(self) -> str:
        """``zh`` or ``en``."""
        return language_of(self.request)

    def say(self, key: str, **values: object) -> str:
        """A text of the interface in the visitor's language."""
        return text(self.language, key, **values)

    def argument(self, name: str) -> str:
        """What the query string says of a name; "" where it says nothing."""
        return str(self.request.args.get(name) or "").strip()

    def arguments(self, name: str) -> tuple[str, ...]:
        """All that the query string says of a name."""
        return tuple(value for value in self.request.args.getlist(name) if value)

    def number(self, name: str, otherwise: int, most: int = 2**53) -> int:
        """A natural number from the path or the query string."""
        said = self.request.url_vars.get(name) or self.argument(name)
        return min(int(said), most) if said.isascii() and said.isdigit() and len(said) < 20 else otherwise

    def address(self, path: str, **query: object) -> str:
        """Where a page of this archive is: ``-/search``, with its query string."""
        return address(self.datasette, self.database, path, **query)

    def setting(self, name: str) -> bool:
        """What the plugin's configuration says of a switch; off unless it says otherwise."""
        return bool((self.datasette.plugin_config("aggregator") or {}).get(name))

    async def ask(self, question: Callable[[Connection], Answer]) -> Answer:
        """What the archive answers; see ``archives.ask``."""
        return await ask(self.datasette, self.database, question)

    async def page(self, template: str, values: Mapping[str, object], status: int = 200) -> Response:
        """A page of ours made of a template in ``templates/``."""
        known = {**values, "database": self.database}
        name = f"aggregator/{template}"
        html = await self.datasette.render_template(name, known, request=self.request, view_name=template)
        response = Response.html(html, status=status, headers=HEADERS)
        if self.request.args.get("lang") in LANGUAGES:
            remember(response, self.language)
        return response

    def missing(self, key: str) -> NotFound:
        """The error to raise where what the visitor asks for is not there."""
        return NotFound(self.say(key))


def address(datasette: Any, database: str, path: str, **query: object) -> str:
    """Where a page of an archive is; what is empty or ``None`` in the query is left out, a list is said repeatedly."""
    said = {name: value for name, value in query.items() if value not in (None, "", (), [])}
    below = datasette.urls.path(f"{datasette.urls.database(database)}/{path}")
    return str(below) + (f"?{urlencode(said, doseq=True)}" if said else "")


async def allowed(datasette: Any, request: Any, database: str) -> None:
    """Nothing, if the visitor may see the archive.

    Raises:
        datasette.Forbidden: Datasette's rules say otherwise.
    """
    if hasattr(datasette, "ensure_permissions"):
        await datasette.ensure_permissions(request.actor, [("view-database", database), "view-instance"])
    else:
        await datasette.ensure_permission(**_seeing(database), actor=request.actor)


async def visible(datasette: Any, request: Any, database: str) -> bool:
    """Whether the visitor may see an archive."""
    before = {"permissions": [("view-database", database), "view-instance"]}
    asked = before if hasattr(datasette, "ensure_permissions") else _seeing(database)
    seen, _ = await datasette.check_visibility(request.actor, **asked)
    return bool(seen)


def _seeing(database: str) -> dict[str, object]:
    """The permission as Datasette 1.0 names it."""
    from datasette.resources import DatabaseResource  # which 0.65 has not

    return {"action": "view-database", "resource": DatabaseResource(database)}


async def visit_of(datasette: Any, request: Any) -> Visit | None:
    """The visit that a request to one of our routes is; ``None`` if what it asks is no archive.

    A route without an archive's name is asked of the first archive, if there is nothing else to look at.

    Raises:
        datasette.Forbidden: the visitor may not see it.
    """
    route = request.url_vars.get("archive")
    names = archives_of(datasette)
    if route is None:
        names = names if len(names) == sum(name != "_internal" for name in datasette.databases) else ()
    found = next((name for name in names if route in (None, _route(datasette, name))), None)
    if found is None:
        return None
    if route is not None or len(names) == 1:
        await allowed(datasette, request, found)
    return Visit(datasette, request, found)


def _route(datasette: Any, name: str) -> str:
    return str(datasette.urls.database(name)).rpartition("/")[2]


async def stock(datasette: Any, request: Any, send: Any, ours: Container[str]) -> Any:
    """What Datasette answers with the first of its routes that is none of ``ours``.

    Raises:
        NotFound: it has none for this address.
    """
    path = request.scope.get("route_path") or request.path  # without ``base_url``
    for pattern, view in datasette._routes():  # it has no public name for them
        match = None if pattern.pattern in ours else pattern.match(path)
        if match:
            request.scope["url_route"] = {"kwargs": match.groupdict()}
            return await view(request, send)
    raise NotFound("no such page")
