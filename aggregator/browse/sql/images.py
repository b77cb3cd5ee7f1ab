"""What is asked of the store of images."""

from __future__ import annotations

import json
from collections.abc import Sequence

from aggregator.browse.archives import Connection, Row, rows


def image(connection: Connection, sha256: str) -> Row | None:
    """The type and bytes of a stored image; ``None`` if there is none or it was erased."""
    found = rows(connection, "SELECT type, bytes FROM images WHERE sha256 = ? AND bytes IS NOT NULL", [sha256])
    return found[0] if found else None


def stored(connection: Connection, addresses: Sequence[str]) -> dict[str, str]:
    """Of each address whose image is stored, the sha256 of what it answered last."""
    found = connection.execute(
        "SELECT f.url, i.sha256 FROM json_each(?) asked CROSS JOIN image_fetches f ON f.url = asked.value"
        " CROSS JOIN images i ON i.id = f.image WHERE i.bytes IS NOT NULL ORDER BY f.id",
        [json.dumps(list(addresses))],
    )
    return dict(found)
