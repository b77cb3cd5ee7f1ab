"""The metrics, as Prometheus reads them, and the judgement over the whole.

What happens in the process is counted as it happens; what stands in the archive is read when somebody asks, over a
read-only connection, so that a question costs the writer nothing. Counters begin at 0 with the process.
"""

from __future__ import annotations

import resource
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from aggregator import __version__
from aggregator.archive import Reader
from aggregator.archive.connecting import log_size
from aggregator.archive.vitals import Growth, Vitals
from aggregator.errors import AggregatorError
from aggregator.health import troubles
from aggregator.model import Clock, Report
from aggregator.observe.pulse import Pulse
from aggregator.pipeline import Outcome

MOST_FEEDS = 1_000  # that have a series of their own: those whose last success lies furthest back
_LAGS = (10, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 21_600, 86_400)
_POLLS = (0.1, 0.3, 1, 3, 10, 30, 100, 300)


class Metrics:
    """What is told of one archive by the process that writes it. Each method may be called from any thread."""

    def __init__(self, archive: Path, clock: Clock, pulse: Pulse) -> None:
        self._archive = archive
        self._clock = clock
        self.pulse = pulse
        self._lock = threading.Lock()
        self._counted: Growth | None = None
        self.under_way: Callable[[], int] = int
        """How many polls are under way."""
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each counter
        registry = self._registry = CollectorRegistry()
        Info("aggregator_build", "The program.", registry=registry).info({"version": __version__})
        self._polls = Counter("aggregator_polls", "Polls by what they came to.", ["status"], registry=registry)
        self._seconds = Histogram(
            "aggregator_poll_seconds", "Time of a poll on the wire.", buckets=_POLLS, registry=registry
        )
        self._errors = Counter(
            "aggregator_errors", "Errors of polls and of articles, by kind.", ["what", "kind"], registry=registry
        )
        self._entries = Counter("aggregator_entries", "Entries noted (sightings).", registry=registry)
        self._articles = Counter("aggregator_articles", "Articles archived for the first time.", registry=registry)
        self._revisions = Counter("aggregator_revisions", "Revisions stored, by cause.", ["cause"], registry=registry)
        self._lag = Histogram(
            "aggregator_publication_lag_seconds",
            "From publication, by Sina's intime or else the entry's own date, to first sight.",
            ["clock"],
            buckets=_LAGS,
            registry=registry,
        )
        self._scrapes = Gauge(
            "aggregator_archive_readable", "1 while the archive could be read for these numbers.", registry=registry
        )
        registry.register(_Standing(self._standing))

    def begin(self) -> None:
        """Count what comes into the archive from now on."""
        with self._lock, suppress(AggregatorError), Reader(self._archive) as reader:
            self._counted = reader.newest()

    def polled(self, report: Report, outcomes: Sequence[Outcome] = ()) -> None:
        """Count a poll, and the articles that were attempted in it."""
        self._polls.labels(report.status).inc()
        self._seconds.observe(report.seconds)
        if report.error_kind:
            self._errors.labels("poll", report.error_kind).inc()
        for outcome in outcomes:
            if outcome.error is not None:
                self._errors.labels("article", outcome.error.kind).inc()

    def unhealthy(self) -> list[str]:
        """Why the whole is not healthy; empty where it is."""
        try:
            with Reader(self._archive) as reader:
                feeds = reader.vitals(self._clock()).feeds
        except AggregatorError as error:
            return [*self.pulse.stuck(), str(error)]
        return [*self.pulse.stuck(), *troubles((feed.polled for feed in feeds), self.pulse.refused)]

    def unready(self) -> list[str]:
        """Why the daemon does not do its work yet, or not any more; empty where it does."""
        return list(self.pulse.unready())

    def text(self) -> bytes:
        """All metrics in Prometheus's text format."""
        with self._lock:
            self._grow()
            return generate_latest(self._registry)

    def _grow(self) -> None:
        """Count what came into the archive since the last time."""
        try:
            with Reader(self._archive) as reader:
                come = reader.growth(self._counted or reader.newest())
        except AggregatorError:
            self._scrapes.set(0)
            return
        self._scrapes.set(1)
        self._counted = come
        self._entries.inc(come.entries)
        for cause, count in come.causes:
            self._revisions.labels(cause).inc(count)
            self._articles.inc(count if cause == "first" else 0)
        for lag in come.lags:
            self._lag.labels(lag.clock).observe(lag.seconds)

    def _standing(self) -> Iterator[Metric]:
        """The state at the moment."""
        yield from _process()
        yield _gauge("aggregator_healthy", "1 while /healthz is green.", not self.unhealthy())
        yield _gauge("aggregator_ready", "1 while /readyz is green.", not self.unready())
        ages = GaugeMetricFamily(
            "aggregator_beat_age_seconds", "Since a part of the daemon was last seen at work.", labels=["part"]
        )
        for part, age in self.pulse.ages().items():
            ages.add_metric([part], age)
        yield ages
        yield _gauge("aggregator_polls_under_way", "Polls that have begun and not ended.", self.under_way())
        yield _gauge("aggregator_archive_log_bytes", "Commits not yet folded into the file.", log_size(self._archive))
        with suppress(OSError):
            size = self._archive.stat().st_size
            yield _gauge("aggregator_archive_bytes", "The archive's file without its log.", size)
        with suppress(AggregatorError), Reader(self._archive) as reader:
            yield from _vitals(reader.vitals(self._clock()))


