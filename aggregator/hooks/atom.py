"""A hook that is an Atom file: its newest events, each time as a whole file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from aggregator.archive.hooks import Fact
from aggregator.errors import AggregatorError
from aggregator.export.feeds import Head, write_atom

NEWEST = 50  # events in the file


class FileError(AggregatorError):
    """The file cannot be written."""

    kind = "file"


def write(path: Path, hook: str, facts: Sequence[Fact]) -> None:
    """Replace the file in one step by these facts, newest first; of an article only the newest.

    Raises:
        FileError: it cannot be written; the file is as it was.
    """
    rows: dict[object, dict[str, object]] = {}
    for fact in facts:
        row = _row(fact)
        rows.setdefault(row["key"], row)
    new = path.with_name(f".{path.name}.new")
    try:
        with new.open("wb") as file:
            write_atom(
                file, Head(f"urn:uuid:{uuid5(NAMESPACE_URL, f'aggregator:hook:{hook}')}", hook), list(rows.values())
            )
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError as error:
        raise FileError(f"{path} cannot be written: {error.strerror}") from None


def _row(fact: Fact) -> dict[str, object]:
    """A fact as `write_atom` takes an article; what is no article's has its words as its title."""
    article = fact.article or {}
    row = {name: article.get(name) for name in ("title", "published", "author", "media", "url", "body", "summary")}
    lists = {name: article.get(name) or [] for name in ("categories", "keywords", "symbols")}
    row |= lists | {"key": article.get("key") or fact.id, "seen": fact.at, "feed": next(iter(fact.feeds), None)}
    row |= {"text": row["summary"] or fact.details.get("message") or fact.details.get("error") or ""}
    if fact.kind not in ("new", "changed"):
        row["title"] = f"{fact.kind}: {row['title'] or row['feed'] or ''}"
        row["published"] = None
    return row
