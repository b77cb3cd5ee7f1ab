"""config.yaml -> Settings. Every mistake in the file is one line that names key and line, and all are told at once."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TypeAlias

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from aggregator.config import settings, tree, values
from aggregator.config.feedrow import FallbackRow, FeedRow
from aggregator.config.settings import RuleRow, Settings
from aggregator.errors import ConfigError

MAX_BYTES = 8_000_000
MAX_SHOWN = 40  # mistakes told at once

_START = "`aggregator init` writes a commented one"
_UNTOUCHED = "Nothing was written"
_RANKS = {"extra_forbidden": 0, "missing": 1}
_BOUNDS = {"greater_than_equal": "at least", "less_than_equal": "at most"}
_TYPES = {
    "string_type": "must be a text",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "model_type": "must be a section of keys and values",
    "dict_type": "must be a section of keys and values",
    "mapping_type": "must be a section of keys and values",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
}
Steps: TypeAlias = tuple[tree.Step, ...]


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One line of the message. ``rank`` puts what may explain the others first."""

    rank: int
    line: int
    key: str
    message: str


def find_config(
    explicit: Path | None,
    environ: Mapping[str, str],
    cwd: Path,
    home: Path,
    etc: Path = Path("/etc"),
) -> Path:
    """The configuration file to use.

    In this order: ``--config``, ``$AGGREGATOR_CONFIG``, ``config.yaml`` in ``cwd``, ``aggregator/config.yaml`` below
    ``$XDG_CONFIG_HOME`` (else ``~/.config``) and below ``etc``. Raises ConfigError naming the places looked in; a
    file named by hand is never replaced by another.
    """
    named = environ.get("AGGREGATOR_CONFIG", "")
    for chosen, by in ((explicit, "--config"), (Path(named) if named else None, "$AGGREGATOR_CONFIG")):
        if chosen is not None and _is_there(cwd / chosen):
            return chosen
        if chosen is not None:
            raise ConfigError(f"no such file, named by {by}", where=str(chosen), hint=f"Check the name; {_START}")
    xdg = environ.get("XDG_CONFIG_HOME", "")
    user = Path(xdg) if xdg.startswith("/") else home / ".config"  # XDG: a relative path is ignored
    places = [cwd / "config.yaml", user / "aggregator/config.yaml", etc / "aggregator/config.yaml"]
    for place in places:
        if _is_there(place):
            return place
    looked = ", ".join(str(place) for place in places)
    raise ConfigError(f"no configuration found in {looked}", hint=f"{_START}; or name one with --config PATH")


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return True  # no rights to look: reading it says so


def load(path: Path) -> Settings:
    """The settings of a configuration file.

    Raises ConfigError for a file that cannot be read, and one ConfigError for all mistakes in it, whose ``message``
    has a line ``config.yaml:12: feeds[3].every: …`` for each.
    """
    return parse(read_config(path), path)


def read_config(path: Path) -> str:
    """The text of a configuration file, line ends as they are. Raises ConfigError."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise ConfigError("no such file", where=str(path), hint=f"Check the name; {_START}") from None
    except IsADirectoryError:
        raise ConfigError("is a folder, not a file", where=str(path), hint="Name the file in it") from None
    except PermissionError:
        hint = "Give yourself the right to read it (chmod u+r), or name another with --config PATH"
        raise ConfigError("may not be read", where=str(path), hint=hint) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"cannot be read: {reason}", where=str(path), hint="Check the name") from error
    if len(data) > MAX_BYTES:
        raise ConfigError("is too large for a configuration", where=str(path), hint="Check the name")
    return _decode(data, str(path))


def _decode(data: bytes, place: str) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ConfigError("is UTF-16", where=f"{place}:1", hint="Save it as UTF-8 without BOM")
    if data.startswith(b"\xef\xbb\xbf"):
        raise ConfigError("begins with a byte order mark", where=f"{place}:1", hint="Save it as UTF-8 without BOM")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError("is not UTF-8", where=f"{place}:{line}", hint="Save the file as UTF-8") from None


def parse(text: str, path: Path) -> Settings:
    """The settings that a text means, if it stood in the file ``path`` (which need not exist). Raises ConfigError."""
    root = compose(text, str(path), quick=True)
    if root is None:
        raise ConfigError("there is nothing in it", where=str(path), hint=_START)
    try:
        result = Settings.model_validate(tree.plain(root), context={"folder": path.absolute().parent})
    except ValidationError as error:
        raise _refusal([*_told(error, root), *_repeated(root)], path) from None
    if found := list(_repeated(root)):
        raise _refusal(found, path)
    return result


def compose(text: str, place: str, *, quick: bool = False) -> tree.Node | None:
    """The tree of a configuration's text, which is a mapping; None if there are only comments. Raises ConfigError.

    ``quick`` as in ``tree.compose``.
    """
    for number, line in enumerate(text.split("\n"), 1):
        if line.lstrip(" ").startswith("\t"):
            hint = "YAML wants spaces; replace each tab by two"
            raise ConfigError("a tab in the indentation", where=f"{place}:{number}", hint=hint)
    root = tree.compose(text, place, quick=quick)
    if root is not None and root.kind != "map":
        hint = "It begins like `archive: archive.db`"
        raise ConfigError("must consist of keys and values", where=f"{place}:{root.line}", hint=hint)
    return root


def _refusal(mistakes: list[Mistake], path: Path) -> ConfigError:
    lines = [f"{path}:{m.line}: {m.key}: {m.message}" for m in sorted(set(mistakes))]
    if len(lines) > MAX_SHOWN:
        lines[MAX_SHOWN:] = [f"{path}: and {len(lines) - MAX_SHOWN} more mistakes"]
    return ConfigError("\n".join("".join(c if c.isprintable() else " " for c in line) for line in lines))


def _repeated(root: tree.Node) -> Iterator[Mistake]:
    """Keys given twice in one section, and names given to two feeds, rows or hooks."""
    for path, line, first in tree.repeated(root):
        yield Mistake(0, line, _dotted(path), f"is given twice, first on line {first}; delete one")
    yield from _same_names(root, "feeds", "feed")
    yield from _same_names(root, "rules", "row")
    yield from _same_names(root, "hooks", "hook")


def _same_names(root: tree.Node, section: str, what: str) -> Iterator[Mistake]:
    """Rows of a list that have the name of an earlier one."""
    seen: dict[str, int] = {}
    rows = root.child(section)
    for number, item in enumerate(rows.items if rows else ()):
        name = item.child("name")
        if name is None or not isinstance(name.value, str):
            continue
        word = unicodedata.normalize("NFC", name.value.strip())
        if word in seen:
            message = f"{values.shown(word)} is already the name of the {what} on line {seen[word]}; give another"
            yield Mistake(0, name.line, f"{section}[{number}].name", message)
        seen.setdefault(word, name.line)


def _told(error: ValidationError, root: tree.Node) -> Iterator[Mistake]:
    """The model's complaints in our words. A missing key is not told where a misspelt one explains it."""
    explained: set[Steps] = set()
    for detail in sorted(error.errors(include_url=False), key=lambda d: d["type"] == "missing"):
        path = tuple(step for step in detail["loc"] if step != "[key]")
        if detail["type"] == "extra_forbidden":
            explained.add((*path[:-1], _unknown(path)[1]))
        if path not in explained:
            rank = _RANKS.get(detail["type"], 2)
            yield Mistake(rank, tree.line_of(root, path), _dotted(path), _words(detail, path))


