"""The daemon as one user, readers as another: it works, or the right that is missing is named."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from aggregator.archive import Reader
from aggregator.archive.opening import open_damaged, open_reader, open_writer
from aggregator.errors import ArchiveError

OTHER, GROUP = 65534, 54321
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user and back")


@contextmanager
def other_user(*groups: int) -> Iterator[None]:
    """For the block this process has the rights of another user, in these groups only."""
    before = os.getgroups()
    os.setgroups(list(groups))
    os.setegid(OTHER)
    os.seteuid(OTHER)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(before)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder of the daemon's that its group may read, as the unit makes it (StateDirectory, UMask=0027)."""
    place = tmp_path / "state"
    place.mkdir()
    os.chown(place, 0, GROUP)
    place.chmod(0o2750)  # what is made in it belongs to the group, too
    for above in place.parents:
        above.chmod(above.stat().st_mode | 0o011)
        if above == tmp_path.parent.parent.parent:
            break
    umask = os.umask(0o027)
    yield place
    os.umask(umask)


def test_a_reader_of_the_group_reads_while_the_daemon_runs_and_is_told_what_it_lacks_without_one(folder: Path) -> None:
    writer = open_writer(folder / "archive.db")
    try:
        writer.execute("INSERT INTO commits (at, digest) VALUES ('2026-11-26T00:00:00.000Z', '-')")
        with other_user(GROUP), Reader(folder / "archive.db") as reader:
            assert reader.head() is not None
            with pytest.raises(PermissionError):
                (folder / "archive.db").open("ab")
    finally:
        writer.close()
    with other_user(GROUP), pytest.raises(ArchiveError) as told:
        Reader(folder / "archive.db")
    assert told.value.kind == "no_rights"
    assert "while a daemon runs" in str(told.value.hint)


@pytest.mark.parametrize("opened", [open_reader, open_damaged, open_writer])
def test_who_may_not_enter_the_folder_is_told_so(folder: Path, opened: object) -> None:
    open_writer(folder / "archive.db").close()
    with other_user(), pytest.raises(ArchiveError) as told:
        opened(folder / "archive.db")  # type: ignore[operator]
    assert told.value.kind == "no_rights"
    assert told.value.where == str(folder / "archive.db")
    assert told.value.hint


def test_who_may_not_read_the_file_is_told_so(folder: Path) -> None:
    open_writer(folder / "archive.db").close()
    (folder / "archive.db").chmod(0o600)
    with other_user(GROUP), pytest.raises(ArchiveError) as told:
        open_reader(folder / "archive.db")
    assert told.value.kind == "no_rights"
