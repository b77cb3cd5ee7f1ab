"""What a fetch came to, as a value that can also go to another process."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from aggregator.model import Report
from aggregator.text.dates import iso, parse_iso

if TYPE_CHECKING:
    from aggregator.pipeline import ImageOutcome, Outcome


@dataclass(frozen=True, slots=True)
class Told:
    """What became of one article; ``error`` and its ``kind`` say why it failed, ``absence`` as in ``Outcome``."""

    key: str
    url: str | None
    feed: str
    fresh: bool = False
    title: str | None = None
    kind: str | None = None
    error: str | None = None
    absence: str | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was done: polls, articles, ``looks`` at pages read before, images (how many stored, how many not)."""

    reports: tuple[Report, ...] = ()
    outcomes: tuple[Told, ...] = ()
    looks: tuple[Told, ...] = ()
    images: tuple[int, int] = (0, 0)


def joined(parts: Iterable[Fetched], feeds: Sequence[str]) -> Fetched:
    """Parts as one; the reports in the order of these feeds."""
    whole = list(parts)
    places = {name: place for place, name in enumerate(feeds)}
    reports = sorted((one for part in whole for one in part.reports), key=lambda one: places.get(one.feed, len(places)))
    return Fetched(
        reports=tuple(reports),
        outcomes=tuple(one for part in whole for one in part.outcomes),
        looks=tuple(one for part in whole for one in part.looks),
        images=(sum(part.images[0] for part in whole), sum(part.images[1] for part in whole)),
    )


def told(outcomes: Iterable[Outcome]) -> tuple[Told, ...]:
    """Outcomes as they are told."""
    return tuple(_told(outcome) for outcome in outcomes)


def _told(outcome: Outcome) -> Told:
    error = outcome.error
    return Told(
        key=outcome.key,
        url=outcome.url,
        feed=outcome.feed,
        fresh=outcome.fresh,
        title=outcome.title,
        kind=error.kind if error else None,
        error=str(error) if error else None,
        absence=outcome.absence,
    )


def counted(images: Iterable[ImageOutcome]) -> tuple[int, int]:
    """How many images were stored, and how many not."""
    errors = [one.error is not None for one in images]
    return errors.count(False), errors.count(True)


def to_json(fetched: Fetched) -> dict[str, Any]:
    """As JSON has it."""
    value = asdict(fetched)
    for report in value["reports"]:
        report["held_until"] = report["held_until"] and iso(report["held_until"])
    return value


def from_json(value: Mapping[str, Any]) -> Fetched:
    """What ``to_json`` was given."""
    return Fetched(
        reports=tuple(Report(**{**one, **_lifted(one)}) for one in value["reports"]),
        outcomes=tuple(Told(**one) for one in value["outcomes"]),
        looks=tuple(Told(**one) for one in value["looks"]),
        images=(value["images"][0], value["images"][1]),
    )


def _lifted(report: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a report that JSON has otherwise."""
    until = report["held_until"]
    return {"held_until": parse_iso(until) if until else None, "looks": tuple(report["looks"])}
