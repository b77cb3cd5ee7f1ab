"""How bodies are packed: by zstd, on their own or with a dictionary of what a host's pages have in common. Pure.

A page of a news site is mostly what surrounds every article of it. zstd's own trainer makes dictionaries of 110 kB of
short pieces; what a page of Sina shares with others is twice as much, in long runs. So a dictionary here is raw content
(RFC 8878, section 5), made of those runs: of five pages of 131 to 231 kB each packs to 8 to 24 kB with what the others
share, to 19 to 34 with a trained one, to 33 to 58 without any.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import zstandard

LEVEL = 9
_SMALL = 16_000  # bytes; of an entry of 3.6 kB level 9 saves 50 of 1,860 bytes over level 3, and takes 76 µs, not 16
_SMALL_LEVEL = 3
LARGEST = 300_000  # bytes of a dictionary
LEAST = 3  # pages that share a piece, for it to be in the dictionary: what only one article says is in none
_RUN = 6  # pieces; a run of so many that is there already is not taken again
_PIECE = re.compile(rb"[^>\n]*[>\n]|[^>\n]+\Z")


class _Own(threading.local):
    """Each thread's compressors without a dictionary: to make one takes as long as to pack an entry."""

    def __init__(self) -> None:
        self.small = zstandard.ZstdCompressor(level=_SMALL_LEVEL)
        self.large = zstandard.ZstdCompressor(level=LEVEL)


_own = _Own()


def pack(body: bytes, dictionary: bytes | None = None) -> bytes:
    """A body packed; ``dictionary`` is one that was itself packed by this function."""
    if not dictionary:
        return (_own.large if len(body) > _SMALL else _own.small).compress(body)
    return zstandard.ZstdCompressor(level=LEVEL, dict_data=_prepared(dictionary)).compress(body)


def unpack(packed: bytes, dictionary: bytes | None = None) -> bytes:
    """The body again.

    Raises:
        zstandard.ZstdError: these are other bytes than were packed, or it is another dictionary.
    """
    if not dictionary:
        return zstandard.ZstdDecompressor().decompress(packed)
    return zstandard.ZstdDecompressor(dict_data=_content(dictionary)).decompress(packed)


def shared(bodies: Sequence[bytes]) -> bytes:
    """What at least ``LEAST`` of the bodies have in common, in runs as they stand there; at most ``LARGEST`` bytes.

    The last of them is nearest to what is packed with it, so it is best when the bodies come from rare to frequent.
    """
    pieces = [_PIECE.findall(body) for body in bodies]
    count = Counter(piece for some in pieces for piece in set(some))
    seen: set[tuple[bytes, ...]] = set()
    kept: list[bytes] = []
    for some in pieces:
        run: tuple[bytes, ...] = ()
        for piece in some:
            run = (*run[1 - _RUN :], piece) if count[piece] >= LEAST else ()
            if run and run not in seen:
                seen.add(run)
                kept.append(piece)
    return b"".join(kept)[-LARGEST:]


@lru_cache(maxsize=8)
def _content(dictionary: bytes) -> zstandard.ZstdCompressionDict:
    return zstandard.ZstdCompressionDict(unpack(dictionary), dict_type=zstandard.DICT_TYPE_RAWCONTENT)


@lru_cache(maxsize=8)
def _prepared(dictionary: bytes) -> zstandard.ZstdCompressionDict:
    """A dictionary whose places are looked up once and not for each body, which halves the time."""
    content = zstandard.ZstdCompressionDict(unpack(dictionary), dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    content.precompute_compress(level=LEVEL)
    return content
