"""Datasette's CSV made safe for spreadsheets: no text of a stranger is calculated as a formula."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import StringIO

from aggregator.export.tables import safe_cell

_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")


@dataclass(slots=True)
class SafeRows:
    """A stream of CSV (RFC 4180), chunk by chunk as it comes; a row goes on when it is whole."""

    _held: bytearray = field(default_factory=bytearray)

    def through(self, chunk: bytes, *, last: bool) -> bytes:
        """The rows that are whole with this chunk, each text that a spreadsheet would calculate after a ``'``."""
        self._held += chunk
        whole = self._held.endswith(b"\n") and self._held.count(b'"') % 2 == 0
        if not (whole or last):
            return b""
        text = self._held.decode("utf-8", "replace")
        self._held.clear()
        made = StringIO()
        csv.writer(made).writerows(_safe(text))
        return made.getvalue().encode()


def _safe(text: str) -> Iterator[list[object]]:
    csv.field_size_limit(2**31 - 1)
    for row in csv.reader(StringIO(text, newline="")):
        yield [cell if _NUMBER.fullmatch(cell) else safe_cell(cell) for cell in row]
