"""The page of an article, to read it: as it is now, in any version, or as the archive knew it at an instant."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from aggregator.archive import Reader
from aggregator.browse.archives import Connection, Row
from aggregator.browse.bodies import Body, Pictures, body_of, tongue
from aggregator.browse.layout import asset
from aggregator.browse.sql import article as sql
from aggregator.browse.sql import images
from aggregator.browse.times import instant_of, local
from aggregator.browse.visit import Visit
from aggregator.errors import ConfigError
from aggregator.text.dates import iso, parse_iso


async def article(visit: Visit) -> Any:
    """The reading page.

    ``?n=2`` shows the second version, ``?as_of=2026-11-27T09:30`` what the archive knew then.
    """
    values = await visit.ask(partial(_article, visit))
    return await visit.page("article.html", values)


def reader_of(visit: Visit, connection: Connection) -> Reader:
    """The archive's own reader over a connection of Datasette's."""
    return Reader.over(connection, Path(visit.datasette.get_database(visit.database).path))


def _article(visit: Visit, connection: Connection) -> dict[str, object]:
    number = visit.number("article", 0)
    key = sql.key_of(connection, number)
    if key is None:
        raise visit.missing("no_such_article")
    reader = reader_of(visit, connection)
    n = visit.number("n", 0) or None
    until = until_of(visit, reader, visit.argument("as_of"))
    row = reader.article(key, until=until, n=n)
    if row is None:
        raise visit.missing("no_such_version")
    versions = sql.versions(connection, number)
    shown = next((one for one in versions if one["n"] == row["revision"]), None)
    body = _body(visit, connection, row)
    return {
        "a": row,
        "body": body,
        "tongue": tongue(f"{row['title']}"),
        "versions": versions,
        "shown": shown,
        "current": versions[-1]["n"] if versions else None,
        "as_of": visit.argument("as_of"),
        "page": sql.page(connection, shown["page"]) if shown else None,
        "sightings": sql.sightings(connection, number, until),
        "events": sql.events(connection, number),
        "reprints": _timeline(row),
        "instant": local(shown["seen"], "field") if shown else "",
    }


def until_of(visit: Visit, reader: Reader, said: str) -> int | None:
    """The commit of the instant that is asked for; ``None``, the archive as it is, where none is.

    Raises:
        NotFound: it is no instant, or the archive knew nothing then.
    """
    if not said:
        return None
    try:
        return reader.commit_at(instant_of(said))
    except ValueError as error:
        raise visit.missing("no_such_instant") from error
    except ConfigError as error:
        raise visit.missing("nothing_known_then") from error


def _body(visit: Visit, connection: Connection, row: Mapping[str, object]) -> Body:
    def find(addresses: list[str]) -> dict[str, str]:
        found = images.stored(connection, addresses)
        return {address: visit.address(f"-/image/{sha256}") for address, sha256 in found.items()}

    pictures = Pictures(find, asset(visit.datasette, "absent.svg"), visit.setting("remote_images"))
    html, url, rule = (str(row[name] or "") for name in ("body", "url", "rule"))
    return body_of(html, url, rule or None, pictures)


def _timeline(row: Mapping[str, object]) -> list[Row]:
    """The reprints in the order in which they were seen, each with how long after the first one it was."""
    found = row["reprints"]
    assert isinstance(found, list)
    first = min((_seen(one) for one in found), default=None)
    return [{**one, "own": one["id"] == row["id"], **_later(_seen(one), first)} for one in found]


def _seen(one: Mapping[str, object]) -> datetime:
    return parse_iso(str(one["published"] or one["first_seen"]))


def _later(at: datetime, first: datetime | None) -> dict[str, object]:
    return {"at": iso(at), "minutes": int((at - first) / timedelta(minutes=1)) if first else 0}
