"""``demo``: the whole job against a small replica of Sina on this machine."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from aggregator.app import Fetched, export_all, open_app, told, utc_now
from aggregator.archive import Reader
from aggregator.cli.fetched import fetched_json, show_fetched
from aggregator.cli.frame import ConfigOption, JsonOption, app, run_async
from aggregator.cli.output import complain, print_json
from aggregator.cli.polling import fetch_images, poll_feeds
from aggregator.config import Settings, load, parse, starter
from aggregator.demo import Replica
from aggregator.demo.ledger import Change
from aggregator.errors import ConfigError
from aggregator.model import Report
from aggregator.pipeline import Outcome
from aggregator.text.dates import iso, parse_iso

SERVE_EVERY = 20.0  # seconds between two steps of the newsroom
_STATUS = {"api_error": "failed"}
# Behind the feeds of the packaged configuration.
_MORE_FEEDS = """
  # Lists of Sina beside the roll API, in this demo only.
  - name: sina-live # 7x24
    source: sina-live
    url: https://zhibo.sina.com.cn/api/zhibo/feed?zhibo_id=152
    categories: [金融, 新浪财经, 新浪财经－快讯]

  - name: sina-companies # the column 上市公司
    source: sina-column
    url: https://finance.sina.com.cn/roll/c/56592.shtml
    categories: [金融, 新浪财经, 新浪财经－上市公司]

  - name: sina-moutai-news
    source: sina-company
    url: https://vip.stock.finance.sina.com.cn/corp/go.php/vCB_AllNewsStock/symbol/sh600519.phtml
    categories: [金融, 新浪财经, 新浪财经－贵州茅台]

  - name: sina-moutai # announcements
    source: sina-company
    url: https://vip.stock.finance.sina.com.cn/corp/go.php/vCB_AllBulletin/stockid/600519.phtml
    categories: [金融, 新浪财经, 新浪财经－贵州茅台]
"""


@dataclass(slots=True)
class Clockwork:
    """The replica's clock: stands at the instant a folder was begun, so that a second run meets the same world."""

    started: datetime
    running: bool = False

    def __call__(self) -> datetime:
        """The instant to publish at."""
        return max(self.started, utc_now()) if self.running else self.started


