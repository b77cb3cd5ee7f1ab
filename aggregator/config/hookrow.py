"""One row of ``hooks:``: which events are told, and where."""

from __future__ import annotations

import re
from typing import Annotated, Self, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from aggregator.config import values
from aggregator.config.feedrow import TermRow
from aggregator.config.kinds import FilePath, Name, Section, WebUrl, Words, empty_list, empty_section
from aggregator.model import EventKind

_ENV = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NAMES = WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]})


def _listed(value: object) -> object:
    """One value, or a list of them."""
    return [value] if isinstance(value, (str, dict)) else empty_list(value)


def _argument(value: object) -> str:
    if not isinstance(value, (str, int, float)) or isinstance(value, bool):
        raise ValueError(f"must be a text, not {values.shown(value)}")
    if "\0" in str(value):
        raise ValueError("must have no NUL in it")
    return str(value)


def _variable(value: str) -> str:
    if not _ENV.fullmatch(value):
        raise ValueError(
            "must be the name of an environment variable, such as AGGREGATOR_SECRET, not the secret itself"
        )
    return value


Several: TypeAlias = Annotated[tuple[Words, ...], BeforeValidator(_listed), _NAMES]
Terms: TypeAlias = Annotated[tuple[TermRow, ...], BeforeValidator(_listed)]
Variable: TypeAlias = Annotated[Words, AfterValidator(_variable)]


class WhenRow(Section):
    """What an event must be: of each key that is there, one value must hold."""

    on: Annotated[tuple[EventKind, ...], BeforeValidator(_listed)] = ("new",)
    """What happened: new, changed, gone (articles), gap, failing (feeds)."""
    feeds: Several = ()
    """Names of feeds."""
    words: Terms = ()
    """As in a feed's `keep`: words, /a regular expression/, or {title: …}, {body: …}, {symbols: …}."""
    symbols: Several = ()
    """Stocks the article names, such as sh600519."""
    categories: Several = ()
    """One of the three levels of the article's or feed's categories."""


class ThenRow(Section):
    """Where it is told: one of webhook, command and atom."""

    webhook: WebUrl | None = None
    """An address that gets each event as a POST of JSON."""
    secret_env: Variable | None = None
    """The environment variable that holds the webhook's secret; with it each message is signed."""
    command: Annotated[tuple[Annotated[str, BeforeValidator(_argument)], ...], BeforeValidator(empty_list)] = ()
    """A program and its arguments, run without a shell; it gets the event on its standard input."""
    atom: FilePath | None = None
    """A file that is kept as an Atom feed of the newest 50 events."""

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if sum(map(bool, (self.webhook, self.command, self.atom))) != 1:
            raise ValueError("needs exactly one of webhook, command and atom")
        if self.secret_env and not self.webhook:
            raise ValueError("`secret_env` is for a webhook")
        if self.command and not self.command[0].strip():
            raise ValueError("the command must not be empty")
        return self


class HookRow(Section):
    """A rule by which others are told what was archived."""

    name: Name
    """A short name of your own; another name is another hook, which begins with now."""
    when: Annotated[WhenRow, BeforeValidator(empty_section)] = Field(default_factory=WhenRow)
    then: ThenRow
