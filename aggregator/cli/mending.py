"""``rules``: what is known about sites, and what it finds on a page."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from aggregator.app import article_url, fetch_page
from aggregator.articles.explain import explain
from aggregator.cli.frame import ConfigOption, JsonOption, app, config_or_none, run_async
from aggregator.cli.inspecting import page_from
from aggregator.cli.output import complain, print_json, print_table
from aggregator.config import Settings
from aggregator.errors import ConfigError
from aggregator.model import Page

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
    steps, error = explain(page, zone=settings.defaults.zone, title=title, rules=settings.site_rules())
    if as_json:
        failure = {"kind": error.kind, "message": str(error)} if error else None
        print_json({"steps": [asdict(step) for step in steps], "error": failure})
    else:
        print_table(["part", "found", "by"], [(step.part, step.found or "-", step.by) for step in steps])
    if error:
        complain(f"{error.kind}: {error}")
        raise typer.Exit(1)


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
