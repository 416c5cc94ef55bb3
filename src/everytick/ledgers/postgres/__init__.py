"""A ledger in a PostgreSQL database, for any number of processes on any number of machines."""

from types import TracebackType
from typing import Self

from everytick.ledgers.postgres.address import address_of
from everytick.ledgers.postgres.changes import PostgresChanges
from everytick.ledgers.postgres.connection import Connection
from everytick.ledgers.postgres.copies import PostgresCopies
from everytick.ledgers.postgres.editions import bring_up_to_date, told
from everytick.ledgers.postgres.pruning import PostgresPruning
from everytick.ledgers.postgres.reads import PostgresReads
from everytick.ledgers.postgres.writes import PostgresWrites
from everytick.upkeep import MigrationRow

__all__ = ["PostgresLedger"]


class PostgresLedger(PostgresWrites, PostgresChanges, PostgresReads, PostgresPruning, PostgresCopies):
    """A ledger in a schema of a PostgreSQL database; one connection.

    Args:
        url: ``postgresql://USER@HOST/DATABASE?schema=everytick&sslmode=verify-full``. The schema is made if
            it is not there.
        marked: Open it even if it is the half copy of another, or was given up for one.

    Attributes:
        path: The URL as people may see it, without a password.
        migrated: The migrations that opening it has run.

    Raises:
        ConfigError: The URL cannot be read.
        LedgerError: The server cannot be reached or does not let us, or a newer release was here.
    """

    def __init__(self, url: str, *, marked: bool = False) -> None:
        connection = Connection(address_of(url))
        PostgresWrites.__init__(self, connection)
        PostgresChanges.__init__(self, connection)
        PostgresReads.__init__(self, connection)
        PostgresCopies.__init__(self, connection)
        self.path = connection.told
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
