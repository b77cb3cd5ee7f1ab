"""Changing the text of config.yaml: one feed added, changed or removed, and every other character left as it is.

Each function works on the text, reads its result again and compares it with what was meant, so that an unusual way of
writing YAML ends in a ConfigError and never in a damaged file.
"""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import yaml

from aggregator.config import tree
from aggregator.config.loader import MAX_BYTES, check_feed, compose
from aggregator.errors import ConfigError

PLACE = "config.yaml"
_BLANK = re.compile(r"\n[ ]*\r?\n")
_HINT = "Nothing was written; change the file by hand"


def add_feed(text: str, feed: Mapping[str, object]) -> str:
    """The text with ``feed`` (keys as under ``feeds:``; None means unset) as its last feed, written like the others.

    Raises ConfigError for a feed that could not stand there, a name already in use, and a file that cannot be edited.
    """
    return add_feeds(text, [feed])


def add_feeds(text: str, feeds: Sequence[Mapping[str, object]]) -> str:
    """The text with all of ``feeds`` behind its last feed, as ``add_feed`` would write them one by one.

    Raises ConfigError as ``add_feed`` does, and for more text than a configuration may have.
    """
    new = [{key: _data(value) for key, value in feed.items() if value is not None} for feed in feeds]
    root = compose(text, PLACE)
    data, rows = _rows(root)
    names = {old.get("name") for old in rows if isinstance(old, dict)}
    for row in new:
        check_feed(row)
        name = str(row["name"]).strip()
        if name in names:
            hint = "Give another name, or remove that feed first"
            raise ConfigError("there is a feed of this name already", where=name, hint=hint)
        names.add(name)
    return _checked(_with_items(text, root, new), {**data, "feeds": [*rows, *new]}) if new else text


def set_feed(text: str, name: str, key: str, value: object) -> str:
    """The text with ``key: value`` in the feed ``name``, in place of its old value or as a new line.

    Raises ConfigError for an unknown feed, a value that could not stand there, and a file that cannot be edited.
    """
    root = compose(text, PLACE)
    data, rows = _rows(root)
    number, _, item = _find(root, name)
    old = rows[number]
    meant = {**(old if isinstance(old, dict) else {}), key: _data(value)}
    check_feed(meant)
    new = [*rows[:number], meant, *rows[number + 1 :]]
    return _checked(_with_value(text, item, key, _flow(_data(value))), {**data, "feeds": new})


def remove_feed(text: str, name: str) -> str:
    """The text without the feed ``name`` and the comments inside it.

    Raises ConfigError for an unknown feed and a file that cannot be edited.
    """
    root = compose(text, PLACE)
    data, rows = _rows(root)
    number, feeds, item = _find(root, name)
    cut = _without_flow_item if feeds.flow else _without_block_item
    return _checked(cut(text, feeds, item), {**data, "feeds": [*rows[:number], *rows[number + 1 :]]})


