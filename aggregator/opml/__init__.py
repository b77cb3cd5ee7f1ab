"""OPML (http://opml.org/spec2.opml): the feeds of config.yaml as other readers write them, in and out. No I/O."""

from aggregator.opml.plan import Decision, plan
from aggregator.opml.reading import MAX_BYTES, Opml, read
from aggregator.opml.writing import write

__all__ = ["MAX_BYTES", "Decision", "Opml", "plan", "read", "write"]
