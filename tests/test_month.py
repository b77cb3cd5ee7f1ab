"""A month of a newsroom in virtual time: the short form of ``month.py``."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from month import MOST_GETS, Month, archived, figures, live, missed, unlike

DAYS, ARTICLES_A_DAY, SEED = 30, 10, 20_260_301


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Month:
    """30 days with 5 % of faulty answers, restarts and kills; polled every 20 to 30 minutes."""
    return live(tmp_path_factory.mktemp("month") / "archive.db", DAYS, ARTICLES_A_DAY, (20, 30), SEED, 3)


def test_the_month_was_one_worth_living(month: Month) -> None:
    told = figures(month)
    faulty = sum(count for name, count in month.wire.asked.items() if name.endswith("faulty"))
    good = sum(count for name, count in month.wire.asked.items() if name.endswith("good"))
    assert told["articles"] == DAYS * ARTICLES_A_DAY
    assert len(month.room.begun) > DAYS * ARTICLES_A_DAY * 1.1
    assert 0.04 < faulty / (faulty + good) < 0.06
    assert {name for name in month.wire.asked if name.startswith("fault ")} == {
        "fault http",
        "fault other",
        "fault rate_limited",
        "fault timeout",
        "fault truncated",
    }
    assert month.restarts >= 5
    assert month.kills >= 2


def test_every_version_of_its_ledger_is_archived_once_or_could_not_be_seen(month: Month) -> None:
    held, gone = archived(month.path), missed(month)
    assert {version: count for version, count in held.items() if count > 1} == {}
    assert held.keys() == month.wire.shown.keys()
    assert {version for version, reason in gone.items() if not reason} == set()
    assert held.keys() | gone.keys() == month.room.begun.keys()


def test_a_page_is_asked_for_once_per_announced_version(month: Month) -> None:
    assert month.wire.asked["page good"] / len(month.wire.listed) <= MOST_GETS


def test_at_ten_thousand_random_instants_the_archive_as_of_then_is_what_it_was_then(month: Month) -> None:
    assert unlike(month, 10_000, SEED) == []


def test_the_same_seed_gives_the_same_month() -> None:
    def lived() -> Iterator[tuple[object, object]]:
        for _ in range(2):
            with tempfile.TemporaryDirectory() as folder:
                one = live(Path(folder) / "archive.db", 1, 20, (20, 30), 7, 2)
                yield one.log.instants, one.log.changes

    first, second = lived()
    assert first == second
