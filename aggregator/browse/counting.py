"""How many rows a table has, told without going through all of them each time."""

from __future__ import annotations

import re
from contextlib import suppress
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


class CountedDatabase(Database):  # type: ignore[misc]  # Datasette ships no types
    """A database of Datasette's that knows how an archive grows."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._counted: dict[str, tuple[int, int]] = {}  # of tables: up to which row, and how many

    async def execute(self, sql: str, params: Any = None, *given: Any, **named: Any) -> Any:
        """What Datasette asks, but for counts of whole tables that only grow: those are told, not counted."""
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

    def _rows(self, table: str, connection: Any) -> int:
        if table == "v1_articles":
            return self._rows("articles", connection) - int(connection.execute(_WAITING).fetchone()[0])
        last, count = self._counted.get(table, (0, 0))
        number = "seq" if table == "commits" else "id"
        sql = f"select coalesce(max({number}), :last), count(*) from {table} where {number} > :last"
        newest, more = connection.execute(sql, {"last": last}).fetchone()
        self._counted[table] = newest, count + more
        return int(count + more)
