"""What is wrong with an article's page: which rule read it, what proves it, which fields it fills, how long it is."""

from __future__ import annotations

from collections.abc import Sequence

from aggregator.articles.explain import Step
from aggregator.doctor.finding import Finding, told
from aggregator.doctor.hosts import UNREACHED
from aggregator.doctor.looking import SeenPage
from aggregator.errors import FetchError, ParseError, masked
from aggregator.model import Article
from aggregator.text.urls import comos_id, host_of

_FIELDS = ("title", "published", "media", "author", "editor", "keywords", "symbols", "cover")


def of_page(seen: SeenPage) -> Finding:
    """The line about one page."""
    subject = masked(seen.url)
    if isinstance(seen.answer, FetchError):
        return _unanswered(subject, seen.answer)
    if not isinstance(seen.read, tuple):
        error = seen.read or ParseError("it was not read")
        return Finding(subject, "bad", f"{error.kind}: {told(error.message)}", _advice(error, subject))
    article, steps = seen.read
    what = f"rule {article.rule}, {_proof(seen.url, steps)}; {_filled(article)}; {len(article.text)} characters"
    if article.published is None and seen.entry.published is None:
        return Finding(subject, "warning", what, f"No time is found: aggregator rules test {subject}")
    if not article.title and not seen.entry.title:
        return Finding(subject, "warning", what, f"No title is found: aggregator rules test {subject}")
    return Finding(subject, "ok", what)


def _unanswered(subject: str, error: FetchError) -> Finding:
    host = host_of(subject)
    if error.kind in ("not_found", "gone"):
        return Finding(
            subject, "warning", f"listed, but {told(error.message)}", "It is archived as a link; articles do vanish"
        )
    if error.kind == "held":
        return Finding(subject, "warning", f"not asked: {host} refused before", f"See {host}")
    if host_of(error.where) == host and (error.kind in UNREACHED or error.kind in ("blocked", "rate_limited")):
        return Finding(subject, "bad", f"{error.kind}: {told(error.message)}", f"See {host}")
    return Finding(subject, "bad", f"{error.kind}: {told(error.message)}", error.hint)


def _advice(error: ParseError, url: str) -> str:
    if error.kind == "extract_failed":
        return f"See what each selector finds: aggregator rules test {url}; rows in config.yaml (`rules:`) mend it"
    return error.hint


def _proof(url: str, steps: Sequence[Step]) -> str:
    """By what the page proves to be the article: where it says its content id, or anything of itself."""
    said = [step for step in steps if step.part == "identity" and step.found]
    wanted = comos_id(url) or ""
    proof = next((step.by for step in said if wanted in step.found), "")
    return f"proven by {proof}" if proof else "proven by its address and title"


def _filled(article: Article) -> str:
    """Which fields are filled and which are not."""
    filled = [name for name in _FIELDS if getattr(article, name)]
    lacking = [name for name in _FIELDS if name not in filled]
    return f"{', '.join(filled) or 'nothing'}" + (f"; no {', '.join(lacking)}" if lacking else "")
