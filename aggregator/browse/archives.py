"""Which of a Datasette's databases are archives of ours, and questions to them over its own read-only connections."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from datasette.utils import sqlite_timelimit

from aggregator.archive.schema import APPLICATION_ID

Answer = TypeVar("Answer")
Row = dict[str, Any]
Connection = Any  # a reader's sqlite3.Connection, as Datasette made it
_HEADER = 72  # bytes, the last four of which are the mark (sqlite.org/fileformat2.html)


def is_archive(datasette: Any, database: str | None) -> bool:
    """Whether a database is an archive, by the mark in its file's header."""
    known = datasette.databases.get(database)
    if known is None or known.path is None:
        return False
    try:
        found = os.stat(known.path)  # noqa: PTH116  # asked hundreds of times a page, and a Path costs twice as much
    except OSError:
        return False
    # Asked of every title of a table: a file that is one stays one.
    return (found.st_dev, found.st_ino) in _MARKED or _has_mark(Path(known.path))


_MARKED: set[tuple[int, int]] = set()  # files that have the mark


def _has_mark(path: Path) -> bool:
    with path.open("rb") as file:
        marked = file.read(_HEADER)[-4:] == APPLICATION_ID.to_bytes(4, "big")
        if marked:
            found = os.fstat(file.fileno())
            _MARKED.add((found.st_dev, found.st_ino))
    return marked


def archives_of(datasette: Any) -> tuple[str, ...]:
    """The names of the archives, in the order in which they were given."""
    return tuple(name for name in datasette.databases if is_archive(datasette, name))


async def ask(datasette: Any, database: str, question: Callable[[Connection], Answer]) -> Answer:
    """What a question to an archive answers, in a thread of Datasette's and within its time limit.

    Raises:
        sqlite3.OperationalError: ``interrupted`` where the question took longer than ``sql_time_limit_ms``.
    """

    def within(connection: Connection) -> Answer:
        with sqlite_timelimit(connection, datasette.sql_time_limit_ms):
            return question(connection)

    answer: Answer = await datasette.get_database(database).execute_fn(within)
    return answer


@contextmanager
def snapshot(connection: Connection) -> Iterator[None]:
    """Several questions to the archive as it is at the first of them."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.rollback()


def rows(connection: Connection, sql: str, values: Mapping[str, object] | Sequence[object] = ()) -> list[Row]:
    """The rows of a query, each as a dict."""
    return [dict(row) for row in connection.execute(sql, values)]
