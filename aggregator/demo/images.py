"""Pictures for the replica: valid PNG files drawn by code, the size their address names."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Sequence
from colorsys import hls_to_rgb
from hashlib import sha256

_BARS = 14
_SATURATION = 0.22
_PAPER = (0.93, 0.84)  # lightness of the paper above and below
_INK = 0.62  # that of the bars
_MARGIN = 8  # a share of the sides: one in so many
SIZE = re.compile(r"/w(\d{1,3})h(\d{1,3})/")


def png(path: str) -> bytes:
    """A PNG (RFC 2083) of a quiet chart of fourteen bars in one hue; hue and heights are taken from ``path``.

    ``/w550h366/`` in it is the size.
    """
    named = SIZE.search(path)
    width, height = (max(int(side), 1) for side in named.groups()) if named else (100, 100)
    seed = sha256(path.encode()).digest()
    tops = [int(height * (0.25 + 0.5 * byte / 255)) for byte in seed[1 : 1 + _BARS]]
    columns = [_bar(x, width) for x in range(width)]
    rows = b"".join(_row(seed[0] / 256, y / height, _inked(y, height, tops), columns) for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)  # 8 bits a channel, true colour
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def _bar(x: int, width: int) -> int | None:
    """Which bar is at a column; ``None`` in margins and between bars, which are a third of their step apart."""
    margin = width // _MARGIN
    drawn = width - 2 * margin
    bar, within = divmod((x - margin) * _BARS, drawn)
    return bar if 0 <= bar < _BARS and 3 * within < 2 * drawn else None


def _inked(y: int, height: int, tops: Sequence[int]) -> frozenset[int]:
    """The bars that reach a row."""
    ends = height - height // _MARGIN
    return frozenset(bar for bar, top in enumerate(tops) if top <= y < ends)


def _row(hue: float, down: float, inked: frozenset[int], columns: Sequence[int | None]) -> bytes:
    above, below = _PAPER
    paper, ink = _colour(hue, above + (below - above) * down), _colour(hue, _INK)
    return b"\0" + b"".join(ink if bar in inked else paper for bar in columns)


def _colour(hue: float, lightness: float) -> bytes:
    return bytes(round(255 * share) for share in hls_to_rgb(hue, lightness, _SATURATION))


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
