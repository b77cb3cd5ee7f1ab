"""The short form of the fuzz run, and proof that it sees what it is there to see."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest
from fuzz import Tally, attempt, judge, main, run, seeds
from mutations import LARGEST, OWN, mutated

from aggregator.errors import ParseError

FUZZ = Path(__file__).with_name("fuzz.py")


def test_fifteen_seconds_of_fuzz_find_nothing(tmp_path: Path) -> None:
    call = [sys.executable, str(FUZZ), "--seconds", "15", "--seed", "7", "--out", str(tmp_path)]
    done = subprocess.run(call, capture_output=True, text=True, timeout=300)
    print(done.stdout)
    assert done.returncode == 0, done.stderr + done.stdout
    found = re.match(r"(\d+) inputs, 0 failures\n", done.stdout)
    assert found
    assert int(found[1]) >= 50
    assert re.search(r"^slowest: \d", done.stdout, re.M)


def test_every_text_of_our_own_is_read() -> None:
    for kind, data in OWN:
        judge(kind, data)  # no AggregatorError either


def test_a_bug_is_found_named_saved_and_tried_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def buggy(kind: str, data: bytes) -> None:
        if b"</" not in data:
            raise ValueError("no tag")
        raise ParseError("fine", kind="not_a_feed")

    tally = run(2, 1, tmp_path, OWN, buggy)
    assert list(tally.failures) == ["ValueError in its result"]
    saved = tally.failures["ValueError in its result"]
    assert b"</" not in saved.read_bytes()
    assert tally.errors["ParseError not_a_feed"] > 0
    again = Tally()
    attempt(again, "listing", saved.read_bytes(), tmp_path, buggy)
    assert len(again.failures) == 1
    assert main([str(saved), "--out", str(tmp_path)]) == 0  # the program itself has no such bug
    assert "1 inputs, 0 failures" in capsys.readouterr().out


def test_an_input_that_takes_too_long_is_stopped_and_saved(tmp_path: Path) -> None:
    def endless(kind: str, data: bytes) -> None:
        while True:
            with suppress(Exception):
                sum(range(1_000))

    tally = Tally()
    attempt(tally, "page", b"<p>", tmp_path, endless, limit=0.3)
    ((name, saved),) = tally.failures.items()
    assert name.startswith("TooSlow")
    assert saved.read_bytes() == b"<p>"
    assert 0.3 <= tally.slowest[0] < 3


def test_mutations_follow_from_the_seed_and_change_what_they_are_given() -> None:
    def made(seed: int) -> list[bytes]:
        rng = random.Random(seed)
        return [mutated(rng, OWN[n % len(OWN)][1], OWN) for n in range(200)]

    assert made(1) == made(1) != made(2)
    assert sum(one == OWN[n % len(OWN)][1] for n, one in enumerate(made(1))) < 20
    assert max(map(len, made(1))) <= LARGEST


def test_the_corpora_are_mutated_where_they_are(shared: Path) -> None:
    kinds = Counter(kind for kind, _ in seeds(shared))
    assert kinds["listing"] > 1_000
    assert kinds["sina"] >= 4
    assert kinds["page"] >= 10
