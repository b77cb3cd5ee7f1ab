"""The house rules, checked: who imports whom, one home per dependency, no module too long, no unlabelled drawer."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "aggregator"
MAX_LINES = 400
FORBIDDEN_NAMES = {"utils", "helpers", "common", "base", "manager"}

# From the top of the house to its end; a module imports what stands above it, or beside it in its own folder.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("errors", "lazy", "model", "lean"),
    ("text",),
    ("sources",),
    ("articles",),
    ("identity", "markets", "health", "intervals", "windows", "coverage", "audits"),
    ("config",),
    ("opml",),
    # the outside: these never import each other
    ("web", "archive", "export", "workers", "control", "logs", "signals", "systemd"),
    ("pipeline",),
    ("app",),
    ("upkeep",),
    ("schedule", "demo", "browse", "doctor", "observe", "hooks"),
    ("errands",),
    ("service",),
    ("cli",),
    ("__main__",),
)
# Where a package may be imported: folders or modules below aggregator/.
HOMES: dict[str, tuple[str, ...]] = {
    "apscheduler": ("schedule",),
    "brotli": ("web",),
    "bs4": ("text", "articles"),
    "charset_normalizer": ("text",),
    "datasette": ("browse",),
    "exchange_calendars": ("markets",),
    "feedparser": ("sources",),
    "httpcore": ("web.lean",),
    "http.cookiejar": ("config",),
    "http": ("demo", "observe"),
    "httpx": ("web.lean",),
    "jinja2": ("browse",),
    "lxml": ("text", "sources", "opml"),
    "markupsafe": ("browse",),
    "numpy": ("text.lean",),
    "prometheus_client": ("observe",),
    "protego": ("web",),
    "pyarrow": ("export",),
    "pydantic": ("config",),
    "pydantic_core": ("config",),
    "regex": ("articles",),
    "rich": ("cli",),
    "selectolax": ("text", "sources", "articles"),
    "socket": ("web", "demo", "systemd", "observe"),
    "socketserver": ("demo",),
    "sqlite_utils": ("archive.lean",),
    "sqlite3": ("archive",),
    "structlog": ("logs",),
    "ssl": ("web",),
    "trafilatura": ("articles",),
    "typer": ("cli",),
    "urllib.request": (),  # every request goes through web
    "uvicorn": ("browse",),
    "warcio": ("export",),
    "yaml": ("config", "articles.document", "articles.imported"),
    "zstandard": ("web", "archive"),
}
MODULES = sorted(PACKAGE.rglob("*.py"))


def name_of(path: Path, root: Path = PACKAGE) -> str:
    """The dotted name below the package: ``text.html``, ``app``; "" for the package itself."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imports(source: str) -> Iterator[str]:
    """Every module a source imports, wherever in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            module = node.module or ""
            yield from (f"{module}.{alias.name}" for alias in node.names)


def layer_of(module: str) -> int:
    top = module.split(".")[0]
    return next(number for number, names in enumerate(LAYERS) if top in names)


def breaches(module: str, source: str) -> list[str]:
    """What a module imports against the rules."""
    found = []
    for imported in imports(source):
        package, _, rest = imported.partition(".")
        if package == "aggregator":
            found += _upward(module, rest)
            continue
        known = next((home for home in HOMES if f"{imported}.".startswith(f"{home}.")), None)
        if known or package not in sys.stdlib_module_names:
            homes = HOMES.get(known or package, ())
            if not any(module == home or module.startswith(home + ".") for home in homes):
                found.append(f"{module} imports {package}, whose home is {homes or 'nowhere'}")
    return found


def _upward(module: str, imported: str) -> list[str]:
    top = imported.split(".")[0]
    if not module or top.startswith("__version__") or top == module.split(".")[0]:
        return []
    above = layer_of(imported) < layer_of(module)
    return [] if above else [f"{module} imports aggregator.{imported}, which does not stand above it"]


@pytest.mark.parametrize("path", MODULES, ids=[name_of(path) or "aggregator" for path in MODULES])
def test_a_module_keeps_the_rules(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert breaches(name_of(path), source) == [] or name_of(path) == ""
    assert len(source.splitlines()) <= MAX_LINES
    assert not FORBIDDEN_NAMES.intersection(path.with_suffix("").parts[-2:])


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("text.html", "from aggregator.sources import SOURCES"),
        ("web.client", "import aggregator.archive"),
        ("archive.rows", "from aggregator.export.hexo import export"),
        ("pipeline", "from aggregator.app import App"),
        ("pipeline", "import sqlite3"),
        ("app", "import httpx"),
        ("cli.reading", "from bs4 import BeautifulSoup"),
        ("text.urls", "import requests"),
        ("sources.syndication", "from urllib.request import urlopen"),
        ("app", "import http.client"),
        ("config.cookies", "import http.client"),
    ],
)
def test_a_breach_is_seen(module: str, source: str) -> None:
    assert breaches(module, source)


def test_every_home_is_a_declared_dependency() -> None:
    declared = (PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8").lower().replace("-", "_")
    names = {"bs4": "beautifulsoup4", "yaml": "pyyaml", "pydantic_core": "pydantic", "markupsafe": "datasette"}
    names |= {"uvicorn": "datasette", "jinja2": "datasette", "sqlite3": "python"}
    names |= dict.fromkeys(("http", "http.cookiejar", "socket", "socketserver", "ssl", "urllib.request"), "python")
    assert [home for home in HOMES if names.get(home, home) not in declared] == []
