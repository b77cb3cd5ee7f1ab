"""The questions people ask an archive, as Datasette's canned queries. Data, no code.

Each is bounded, by a LIMIT and by how many rows it looks at, so that none grows with the archive. A column ``article``
beside a ``title`` makes the title a link. Days are Shanghai's.
"""

from __future__ import annotations

_AT = "strftime('%Y-%m-%dT%H:%M:%fZ', :as_of)"
_DAY = "coalesce(nullif(trim(:day), ''), date('now', '+8 hours'))"
_LOCAL = "strftime('%Y-%m-%d %H:%M', {0}, '+8 hours')"  # an instant as the clocks of Shanghai show it
_SHOWN = f"{_LOCAL.format('a.published')} as published_shanghai, a.title, a.media, f.name as feed"
_MIDDLE = "(low + high + 1) / 2"
_THEN_THERE = (
    f'(select "commit" from articles where id <= {_MIDDLE} order by id desc limit 1) <= (select seq from moment)'
)
_FEED = "left join feeds f on f.id = a.home_feed"

QUERIES: dict[str, dict[str, str]] = {
    "latest": {
        "title": "Latest articles",
        "description": "The 100 articles published last, by the source's own times.",
        "sql": f"select a.id as article, {_SHOWN}, a.first_seen from articles a {_FEED} where a.document is not null"
        " order by a.published desc limit 100",
    },
    "by_day": {
        "title": "Articles of a day",
        "description": "A day in Shanghai, as 2026-03-01, or today: its last 500. The front page has them all.",
        "sql": f"select a.id as article, {_SHOWN} from articles a {_FEED} where a.document is not null"
        f" and a.published >= strftime('%Y-%m-%dT%H:%M:%SZ', {_DAY}, '-8 hours')"
        f" and a.published < strftime('%Y-%m-%dT%H:%M:%SZ', {_DAY}, '+16 hours')"
        " order by a.published desc limit 500",
    },
    "by_symbol": {
        "title": "Articles of a stock",
        "description": "Articles that a source tagged with a stock: sh600519, hk00700, us:MSFT. The 200 archived last.",
        "sql": f"select a.id as article, {_SHOWN}, a.first_seen from (select article from symbols"
        " where symbol = trim(:symbol) order by article desc limit 200) s join articles a on a.id = s.article"
        f" {_FEED} order by a.published desc limit 200",
    },
    "search": {
        "title": "Search",
        "description": 'Words that must all be there, Chinese of any length; "…" in a row, -word not,'
        " title: media: body: before a word, word* goes on. The best 100 of the 10,000 hits archived last.",
        "sql": "select a.id as article, a.published, a.title, a.media from (select rowid, score from (select rowid,"
        " bm25(revisions_fts, 5.0, 1.0, 2.0) as score from revisions_fts where revisions_fts match search_match(:q)"
        " order by rowid desc limit 10000) order by score, rowid desc limit 1000) hit"
        " join articles a on a.revision = hit.rowid order by score, hit.rowid desc limit 100",
    },
    "as_of": {
        "title": "As of an instant",
        "description": "What the archive knew at 2026-03-01T09:30+08:00, say; UTC where no offset is"
        " written, and a date is its beginning. The 200 articles seen last, each in its version of then.",
        # Articles and commits are numbered in one order, in which the last article of then is sought by halves.
        "sql": f"with recursive moment(seq) as (select seq from commits where at <= {_AT}"
        " order by at desc, seq desc limit 1), half(low, high) as (select 0, (select max(id) from articles) from moment"
        f" union all select iif({_THEN_THERE}, {_MIDDLE}, low), iif({_THEN_THERE}, high, {_MIDDLE} - 1)"
        " from half where low < high)"
        " select a.id as article, coalesce(r.title, e.title) as title, r.n as version, r.media,"
        " iif(r.id is null, e.published, r.published) as published, a.first_seen, c.at as version_seen,"
        " iif(r.id is null, 'waiting', r.reason) as reason from articles a"
        " left join revisions r on r.id = (select id from revisions where article = a.id"
        ' and "commit" <= (select seq from moment) order by n desc limit 1)'
        ' left join commits c on c.seq = r."commit" left join entries e on e.id = (select max(+id)'
        ' from entries where article = a.id and "commit" <= (select seq from moment))'
        " where a.id <= (select low from half where low = high) order by a.id desc limit 200",
    },
    "reprints": {
        "title": "Reprints",
        "description": "Pairs of articles whose texts are one, found last: who had it first, who ran it later,"
        " after how many minutes, and how much of the text is the same. The last 200.",
        "sql": "select b.id as article, b.title, b.media as ran_by, a.media as first_in, a.title as first_title,"
        " round((julianday(b.published) - julianday(a.published)) * 1440) as minutes_later,"
        " round(l.jaccard, 2) as alike, b.published from links l join articles a on a.id = l.a"
        " join articles b on b.id = l.b order by l.id desc limit 200",
    },
    "edited": {
        "title": "Edited after publication",
        "description": "Versions by which a source changed what it had published. A material one changes an amount,"
        " a date, a stock code, a sentence with such facts, or turns a statement round. The last 200.",
        "sql": "select r.article, r.title, r.media, r.n as version, r.verdict, c.at as seen, r.published"
        " from revisions r join commits c on c.seq = r.\"commit\" where r.cause = 'changed'"
        " order by r.id desc limit 200",
    },
    "gone": {
        "title": "Withdrawn articles",
        "description": "Articles whose page is not there any more; the archive still has them. The last 200.",
        "sql": "select k.article, a.title, a.media, k.absence, k.absent_since, k.evidence, a.published, a.url"
        " from rechecks k join articles a on a.id = k.article where k.absence is not null"
        " order by k.absent_since desc limit 200",
    },
    "feed_health": {
        "title": "Feed health",
        "description": "Feeds in use, those that are ill first: since when nothing came, and why.",
        "sql": "select name, status, newest, last_success, failures, moved_to, error from feeds"
        " where active order by status in ('ok', 'unchanged'), position limit 1000",
    },
    "coverage": {
        "title": "Coverage",
        "description": "For each feed and day in Shanghai, of the last 31: in how many of its 24 hours it was polled,"
        " how often in vain, how many articles came, and how many gaps that were not filled reach into it.",
        "sql": "with since(at) as (select strftime('%Y-%m-%dT%H:00:00Z', at, '-31 days') from commits"
        " order by seq desc limit 1), polled(feed, hour, polls, failed, new) as (select p.feed, p.hour, p.polls,"
        " iif(p.status in ('ok', 'unchanged', 'empty', 'stale'), 0, p.polls), 0 from since cross join feeds f"
        " cross join poll_hours p on p.feed = f.id and p.hour >= since.at"
        " union all select p.feed, substr(c.at, 1, 13) || ':00:00Z', 1, p.error_kind is not null, p.new"
        ' from since cross join commits c on c.at >= since.at cross join polls p on p."commit" = c.seq)'
        " select date(hour, '+8 hours') as day, f.name as feed, count(distinct hour) as hours_watched,"
        " sum(polls) as polls, sum(failed) as failed, sum(new) as new_articles,"
        " (select count(*) from (select * from gaps order by id desc limit 1000)"
        " where feed = f.id and state <> 'filled'"
        " and since < strftime('%Y-%m-%dT%H:%M:%SZ', date(hour, '+8 hours'), '+16 hours')"
        " and until > strftime('%Y-%m-%dT%H:%M:%SZ', date(hour, '+8 hours'), '-8 hours')) as gaps"
        " from polled join feeds f on f.id = polled.feed group by day, f.id order by day desc, f.position limit 1000",
    },
    "missing": {
        "title": "What may be missing",
        "description": "Times, in Shanghai, between two listings of a feed that had no entry in common: read back"
        " (filled, with so many entries), being read back (open), or not to be had any more (lost). Of the last 1,000.",
        "sql": f"select f.name as feed, {_LOCAL.format('g.since')} as since_shanghai, {_LOCAL.format('g.until')} as"
        " until_shanghai, g.state, g.cause, g.entries, g.reason, c.at as noticed from (select * from gaps"
        ' order by id desc limit 1000) g join feeds f on f.id = g.feed join commits c on c.seq = g."commit"'
        " order by g.state = 'filled', g.id desc limit 1000",
    },
}
