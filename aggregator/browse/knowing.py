"""A database of Datasette's that is not asked the same again: how many rows its tables have, and how these are made.

A page of Datasette's has some two hundred questions about the schema, each of which goes to a thread and back.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from copy import copy
from functools import partial
from typing import Any

from datasette.database import Database, QueryInterrupted, Results

# Tables whose rows are numbered and never taken out: what was counted once is counted on from there.
_GROWING = frozenset(
    ("articles", "commits", "entries", "events", "images", "links", "pages", "polls", "readings", "revisions")
)
# Views that have a row for each of a table's.
_OF = {"v1_entries": "entries", "v1_polls": "polls", "v1_revisions": "revisions", "v1_symbols": "symbols"}
_WAITING = "select count(*) from articles where revision is null"  # which v1_articles leaves out
_COUNT = re.compile(r"select count\(\*\) from \[?(\w+)\]?\s*")


_OF_SCHEMA = re.compile(r"select \w+ from sqlite_master .*")


class KnownDatabase(Database):  # type: ignore[misc]  # Datasette ships no types
    """A database of Datasette's that knows how an archive is made and how it grows."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._counted: dict[str, tuple[int, int]] = {}  # of tables: up to which row, and how many
        self._version: object = None  # of the schema, which Datasette looks at before each page
        self._schema: dict[object, Any] = {}  # what is known of that

    async def execute(self, sql: str, params: Any = None, *given: Any, **named: Any) -> Any:
        """What Datasette asks; counts of whole tables that only grow are told, not counted."""
        if sql == "PRAGMA schema_version":
            return await self._looked_at()
        if _OF_SCHEMA.fullmatch(sql):
            ask = partial(super().execute, sql, params)
            return await self._once((sql, repr(params)), ask)
        asked = None if params else _COUNT.fullmatch(sql)
        table = _OF.get(asked[1], asked[1]) if asked else ""
        if table in _GROWING or table == "v1_articles":
            return Results([(await self.execute_fn(partial(self._rows, table)),)], truncated=False, description=())
        return await super().execute(f"select count(*) from [{table}]" if table else sql, params, *given, **named)

    async def table_counts(self, limit: int = 10) -> dict[str, int | None]:
        """The rows of each table; ``None`` of those that take longer than ``limit`` ms to count, or are hidden.

        Among these are the index's, which would take that long each.
        """
        hidden = set(await self.hidden_table_names())
        found: dict[str, int | None] = dict.fromkeys(await self.table_names())
        for table in found.keys() - hidden:
            with suppress(QueryInterrupted):
                counted = await self.execute(f"select count(*) from [{table}]", custom_time_limit=limit)
                found[table] = counted.rows[0][0]
        return found

    async def table_columns(self, table: str) -> Any:
        """As Datasette tells them."""
        return await self._once(("columns", table), partial(super().table_columns, table))

    async def primary_keys(self, table: str) -> Any:
        """As Datasette tells them."""
        return await self._once(("keys", table), partial(super().primary_keys, table))

    async def fts_table(self, table: str) -> Any:
        """As Datasette tells it."""
        return await self._once(("index", table), partial(super().fts_table, table))

    async def _looked_at(self) -> Any:
        version = await super().execute("PRAGMA schema_version")
        if version.first()[0] != self._version:
            self._version = version.first()[0]
            self._schema = {}
        return version

    async def _once(self, what: object, ask: Callable[[], Awaitable[Any]]) -> Any:
        known = self._schema
        if what not in known:
            known[what] = await ask()
        return copy(known[what])

    def _rows(self, table: str, connection: Any) -> int:
        if table == "v1_articles":
            return self._rows("articles", connection) - int(connection.execute(_WAITING).fetchone()[0])
        last, count = self._counted.get(table, (0, 0))
        number = "seq" if table == "commits" else "id"
        sql = f"select coalesce(max({number}), :last), count(*) from {table} where {number} > :last"
        newest, more = connection.execute(sql, {"last": last}).fetchone()
        self._counted[table] = newest, count + more
        return int(count + more)
