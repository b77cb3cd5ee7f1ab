"""What Datasette shows beside the data: titles, descriptions, labels, facets, order. Data, no code."""

from __future__ import annotations

from aggregator.browse.queries import QUERIES

_STAYS = "Names and meaning of its columns stay as they are: docs/archive.md."
# What only the program itself makes sense of.
_INTERNAL = (
    *("bands", "calendars", "commits", "compared", "dictionaries", "image_fetches", "image_links", "image_work"),
    *("indexed", "keys", "poll_hours", "readings", "sessions", "tombstones", "_sqlite_migrations"),
)

# Columns that pages of tables leave out until they are asked for: long, or of no use to somebody who reads.
QUIET: dict[str, tuple[str, ...]] = {
    "articles": ("key", "url", "date", "updated", "revision", "file", "file_key", "document", "commit"),
    "revisions": (
        *("page", "parser", "rules", "commit", "url", "author", "editor", "editor_code", "keywords", "cover"),
        *("categories", "body", "fingerprint", "summary", "placeholder", "document_sha256", "entry"),
    ),
    "entries": (
        *("guid", "link", "published_text", "updated", "author", "summary", "content", "full_text", "categories"),
        *("enclosures", "page", "commit"),
    ),
    "feeds": (
        *("position", "enabled", "error_kind", "etag", "last_modified", "digest", "ttl", "floor", "not_before"),
        *("moving_to", "moving_polls", "renaming_to", "way", "way_url", "way_since", "way_why", "probe_at", "recheck"),
    ),
    "polls": ("page", "commit"),
    "pages": ("final_url", "headers", "sha256", "codec", "dictionary", "bytes", "commit", "via"),
    "work": ("claimed_until", "rules"),
    "rechecks": ("claimed_until", "etag", "last_modified"),
    "events": ("commit",),
    "links": ("commit",),
    "deliveries": ("commit", "event"),
    "v1_articles": ("key", "url", "author", "editor", "categories", "keywords", "cover", "body", "document"),
    "v1_revisions": (
        *("key", "url", "modified", "author", "editor", "categories", "keywords", "cover", "fingerprint", "parser"),
        *("rules", "page", "body"),
    ),
    "v1_entries": ("key", "guid", "link", "published_text", "summary", "content", "categories", "author", "page"),
    "v1_polls": ("page",),
}

# Facets are counted over a whole table each time its page is asked for, so only of columns that an index is over, or of
# small tables; any other column has "facet by this" in its menu.
_TABLES: dict[str, dict[str, object]] = {
    "articles": {
        "title": "Articles",
        "description": "One row per article, times in UTC. Open a title to read it.",
        "label_column": "title",
        "sort_desc": "published",
        "fts_table": "revisions_fts",
        "fts_pk": "revision",  # an article is found by its current version
        "facets": ["home_feed"],
    },
    "revisions": {
        "title": "Revisions",
        "description": "Every version of every article, with the page and rules it came from.",
        "label_column": "title",
        "sort_desc": "id",
    },
    "entries": {
        "title": "Sightings",
        "description": "What feeds announced: one row per feed and article, and one more per change.",
        "label_column": "title",
        "sort_desc": "id",
        "facets": ["feed"],
    },
    "feeds": {
        "title": "Feeds",
        "description": "The configured feeds and their health.",
        "label_column": "name",
        "sort": "position",
        "facets": ["status"],
    },
    "polls": {"title": "Polls", "description": "Polls at which something happened.", "sort_desc": "id"},
    "work": {"title": "Waiting", "description": "Articles still to be had, and why they are not yet."},
    "pages": {
        "title": "Pages",
        "description": "The bytes the network answered, compressed (zstd), with their hash.",
        "sort_desc": "id",
    },
    "hooks": {
        "title": "Hooks",
        "description": "Rules by which others are told, and how far each has looked.",
    },
    "deliveries": {
        "title": "Deliveries",
        "description": "Events that hooks tell, and what became of each.",
        "sort_desc": "id",
        "facets": ["hook", "state"],
    },
    "jobs": {
        "title": "Upkeep",
        "description": "What the daemon does beside polling: when each job ran last, and what came of it.",
    },
    "gaps": {
        "title": "Gaps",
        "description": "Times of which something may be missing in a feed, and whether it was read back.",
        "sort_desc": "id",
        "facets": ["state", "feed"],
    },
    "hosts": {"title": "Hosts", "description": "Hosts that asked to be left alone, and until when."},
    "events": {
        "title": "Events",
        "description": "What someone should look at: sites whose pages changed, and when that was over.",
        "sort_desc": "id",
        "facets": ["kind"],
    },
    "symbols": {
        "title": "Stocks",
        "description": "Stocks that articles name, as the source tagged them.",
    },
    "links": {
        "title": "Reprints",
        "description": "Articles whose texts are one, two by two; the query of that name has their titles.",
        "sort_desc": "id",
    },
    "rechecks": {
        "title": "Rechecks",
        "description": "When an article's page is looked at again, and whether it is still there.",
        "facets": ["absence"],
    },
    "images": {
        "title": "Images",
        "description": "Images of articles, each once however many show it.",
        "sort_desc": "id",
        "facets": ["type"],
    },
    "v1_articles": {
        "title": "v1: articles",
        "description": f"Every archived article with its current version. {_STAYS}",
        "sort_desc": "id",
    },
    "v1_revisions": {
        "title": "v1: versions",
        "description": f"Every version of every article. {_STAYS}",
        "sort_desc": "id",
    },
    "v1_entries": {
        "title": "v1: sightings",
        "description": f"What each feed announced, and when we saw it. {_STAYS}",
        "sort_desc": "id",
    },
    "v1_polls": {
        "title": "v1: polls",
        "description": f"Polls at which something happened. {_STAYS}",
        "sort_desc": "id",
    },
    "v1_symbols": {
        "title": "v1: stocks",
        "description": f"Stocks, and when one could first trade on what an article says. {_STAYS}",
    },
    **{name: {"hidden": True} for name in _INTERNAL},
}
# Of the instance, and of each archive in it.
METADATA: dict[str, object] = {
    "title": "aggregator",
    "description": "An archive of financial news: every article, every version, where and when it was seen.",
}
TOLD: dict[str, object] = {"title": "The archive", "tables": _TABLES, "queries": QUERIES}
# The same, as far as facets go.
FACETS: dict[str, object] = {
    "tables": {name: {"facets": told["facets"]} for name, told in _TABLES.items() if "facets" in told}
}
