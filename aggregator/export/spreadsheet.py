"""Rows as CSV that a spreadsheet opens as what they are: text in Chinese, and no formula a stranger wrote."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TextIO

# What spreadsheets take for the beginning of a formula (OWASP, CSV Injection); full-width forms count in some of them.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")


def write_csv(stream: TextIO, columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> int:
    """Write a heading and the rows (RFC 4180, UTF-8 with a byte order mark, without which Excel guesses); how many.

    A text that a spreadsheet would calculate is preceded by ``'``. A list is its values with ``; `` between them.
    """
    stream.write("\ufeff")
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(columns)
    count = 0
    for row in rows:
        writer.writerow([_cell(row[name]) for name in columns])
        count += 1
    return count


def _cell(value: object) -> object:
    if isinstance(value, list):
        value = "; ".join(one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in value)
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
