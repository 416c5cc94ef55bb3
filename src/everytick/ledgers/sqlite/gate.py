"""The gate that writers of one file pass, one at a time: an flock on a file beside it.

SQLite's own waiting backs off to 100 ms and starves: of four busy processes some waited 4.7 s for it. In
the kernel's queue for a lock they take turns. The file lies beside the ledger and is never deleted; it is
empty, and says nothing.
"""

import fcntl
import os
from threading import Event, Lock, Thread

from everytick.errors import LedgerLocked
from everytick.ledgers.sqlite.faults import explain_gate


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
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._queue(self._file)

    def _queue(self, file: int) -> None:
        self._file = None
        try:
            came = _Turn(file).comes_within(self._patience)
        except RuntimeError as fault:
            raise LedgerLocked(f"{self._path}: another process is writing, and to wait: {fault}") from fault
        if not came:
            raise LedgerLocked(
                f"{self._path}: another process has been writing for {self._patience:g} s, or was stopped "
                f"while it wrote. See which one: fuser {self._path}-gate"
            )
        self._file = file

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close it; whoever waits goes on."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


class _Turn:
    """A place in the kernel's queue for a lock, kept by a thread, so that its owner can give it up."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._come = Event()
        self._given_up = False
        self._deciding = Lock()

    def comes_within(self, seconds: float) -> bool:
        """Wait; where the turn does not come, or waiting is cut short, the file is the thread's to close."""
        try:
            Thread(target=self._wait, name="everytick gate", daemon=True).start()
        except RuntimeError:  # this machine has no thread left
            os.close(self._file)
            raise
        came = False
        try:
            came = self._come.wait(seconds)
        finally:
            with self._deciding:
                self._given_up = not came
                if self._come.is_set() and not came:
                    os.close(self._file)
        return came

    def _wait(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_EX)
        with self._deciding:
            if self._given_up:
                os.close(self._file)
            else:
                self._come.set()


def _opened(path: str) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as fault:
        raise explain_gate(fault, path) from fault