@app.command(epilog="aggregator demo · aggregator demo --dir try · aggregator demo --serve")
def demo(
    folder: Annotated[Path | None, typer.Option("--dir", help="Keep archive and posts in this folder.")] = None,
    serve: Annotated[bool, typer.Option("--serve", help="Leave the replica up, publishing as time passes.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Run the whole job against a small replica of Sina on this machine; no internet needed."""
    if folder is not None:
        code = _demo(_made(folder), config, serve=serve, as_json=as_json)
        at = f"--config {folder / 'config.yaml'}"
        complain(f"Try next:\n  aggregator status {at}\n  aggregator browse {at}\n  aggregator show KEY {at}")
        raise typer.Exit(code)
    with TemporaryDirectory(prefix="aggregator-demo-") as temporary:
        code = _demo(Path(temporary), config, serve=serve, as_json=as_json)
    complain("Nothing was kept. To keep archive and posts: aggregator demo --dir try")
    raise typer.Exit(code)


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        hint = "Name a folder this user may write to"
        raise ConfigError(str(error.strerror), where=f"--dir {folder}", hint=hint) from error
    return folder.absolute()


def _demo(folder: Path, config: Path | None, *, serve: bool, as_json: bool) -> int:
    clock = Clockwork(_started(folder))
    with Replica(clock) as replica:
        settings = _settings(folder, config, replica)
        first = not settings.archive.exists()
        complain(f"A small Sina listens at {replica.address}; polling it as {len(settings.feeds)} feeds say")
        reports, outcomes = run_async(_poll(settings, replica, advance=not first))
        if not as_json:
            show_fetched(Fetched(tuple(reports), told(outcomes)), settings, as_json=False)
        if first:
            later, more = run_async(_poll(settings, replica, advance=True))
            outcomes += more
            _tell_later(later, more, replica, quiet=as_json)
        wrong = unexpected(reports, outcomes, replica, complete=first)
        done = export_all(settings, folder / "posts")
        if as_json:
            fetched = Fetched(tuple(reports), told(outcomes))
            print_json({**fetched_json(fetched), "exported": done.written, "unexpected": wrong})
        else:
            _tell(settings, done.written + done.unchanged, wrong)
        if serve:
            _serve(replica, clock)
    return int(bool(wrong))


def _started(folder: Path) -> datetime:
    """The instant of the folder's first demo."""
    file = folder / "started.txt"
    if not file.exists():
        file.write_text(iso(utc_now()), encoding="ascii")
    return parse_iso(file.read_text(encoding="ascii").strip())


def _settings(folder: Path, config: Path | None, replica: Replica) -> Settings:
    """The real configuration, with Sina's hosts reached at the replica, and archive and posts in the folder.

    The packaged one keeps all images, too, so that the pages of `browse` show them.
    """
    path = folder / "config.yaml"
    if config is None and not path.exists():
        path.write_text(starter() + _MORE_FEEDS, encoding="utf-8")
    settings = load(config) if config else parse(path.read_text(encoding="utf-8"), path)
    network = settings.network.model_copy(update={"connect_to": replica.connect_to()})
    changed: dict[str, object] = {"archive": folder / "archive.db", "network": network}
    if config is None:
        changed["defaults"] = settings.defaults.model_copy(update={"images": "all"})
    return settings.model_copy(update=changed)


async def _poll(settings: Settings, replica: Replica, *, advance: bool) -> tuple[list[Report], list[Outcome]]:
    if advance:
        replica.advance()
    async with open_app(settings) as opened:
        done = await poll_feeds(opened, [feed for feed in settings.feed_list() if feed.enabled], None)
        await fetch_images(opened)
        return done


def unexpected(
    reports: Sequence[Report], outcomes: Sequence[Outcome], replica: Replica, *, complete: bool
) -> list[str]:
    """What went otherwise than the replica's ledger says it must; with ``complete`` also what should have failed."""
    broken = {f"sina:comos:{item.id}": item.expect for item in replica.ledger.broken()}
    meant = {key: kind for key, kind in broken.items() if kind in ("wrong_page", "extract_failed")}
    failed = {outcome.key: outcome.error.kind for outcome in outcomes if outcome.error}
    wrong = [f"{key}: {kind}" for key, kind in failed.items() if meant.get(key) != kind]
    if complete:
        wrong += [f"{key}: should have failed as {kind}" for key, kind in meant.items() if key not in failed]
    channels = {f"pageid={c.pageid}&lid={c.lid}": _STATUS.get(c.expect, c.expect) for c in replica.ledger.channels}
    for report, expected in zip(reports, channels.values(), strict=False):
        if report.status not in (expected, "unchanged" if expected == "ok" else expected):
            wrong.append(f"{report.feed}: {report.status}: {report.error}")
    return wrong


def _tell_later(reports: Sequence[Report], outcomes: Sequence[Outcome], replica: Replica, *, quiet: bool) -> None:
    if quiet:
        return
    verbs = [change.verb for change in replica.ledger.changes]
    happened = ", ".join(f"{verbs.count(verb)} {verb}" for verb in dict.fromkeys(verbs))
    fresh = sum(outcome.fresh for outcome in outcomes)
    complain(f"\nTime passes at the replica: {happened}. A second poll archives {fresh} more versions and articles.")


def _tell(settings: Settings, documents: int, wrong: Sequence[str]) -> None:
    with Reader(settings.archive) as reader:
        totals = reader.totals()
        name, text = next(iter(reader.documents()))
    complain(f"\n{totals['articles']} articles, {totals['sightings']} sightings, {documents} documents. One of them:")
    print(f"{name}\n{text[:400]}…")
    for line in wrong:
        complain(f"NOT as the replica meant it: {line}")
    if not wrong:
        complain("What failed is exactly what the replica breaks on purpose.")


def _serve(replica: Replica, clock: Clockwork) -> None:
    """Keep publishing until Ctrl-C."""
    clock.running = True
    hosts = ", ".join(f'"{host}": "{replica.address}"' for host in replica.hosts)
    complain(f"\nThe replica goes on. To poll it, put this into a config.yaml:\n  network: {{connect_to: {{{hosts}}}}}")
    try:
        replica.serve(threading.Event(), every=SERVE_EVERY, tell=_tell_changes)
    except KeyboardInterrupt:
        complain("stopped")


def _tell_changes(changes: Sequence[Change]) -> None:
    for change in changes:
        complain(f"{change.at:%H:%M:%S} {change.verb} {change.id}")
