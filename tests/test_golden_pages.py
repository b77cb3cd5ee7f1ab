"""Pages with what is read from them, kept as files: ``aggregator doctor --as-test`` writes one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aggregator.articles.rules import built_in
from aggregator.doctor.golden import page_case, page_of

FOLDER = Path(__file__).parent / "golden" / "pages"


@pytest.mark.parametrize("name", sorted(file.stem for file in FOLDER.glob("*.json")))
def test_a_page_is_read_as_it_was(name: str) -> None:
    told = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    page = page_of(told, (FOLDER / f"{name}.html").read_bytes())
    assert page_case(page, told["title"], told["zone"], built_in()) == told
