"""What is wrong with the archive's file: where it is, whose it is, who may write it, how much room is left."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from aggregator.archive import Reader, holder
from aggregator.archive.connecting import log_size
from aggregator.archive.opening import MUCH_LOG
from aggregator.doctor.finding import Finding, Verdict, told
from aggregator.errors import ArchiveError

FULL = 50_000_000  # bytes: less is no room to work in
LITTLE = 1_000_000_000


@dataclass(frozen=True, slots=True)
class ArchiveFacts:
    """What the disk says of the archive. Sizes in bytes, owner and user by number, ``mode`` as ``ls -l`` shows it.

    ``refusal`` is why a reader cannot open it (kind, message, hint); ``holder`` the process that is writing to it.
    """

    path: str
    folder: bool = True
    exists: bool = True
    user: int = 0
    owner: int = 0
    mode: str = ""
    readable: bool = True
    writable: bool = True
    folder_writable: bool = True
    size: int = 0
    log: int = 0
    free: int | None = None
    holder: str | None = None
    refusal: tuple[str, str, str] | None = None


def free_space(folder: Path) -> int:
    """The bytes this user may still write on a folder's disk. Raises ``OSError``."""
    return shutil.disk_usage(folder).free


def inspected(path: Path, free: Callable[[Path], int] = free_space) -> ArchiveFacts:
    """What is to be seen of an archive from outside; nothing is created and nothing changed."""
    folder = path.parent
    if not folder.is_dir():
        return ArchiveFacts(shown(path), folder=False, exists=False, user=os.geteuid())
    facts = ArchiveFacts(
        shown(path),
        exists=path.exists(),
        user=os.geteuid(),
        owner=os.geteuid(),
        folder_writable=_may(folder, os.W_OK | os.X_OK),
        free=_free(folder, free),
    )
    return _of_file(path, facts) if facts.exists else facts


def _of_file(path: Path, seen: ArchiveFacts) -> ArchiveFacts:
    about = path.stat()
    return ArchiveFacts(
        seen.path,
        user=seen.user,
        owner=about.st_uid,
        mode=stat.filemode(about.st_mode),
        readable=_may(path, os.R_OK),
        writable=_may(path, os.W_OK),
        folder_writable=seen.folder_writable,
        size=about.st_size,
        log=log_size(path),
        free=seen.free,
        holder=holder(path),
        refusal=_refusal(path),
    )


def _may(path: Path, right: int) -> bool:
    return os.access(path, right, effective_ids=True)


def _free(folder: Path, free: Callable[[Path], int]) -> int | None:
    try:
        return free(folder)
    except OSError:
        return None


def _refusal(path: Path) -> tuple[str, str, str] | None:
    try:
        with Reader(path):
            return None
    except ArchiveError as error:
        return error.kind, error.message, error.hint


def shown(path: Path) -> str:
    """A path as it may be told: this user's home folder as ``~``."""
    home = Path.home()
    return f"~/{path.relative_to(home)}" if home != Path("/") and path.is_relative_to(home) else str(path)


def of_archive(facts: ArchiveFacts) -> Iterator[Finding]:
    """The lines about the archive."""
    if not facts.folder:
        yield Finding("archive", "bad", f"the folder of {facts.path} does not exist", "Create it, or change `archive`")
        return
    yield from _of_owner(facts)
    yield from _of_rights(facts)
    yield from _of_content(facts)
    yield from _of_room(facts)


def _of_owner(facts: ArchiveFacts) -> Iterator[Finding]:
    if facts.owner == facts.user:
        return
    owner, user = _name(facts.owner), _name(facts.user)
    remedy = f"Run it as {owner} (sudo -u '#{facts.owner}' …), or make it yours: chown {facts.user} {facts.path}*"
    # Root may write everything; but what root makes beside the archive its owner cannot write.
    verdict: Verdict = "warning" if facts.user == 0 else "bad"
    yield Finding("archive", verdict, f"{facts.path} belongs to {owner}, and this is {user}", remedy)


def _of_rights(facts: ArchiveFacts) -> Iterator[Finding]:
    user = _name(facts.user)
    if facts.exists and not (facts.readable and facts.writable):
        lacking = "write" if facts.readable else "read"
        remedy = f"chmod u+rw {facts.path} as its owner, or run as its owner"
        yield Finding("archive", "bad", f"{user} may not {lacking} {facts.path} ({facts.mode})", remedy)
    if not facts.folder_writable:
        remedy = f"Give {user} the right to write there: the log and the lock stand beside the archive"
        yield Finding("archive", "bad", f"{user} may not write in the folder of {facts.path}", remedy)


def _name(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"


def _of_content(facts: ArchiveFacts) -> Iterator[Finding]:
    if not facts.exists:
        yield Finding("archive", "ok", f"there is none yet at {facts.path}; `aggregator fetch` makes it")
        return
    if facts.refusal:
        kind, message, hint = facts.refusal
        yield Finding("archive", "bad", f"{kind}: {told(message)}", hint)
        return
    held = f"; process {facts.holder} is writing to it" if facts.holder else ""
    yield Finding("archive", "ok", f"{facts.path}, {told_size(facts.size)}, its schema is known{held}")
    if facts.log > max(MUCH_LOG, facts.size):
        remedy = "End readers that never stop (browse, sqlite3); the next writer then folds it in"
        yield Finding("archive", "warning", f"its write-ahead log has grown to {told_size(facts.log)}", remedy)


def _of_room(facts: ArchiveFacts) -> Iterator[Finding]:
    if facts.free is None:
        return
    left = f"{told_size(facts.free)} free on its disk"
    if facts.free < FULL:
        yield Finding("archive", "bad", f"the disk is full: {left}", "Make room; everything committed so far is safe")
    elif facts.free < max(LITTLE, 2 * facts.size):
        yield Finding(
            "archive", "warning", f"only {left}", "Make room before it is full; a copy needs as much as the archive"
        )
    else:
        yield Finding("archive", "ok", left)


def told_size(count: int) -> str:
    """Bytes in the unit people say them in."""
    for size, unit in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"
