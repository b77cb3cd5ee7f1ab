"""Bodies are unpacked within bounds, to their end, and by one encoding."""

from __future__ import annotations

import asyncio
import gzip
import random
import tracemalloc
import zlib
from collections.abc import AsyncIterator

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from aggregator.errors import FetchError
from aggregator.web.decoding import read_body

TEXT = "上证指数收涨，成交额放大。".encode() * 3_000
NOISE = random.Random(1).randbytes(200_000)  # does not compress, so that it crosses every buffer


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


PACKED = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "Deflate": raw_deflate,
    "br": brotli.compress,
    "zstd": zstandard.compress,
    "": bytes,
    "identity": bytes,
    "utf-8": bytes,
}


def unpack(data: bytes, encoding: str, *, limit: int = 10_000_000, step: int = 65_536) -> bytes:
    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(data), step):
            yield data[start : start + step]

    return asyncio.run(read_body(chunks(), encoding, limit, where="http://h/"))


@pytest.mark.parametrize("step", [1_000_000, 4_096, 777])
@pytest.mark.parametrize("encoding", PACKED)
def test_what_was_packed_comes_out(encoding: str, step: int) -> None:
    for body in (TEXT, NOISE, b"x", b""):
        assert unpack(PACKED[encoding](body), encoding, step=step) == body


@pytest.mark.parametrize("encoding", PACKED)
def test_byte_by_byte(encoding: str) -> None:
    body = TEXT[:3_000]
    assert unpack(PACKED[encoding](body), encoding, step=1) == body


@given(
    parts=st.lists(st.tuples(st.binary(max_size=300), st.integers(1, 900)), max_size=6),
    encoding=st.sampled_from(sorted(PACKED)),
    step=st.integers(1, 5_000),
)
def test_whatever_was_packed_comes_out(parts: list[tuple[bytes, int]], encoding: str, step: int) -> None:
    body = b"".join(part * times for part, times in parts)
    assert unpack(PACKED[encoding](body), encoding, step=step) == body


def test_no_body_at_all_is_an_empty_one() -> None:
    assert unpack(b"", "gzip") == b""


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_several_members_are_one_body(encoding: str) -> None:
    pack = PACKED[encoding]
    assert unpack(pack(b"one, ") + pack(b"") + pack(b"two"), encoding, step=3) == b"one, two"


def test_padding_after_gzip_is_ignored() -> None:
    assert unpack(gzip.compress(b"text") + b"\0" * 20, "gzip", step=1) == b"text"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
def test_a_bomb_stops_at_the_limit_and_costs_little(encoding: str) -> None:
    bomb = PACKED[encoding](bytes(200_000_000))
    tracemalloc.start()
    try:
        with pytest.raises(FetchError) as error:
            unpack(bomb, encoding, limit=10_000_000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert error.value.kind == "too_large"
    assert "10 MB" in error.value.message
    assert peak < 64_000_000


def test_the_limit_counts_exactly() -> None:
    assert len(unpack(gzip.compress(bytes(1_000)), "gzip", limit=1_000)) == 1_000
    for encoding in ("gzip", "br", "zstd", ""):
        with pytest.raises(FetchError, match="larger than"):
            unpack(PACKED[encoding](bytes(1_001)), encoding, limit=1_000)


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_endless_empty_members_are_cut_off(encoding: str) -> None:
    with pytest.raises(FetchError, match="more than 1000 parts"):
        unpack(PACKED[encoding](b"") * 2_000, encoding)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
@pytest.mark.parametrize("missing", [1, 5, 500])
def test_a_stream_without_its_end_is_truncated(encoding: str, missing: int) -> None:
    with pytest.raises(FetchError) as error:
        unpack(PACKED[encoding](NOISE)[:-missing], encoding)
    assert error.value.kind == "truncated"


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (b"<rss/> is plain text", "gzip"),
        (b"<rss/> is plain text", "br"),
        (b"<rss/> is plain text", "zstd"),
        (b"\x78\x9c<rss/> is plain text", "deflate"),
        (gzip.compress(NOISE)[:-8] + b"checksum", "gzip"),
        (gzip.compress(gzip.compress(TEXT)), "gzip, gzip"),
        (gzip.compress(TEXT), ", ".join(["gzip"] * 50)),
        (TEXT, "compress"),
        (brotli.compress(TEXT) + b"more", "br"),
        (brotli.compress(TEXT) * 2, "br"),
        (zstandard.ZstdCompressor(level=22).compress(bytes(20_000_000)), "zstd"),  # a window of 20 MB
    ],
)
def test_bytes_that_are_not_what_they_claim(data: bytes, encoding: str) -> None:
    with pytest.raises(FetchError) as error:
        unpack(data, encoding, limit=32_000_000)
    assert error.value.kind == "encoding"
    assert error.value.where == "http://h/"