class _Standing:
    """A collector in the registry's sense."""

    def __init__(self, collect: Callable[[], Iterable[Metric]]) -> None:
        self.collect = collect

    def describe(self) -> Iterable[Metric]:
        """Nothing: its names are its own, and to register it must not read an archive."""
        return []


def _gauge(name: str, what: str, value: float) -> Metric:
    return GaugeMetricFamily(name, what, value=float(value))


def _process() -> Iterator[Metric]:
    """The process, by the names that are usual.

    prometheus_client's own collector wants /proc/stat, which a hardened service does not see, and else tells nothing.
    """
    yield CounterMetricFamily("process_cpu_seconds", "CPU time of user and system.", value=time.process_time())
    with suppress(OSError):
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        yield _gauge("process_resident_memory_bytes", "Resident memory.", pages * resource.getpagesize())
        yield _gauge("process_open_fds", "Open file descriptors.", sum(1 for _ in Path("/proc/self/fd").iterdir()))


def _vitals(now: Vitals) -> Iterator[Metric]:
    by_status: dict[str, int] = {}
    for feed in now.feeds:
        status = feed.status or "never_polled"
        by_status[status] = by_status.get(status, 0) + 1
    feeds = GaugeMetricFamily("aggregator_feeds", "Feeds that are to be polled, by status.", labels=["status"])
    for status, count in sorted(by_status.items()):
        feeds.add_metric([status], count)
    yield feeds
    yield _gauge("aggregator_feeds_due", "Feeds whose next poll is due.", sum(feed.due for feed in now.feeds))
    yield _gauge("aggregator_articles_pending", "Announced articles still to be had.", now.pending)
    yield _gauge("aggregator_articles_failed", "Articles given up after their last try.", now.failed)
    yield _gauge("aggregator_images_pending", "Images still to be had.", now.images)
    waiting = GaugeMetricFamily("aggregator_deliveries_waiting", "Events a hook has still to tell.", labels=["hook"])
    dead = GaugeMetricFamily(
        "aggregator_deliveries_dead", "Events a hook gave up, of the last 30 days.", labels=["hook"]
    )
    for hook, waits, given_up in now.deliveries:
        waiting.add_metric([hook], waits)
        dead.add_metric([hook], given_up)
    yield from (waiting, dead)
    ended = GaugeMetricFamily(
        "aggregator_job_last_success_timestamp_seconds", "When a job last came to its end, 0: never.", labels=["job"]
    )
    failures = GaugeMetricFamily(
        "aggregator_job_failures", "How often a job has failed since it last came to its end.", labels=["job"]
    )
    for job in now.jobs:
        ended.add_metric([job.name], job.ended.timestamp() if job.ended else 0)
        failures.add_metric([job.name], job.failures)
    yield from (ended, failures)
    gaps = GaugeMetricFamily(
        "aggregator_gaps",
        "Times of which something may be missing in a feed: open while its list is read back, else lost.",
        labels=["state"],
    )
    for state, count in zip(("open", "lost"), now.gaps, strict=True):
        gaps.add_metric([state], count)
    yield gaps
    last = GaugeMetricFamily(
        "aggregator_feed_last_success_timestamp_seconds",
        f"When a feed's listing was last read; of the {MOST_FEEDS} feeds for which that is longest ago, 0: never.",
        labels=["feed"],
    )
    instants = sorted((feed.last_success.timestamp() if feed.last_success else 0.0, feed.name) for feed in now.feeds)
    for at, name in instants[:MOST_FEEDS]:
        last.add_metric([name], at)
    yield last
