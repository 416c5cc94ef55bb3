"""The gate that writers of one file pass, one at a time: an flock on a file beside it.

SQLite's own waiting backs off to 100 ms and starves: four busy processes waited up to 4.7 s for it. The
file lies beside the ledger and is never deleted; it is empty, and says nothing.
"""

import fcntl
import os
from threading import Event

from everytick.errors import LedgerLocked
from everytick.ledgers.sqlite.faults import explain_gate

_GLANCE = 0.002


class Gate:
    """Lets one writer of a file in at a time.

    Args:
        path: The file whose gate it is; None for a ledger that nobody else can see.
        patience: Seconds to wait for those inside.
    """

    def __init__(self, path: str | None, patience: float) -> None:
        self._path = path
        self._patience = patience
        self._file: int | None = None

    def __enter__(self) -> None:
        if self._path is None:
            return
        if self._file is None:
            self._file = _opened(f"{self._path}-gate")
        if not _taken(self._file):
            self._wait(self._file)

    def _wait(self, file: int) -> None:
        pause = Event()
        for _ in range(round(self._patience / _GLANCE)):
            pause.wait(_GLANCE)
            if _taken(file):
                return
        raise LedgerLocked(
            f"{self._path}: another process has been writing for {self._patience:g} s, or was stopped while "
            f"it wrote. See which one: fuser {self._path}-gate"
        )

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close it; whoever waits goes on."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _opened(path: str) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as fault:
        raise explain_gate(fault, path) from fault


def _taken(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
