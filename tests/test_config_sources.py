"""config.yaml names its sources without importing their parsers; the two lists are one."""

from __future__ import annotations

from typing import get_args

from aggregator.config.feedrow import FeedRow
from aggregator.sources import SOURCES


def test_every_source_can_be_configured() -> None:
    assert set(get_args(FeedRow.model_fields["source"].annotation)) == set(SOURCES)
