"""What a fetch came to, as a person or a script is told it; and the exit code that says it in a word."""

from __future__ import annotations

from collections.abc import Sequence

from aggregator.app.telling import Fetched, Told
from aggregator.cli.output import complain, local, print_json, print_table
from aggregator.config import Settings
from aggregator.errors import masked
from aggregator.model import Report
from aggregator.text.dates import iso

BAD = frozenset({"blocked", "not_a_feed", "failed"})
ODD = frozenset({"degraded", "empty", "stale"})


def exit_code(fetched: Fetched, *, strict: bool = False) -> int:
    """0 when all went well; 1 when a feed or an article failed (``strict``: or one is empty, stale or degraded)."""
    statuses = {report.status for report in fetched.reports}
    failed = bool(statuses & BAD) or any(outcome.error for outcome in fetched.outcomes)
    return int(failed or (strict and bool(statuses & ODD)))


def show_fetched(fetched: Fetched, settings: Settings, *, as_json: bool) -> None:
    """The table or JSON at the end of a fetch, and each failure in one line."""
    if as_json:
        print_json(fetched_json(fetched))
        return
    reports, outcomes = fetched.reports, fetched.outcomes
    if reports:
        rows = [
            (r.feed, _status(r, settings), r.listed, r.new, r.known, r.failed, f"{r.seconds:.1f} s") for r in reports
        ]
        print_table(["feed", "status", "listed#", "new#", "known#", "failed#", "time#"], rows)
    for report in reports:
        if report.error:
            complain(f"{report.feed}: {report.error_kind}: {report.error}")
        if report.remark:
            complain(f"{report.feed}: {report.remark}")
    for outcome in outcomes:
        if outcome.error:
            complain(f"{masked(outcome.key)}: {outcome.kind}: {outcome.error}")
    fresh = [outcome for outcome in outcomes if outcome.fresh]
    if not reports:
        for outcome in fresh:
            complain(f"archived {masked(outcome.key)}: {outcome.title or ''}")
    failed = sum(outcome.error is not None for outcome in outcomes)
    complain(f"{len(fresh)} articles archived, {failed} failed")
    _show_looks(outcomes, fetched.looks)


def _show_looks(outcomes: Sequence[Told], looks: Sequence[Told]) -> None:
    """What became of pages that were read before."""
    for outcome in (*outcomes, *looks):
        if outcome.absence:
            complain(f"{masked(outcome.key)}: {outcome.absence}: {masked(outcome.url or '')}")
    if looks:
        complain(f"{len(looks)} pages looked at again, {sum(look.fresh for look in looks)} edited")


def _status(report: Report, settings: Settings) -> str:
    if report.status == "held" and report.held_until:
        return f"held until {local(report.held_until, settings.timezone)}"
    return report.status


def fetched_json(fetched: Fetched) -> dict[str, object]:
    """What ``fetch --json`` prints."""
    reports = fetched.reports
    rows = [
        {
            "feed": r.feed,
            "status": r.status,
            "listed": r.listed,
            "new": r.new,
            "known": r.known,
            "failed": r.failed,
            "seconds": round(r.seconds, 3),
            "held_until": iso(r.held_until) if r.held_until else None,
            "error": {"kind": r.error_kind, "message": r.error} if r.error_kind else None,
        }
        for r in reports
    ]
    errors = [{"key": o.key, "url": o.url, "kind": o.kind, "message": o.error} for o in fetched.outcomes if o.error]
    totals = {
        "feeds": len(reports),
        "listed": sum(r.listed for r in reports),
        "new": sum(r.new for r in reports),
        "archived": sum(o.fresh for o in fetched.outcomes),
        "failed": len(errors),
        "rechecked": len(fetched.looks),
        "edited": sum(look.fresh for look in fetched.looks),
    }
    if any(fetched.images):
        totals |= dict(zip(("images", "images_failed"), fetched.images, strict=True))
    return {"feeds": rows, "articles_failed": errors, "totals": totals}
