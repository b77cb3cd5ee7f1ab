"""Hostile and careless HTTP: ids H1 to H7 of the catalogue of hostile inputs."""

from __future__ import annotations

from pathlib import Path

import pytest
from hostile import attack, listing
from web_server import reply


@pytest.mark.parametrize("content_type", ["text/html", "image/png", ""])
def test_h6_a_wrong_content_type_is_parsed_by_its_content(tmp_path: Path, content_type: str) -> None:
    headers = {"Content_Type": content_type} if content_type else {}
    verdict = attack(tmp_path, reply(200, listing("bad", 1, 2, 3), **headers))
    assert (verdict.report.status, verdict.report.new) == ("ok", 1)
    assert [row["title"] for row in verdict.entries] == ["bad3"]