def _words(detail: ErrorDetails, path: Steps) -> str:
    context, kind = detail.get("ctx", {}), detail["type"]
    told = values.shown(detail["input"])
    if kind == "extra_forbidden":
        return _unknown(path)[0]
    if kind == "missing":
        return "is missing; write it into this section"
    if kind == "value_error":
        return str(context["error"])
    if kind == "literal_error":
        return f"must be {context['expected']}, not {told}"
    if kind in ("greater_than_equal", "less_than_equal"):
        return f"must be {_BOUNDS[kind]} {context['ge' if 'ge' in context else 'le']}, not {told}"
    return f"{_TYPES[kind]}, not {told}" if kind in _TYPES else detail["msg"]


def _unknown(path: Steps) -> tuple[str, str]:
    """What to say of a key that nobody knows, and the key that was perhaps meant."""
    key = str(path[-1])
    if key == "<<":
        return "YAML merge keys are not read; put what feeds share under `defaults`", ""
    known = list(_section(path[:-1]).model_fields)
    near = difflib.get_close_matches(key.lower(), known, n=1, cutoff=0.6)
    if near:
        return f"is no known key; did you mean `{near[0]}`?", near[0]
    if key in Settings.model_fields:
        return "is no known key here; it belongs at the top level of the file", ""
    if homes := [name for name, model in _sections() if key in model.model_fields]:
        return f"is no known key here; it belongs under `{homes[0]}`", ""
    return f"is no known key; known here: {', '.join(known)}", ""


def _sections() -> Iterator[tuple[str, type[BaseModel]]]:
    yield "network", settings.Network
    yield "network.per_host", settings.PerHost
    yield "defaults", settings.Defaults
    yield "interval", settings.Interval
    yield "document", settings.DocumentSettings
    yield "export", settings.Export
    yield "export.hexo", settings.Hexo
    yield "feeds[]", FeedRow
    yield "feeds.fallback[]", FallbackRow
    yield "rules[]", RuleRow


def _section(path: Steps) -> type[BaseModel]:
    """The model that describes the section at ``path``."""
    name = ".".join(str(step) for step in path if isinstance(step, str))
    sections = dict(_sections())
    return sections.get(f"{name}[]") or sections.get(name, Settings)


def _dotted(path: Steps) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")


def check_feed(feed: Mapping[str, object]) -> None:
    """Refuse, with a ConfigError, what could not stand under ``feeds:``."""
    try:
        FeedRow.model_validate(dict(feed))
    except ValidationError as error:
        details = error.errors(include_url=False)
        told = [f"{_dotted(d['loc'])}: {_words(d, ('feeds', *d['loc']))}" for d in details]
        raise ConfigError("; ".join(told), where=values.shown(feed.get("name")), hint=_UNTOUCHED) from None


def starter() -> str:
    """The commented config.yaml that ships with the package, which `aggregator init` writes."""
    return resources.files("aggregator").joinpath("config.yaml").read_text(encoding="utf-8")
