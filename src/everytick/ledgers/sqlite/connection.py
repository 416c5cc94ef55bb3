"""One SQLite file: opening it, bringing it up to date, transactions, and what can go wrong with it.

Writers pass a gate, an flock on a file beside the ledger. SQLite's own waiting backs off to 100 ms and
starves: four busy processes waited up to 4.7 s for it, and 66 ms at the gate. As all checkpoints happen
inside a commit, the gate also keeps two of them from ever running at once.

When the disk fails to confirm a commit, the commit is in doubt: the frames may lie in the journal. Then
the connection is opened anew, which settles the question, and the caller re-reads what it holds.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

from everytick.errors import (
    LedgerDamaged,
    LedgerError,
    LedgerFull,
    LedgerLocked,
    LedgerReadOnly,
    LedgerTooNew,
)
from everytick.ledgers.statements import migrations, statements

APPLICATION = 1702130793
"""Marks a SQLite file as a ledger of Everytick ('etti')."""

_SQL = statements("sqlite")
_PATIENCE = 30.0
_GLANCE = 0.002


class Connection:
    """A connection to one ledger file, brought up to date when it is opened.

    Args:
        path: The file, or ``:memory:``.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._gate = _Gate(path)
        self._open()
        try:
            self._migrate()
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        with self._explained():
            self._db = sqlite3.connect(
                self.path, isolation_level=None, cached_statements=200, check_same_thread=False
            )
            try:
                for pragma in ("patient", "journal", "durable", "journal_limit"):
                    self._db.execute(_SQL[pragma])
            except sqlite3.Error:
                self._db.close()
                raise
            self._identity = self._inode()

    def execute(self, statement: str, /, **values: Any) -> int:  # noqa: ANN401 - whatever SQLite can bind
        """Run a statement that writes; return how many rows it changed."""
        with self._explained():
            return self._db.execute(_SQL[statement], values).rowcount

    def insert(self, statement: str, /, **values: Any) -> int:  # noqa: ANN401 - whatever SQLite can bind
        """Run a statement that inserts one row; return the number it was given."""
        with self._explained():
            return self._db.execute(_SQL[statement], values).lastrowid or 0

    def many(self, statement: str, /, rows: Sequence[Mapping[str, Any]]) -> int:
        """Run a statement that writes once for each row; return how many rows changed."""
        if not rows:
            return 0
        with self._explained():
            return self._db.executemany(_SQL[statement], rows).rowcount

    def rows(self, statement: str, /, **values: Any) -> list[tuple[Any, ...]]:  # noqa: ANN401 - what SQLite can bind
        """Return all rows of a statement that reads."""
        with self._explained():
            return self._db.execute(_SQL[statement], values).fetchall()

    def row(self, statement: str, /, **values: Any) -> tuple[Any, ...] | None:  # noqa: ANN401 - what SQLite can bind
        """Return the first row of a statement that reads."""
        with self._explained():
            found: tuple[Any, ...] | None = self._db.execute(_SQL[statement], values).fetchone()
            return found

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the writer's lock; commit at the end, or leave nothing behind an error."""
        with self._gate:
            self.execute("begin")
            try:
                yield
                self._commit()
            finally:
                if self._db.in_transaction:
                    self.execute("rollback")

    def _commit(self) -> None:
        try:
            self.execute("commit")
        except LedgerError as fault:
            if isinstance(fault.__cause__, sqlite3.Error) and _name(fault.__cause__).startswith(
                "SQLITE_IOERR"
            ):
                self._db.close()
                self._open()
            raise

    def check_place(self) -> None:
        """Refuse to go on where the file was moved or deleted under us: SQLite itself does not notice.

        Raises:
            LedgerDamaged: The path leads to another file, or to none.
        """
        if self._inode() != self._identity:
            raise LedgerDamaged(
                f"{self.path} was moved, deleted or replaced while it was open. Put it back, then start again"
            )

    def _inode(self) -> tuple[int, int] | None:
        if self.path == ":memory:":
            return None
        try:
            status = os.stat(self.path)  # noqa: PTH116 - two numbers of a path that is a str
        except FileNotFoundError:
            return (0, 0)
        return status.st_dev, status.st_ino

    def close(self) -> None:
        """Close the connection; an open transaction is rolled back."""
        self._db.close()
        self._gate.close()

    def _migrate(self) -> None:
        scripts = migrations("sqlite")
        newest = max(scripts)
        if self._edition() == newest:
            return
        with self.transaction():
            edition = self._edition()
            if edition > newest:
                raise LedgerTooNew(
                    f"{self.path} was written by a newer Everytick (edition {edition} of the ledger; this "
                    f"release knows {newest}). Upgrade Everytick, or open a copy from before the upgrade"
                )
            for number, script in scripts.items():
                if number > edition:
                    self._run(script)

    def _edition(self) -> int:
        edition = int((self.row("edition") or (0,))[0])
        application = int((self.row("application") or (0,))[0])
        tables = int((self.row("table_count") or (0,))[0])
        if application != APPLICATION and (edition or application or tables):
            raise LedgerDamaged(
                f"{self.path} is a SQLite file of another program; name a file of its own for the ledger"
            )
        return edition

    def _run(self, script: str) -> None:
        with self._explained():
            statement = ""
            for line in script.splitlines(keepends=True):
                statement += line
                if sqlite3.complete_statement(statement):
                    self._db.execute(statement)
                    statement = ""

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.IntegrityError:
            raise
        except sqlite3.Error as fault:
            raise self._explain(fault) from fault

    def _explain(self, fault: sqlite3.Error) -> LedgerError:
        name = _name(fault)
        for prefix, (kind, mend) in _FAULTS.items():
            if name.startswith(prefix):
                return kind(f"{self.path}: {mend} ({name})")
        if name.startswith("SQLITE_CANTOPEN"):
            folder = Path(self.path).parent
            mend = "is a folder" if Path(self.path).is_dir() else f"cannot be opened; does {folder} exist?"
            return LedgerReadOnly(f"{self.path} {mend} ({name})")
        return LedgerError(f"{self.path}: {fault} ({name or type(fault).__name__})")


