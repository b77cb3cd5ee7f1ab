"""One thing found: about what, how bad, what it is, and what to do. And what many of them come to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warning", "bad"]


@dataclass(frozen=True, slots=True)
class Finding:
    """``subject`` is a host, a feed, a page's address, "archive", "proxy" or a package; ``remedy`` is "" where all is
    well.
    """

    subject: str
    verdict: Verdict
    what: str
    remedy: str = ""


def overall(findings: Sequence[Finding]) -> Verdict:
    """The worst of the verdicts."""
    verdicts = {finding.verdict for finding in findings}
    worst: tuple[Verdict, ...] = ("bad", "warning")
    return next((verdict for verdict in worst if verdict in verdicts), "ok")


def sentence(findings: Sequence[Finding]) -> str:
    """All of it in one sentence."""
    bad = [finding for finding in findings if finding.verdict == "bad"]
    odd = sum(finding.verdict == "warning" for finding in findings)
    doubts = f"{odd} {'thing is' if odd == 1 else 'things are'} worth a look"
    if bad:
        first = f"{len(bad)} of {len(findings)} checks found something wrong, first {bad[0].subject}: {bad[0].what}"
        return f"{first}; {doubts}" if odd else first
    return f"Nothing is wrong; {doubts}" if odd else f"Nothing is wrong: {len(findings)} checks"


def told(message: str) -> str:
    """An error's message as part of a line."""
    return message.rstrip(". ")
