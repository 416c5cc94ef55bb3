"""One SQLite file: opening it, and transactions.

Writers pass a gate. As checkpoints happen only inside a commit, which holds the gate, or when the last
connection closes, no two of them run at once: SQLite before 3.51.3 could damage a file otherwise.

When the disk fails to confirm a commit, the commit is in doubt: its frames may lie in the journal. Then
the connection is closed and opened anew, which settles the question, and the caller re-reads what it holds.
"""

import os
import sqlite3
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from everytick.errors import LedgerDamaged, LedgerError
from everytick.ledgers.sqlite.faults import explain, name_of
from everytick.ledgers.sqlite.gate import Gate
from everytick.ledgers.statements import statements

MEMORY = ":memory:"
"""The path of a ledger that lives and dies with its process."""

Row = tuple[Any, ...]
"""One row of an answer."""

Values = Mapping[str, Any]
"""What the parameters of a statement are bound to."""

_SQL = statements("sqlite")


class Connection:
    """A connection to one ledger file.

    Writing statements run inside transaction() alone; it explains what SQLite says of them.

    Args:
        path: The file, or MEMORY.
        patience: Seconds to wait for other writers.
    """

    def __init__(self, path: str, patience: float) -> None:
        self.path = path if path == MEMORY else str(Path(path).resolve())
        self._patience = patience
        self._gate = Gate(None if path == MEMORY else self.path, patience)
        self._open = True
        self._in_doubt = False
        self._db = self._opened()
        self._place = self._inode()

    def execute(self, statement: str, /, **values: Any) -> int:  # noqa: ANN401 - whatever SQLite can bind
        """Run a statement that writes; return how many rows it changed."""
        return self._db.execute(_SQL[statement], values).rowcount

    def insert(self, statement: str, /, **values: Any) -> int:  # noqa: ANN401 - whatever SQLite can bind
        """Run a statement that inserts one row; return the number it was given."""
        return self._db.execute(_SQL[statement], values).lastrowid or 0

    def many(self, statement: str, /, rows: Sequence[Values] | Sequence[Row]) -> int:
        """Run a statement that writes once for each row; return how many rows changed."""
        return self._db.executemany(_SQL[statement], rows).rowcount if rows else 0

    def rows(self, statement: str, /, **values: Any) -> list[Row]:  # noqa: ANN401 - whatever SQLite can bind
        """Return all rows of a statement that reads."""
        self._ready()
        try:
            return self._db.execute(_SQL[statement], values).fetchall()
        except sqlite3.Error as fault:
            raise explain(fault, self.path) from fault

    def pages(self, statement: str, limit: int, /, **values: Any) -> Generator[list[Row], None, None]:  # noqa: ANN401 - whatever SQLite can bind
        """Yield what a statement that reads returns, so many rows at a time."""
        self._ready()
        try:
            with closing(self._db.execute(_SQL[statement], values)) as cursor:
                while page := cursor.fetchmany(limit):
                    yield page
        except sqlite3.Error as fault:
            raise explain(fault, self.path) from fault

    def row(self, statement: str, /, **values: Any) -> Row | None:  # noqa: ANN401 - whatever SQLite can bind
        """Return the first row of a statement that reads."""
        found = self.rows(statement, **values)
        return found[0] if found else None

    def script(self, text: str) -> None:
        """Run several statements that take no values, within a transaction."""
        statement = ""
        for line in text.splitlines(keepends=True):
            statement += line
            if sqlite3.complete_statement(statement):
                self._db.execute(statement)
                statement = ""

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the writers' gate and SQLite's lock; commit at the end, or leave nothing behind an error.

        Raises:
            LedgerError: SQLite could not do it, and why.
        """
        with self._gate:
            self._check_place()
            self._ready()
            try:
                self.execute("begin")
                yield
                self._commit()
            except sqlite3.Error as fault:
                raise explain(fault, self.path) from fault
            finally:
                self._leave()

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo, within a transaction, what a refused row came with."""
        self.execute("mark")
        try:
            yield
        except sqlite3.IntegrityError:
            self.execute("undo")
            raise
        finally:
            if self._db.in_transaction:
                self.execute("release")

    def close(self) -> None:
        """Close the connection; an open transaction is rolled back."""
        self._open = False
        self._db.close()
        self._gate.close()

    def _opened(self) -> sqlite3.Connection:
        try:
            db = sqlite3.connect(
                self.path,
                timeout=min(self._patience, 5.0),
                isolation_level=None,
                cached_statements=200,
                check_same_thread=False,
            )
            try:
                for pragma in ("journal", "durable", "journal_limit"):
                    db.execute(_SQL[pragma])
            except sqlite3.Error:
                db.close()
                raise
        except sqlite3.Error as fault:
            raise explain(fault, self.path) from fault
        return db

    def _commit(self) -> None:
        try:
            self.execute("commit")
        except sqlite3.Error as fault:
            self._in_doubt = name_of(fault).startswith("SQLITE_IOERR")
            raise

    def _leave(self) -> None:
        """Roll back what is not committed; where even that fails, begin with a new connection."""
        if not self._in_doubt and self._db.in_transaction:
            try:
                self.execute("rollback")
            except sqlite3.Error:
                self._in_doubt = True
        if self._in_doubt:
            self._db.close()

    def _ready(self) -> None:
        """Make sure of a connection: the one of a commit in doubt was closed."""
        if not self._open:
            raise LedgerError(f"{self.path}: this ledger was closed")
        if self._in_doubt:
            self._check_place()
            self._db = self._opened()
            self._in_doubt = False

    def _check_place(self) -> None:
        """Refuse to go on where the file was moved or deleted under us: SQLite itself does not notice."""
        if self._inode() != self._place:
            raise LedgerDamaged(
                f"{self.path}: the file was moved, deleted or replaced while it was open. Put it back, then "
                "start again"
            )

    def _inode(self) -> tuple[int, int] | None:
        if self.path == MEMORY:
            return None
        try:
            status = os.stat(self.path)  # noqa: PTH116 - two numbers, before every write
        except OSError:  # it is gone, or the way to it is
            return (0, 0)
        return status.st_dev, status.st_ino
