"""What every page has around it: masthead, ways to the other pages, search box, language; and the files it loads."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from datasette.utils.asgi import NotFound, Response
from jinja2 import ChoiceLoader, FileSystemLoader, PrefixLoader

from aggregator.browse.archives import archives_of
from aggregator.browse.language import LANGUAGES, language_of, remember, text, told
from aggregator.browse.times import ago, local, long_day, span
from aggregator.browse.visit import address

_HERE = Path(__file__).parent
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_YEAR = 365 * 24 * 3600

# The ways every page offers: the text's key, and the page's path below the archive's.
WAYS: tuple[tuple[str, str], ...] = (
    ("nav_news", "-/news"),
    ("nav_search", "-/search"),
    ("nav_figures", "-/figures"),
    ("nav_feeds", "-/feeds"),
    ("nav_data", ""),
)


@dataclass(frozen=True, slots=True)
class Layout:
    """What ``layout.html`` needs to know, on our pages and on Datasette's own."""

    datasette: Any
    request: Any
    database: str | None
    language: str

    def say(self, key: str, **values: object) -> str:
        """A text of the interface."""
        return text(self.language, key, **values)

    def to(self, path: str, **query: object) -> str:
        """Where a page of this archive is."""
        return address(self.datasette, str(self.database), path, **query)

    def span(self, seconds: float) -> str:
        """A duration in words."""
        return span(self.language, seconds)

    def asset(self, name: str) -> str:
        """Where a file of ``static/`` is."""
        return asset(self.datasette, name)

    def ways(self) -> list[tuple[str, str, bool]]:
        """Title, address, and whether we are there."""
        here = self.request.path if self.request else ""
        found = [(self.say(key), self.to(path).rstrip("/")) for key, path in WAYS]
        return [(title, where, where == here) for title, where in found]

    def languages(self) -> list[tuple[str, str, str, bool]]:
        """Code, name, the address that switches to it, and whether it is the one in use."""
        here = self.request.path + (f"?{self.request.query_string}" if self.request.query_string else "")
        switch = str(self.datasette.urls.path("/-/aggregator/language"))
        return [
            (code, name, f"{switch}?{urlencode({'lang': code, 'next': here})}", code == self.language)
            for code, name in LANGUAGES.items()
        ]


def layout(datasette: Any, request: Any, database: str | None) -> dict[str, object]:
    """The variables ``layout.html`` goes by; none in a Datasette without an archive of ours."""
    names = archives_of(datasette)
    if not names or request is None:
        return {}
    chosen = database if database in names else names[0]
    made = Layout(datasette, request, chosen, language_of(request))
    return {
        "layout": made,
        "t": made.say,
        "to": made.to,
        "told": partial(told, made.language),
        "local": local,
        "span": made.span,
        "ago": partial(ago, made.language),
        "long_day": partial(long_day, made.language),
        "archives": names,
    }


def prepare(environment: Any) -> None:
    """Make our templates known to Datasette's Jinja, as ``aggregator/<name>``; ``stock/`` stands before its own."""
    ours = PrefixLoader({"aggregator": FileSystemLoader(_HERE / "templates")})
    stock = FileSystemLoader(_HERE / "templates" / "stock")
    environment.loader = ChoiceLoader([ours, stock, environment.loader])


def asset(datasette: Any, name: str) -> str:
    """The address of a file of ``static/``, which changes as its bytes do."""
    return str(datasette.urls.path(f"/-/aggregator/static/{name}?{_asset(name)[1]}"))


@cache
def _asset(name: str) -> tuple[bytes, str]:
    """The bytes of a file and the beginning of their sha256."""
    content = (_HERE / "static" / name).read_bytes()
    return content, hashlib.sha256(content).hexdigest()[:12]


async def static(request: Any) -> Response:
    """A file of ``static/``, which may be kept for a year since its address tells its content."""
    name = request.url_vars["file"]
    if not (_HERE / "static" / name).is_file():
        raise NotFound("no such file")
    content, digest = _asset(name)
    fresh = request.query_string == digest
    headers = {
        "x-content-type-options": "nosniff",
        "cache-control": f"max-age={_YEAR}, immutable" if fresh else "no-cache",
    }
    return Response(content, headers=headers, content_type=f"{_TYPES[Path(name).suffix]}; charset=utf-8")


async def choose_language(datasette: Any, request: Any) -> Response:
    """Keep the language that was chosen, and go back to the page it was chosen on: one of this server."""
    back = request.args.get("next") or "/"
    here = back.startswith("/") and not back.startswith("//") and back.isprintable() and "\\" not in back
    response = Response.redirect(back if here else str(datasette.urls.instance()))
    if request.args.get("lang") in LANGUAGES:
        remember(response, request.args["lang"])
    return response


STATIC = r"^/-/aggregator/static/(?P<file>[a-z]+\.(css|js|svg))$"
LANGUAGE = "^/-/aggregator/language$"
