"""Articles as rows for other programs: JSON Lines, CSV for spreadsheets, Parquet."""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import IO

from aggregator.errors import ConfigError

Row = Mapping[str, object]

COLUMNS = (
    *("key", "url", "title", "published", "first_seen", "media", "author", "feed"),
    *("categories", "keywords", "symbols", "reason", "text", "body"),
)
"""The fields of an article in every table, in this order; instants are ISO 8601 in UTC."""

_INSTANTS = ("published", "first_seen")
_LISTS = ("categories", "keywords", "symbols")
_GROUP = 1_000  # rows in memory at once
# What spreadsheets take for the beginning of a formula (OWASP, CSV Injection); full-width forms count in some of them.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")


def write_jsonl(stream: IO[bytes], rows: Iterable[Row]) -> int:
    """Write an article a line (UTF-8, Chinese as it is); how many there were."""
    count = 0
    for row in rows:
        line = json.dumps({name: row[name] for name in COLUMNS}, ensure_ascii=False) + "\n"
        stream.write(line.encode("utf-8", "replace"))
        count += 1
    return count


def write_csv(stream: IO[bytes], rows: Iterable[Row], columns: Sequence[str] = COLUMNS, *, begun: bool = False) -> int:
    """Write a heading and the rows (RFC 4180, UTF-8 with a byte order mark, without which Excel guesses); how many.

    A text that a spreadsheet would calculate is preceded by ``'``. A list is its values with ``; `` between them.
    ``begun``: the heading was written before.
    """
    writer = csv.writer(_Encoded(stream), lineterminator="\r\n")
    if not begun:
        stream.write(codecs.BOM_UTF8)
        writer.writerow(columns)
    count = 0
    for row in rows:
        writer.writerow([_cell(row[name]) for name in columns])
        count += 1
    return count


@dataclass(frozen=True, slots=True)
class _Encoded:
    """What the csv module writes text to."""

    stream: IO[bytes]

    def write(self, text: str) -> object:
        """Pass text on as UTF-8."""
        return self.stream.write(text.encode("utf-8", "replace"))


def _cell(value: object) -> object:
    if isinstance(value, list):
        value = "; ".join(map(str, value))
    return safe_cell(value) if isinstance(value, str) else value


def safe_cell(text: str) -> str:
    """A text as no spreadsheet calculates it."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def write_parquet(stream: IO[bytes], rows: Iterable[Row]) -> int:
    """Write a Parquet file: instants as timestamps in UTC, lists as lists; how many rows.

    Raises:
        ConfigError: pyarrow is not installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        hint = "pip install 'aggregator[parquet]', or export --jsonl, which any program reads"
        raise ConfigError("Parquet needs pyarrow, which is not installed", where="--parquet", hint=hint) from error
    schema = pyarrow.schema([(name, _type(pyarrow, name)) for name in COLUMNS])
    count = 0
    with pyarrow.parquet.ParquetWriter(stream, schema, compression="zstd") as writer:
        for group in _groups(rows):
            columns = [_column(pyarrow, name, [row[name] for row in group]) for name in COLUMNS]
            writer.write_table(pyarrow.table(columns, schema=schema))
            count += len(group)
    return count


def _type(pyarrow: object, name: str) -> object:
    if name in _INSTANTS:
        return pyarrow.timestamp("ms", "UTC")  # type: ignore[attr-defined]
    return pyarrow.list_(pyarrow.string()) if name in _LISTS else pyarrow.string()  # type: ignore[attr-defined]


def _column(pyarrow: object, name: str, values: list[object]) -> object:
    kind = _type(pyarrow, name)
    if name in _INSTANTS:
        values = [datetime.fromisoformat(value) if isinstance(value, str) else None for value in values]
    return pyarrow.array(values, kind)  # type: ignore[attr-defined]


def _groups(rows: Iterable[Row]) -> Iterator[list[Row]]:
    source = iter(rows)
    while group := list(islice(source, _GROUP)):
        yield group
