"""Small bodies that unpack to 10 GiB of zeros, each a valid stream of its encoding but for the checksum at its end.

They are built of one packed piece, repeated: gigabytes are neither held nor packed here.
"""

from __future__ import annotations

import zlib
from functools import cache

import brotli
import zstandard

PIECE = 64 * 1024 * 1024
TIMES = 160  # 10 GiB in all
ENCODINGS = ("gzip", "br", "zstd")


@cache
def bomb(encoding: str) -> bytes:
    """10 GiB, packed by this encoding."""
    return {"gzip": _gzip, "br": _brotli, "zstd": _zstd}[encoding]()


@cache
def twice() -> bytes:
    """The gzip bomb, packed by gzip once more."""
    packer = zlib.compressobj(wbits=31)
    return packer.compress(bomb("gzip")) + packer.flush()


def _gzip() -> bytes:
    """One member. A full flush ends a piece at a byte and forgets what came before it, so that it may be repeated."""
    packer = zlib.compressobj(level=9, wbits=-15)
    piece = packer.compress(bytes(PIECE)) + packer.flush(zlib.Z_FULL_FLUSH)
    end = zlib.compressobj(wbits=-15).flush()
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + piece * TIMES + end + bytes(8)


def _brotli() -> bytes:
    """One stream. The second piece starts in the state in which it ends, so that it may be repeated."""
    packer = brotli.Compressor(quality=5, lgwin=24)
    first, again = (packer.process(bytes(PIECE)) + packer.flush() for _ in range(2))
    return first + again * (TIMES - 1) + packer.finish()


def _zstd() -> bytes:
    """One frame (RFC 8878): a header with a window of 8 MB, then blocks of four bytes that stand for 128 kB each."""
    size = 128 * 1024
    header = zstandard.MAGIC_NUMBER.to_bytes(4, "little") + b"\0" + bytes([13 << 3])
    block, last = (((size << 3) | (1 << 1) | end).to_bytes(3, "little") + b"\0" for end in (0, 1))
    return header + block * (PIECE * TIMES // size - 1) + last
