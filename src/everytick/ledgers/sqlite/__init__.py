"""A ledger in one SQLite file, for any number of processes on one machine."""

from types import TracebackType
from typing import Self

from everytick.ledgers.sqlite.connection import Connection
from everytick.ledgers.sqlite.reads import SqliteReads
from everytick.ledgers.sqlite.writes import SqliteWrites

__all__ = ["SqliteLedger"]


class SqliteLedger(SqliteWrites, SqliteReads):
    """A ledger in one SQLite file.

    Args:
        path: The file; made if it is not there. ``:memory:`` keeps it in this process alone.

    Raises:
        LedgerError: The file cannot be opened, is damaged, or a newer release wrote it.
    """

    def __init__(self, path: str) -> None:
        connection = Connection(path)
        SqliteWrites.__init__(self, connection)
        SqliteReads.__init__(self, connection)
        self.path = path

    def close(self) -> None:
        """Close it; committed work stays."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
