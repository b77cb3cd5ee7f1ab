"""Undoing Content-Encoding within bounds. A few kilobytes can unpack to gigabytes, so no step makes too much."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Protocol

import brotli
import zstandard

from aggregator.errors import FetchError

ACCEPT_ENCODING = "gzip, deflate, br, zstd"

_PIECE = 65_536  # bytes that zlib may make in one step, and after which brotli stops at the next block of its own
# One zstd block of 4 bytes can stand for 128 kB, so 64 bytes of input make at most 2 MB.
_SLICE = 64
_WINDOW = 8 * 1024 * 1024  # RFC 9659: the largest window of zstd as a content encoding
_MEMBERS = 1_000  # gzip members or zstd frames of one body: empty ones cost time and add no bytes
# Registered content codings that we did not offer. Any other word (servers write "utf-8") stands for no encoding.
_UNOFFERED = frozenset("aes128gcm compress dcb dcz exi pack200-gzip x-compress".split())


class _Damaged(Exception):
    """The bytes are not what their encoding says."""


class _Decoder(Protocol):
    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Yield what ``data`` unpacks to, in pieces of bounded size."""

    @property
    def complete(self) -> bool:
        """Say whether the stream has come to its proper end."""


class _Plain:
    complete = True

    def pieces(self, data: bytes) -> Iterator[bytes]:
        yield data


class _Zlib:
    """gzip (one or more members, RFC 1952) or deflate, the latter with or without its zlib header as servers differ."""

    def __init__(self, *, gzip: bool) -> None:
        self._gzip = gzip
        self._inflate = zlib.decompressobj(31) if gzip else None
        self._head = b""
        self._members = 1

    @property
    def complete(self) -> bool:
        return self._inflate is not None and self._inflate.eof

    def pieces(self, data: bytes) -> Iterator[bytes]:
        if self._inflate is None:
            data = self._head + data
            if len(data) < 2:
                self._head = data
                return
            zlib_header = data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0
            self._inflate = zlib.decompressobj(15 if zlib_header else -15)
        try:
            yield from self._inflated(self._inflate, data)
        except zlib.error as error:
            raise _Damaged(str(error)) from None

    def _inflated(self, inflate: zlib._Decompress, data: bytes) -> Iterator[bytes]:
        while True:
            if inflate.eof:
                # What follows the end is another member or padding; padding is ignored, as browsers do.
                if not (self._gzip and data.startswith(b"\x1f")):
                    return
                self._members = _one_more(self._members)
                self._inflate = inflate = zlib.decompressobj(31)
            piece = inflate.decompress(data, _PIECE)
            if piece:
                yield piece
            data = inflate.unused_data if inflate.eof else inflate.unconsumed_tail
            if not data and len(piece) < _PIECE:
                return


class _Brotli:
    """brotli (RFC 7932). Its window is at most 16 MB; the variant with larger ones is never decoded."""

    def __init__(self) -> None:
        self._decompressor = brotli.Decompressor()

    @property
    def complete(self) -> bool:
        return bool(self._decompressor.is_finished())

    def pieces(self, data: bytes) -> Iterator[bytes]:
        full = True
        while full or not self._decompressor.can_accept_more_data():
            try:
                piece = self._decompressor.process(data, output_buffer_limit=_PIECE)
            except brotli.error as error:
                raise _Damaged(str(error)) from None
            yield piece
            # A full piece may have left more behind, even where all input has been taken.
            data, full = b"", len(piece) >= _PIECE


class _Zstd:
    def __init__(self) -> None:
        self._decompressor = zstandard.ZstdDecompressor(max_window_size=_WINDOW)
        self._frame = self._decompressor.decompressobj(write_size=_PIECE)
        self._frames = 1

    @property
    def complete(self) -> bool:
        return self._frame.eof

    def pieces(self, data: bytes) -> Iterator[bytes]:
        for start in range(0, len(data), _SLICE):
            rest = data[start : start + _SLICE]
            while rest:
                if self._frame.eof:
                    self._frames = _one_more(self._frames)
                    self._frame = self._decompressor.decompressobj(write_size=_PIECE)
                try:
                    yield self._frame.decompress(rest)
                except zstandard.ZstdError as error:
                    raise _Damaged(str(error)) from None
                rest = self._frame.unused_data if self._frame.eof else b""


def _one_more(members: int) -> int:
    if members >= _MEMBERS:
        raise _Damaged(f"more than {_MEMBERS} parts in one body")
    return members + 1


_DECODERS: dict[str, Callable[[], _Decoder]] = {
    "gzip": lambda: _Zlib(gzip=True),
    "x-gzip": lambda: _Zlib(gzip=True),
    "deflate": lambda: _Zlib(gzip=False),
    "br": _Brotli,
    "zstd": _Zstd,
}


async def read_body(chunks: AsyncIterator[bytes], encoding: str, limit: int, *, where: str = "") -> bytes:
    """Read a body to its end and undo its encoding.

    ``encoding`` is the Content-Encoding header ("" for none). Neither the bytes received nor those unpacked may exceed
    ``limit``. Raises ``FetchError``: ``too_large``; ``truncated`` if the encoded stream has no proper end;
    ``encoding`` for several encodings at once, one not offered, or bytes that are not what it says.
    """
    decoder = _decoder(encoding, where)
    body = bytearray()
    received = 0
    try:
        async for chunk in chunks:
            received += len(chunk)
            if received > limit:
                raise too_large(limit, where)
            for piece in decoder.pieces(chunk):
                body += piece
                if len(body) > limit:
                    raise too_large(limit, where)
    except _Damaged as error:
        raise _bad_encoding(f"the body is not {encoding}: {error}", where) from None
    if received and not decoder.complete:
        raise FetchError(
            f"the {encoding} body has no end", kind="truncated", where=where, hint="It is asked again later"
        )
    return bytes(body)


def too_large(limit: int, where: str) -> FetchError:
    """Return the error for a body of more than ``limit`` bytes."""
    return FetchError(
        f"the answer is larger than {limit / 1e6:g} MB",
        kind="too_large",
        where=where,
        hint="If it is meant to be, raise network.max_listing, network.max_page or network.max_image",
    )


def _decoder(encoding: str, where: str) -> _Decoder:
    names = [name for part in encoding.lower().split(",") if (name := part.strip()) not in ("", "identity")]
    if len(names) > 1:
        raise _bad_encoding("the body is encoded more than once", where)
    if names and names[0] in _UNOFFERED:
        raise _bad_encoding(f"the body is encoded as {names[0]}, which was not offered", where)
    return _DECODERS.get(names[0], _Plain)() if names else _Plain()


def _bad_encoding(message: str, where: str) -> FetchError:
    return FetchError(message, kind="encoding", where=where, hint="The server is at fault; it is asked again later")
