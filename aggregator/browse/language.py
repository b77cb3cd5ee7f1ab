"""The interface's two languages: which one is asked for, and its texts out of ``texts/*.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

LANGUAGES = {"zh": "中文", "en": "English"}
COOKIE = "lang"
_OTHERWISE = "en"
_YEAR = 365 * 24 * 3600
_FOLDER = Path(__file__).parent / "texts"

Text = Mapping[str, str]


@cache
def texts() -> Mapping[str, Text]:
    """Every text of the interface by its key: ``zh`` and ``en``, and ``en_one`` where one of something is said so."""
    found: dict[str, Text] = {}
    for path in sorted(_FOLDER.glob("*.toml")):
        for key, text in tomllib.loads(path.read_text(encoding="utf-8")).items():
            assert key not in found, f"two texts are called {key}"
            found[key] = text
    return found


@cache
def chinese() -> Mapping[str, Text]:
    """Title and description of tables, views and queries in Chinese, by name."""
    return tomllib.loads((_FOLDER / "chinese" / "tables.toml").read_text(encoding="utf-8"))


def told(language: str, name: str, known: Mapping[str, Any] | None, field: str) -> str:
    """``title`` or ``description`` of a table, view or query, of which Datasette's metadata has the English one."""
    english = str((known or {}).get(field) or "")
    return chinese().get(name, {}).get(field, english) if language == "zh" else english


def language_of(request: Any) -> str:
    """``zh`` or ``en``: of ``?lang=``, else the cookie, else the ``Accept-Language`` (RFC 9110, 12.5.4)."""
    if request is None:
        return _OTHERWISE
    asked = (request.args.get("lang"), request.cookies.get(COOKIE), _accepted(request.headers.get("accept-language")))
    return next((one for one in asked if one in LANGUAGES), _OTHERWISE)


def _accepted(header: str | None) -> str | None:
    """The language of ours that a browser likes best."""
    liked = []
    for part in (header or "").split(","):
        name, _, weight = part.partition(";")
        primary = name.strip().lower().partition("-")[0]
        if primary in LANGUAGES:
            liked.append((_weight(weight), primary))
    return max(liked, key=lambda one: one[0])[1] if liked else None


def _weight(parameter: str) -> float:
    try:
        return float(parameter.strip().removeprefix("q="))
    except ValueError:
        return 1.0 if not parameter.strip() else 0.0


def text(language: str, key: str, **values: object) -> str:
    """A text of the interface with its values put in; ``n`` is the number that a plural goes by.

    Raises:
        KeyError: there is no such text.
    """
    forms = texts()[key]
    wanted = f"{language}_one" if values.get("n") == 1 and f"{language}_one" in forms else language
    return forms[wanted].format(**values) if values else forms[wanted]


def remember(response: Any, language: str) -> None:
    """Let a browser ask in this language from now on."""
    response.set_cookie(COOKIE, language, max_age=_YEAR, path="/", httponly=True, samesite="lax")
