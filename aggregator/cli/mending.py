"""``rules``: what is known about sites, what it finds on a page, and what of the archive it would keep."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from aggregator.app import article_url, fetch_page, sift, sift_again, worked
from aggregator.articles.explain import Step, explain
from aggregator.articles.rules import Rules
from aggregator.cli.frame import ConfigOption, JsonOption, app, config_or_none, run_async, settings_of
from aggregator.cli.inspecting import page_from
from aggregator.cli.output import complain, print_json, print_table
from aggregator.config import Settings
from aggregator.errors import ConfigError, ParseError
from aggregator.model import Page

_VERBS = {
    "drop": "waiting, dropped",
    "keep": "dropped, wanted again",
    "unwanted": "archived, would be dropped today",
}
rules_app = typer.Typer(help="Look at the rules that find an article on its page, and try them.", no_args_is_help=True)
app.add_typer(rules_app, name="rules")


@rules_app.command("list", epilog="aggregator rules list · aggregator rules list --json")
def list_rules(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """The rows in the order in which they are tried, the configuration's among them."""
    rules = _settings(config).site_rules()
    if as_json:
        print_json({"version": rules.version, "rules": [asdict(row) for row in rules.rows]})
        return
    rows = [(row.name, ", ".join(row.hosts), row.mark, ", ".join(row.body) or row.slides) for row in rules.rows]
    print_table(["rule", "hosts", "mark", "body"], rows, title=f"rules {rules.version}")


@rules_app.command("test", epilog="aggregator rules test page.html --url URL · aggregator rules test https://…")
def try_rules(
    what: Annotated[str, typer.Argument(metavar="FILE|URL", help="A page: a file, - for standard input, or a URL.")],
    url: Annotated[str, typer.Option("--url", help="The address a file's page was asked for.")] = "",
    title: Annotated[str, typer.Option("--title", help="The title its listing announced.")] = "",
    header: Annotated[list[str] | None, typer.Option(help="A response header of a file, 'K: V'.")] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """What every selector finds on a page, and the article that comes of it. Nothing is stored."""
    settings = _settings(config)
    page = _page(settings, what, url, header or [])
    steps, error = _explained(settings, page, title)
    if as_json:
        failure = {"kind": error.kind, "message": str(error)} if error else None
        print_json({"steps": [asdict(step) for step in steps], "error": failure})
    else:
        print_table(["part", "found", "by"], [(step.part, step.found or "-", step.by) for step in steps])
    if error:
        complain(f"{error.kind}: {error}")
        raise typer.Exit(1)


@rules_app.command("apply", epilog="aggregator rules apply --dry-run · aggregator rules apply sina-domestic")
def apply_rules(
    feeds: Annotated[list[str] | None, typer.Argument(metavar="FEED", help="Feeds by name; all if none.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be done.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Hold the feeds' keep and drop against what is stored. No archived text is ever deleted, nothing is fetched."""
    settings = settings_of(config)
    found = sift(settings, feeds or []) if dry_run else run_async(sift_again(settings, feeds or []))
    counts = Counter[tuple[str, str]]((change.feed, change.verb) for change in found)
    if as_json:
        per_feed = {feed: {verb: counts[feed, verb] for verb in _VERBS} for feed, _ in sorted(counts)}
        print_json({"feeds": per_feed, "articles": [asdict(change) for change in found]})
        return
    if found:
        print_table(["feed", "what", "article", "title"], [(c.feed, _VERBS[c.verb], c.key, c.title) for c in found])
    for (feed, verb), count in sorted(counts.items()):
        complain(f"{feed}: {count} {_VERBS[verb]}")
    would = "would be " if dry_run else ""
    complain(
        f"{sum(c.verb == 'drop' for c in found)} {would}dropped, {sum(c.verb == 'keep' for c in found)} {would}"
        f"fetched next time, {sum(c.verb == 'unwanted' for c in found)} archived ones stay"
    )


def _explained(settings: Settings, page: Page, title: str) -> tuple[list[Step], ParseError | None]:
    try:
        return run_async(worked(settings, _explain, page, settings.defaults.zone, title, settings.site_rules()))
    except ParseError as error:  # too slow, too heavy: there are no steps to show
        return [], error


def _explain(page: Page, zone: str | None, title: str, rules: Rules) -> tuple[list[Step], ParseError | None]:
    return explain(page, zone=zone, title=title, rules=rules)


def _page(settings: Settings, what: str, url: str, headers: list[str]) -> Page:
    if "://" in what and not Path(what).exists():
        return run_async(fetch_page(settings, article_url(what)))
    if not url:
        hint = "Give the address it was asked for: --url https://…"
        raise ConfigError("the rules for a page depend on its address", where=what, hint=hint)
    return page_from(what, url, headers)


def _settings(config: Path | None) -> Settings:
    """The configuration where there is one; the built-in rules need none."""
    return config_or_none(config) or Settings()
