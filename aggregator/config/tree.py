"""YAML text -> a tree that remembers where everything stands; the ground under the loader and the editor.

Scalars are read by the rules of YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema), not by PyYAML's 1.1: a feed
may be named ``no`` or ``on``, ``12:30`` is a text and ``0644`` is not octal. PyYAML's safe parser gives the events; to
read is enough, LibYAML's, which takes a tenth of its time: 4 instead of 35 ms for 200 feeds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, cast

import yaml

from aggregator.errors import ConfigError

Scalar: TypeAlias = bool | int | float | str | None
Value: TypeAlias = "Scalar | list[Value] | dict[str, Value]"
Step: TypeAlias = str | int
_Beginning: TypeAlias = yaml.ScalarEvent | yaml.SequenceStartEvent | yaml.MappingStartEvent

MAX_DEPTH = 32
MAX_NODES = 200_000  # counted with every alias written out: an alias bomb stops here

_HINTS = (  # part of what PyYAML says -> what to do
    ("mapping values are not allowed", 'Check the indentation, and put a value that holds ": " in quotes'),
    ("stream end", "A quote or bracket is opened and never closed"),
    ("end of stream", "A quote or bracket is opened and never closed"),
    ("expected ',' or", "A quote or bracket is opened and never closed"),
    ("quoted scalar", "A quote or bracket is opened and never closed"),
    ("could not find expected ':'", "Check the indentation of this line and the colon after its key"),
    ("expected <block end>", "Check the indentation of this line and the colon after its key"),
    ("cannot start any token", "Put the value in quotes"),
)
_NULL = ("", "~", "null", "Null", "NULL")
_TRUE = ("true", "True", "TRUE")
_FALSE = ("false", "False", "FALSE")
_INT = re.compile(r"[-+]?[0-9]{1,18}")
# Where LibYAML differs from PyYAML, and so is not asked: these characters (it lets a tab between words pass), and
# question marks in brackets, which it reads as YAML 1.2 does.
_DIFFERS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2000-\u202f\ud800-\udfff\ufeff\ufff0-\U0010ffff]|[\[{].*\?")
_FLOAT = re.compile(r"[-+]?[0-9]+\.[0-9]+(?:[eE][-+]?[0-9]{1,3})?")


@dataclass(frozen=True, slots=True)
class Node:
    """A value in the file.

    ``start`` and ``end`` are offsets in characters; ``end`` stands after the last character of the content, before
    any comment. ``line`` counts from 1. ``size`` is the number of nodes in it, aliases written out.
    """

    kind: Literal["scalar", "list", "map"]
    line: int
    start: int
    end: int
    value: Scalar = None
    items: tuple[Node, ...] = ()
    pairs: tuple[tuple[str, Node, Node], ...] = ()  # (key, the key's node, the value's node)
    flow: bool = True  # written on one level with its surroundings: a scalar, [...] or {...}
    alias: bool = False  # written elsewhere, under an anchor
    size: int = 1

    def child(self, key: str) -> Node | None:
        """The value of ``key``, or None."""
        return next((value for name, _, value in self.pairs if name == key), None)


def compose(text: str, place: str, *, quick: bool = False) -> Node | None:
    """The tree of a YAML text, None if it holds nothing but comments.

    ``place`` names the file in errors. ``quick``: the offsets of what is empty may be others. Raises ConfigError, with
    line, for whatever is not one YAML document of a reasonable size made of plain mappings, lists and scalars.
    """
    if quick and not _DIFFERS.search(text):
        with suppress(yaml.YAMLError):  # which PyYAML says in other words, told below
            return _Composer(text, place, getattr(yaml, "CSafeLoader", yaml.SafeLoader)).document()
    try:
        return _Composer(text, place).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        message = f"not valid YAML: {error.problem or error.context}{_opened(error)}"
        raise ConfigError(message, where=f"{place}:{line}", hint=_syntax_hint(error)) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        message = f"a character that YAML does not allow, U+{ord(text[error.position]):04X}"
        raise ConfigError(message, where=f"{place}:{line}", hint="Delete it") from error
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise ConfigError(f"not valid YAML: {error}", where=place) from error


def _opened(error: yaml.MarkedYAMLError) -> str:
    """Where the thing began in which the parser stumbled, if that is another line."""
    begun, stopped = error.context_mark, error.problem_mark
    if not error.context or begun is None or stopped is None or begun.line == stopped.line:
        return ""
    return f", {error.context} which begins on line {begun.line + 1}"


def _syntax_hint(error: yaml.MarkedYAMLError) -> str:
    """What to try, for the syntax errors people really make."""
    said = f"{error.problem} {error.context}"
    return next((hint for part, hint in _HINTS if part in said), "Check this line and the one above it")


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _start(event: yaml.Event) -> int:
    return event.start_mark.index if event.start_mark else 0


def _end(event: yaml.Event) -> int:
    return event.end_mark.index if event.end_mark else 0


class _Composer:
    """Events -> nodes. PyYAML's own composer has no limit on depth and size, and forgets aliases."""

    def __init__(self, text: str, place: str, loader: type[yaml.SafeLoader] = yaml.SafeLoader) -> None:
        self.text = text
        self.place = place
        self.events = yaml.parse(text, Loader=loader)
        self.anchors: dict[str, Node] = {}

    def document(self) -> Node | None:
        root: Node | None = None
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    raise self.refuse(event, "a second YAML document begins here", "Delete the line with ---")
                root = self.node(next(self.events), 0)
        if root is None or (root.kind == "scalar" and root.value is None and root.start == root.end):
            return None
        return root

    def refuse(self, event: yaml.Event, message: str, hint: str) -> ConfigError:
        return ConfigError(message, where=f"{self.place}:{_line(event)}", hint=hint)

    def node(self, event: yaml.Event, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise self.refuse(event, f"nested more than {MAX_DEPTH} levels deep", "A bracket too many?")
        if isinstance(event, yaml.AliasEvent):
            return self.aliased(event)
        event = cast("_Beginning", event)  # the parser promises: after an alias and the ends, only these are left
        if event.tag is not None:
            raise self.refuse(event, f"a YAML tag, {event.tag}", "Write the plain value, without the tag")
        node = self.build(event, depth)
        if node.size > MAX_NODES:
            raise self.refuse(event, f"more than {MAX_NODES} values", "Split the feeds over several files")
        if event.anchor:
            self.anchors[event.anchor] = node
        return node

    def aliased(self, event: yaml.AliasEvent) -> Node:
        target = self.anchors.get(event.anchor or "")
        if target is None:
            raise self.refuse(event, f"*{event.anchor} names no anchor above it", "Write the value out")
        return replace(
            target,
            line=_line(event),
            start=_start(event),
            end=_end(event),
            alias=True,
        )

    def build(self, event: _Beginning, depth: int) -> Node:
        if isinstance(event, yaml.MappingStartEvent):
            return self.mapping(event, depth)
        if isinstance(event, yaml.SequenceStartEvent):
            return self.sequence(event, depth)
        start, end = _start(event), _end(event)
        if event.style in ("|", ">"):  # its end mark stands behind the comments that follow
            end = start + len(self.text[start:end].rstrip())
        value = event.value if event.style else resolve(event.value)  # of a plain one it is "" or None
        return Node("scalar", _line(event), start, end, value)

    def sequence(self, event: yaml.SequenceStartEvent, depth: int) -> Node:
        items: list[Node] = []
        size = 1
        while not isinstance(current := next(self.events), yaml.SequenceEndEvent):
            items.append(self.node(current, depth + 1))
            size = self.sized(current, size + items[-1].size)
        end = _end(current) if event.flow_style else items[-1].end
        return Node(
            "list", _line(event), _start(event), end, items=tuple(items), flow=bool(event.flow_style), size=size
        )

    def mapping(self, event: yaml.MappingStartEvent, depth: int) -> Node:
        pairs: list[tuple[str, Node, Node]] = []
        size = 1
        while not isinstance(current := next(self.events), yaml.MappingEndEvent):
            if not isinstance(current, yaml.ScalarEvent):
                raise self.refuse(current, "a key that is not a word", "Put the key in quotes")
            key = self.node(current, depth + 1)
            pairs.append((current.value, key, self.node(next(self.events), depth + 1)))
            size = self.sized(current, size + 1 + pairs[-1][2].size)
        end = _end(current) if event.flow_style else max(pairs[-1][1].end + 1, pairs[-1][2].end)
        return Node("map", _line(event), _start(event), end, pairs=tuple(pairs), flow=bool(event.flow_style), size=size)

    def sized(self, event: yaml.Event, size: int) -> int:
        if size > MAX_NODES:
            raise self.refuse(event, f"more than {MAX_NODES} values", "Is an alias used inside itself many times?")
        return size


def resolve(text: str) -> Scalar:
    """A plain scalar's value: null, a boolean, a number, else the text itself."""
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return text


def plain(node: Node | None) -> Value:
    """The data of a tree. Of a key given twice the last value counts; ``repeated`` reports it."""
    if node is None or node.kind == "scalar":
        return None if node is None else node.value
    if node.kind == "list":
        return [plain(item) for item in node.items]
    return {key: plain(value) for key, _, value in node.pairs}


def repeated(node: Node, at: tuple[Step, ...] = ()) -> Iterator[tuple[tuple[Step, ...], int, int]]:
    """Every key given twice in one mapping: (path, its line, the line where it stood first)."""
    seen: dict[str, int] = {}
    for key, key_node, value in node.pairs:
        if key in seen:
            yield (*at, key), key_node.line, seen[key]
        seen.setdefault(key, key_node.line)
        yield from repeated(value, (*at, key))
    for number, item in enumerate(node.items):
        yield from repeated(item, (*at, number))


def line_of(root: Node, path: Sequence[Step]) -> int:
    """The line on which the value of ``path`` is named; the nearest line above for what is not there."""
    node, line = root, root.line
    for step in path:
        if isinstance(step, int):
            if node.kind != "list" or step >= len(node.items):
                return line
            node = node.items[step]
            line = node.line
            continue
        found = [(key.line, value) for name, key, value in node.pairs if name == step]
        if not found:
            return line
        line, node = found[-1]
    return line