class _Gate:
    """Lets one writer of the file in at a time, first come or nearly so."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: int | None = None

    def __enter__(self) -> None:
        if self._path == ":memory:":
            return
        if self._file is None:
            self._file = self._open()
        waited = 0.0
        pause = Event()
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if waited > _PATIENCE:
                    raise LedgerLocked(f"{self._path}: {_FAULTS['SQLITE_BUSY'][1]}") from None
                pause.wait(_GLANCE)
                waited += _GLANCE
            else:
                return

    def _open(self) -> int:
        try:
            return os.open(f"{self._path}-gate", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as fault:
            raise LedgerReadOnly(f"{self._path}-gate: {fault.strerror}; writers need it") from fault

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _name(fault: sqlite3.Error) -> str:
    return str(getattr(fault, "sqlite_errorname", ""))


_FAULTS: Mapping[str, tuple[type[LedgerError], str]] = {
    "SQLITE_BUSY": (
        LedgerLocked,
        "another process has held the ledger for 30 s. See who has it open: fuser FILE",
    ),
    "SQLITE_LOCKED": (LedgerLocked, "another connection of this process holds the ledger"),
    "SQLITE_FULL": (
        LedgerFull,
        "the disk is full. Nothing that was committed is lost; make room, then start again",
    ),
    "SQLITE_READONLY": (LedgerReadOnly, "the file or its folder cannot be written by this user"),
    "SQLITE_CORRUPT": (
        LedgerDamaged,
        "the file is damaged. Keep it, restore the last backup beside it, and look at the disk",
    ),
    "SQLITE_NOTADB": (LedgerDamaged, "the file is no ledger of Everytick, nor any SQLite file"),
    "SQLITE_IOERR": (LedgerError, "the disk failed to read or write. What was committed is safe so far"),
}
