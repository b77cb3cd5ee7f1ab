"""A site changes: the archive says so, a few lines of configuration mend it, and what is stored heals by itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aggregator.app import utc_now
from aggregator.config import starter
from aggregator.demo import Replica

ROOT = Path(__file__).resolve().parent.parent
# Three of the changes that leave no article, each with the lines that mend it.
MENDED = {
    "renamed_id": """rules:
  - name: sina-finance-2018
    body: "#story-2027"
""",
    "nested_body": """rules:
  - name: sina-finance-2018
    body: "#article_content .story .inner"
""",
    "body_by_script": """rules:
  - name: sina-finance-2018
    between: ["innerHTML = `", "`;</script>"]
""",
}


@pytest.fixture
def replica() -> Iterator[Replica]:
    started = utc_now()
    with Replica(lambda: started) as running:
        yield running


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "aggregator", *words]
    home = {"HOME": str(folder), "PYTHONPATH": str(ROOT), "PATH": os.environ.get("PATH", "")}
    return subprocess.run(command, cwd=folder, env=home, capture_output=True, text=True, timeout=120)


def configure(folder: Path, replica: Replica, rules: str = "") -> None:
    hosts = "\n".join(f'    "{host}": "{replica.address}"' for host in replica.hosts)
    text = starter().replace("\nnetwork:", "\n#network:", 1)
    (folder / "config.yaml").write_text(f"{text}\nnetwork:\n  connect_to:\n{hosts}\n{rules}", encoding="utf-8")


def status(folder: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(run(folder, "status", "--json").stdout)
    return told


@pytest.mark.parametrize("name", MENDED)
def test_a_change_is_seen_mended_and_healed_without_a_request(tmp_path: Path, replica: Replica, name: str) -> None:
    assert len(MENDED[name].splitlines()) <= 5
    configure(tmp_path, replica)
    replica.mutate(name)
    assert run(tmp_path, "fetch").returncode == 1
    told = status(tmp_path)
    assert any(drift["subject"] == "finance.sina.com.cn: extract_failed" for drift in told["drifts"])
    assert "drift: finance.sina.com.cn: extract_failed" in run(tmp_path, "status").stderr

    configure(tmp_path, replica, MENDED[name])
    asked = replica.requests.total()
    planned = json.loads(run(tmp_path, "renormalise", "--failed", "--dry-run", "--json").stdout)
    assert [one["key"] for one in status(tmp_path)["troubles"]] == [one["key"] for one in told["troubles"]]
    healed = json.loads(run(tmp_path, "renormalise", "--failed", "--json").stdout)
    assert healed == planned
    assert replica.requests.total() == asked
    good = {f"sina:comos:{item.id}": item for item in replica.ledger.good()}
    assert len(healed["healed"]) >= 100
    for one in healed["healed"]:
        assert one["title"] == good[one["key"]].title
    assert {f"sina:comos:{item.id}" for item in replica.ledger.broken()} >= {one["key"] for one in healed["left"]}
    key = healed["healed"][0]["key"]
    shown = json.loads(run(tmp_path, "show", key, "--json").stdout)
    assert "+" in shown["rules"]
    assert all(paragraph in shown["body"] for paragraph in good[key].story.paragraphs)


def test_what_is_due_heals_before_any_page_is_asked_for_again(tmp_path: Path, replica: Replica) -> None:
    configure(tmp_path, replica)
    replica.mutate("renamed_id")
    run(tmp_path, "fetch", "sina-domestic")
    configure(tmp_path, replica, MENDED["renamed_id"])
    before = Counter(replica.requests)
    run(tmp_path, "fetch", "sina-domestic")
    again = {path.rpartition("/")[2] for _, _, path in (replica.requests - before) if "doc-i" in path}
    assert again <= {item.url.rpartition("/")[2] for item in replica.ledger.broken()}
    assert status(tmp_path)["totals"]["articles"] >= 40
