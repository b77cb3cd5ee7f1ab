"""The log: one event a line, as JSON or for a console. No secret is in it, and nothing that a terminal obeys.

An event has a name, its numbers and words are fields. What other packages log goes the same way.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from typing import Any, Literal, TextIO, TypeAlias, cast

import structlog

from aggregator.text.characters import OBEYED, visible
from aggregator.text.secrets import said_without

Log: TypeAlias = structlog.stdlib.BoundLogger
Form: TypeAlias = Literal["console", "json"]

_LONGEST = 2_000  # characters of one value; what strangers wrote may be megabytes
_SECRET = re.compile(r"token|secret|passw|pwd|cookie|credential|auth(?!or)|session.?id|api.?key|headers", re.IGNORECASE)
_PLAIN = (bool, int, float, type(None))


def begin(stream: TextIO, form: Form, secrets: Iterable[str] = ()) -> Log:
    """The log of this process, from now on on ``stream``: also for what other packages log, from warnings upwards.

    ``secrets`` (``Settings.secrets``) appear in no line, nor does what looks like one. Called again, it begins anew.
    """
    hidden = sorted(set(secrets), key=len, reverse=True)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_formatter(form, lambda text: said_without(text, hidden), colours=stream.isatty()))
    root = logging.getLogger()
    root.handlers = [handler]  # at once: a thread may be logging
    root.setLevel(logging.WARNING)
    own = logging.getLogger("aggregator")
    own.setLevel(logging.INFO)
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # a line that cannot be written is no reason to print its parts raw
    processors: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ]
    return cast(Log, structlog.wrap_logger(own, processors=processors, wrapper_class=structlog.stdlib.BoundLogger))


def _formatter(form: Form, hide: Callable[[str], str], *, colours: bool) -> logging.Formatter:
    def cleaned(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        first = {name: event.pop(name) for name in ("timestamp", "level", "event") if name in event}
        if "exception" in event:  # by its own name a console would print it as lines of its own
            event["traceback"] = event.pop("exception")
        return {
            str(_clean(name, hide)): _clean(value, hide, str(name)) for name, value in (first | dict(event)).items()
        }

    renderers = {"json": _as_json, "console": _for_console(colours=colours)}
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_log_level, structlog.stdlib.add_logger_name],
        processors=[
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            cleaned,
            renderers[form],
        ],
    )


def _clean(value: object, hide: Callable[[str], str], name: str = "") -> object:
    """A value that may be logged: numbers as they are, everything else as bounded text without secrets."""
    if _SECRET.search(name):
        return "***"
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, Mapping):
        return {hide(str(key)): _clean(inner, hide, str(key)) for key, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_clean(inner, hide) for inner in value]
    text = f"{type(value).__name__}: {value}" if isinstance(value, BaseException) else str(value)
    shown = hide(text[: 10 * _LONGEST])  # cut in two, a secret would not be known for one: it is hidden before the cut
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}… ({len(text)} characters)"


def _as_json(_: object, __: str, event: MutableMapping[str, Any]) -> str:
    """The characters that a terminal would obey stand as JSON's escapes: nothing is lost."""
    text = json.dumps(dict(event), ensure_ascii=False, default=str)
    return OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _for_console(*, colours: bool) -> Callable[[object, str, MutableMapping[str, Any]], str]:
    render = structlog.dev.ConsoleRenderer(
        colors=colours, pad_event_to=20, sort_keys=False, exception_formatter=structlog.dev.plain_traceback
    )

    def shown(logger: object, method: str, event: MutableMapping[str, Any]) -> str:
        return render(logger, method, {_one_line(name): _shown(value) for name, value in event.items()})

    return shown


def _shown(value: object) -> object:
    """A value on a console: its characters cannot break the line, a structure is written as JSON."""
    if isinstance(value, _PLAIN):
        return value
    return _one_line(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str))


def _one_line(text: str) -> str:
    return visible(text).replace("\n", "\\n").replace("\t", "\\t")