def write_config(path: Path, text: str) -> None:
    """Replace a configuration file in one step (a crash leaves the old or the new one), keeping its permissions.

    A symbolic link stays one. Raises ConfigError if the folder or the file cannot be written.
    """
    path = path.resolve()
    scratch = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        mode = path.stat().st_mode & 0o777 if path.exists() else None
        with scratch.open("wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            scratch.chmod(mode)
        scratch.replace(path)
        _sync(path.parent)
    except OSError as error:
        _discard(scratch)
        hint = "Check that the folder exists and that you may write there"
        raise ConfigError(f"cannot be written: {error.strerror}", where=str(path), hint=hint) from error


def _sync(folder: Path) -> None:
    """Make a rename in ``folder`` last through a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _discard(scratch: Path) -> None:
    try:
        scratch.unlink(missing_ok=True)
    except OSError:
        return  # the error that led here is the one to tell


# -- reading -------------------------------------------------------------------------------------------------------


def _rows(root: tree.Node | None) -> tuple[dict[str, tree.Value], list[tree.Value]]:
    """The whole data of the file, and its feeds."""
    data = tree.plain(root)
    data = data if isinstance(data, dict) else {}
    rows = data.get("feeds") or []
    if not isinstance(rows, list):
        raise ConfigError("`feeds` is no list", where=PLACE, hint=_HINT)
    return data, rows


def _find(root: tree.Node | None, name: str) -> tuple[int, tree.Node, tree.Node]:
    """A feed's number, the list it stands in, and its own node."""
    feeds = root.child("feeds") if root else None
    items = feeds.items if feeds else ()
    names = [str(found.value) if (found := item.child("name")) else "" for item in items]
    if feeds is None or name not in names:
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"Did you mean {near[0]}?" if near else "`aggregator feeds list` shows the names"
        raise ConfigError("there is no feed of this name", where=name, hint=hint)
    number = names.index(name)
    if feeds.alias or items[number].alias:
        raise ConfigError("the feed is written through a YAML alias", where=name, hint=_HINT)
    return number, feeds, items[number]


def _data(value: object) -> tree.Value:
    """A value as YAML would give it back."""
    if isinstance(value, Mapping):
        return {str(key): _data(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_data(item) for item in value]
    return value if value is None or isinstance(value, (bool, int, float)) else str(value)


def _checked(text: str, meant: dict[str, tree.Value]) -> str:
    """``text``, if it says what was meant and is not too long to be read again."""
    if len(text.encode()) > MAX_BYTES:
        raise ConfigError("the configuration would become too large", where=PLACE, hint="Nothing was written")
    try:
        found, rows = _rows(compose(text, PLACE))
    except ConfigError as error:
        raise ConfigError("the file is written in a way that cannot be edited", where=PLACE, hint=_HINT) from error
    if {**found, "feeds": rows} != meant:
        raise ConfigError("the file is written in a way that cannot be edited", where=PLACE, hint=_HINT)
    return text


# -- writing values ------------------------------------------------------------------------------------------------


def _flow(value: tree.Value) -> str:
    """A value on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    return _scalar(value)


def _scalar(value: tree.Scalar) -> str:
    if not isinstance(value, str):
        return json.dumps(value)
    if _reads_back(value):
        return value
    quoted = json.dumps(value, ensure_ascii=False)  # a JSON string is a double-quoted YAML scalar
    return "".join(c if c.isprintable() else f"\\U{ord(c):08X}" for c in quoted)


@lru_cache
def _reads_back(text: str) -> bool:
    """Does a text mean itself without quotes, in every place and for readers of YAML 1.1 too?"""
    if not text.isprintable() or tree.resolve(text) != text:
        return False
    try:
        found = yaml.safe_load(f"- [{text}]\n- k: {text}")
    except (yaml.YAMLError, ValueError):
        return False
    return bool(found == [[text], {"k": text}])


# -- writing text --------------------------------------------------------------------------------------------------


def _line_break(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _column(text: str, offset: int) -> int:
    return offset - (text.rfind("\n", 0, offset) + 1)


def _insert_line(text: str, offset: int, lines: list[str]) -> str:
    """``lines`` after the line that holds ``offset``."""
    stop = _line_break(text)
    end = text.find("\n", offset)
    head, tail = (text, "") if end < 0 else (text[: end + 1], text[end + 1 :])
    head = head if not head or head.endswith("\n") else head + stop
    return head + "".join(line + stop for line in lines) + tail


def _item(row: Mapping[str, tree.Value], column: int, flow: bool) -> list[str]:
    """The lines of a new item of a block list whose dashes stand in ``column``."""
    pad = " " * column
    if flow:
        return [f"{pad}- {_flow(dict(row))}"]
    lines = [f"{_scalar(key)}: {_flow(value)}" for key, value in row.items()]
    return [f"{pad}- {lines[0]}", *(f"{pad}  {line}" for line in lines[1:])]


def _items(rows: Sequence[Mapping[str, tree.Value]], column: int, *, flow: bool = False, apart: bool) -> list[str]:
    """The lines of several items, with an empty line between two of them if they stand ``apart``."""
    lines: list[str] = []
    for row in rows:
        lines += [*([""] if apart and lines else []), *_item(row, column, flow)]
    return lines


def _with_items(text: str, root: tree.Node | None, rows: Sequence[Mapping[str, tree.Value]]) -> str:
    feeds = root.child("feeds") if root else None
    column = _column(text, root.start) if root else 0
    if feeds is None:
        blank = [""] if text.strip() else []
        items = _items(rows, column + 2, apart=True)
        return _insert_line(text, len(text), [*blank, " " * column + "feeds:", *items])
    if not feeds.items:
        head = text[: feeds.start].rstrip(" ") if feeds.end > feeds.start else text[: feeds.start]
        return _insert_line(head + text[feeds.end :], len(head), _items(rows, column + 2, apart=True))
    last = feeds.items[-1]
    if not feeds.flow:
        apart = len(feeds.items) > 1 and bool(_BLANK.search(text, feeds.items[-2].end, last.start))
        items = _items(rows, _column(text, feeds.start), flow=last.flow, apart=apart)
        return _insert_line(text, last.end, [*([""] if apart else []), *items])
    own_line = "\n" in text[feeds.start : last.start]
    gap = _line_break(text) + " " * _column(text, last.start) if own_line else " "
    added = "".join(f",{gap}{_flow(dict(row))}" for row in rows)
    return text[: last.end] + added + text[last.end :]


def _with_value(text: str, item: tree.Node, key: str, value: str) -> str:
    old = item.child(key)
    if old is not None:
        space = "" if old.flow and text[old.start - 1].isspace() else "  "  # a block list may stand below its key
        return text[: old.start] + space + value + text[old.end :]
    if item.flow:
        end = item.pairs[-1][2].end
        return f"{text[:end]}, {_scalar(key)}: {value}{text[end:]}"
    pad = " " * _column(text, item.start)
    return _insert_line(text, item.end, [f"{pad}{_scalar(key)}: {value}"])


def _without_block_item(text: str, feeds: tree.Node, item: tree.Node) -> str:
    dash = text.rfind("-", feeds.start, item.start)
    begin = text.rfind("\n", 0, dash) + 1
    end = text.find("\n", item.end)
    head, tail = text[:begin], text[end + 1 :] if end >= 0 else ""
    if item.start != feeds.items[-1].start:  # an empty line that set the item apart goes with it
        return head + re.sub(r"\A[ ]*\r?\n", "", tail)
    return re.sub(r"(?<=\n)[ ]*\r?\n\Z", "", head) + tail


def _without_flow_item(text: str, feeds: tree.Node, item: tree.Node) -> str:
    head, tail = text[: item.start], text[item.end :]
    if comma := re.match(r"\s*,[ \t]*", tail):
        tail = tail[comma.end() :]
    elif head.rstrip().endswith(","):
        head = head.rstrip()[:-1]
    begin, end = head.rfind("\n") + 1, tail.find("\n")
    if begin and end >= 0 and not (head[begin:] + tail[:end]).strip():  # the item had a line of its own
        return head[:begin] + tail[end + 1 :]
    return head + tail
