"""``audit``: what Sina's lists tell of each other."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Annotated

import typer

from aggregator.app import chosen, utc_now
from aggregator.archive import Reader
from aggregator.cli.frame import ConfigOption, JsonOption, app, settings_of
from aggregator.cli.instants import span_of
from aggregator.cli.output import complain, local, print_json, print_table

_SHOWN = timedelta(days=7)


@app.command(
    epilog="aggregator audit · aggregator audit --feed sina-domestic --since 2026-11 · "
    "aggregator audit --json | jq '.[] | select(.kind == \"pulled\") | .key'"
)
def audit(
    feed: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Of this feed; again for more.")] = None,
    since: Annotated[str | None, typer.Option(metavar="TIME", help="Found since then.", show_default="7 days")] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """What was left out of one of Sina's lists that others say is in it, and what was taken out of one."""
    settings = settings_of(config)
    names = {one.name for one in chosen(settings, feed)} if feed else set()
    begin = span_of(since, settings.timezone, "--since")[0] if since else utc_now() - _SHOWN
    with Reader(settings.archive) as reader:
        found = [one for one in reader.audits(begin) if not names or one["feed"] in names]
    if as_json:
        print_json(found)
        return
    zone = settings.timezone
    rows = [
        (one["feed"], one["kind"], *(local(str(one[name] or "") or None, zone) for name in ("at", "turned_up")),
         one["key"], one["title"])
        for one in found
    ]  # fmt: skip
    print_table(["feed", "what", "found", "turned up", "article", "title"], rows)
    counts = Counter(str(one["kind"]) for one in found)
    complain(", ".join(f"{number} {kind}" for kind, number in sorted(counts.items())) or "nothing found")
    complain(f"times in {zone}")
