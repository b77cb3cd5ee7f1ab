"""``search`` and ``reindex``: find articles by their words."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Annotated

import typer
from rich.text import Text

from aggregator.app import reindex, utc_now
from aggregator.archive import Reader
from aggregator.archive.searching import Hit, Order, Wanted
from aggregator.articles.plaintext import text_of
from aggregator.articles.rules import Rules
from aggregator.cli.frame import ConfigOption, JsonOption, app, run_async, settings_of
from aggregator.cli.instants import AsOfOption, commit_of, instant_of, span_of
from aggregator.cli.output import complain, local, out, print_json, progress, visible
from aggregator.config import Settings
from aggregator.errors import ConfigError, masked
from aggregator.text.dates import iso
from aggregator.text.query import Words, match_of, parse
from aggregator.text.snippets import Snippet, marked, snippet

Names = list[str] | None
_LOOKED_THROUGH = 5_000  # hits, for those that are no reprints of others


@app.command(
    epilog="aggregator search 央行 降准 --since 2026-01 · aggregator search '\"公开市场\" -降准 title:LPR' --sort seen"
    " · aggregator search 'econ*' --feed sina-macro --json",
)
def search(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="WORD…",
            help='All must be there. "…" in a row, -word not; title: media: body:; word* goes on. -- before a first -.',
        ),
    ],
    since: Annotated[str | None, typer.Option(metavar="TIME", help="Published (or first seen) from then on.")] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Up to then; 2026-01 is up to its end.")] = None,
    feed: Annotated[Names, typer.Option(metavar="NAME", help="Seen in this feed; again for more.")] = None,
    category: Annotated[Names, typer.Option(metavar="NAME", help="In this category; again for more.")] = None,
    media: Annotated[Names, typer.Option(metavar="NAME", help="From this medium; again for more.")] = None,
    symbol: Annotated[Names, typer.Option(metavar="SYMBOL", help="As sh600519; again for more.")] = None,
    as_of: AsOfOption = None,
    sort: Annotated[
        Order | None, typer.Option(help="Best first, best of late, by time, or by when we saw it.", show_default="rank")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="So many at most.")] = 20,
    offset: Annotated[int, typer.Option(min=0, help="Leave out the first ones.")] = 0,
    all_revisions: Annotated[bool, typer.Option("--all-revisions", help="Older versions of articles, too.")] = False,
    no_reprints: Annotated[
        bool, typer.Option("--no-reprints", help="One of the articles that are one text: the first in this order.")
    ] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Find articles by words, Chinese ones of any length."""
    settings = settings_of(config)
    zone = settings.timezone
    asked = " ".join(words)
    query = parse(asked)
    with Reader(settings.archive) as reader:
        commit = commit_of(reader, as_of, zone)
        if commit is not None and sort in ("rank", "recent"):
            hint = "Leave out --sort: by time"
            raise ConfigError("ranks are of now, whatever was known then", where="--sort", hint=hint)
        wanted = Wanted(
            match_of(query) or "",
            tuple(feed or ()),
            tuple(category or ()),
            tuple(media or ()),
            tuple(symbol or ()),
            span_of(since, zone, "--since")[0] if since else None,
            span_of(until, zone, "--until")[1] if until else None,
            commit,
            all_revisions,
            sort or ("rank" if commit is None else "time"),
            utc_now(),
            limit + 1 if not no_reprints else _LOOKED_THROUGH,  # one more tells whether there are more
            offset if not no_reprints else 0,
        )
        found = reader.search(wanted) if wanted.match else iter(())
        hits = list(islice(_once(reader, found, commit), offset, offset + limit + 1) if no_reprints else found)
        behind = reader.unindexed()
    if not wanted.match:
        complain("no word to look for; punctuation is not searched")
    if behind:
        complain(f"{behind} versions are not in the index yet; `aggregator fetch` or `aggregator reindex` adds them")
    rules, more = settings.site_rules(), len(hits) > limit
    if as_json:
        told = [_as_json(hit, query, rules) for hit in hits[:limit]]
        then = as_of and iso(instant_of(as_of, zone))
        print_json({"query": asked, "as_of": then, "hits": told, "more": more, "unindexed": behind})
        return
    for hit in hits[:limit]:
        _show(hit, query, settings)
    complain(f"{len(hits[:limit])} found{f', and more: --offset {offset + limit}' if more else ''} · times in {zone}")


def _once(reader: Reader, hits: Iterator[Hit], until: int | None) -> Iterator[Hit]:
    """The first hit of each cluster of reprints; older versions of the same article are one with it, too."""
    told: set[int] = set()
    for hit in hits:
        root = reader.root(hit.key, until)
        if root not in told:
            told.add(root)
            yield hit


def _text(hit: Hit, rules: Rules) -> str:
    return text_of(hit.body, hit.rule, rules) if hit.body else hit.summary or ""


def _as_json(hit: Hit, query: tuple[Words, ...], rules: Rules) -> dict[str, object]:
    title, shown = marked(hit.title, query), snippet(_text(hit, rules), query)
    return {
        "key": hit.key,
        "revision": hit.n,
        "current": hit.current,
        "title": title.text,
        "title_marks": title.marks,
        "snippet": shown.text,
        "snippet_marks": shown.marks,
        "url": hit.url,
        "published": hit.published,
        "first_seen": hit.first_seen,
        "seen": hit.seen,
        "media": hit.media,
        "feed": hit.feed,
        "categories": hit.categories,
        "symbols": hit.symbols,
        "reason": hit.reason,
        "rank": hit.rank,
    }


def _show(hit: Hit, query: tuple[Words, ...], settings: Settings) -> None:
    """A hit as three lines: title, where it is from, the words in their surroundings."""
    console = out()
    console.print(_lit(marked(hit.title, query), "bold"))
    old = "" if hit.current else f"version {hit.n}"
    at = local(hit.published or hit.first_seen, settings.timezone)
    about = "  ".join(part for part in (at, hit.media, masked(hit.key), old) if part)
    console.print(Text("  " + visible(about), style="dim"))
    shown = snippet(_text(hit, settings.site_rules()), query)
    if shown.text:
        console.print(Text("  ") + _lit(shown, ""))


def _lit(shown: Snippet, style: str) -> Text:
    text = Text(style=style)
    for piece, is_mark in _pieces(shown):
        text.append(visible(piece), "bold reverse" if is_mark else None)
    return text


def _pieces(shown: Snippet) -> Iterator[tuple[str, bool]]:
    """A snippet's text in order, and which parts of it are marks."""
    at = 0
    for begin, end in shown.marks:
        yield shown.text[at:begin], False
        yield shown.text[begin:end], True
        at = end
    yield shown.text[at:], False


@app.command("reindex", epilog="aggregator reindex")
def reindex_archive(config: ConfigOption = None) -> None:
    """Make the index for search again from what is stored. Interrupted, the next fetch goes on with it."""
    settings = settings_of(config)
    with Reader(settings.archive) as reader:  # nothing is created where there is no archive
        total = reader.totals()["revisions"]
    bar, task = progress(int(str(total)), "versions")
    with bar:
        count = run_async(reindex(settings, lambda done, _: bar.update(task, completed=done)))  # type: ignore[arg-type]
    complain(f"{count} versions indexed")
