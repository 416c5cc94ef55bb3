"""A ledger in one SQLite file, for any number of processes on one machine."""

from types import TracebackType
from typing import Self

from everytick.ledgers.sqlite.changes import SqliteChanges
from everytick.ledgers.sqlite.connection import Connection
from everytick.ledgers.sqlite.copies import SqliteCopies
from everytick.ledgers.sqlite.editions import bring_up_to_date, told
from everytick.ledgers.sqlite.pruning import SqlitePruning
from everytick.ledgers.sqlite.reads import SqliteReads
from everytick.ledgers.sqlite.writes import SqliteWrites
from everytick.upkeep import MigrationRow

__all__ = ["SqliteLedger"]


class SqliteLedger(SqliteWrites, SqliteChanges, SqliteReads, SqlitePruning, SqliteCopies):
    """A ledger in one SQLite file.

    Args:
        path: The file; made if it is not there. ``:memory:`` keeps it in this process alone.
        patience: Seconds to wait for other writers before LedgerLocked.
        marked: Open it even if it is the half copy of another, or was given up for one.

    Attributes:
        path: The file, its links followed; ``:memory:`` for none.
        migrated: The migrations that opening it has run.

    Raises:
        LedgerError: The file cannot be opened, is damaged, or a newer release wrote it.
    """

    def __init__(self, path: str, *, patience: float = 30.0, marked: bool = False) -> None:
        connection = Connection(path, patience)
        SqliteWrites.__init__(self, connection)
        SqliteChanges.__init__(self, connection)
        SqliteReads.__init__(self, connection)
        SqliteCopies.__init__(self, connection)
        self.path = connection.path
        try:
            self.migrated = bring_up_to_date(connection, marked=marked)
        except BaseException:
            connection.close()
            raise

    def migrations(self) -> list[MigrationRow]:
        return told(self._db)

    def migrate(self) -> list[str]:
        return bring_up_to_date(self._db, after=True)

    def close(self) -> None:
        """Close it; committed work stays."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
