"""Stored images, by the sha256 of their bytes."""

from __future__ import annotations

from typing import Any

from datasette.utils.asgi import Response

from aggregator.browse.sql import images
from aggregator.browse.visit import HEADERS, Visit

# What the store takes for an image; anything else is handed out as bytes to keep.
_SHOWN = frozenset(f"image/{kind}" for kind in ("png", "jpeg", "gif", "webp", "avif", "bmp", "x-icon"))


async def image(visit: Visit) -> Any:
    """An image's bytes under the type they were recognised as; what has no bytes any more is not there."""
    sha256 = visit.request.url_vars["sha256"]
    found = await visit.ask(lambda connection: images.image(connection, sha256))
    if found is None:
        raise visit.missing("no_such_image")
    headers = {
        **HEADERS,
        "cache-control": "private, max-age=86400",  # not for ever: an article may be forgotten
        "etag": f'"{sha256}"',
        "content-security-policy": "default-src 'none'; sandbox",
    }
    if found["type"] not in _SHOWN:
        headers["content-disposition"] = "attachment"
    if visit.request.headers.get("if-none-match") == headers["etag"]:
        return Response(b"", status=304, headers=headers)
    shown = found["type"] if found["type"] in _SHOWN else "application/octet-stream"
    return Response(found["bytes"], headers=headers, content_type=shown)
