"""Fixtures every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with the corpora, which are no part of this repository; tests that need it skip without it."""
    place = (ROOT / os.environ.get("AGGREGATOR_SHARED", "../shared")).resolve()
    if not (place / "corpus").is_dir():
        pytest.skip("the shared corpora are not here (AGGREGATOR_SHARED names their folder)")
    return place
