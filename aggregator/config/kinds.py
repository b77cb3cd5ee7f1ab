"""The kinds of values the configuration has: durations, sizes, names, addresses, each with the check it passes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, ValidationInfo, WithJsonSchema

from aggregator.config import cookies, values
from aggregator.model import Cookies, Pages

_SWITCHES = {"yes": "true", "on": "true", "no": "false", "off": "false"}


def empty_section(value: object) -> object:
    """A section whose every line is commented out is null in YAML, and means its defaults."""
    return {} if value is None else value


def empty_list(value: object) -> object:
    """An empty list may be written as nothing, too."""
    return [] if value is None else value


def _pages(value: object) -> object:
    """``auto``, ``true`` or ``false``, also as a YAML boolean or as yes, no, on, off."""
    word = str(value).lower()
    return _SWITCHES.get(word, word)


def _path(value: object, info: ValidationInfo) -> Path:
    """A path; a relative one starts at the folder of the configuration file, ``~`` is the home."""
    text = values.words(str(value) if isinstance(value, Path) else value)
    try:
        path = Path(text).expanduser()
    except RuntimeError:
        raise ValueError(f"names a home folder that does not exist: {values.shown(text)}") from None
    folder = (info.context or {}).get("folder", Path())
    return Path(folder, path).absolute()


def _cookies(value: object, info: ValidationInfo) -> Cookies:
    """The cookies of the file at a path."""
    return cookies.read(_path(value, info))


def file_at(path: Path) -> Path:
    """The path, if there is a file at it."""
    if not path.is_file():
        raise ValueError(f"must be a file, but there is none at {path}")
    return path


def _three(value: object) -> tuple[str, ...]:
    """The three levels a document is filed under."""
    if not isinstance(value, (list, tuple)) or len(value) != 3:
        count = f"{len(value)} of them" if isinstance(value, (list, tuple)) else values.shown(value)
        raise ValueError(f"must be a list of exactly three, as in [金融, 新浪财经, 国内], not {count}")
    return tuple(values.words(item) for item in value)


def _one_or_more(value: object) -> object:
    """One selector, or a list of them."""
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, (list, tuple)):
        raise ValueError(f"must be a selector or a list of selectors, not {values.shown(value)}")
    return tuple(values.words(item) for item in listed)


def _looks(value: object) -> object:
    """How long after first sight a page is looked at again: durations in any order, each once; ``off`` is none."""
    if str(value).lower() in ("off", "no", "false"):
        return ()
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"must be a list of durations, as in [1h, 1d], or off, not {values.shown(value)}")
    return tuple(sorted({values.whole_seconds(item) for item in value}))


_DURATION = {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": "^[0-9.]+(ms|[smhdwy])?$"}]}
_SIZE = {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": "^[0-9.]+ ?([kMG]i?)?B?$"}]}

Duration: TypeAlias = Annotated[int, BeforeValidator(values.whole_seconds), WithJsonSchema(_DURATION)]
Seconds: TypeAlias = Annotated[float, BeforeValidator(values.positive_seconds), WithJsonSchema(_DURATION)]
Pause: TypeAlias = Annotated[float, BeforeValidator(values.seconds), WithJsonSchema(_DURATION)]
Looks: TypeAlias = Annotated[
    tuple[int, ...],
    BeforeValidator(_looks),
    WithJsonSchema({"anyOf": [{"enum": ["off", False]}, {"type": "array", "items": _DURATION}]}),
]
Lasting: TypeAlias = Annotated[
    int | None,
    BeforeValidator(lambda value: None if value in (None, "never") else values.whole_seconds(value)),
    WithJsonSchema({"anyOf": [{"const": "never"}, *_DURATION["anyOf"]]}),
]
Size: TypeAlias = Annotated[int, BeforeValidator(values.size), WithJsonSchema(_SIZE)]
Words: TypeAlias = Annotated[str, BeforeValidator(values.words)]
OptionalWords: TypeAlias = Annotated[str, BeforeValidator(lambda value: value and values.words(value))]
Name: TypeAlias = Annotated[str, BeforeValidator(values.feed_name)]
Zone: TypeAlias = Annotated[str, BeforeValidator(values.zone)]
WebUrl: TypeAlias = Annotated[str, BeforeValidator(values.web_url)]
HeaderText: TypeAlias = Annotated[str, BeforeValidator(values.header_value)]
PagesSwitch: TypeAlias = Annotated[
    Pages, BeforeValidator(_pages), WithJsonSchema({"enum": ["auto", "true", "false", True, False]})
]
CookiesFile: TypeAlias = Annotated[
    Cookies,
    BeforeValidator(_cookies),
    PlainSerializer(lambda cookies: cookies.file),
    WithJsonSchema({"type": "string", "format": "path"}),
]
FilePath: TypeAlias = Annotated[Path, BeforeValidator(_path)]
Selectors: TypeAlias = Annotated[
    tuple[str, ...],
    BeforeValidator(_one_or_more),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
Three: TypeAlias = Annotated[tuple[str, str, str], BeforeValidator(_three)]


class Section(BaseModel):
    """A mapping of the file: unknown keys are mistakes."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, hide_input_in_errors=True)
