"""What can be wrong with a SQLite file, and how to mend it: one clear error for each."""

import errno
import sqlite3
from collections.abc import Mapping
from pathlib import Path

from everytick.errors import LedgerDamaged, LedgerError, LedgerFull, LedgerLocked, LedgerMoved, LedgerReadOnly

_FULL = "the disk is full. Nothing that was committed is lost; make room, then try again"
_FAULTS: Mapping[str, tuple[type[LedgerError], str]] = {
    "SQLITE_BUSY": (
        LedgerLocked,
        "another program holds the ledger. See which one has it open: fuser {path}",
    ),
    "SQLITE_LOCKED": (LedgerLocked, "another connection of this process holds the ledger"),
    "SQLITE_FULL": (LedgerFull, _FULL),
    "SQLITE_READONLY": (
        LedgerReadOnly,
        "the file or its folder cannot be written by this user. Give the user both, or name another file",
    ),
    "SQLITE_CORRUPT": (
        LedgerDamaged,
        "the file is damaged. Keep it, restore the last backup beside it, and look at the disk",
    ),
    "SQLITE_NOTADB": (LedgerDamaged, "the file is no ledger of Everytick, nor any SQLite file; name another"),
    "SQLITE_CONSTRAINT": (
        LedgerDamaged,
        "a row that breaks a law of the ledger was refused with its whole transaction. Run everytick audit",
    ),
    "SQLITE_IOERR": (
        LedgerError,
        "the disk failed to read or write. What was committed is safe so far; look at the disk",
    ),
}


_ELSEWHERE = "its tasks went on elsewhere"
"""What a ledger that was given up says to who has opened it before."""


def name_of(fault: sqlite3.Error) -> str:
    """Return SQLite's own name of a fault, such as SQLITE_FULL; empty where it has none."""
    return str(getattr(fault, "sqlite_errorname", ""))


def explain(fault: sqlite3.Error, path: str) -> LedgerError:
    """Return the error to raise for what SQLite said."""
    name = name_of(fault)
    if name.startswith("SQLITE_CANTOPEN"):
        return _unopened(path, name)
    if _ELSEWHERE in str(fault):
        return LedgerMoved(
            f"{path}: this ledger was given up while it was open. Open it anew, and it tells where its tasks "
            f"are ({fault})"
        )
    for prefix, (kind, mend) in _FAULTS.items():
        if name.startswith(prefix):
            detail = f"{name}: {fault}" if prefix == "SQLITE_CONSTRAINT" else name
            return kind(f"{path}: {mend.format(path=path)} ({detail})")
    return LedgerError(f"{path}: {fault} ({name or type(fault).__name__})")


def explain_gate(fault: OSError, path: str) -> LedgerError:
    """Return the error to raise where the file of the gate cannot be made or opened."""
    if fault.errno in {errno.ENOSPC, errno.EDQUOT}:
        return LedgerFull(f"{path}: {_FULL} ({fault.strerror})")
    if fault.errno in {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO}:
        return LedgerError(f"{path}: this machine cannot open it now: {fault.strerror}")
    return LedgerReadOnly(f"{path}: {_FAULTS['SQLITE_READONLY'][1]} ({fault.strerror})")


def _unopened(path: str, name: str) -> LedgerError:
    place = Path(path)
    if place.is_dir():
        return LedgerReadOnly(
            f"{path}: this is a folder; name a file in it, such as {path}/everytick.db ({name})"
        )
    if not place.parent.is_dir():
        return LedgerReadOnly(f"{path}: there is no folder {place.parent}; make it first ({name})")
    return LedgerReadOnly(f"{path}: this user can neither open nor make the file there ({name})")
