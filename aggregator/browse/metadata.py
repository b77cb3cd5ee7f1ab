"""What Datasette shows beside the data: titles, descriptions, labels, facets, order. Data, no code."""

from __future__ import annotations

_SHOWN = "select a.id, a.published, a.title, a.media, f.name as feed, a.first_seen from articles a"

_AT = "strftime('%Y-%m-%dT%H:%M:%fZ', :as_of)"

METADATA: dict[str, object] = {
    "title": "aggregator",
    "description": "An archive of financial news: every article, every version, where and when it was seen.",
    "databases": {
        "archive": {
            "title": "The archive",
            "tables": {
                "articles": {
                    "title": "Articles",
                    "description": "One row per article, times in UTC. Open a title to read it.",
                    "label_column": "title",
                    "sort_desc": "published",
                    "fts_table": "revisions_fts",
                    "fts_pk": "revision",  # an article is found by its current version
                    "facets": ["home_feed", "reason"],  # more would push the rows below the fold
                },
                "revisions": {
                    "title": "Revisions",
                    "description": "Every version of every article, with the page and rules it came from.",
                    "label_column": "title",
                    "sort_desc": "id",
                    "facets": ["cause", "rule"],
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
                    "facets": ["kind"],
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
                "hosts": {"title": "Hosts", "description": "Hosts that asked to be left alone, and until when."},
                "events": {
                    "title": "Events",
                    "description": "What someone should look at: sites whose pages changed, and when that was over.",
                    "sort_desc": "id",
                    "facets": ["kind"],
                },
                "readings": {"hidden": True},
                "indexed": {"hidden": True},
                "keys": {"hidden": True},
                "commits": {"hidden": True},
                "poll_hours": {"hidden": True},
                "_sqlite_migrations": {"hidden": True},
            },
            "queries": {
                "latest": {
                    "title": "Latest articles",
                    "sql": f"{_SHOWN} left join feeds f on f.id = a.home_feed where a.document is not null"
                    " order by a.published desc limit 100",
                },
                "search": {
                    "title": "Search",
                    "description": 'Words that must all be there, Chinese of any length; "…" in a row, -word not,'
                    " title: media: body: before a word, word* goes on. The best 100.",
                    "sql": "select a.id, a.published, a.title, a.media from revisions_fts join articles a"
                    " on a.revision = revisions_fts.rowid where revisions_fts match search_match(:q)"
                    " order by bm25(revisions_fts, 5.0, 1.0, 2.0) limit 100",
                },
                "feed_health": {
                    "title": "Feed health",
                    "sql": "select name, status, newest, last_success, failures, moved_to, error from feeds"
                    " where active order by status in ('ok', 'unchanged'), position",
                },
                "as_of": {
                    "title": "As of an instant",
                    "description": "What the archive knew at 2026-03-01T09:30+08:00, say; UTC where no offset is"
                    " written, and a date is its beginning. The 200 articles seen last, each in its version of then.",
                    "sql": f"with moment(seq) as (select seq from commits where at <= {_AT}"
                    " order by at desc, seq desc limit 1)"
                    " select a.id, coalesce(r.title, e.title) as title, r.n as version, r.media,"
                    " iif(r.id is null, e.published, r.published) as published, a.first_seen, c.at as version_seen,"
                    " iif(r.id is null, 'waiting', r.reason) as reason from moment join articles a"
                    ' on a."commit" <= moment.seq left join revisions r on r.id = (select id from revisions'
                    ' where article = a.id and "commit" <= moment.seq order by n desc limit 1)'
                    ' left join commits c on c.seq = r."commit" left join entries e on e.id = (select max(+id)'
                    ' from entries where article = a.id and "commit" <= moment.seq) order by a.id desc limit 200',
                },
                "edited": {
                    "title": "Edited after publication",
                    "sql": "select a.id, a.title, count(*) as versions, max(r.id) as latest from revisions r"
                    " join articles a on a.id = r.article group by a.id having count(*) > 1 order by latest desc",
                },
            },
        }
    },
}
