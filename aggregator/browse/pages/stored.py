"""What the archive stores, as it is: a document, and the bytes that the network answered."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote, unquote

from datasette.utils.asgi import Response

from aggregator.archive.rows import DROPPED_BYTES, PACKED, page_bytes
from aggregator.browse.archives import Connection, Row, rows
from aggregator.browse.safety import INERT
from aggregator.browse.visit import HEADERS, Visit

_CHARSET = re.compile(r"charset=[\"']?([A-Za-z0-9._-]{1,40})", re.IGNORECASE)
_DOCUMENT = (
    "SELECT a.file, a.document FROM keys k JOIN articles a ON a.id = k.article WHERE k.key = ? AND a.document NOT NULL"
)
_PAGE = f"SELECT headers, sha256, {PACKED} AS common FROM pages WHERE id = ? AND bytes NOT NULL AND codec <> ?"


async def document(visit: Visit) -> Any:
    """``/-/document/<key>.md``: an article's front-matter document, byte for byte as it is exported.

    Raises:
        NotFound: the archive has no document of such an article.
    """
    key = unquote(visit.request.url_vars["key"])
    found = await visit.ask(lambda connection: rows(connection, _DOCUMENT, [key]))
    if not found:
        raise visit.missing("no_such_document")
    name = quote(str(found[0]["file"] or "document.md").rpartition("/")[2], errors="replace")
    more = {"content-disposition": f"inline; filename*=UTF-8''{name}"}
    return _inert(found[0]["document"].encode("utf-8", "surrogatepass"), "utf-8", more)


async def page(visit: Visit) -> Any:
    """``/-/page/<id>``: a row of ``pages`` decompressed, as plain text in whatever charset it came in.

    Raises:
        NotFound: the archive has no such page, or no longer its bytes.
    """
    number = visit.number("number", 0)
    found = await visit.ask(lambda connection: _stored(connection, number))
    if found is None:
        raise visit.missing("no_such_page")
    declared = {name.lower(): value for name, value in json.loads(found["headers"] or "{}").items()}
    charset = _CHARSET.search(str(declared.get("content-type", "")))
    return _inert(found["body"], charset[1] if charset else None, {"etag": f'"{found["sha256"]}"'})


def _stored(connection: Connection, number: int) -> Row | None:
    for row in rows(connection, _PAGE, [number, DROPPED_BYTES]):
        return {**row, "body": page_bytes(row["codec"], row["bytes"], row["common"])}
    return None


def _inert(body: bytes, charset: str | None, more: dict[str, str]) -> Response:
    """Bytes of strangers as text that no browser runs."""
    kind = "text/plain" + (f"; charset={charset}" if charset else "")
    return Response(body, headers={**HEADERS, "content-security-policy": INERT, **more}, content_type=kind)
