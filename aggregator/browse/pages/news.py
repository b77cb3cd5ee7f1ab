"""The front page."""

from __future__ import annotations

from typing import Any

from aggregator.browse.sql.news import latest
from aggregator.browse.visit import Visit


async def front(visit: Visit) -> Any:
    """The latest news."""
    return await visit.page("news.html", articles=await visit.ask(lambda connection: latest(connection, 60)))
