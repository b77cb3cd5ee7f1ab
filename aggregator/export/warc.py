"""Raw pages as WARC 1.1 (ISO 28500:2017), as web archives exchange them."""

from __future__ import annotations

import hashlib
import io
import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import IO

from aggregator import __version__
from aggregator.errors import ConfigError
from aggregator.model import Page
from aggregator.text.dates import iso

# The body is kept with its encodings undone, so that these headers no longer tell the truth about what follows them.
_OF_THE_WIRE = frozenset({"content-encoding", "transfer-encoding", "content-length"})
_FIELDS = "application/warc-fields"


def write_warc(stream: IO[bytes], pages: Iterable[Page], at: datetime) -> int:
    """Write a response record, gzipped by itself, for each page, after one that says who wrote it; how many pages.

    Headers come as they were kept, lower-case; those of the transfer as ``x-archive-orig-…``, because the body is as it
    was after undoing them. ``at`` dates the record that says who wrote them. The same pages give the same bytes.

    Raises:
        ConfigError: warcio is not installed.
    """
    try:
        from warcio.statusandheaders import StatusAndHeaders
        from warcio.warcwriter import WARCWriter
    except ImportError as error:
        hint = "pip install 'aggregator[warc]'"
        raise ConfigError("WARC needs warcio, which is not installed", where="--warc", hint=hint) from error
    writer = WARCWriter(stream, gzip=True, warc_version="1.1")
    about = {
        "software": f"aggregator/{__version__}",
        "format": "WARC File Format 1.1",
        "conformsTo": "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/",
    }
    head = {"WARC-Date": iso(at), "WARC-Record-ID": _record_id("warcinfo", iso(at)), "Content-Type": _FIELDS}
    info = "".join(f"{key}: {value}\r\n" for key, value in about.items()).encode()
    writer.write_record(writer.create_warc_record("", "warcinfo", io.BytesIO(info), warc_headers_dict=head))
    count = 0
    for page in pages:
        address, fetched = page.final_url or page.url, iso(page.fetched_at)
        record = writer.create_warc_record(
            address,
            "response",
            payload=io.BytesIO(page.body),
            http_headers=StatusAndHeaders(f"{page.status} -", _headers(page), protocol="HTTP/1.1"),
            warc_headers_dict={"WARC-Date": fetched, "WARC-Record-ID": _record_id(address, fetched, page.body)},
        )
        writer.write_record(record)
        count += 1
    return count


def _record_id(*parts: str | bytes) -> str:
    """An id that follows from what the record holds; a random one would make each export another file."""
    digest = hashlib.sha256(b"\0".join(part.encode() if isinstance(part, str) else part for part in parts)).digest()
    return f"<urn:uuid:{uuid.UUID(bytes=digest[:16], version=5)}>"


def _headers(page: Page) -> list[tuple[str, str]]:
    kept = [(f"x-archive-orig-{name}" if name in _OF_THE_WIRE else name, value) for name, value in page.headers.items()]
    return [*kept, ("content-length", str(len(page.body)))]
