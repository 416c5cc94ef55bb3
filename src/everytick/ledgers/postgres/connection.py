"""A connection to one PostgreSQL ledger: opening it, and transactions.

It keeps nothing in its session: every name is written with its schema, nothing is prepared, and what is
set is set for one transaction. So it works behind pgbouncer in transaction mode.

A commit that the server did not confirm is in doubt. The connection is made anew, and the caller
re-reads what it holds.
"""

import re
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any, TypeVar

import psycopg
from psycopg import sql

from everytick.errors import LedgerError, LedgerLocked
from everytick.ledgers.postgres import arrays
from everytick.ledgers.postgres.address import Address
from everytick.ledgers.postgres.arrays import Values
from everytick.ledgers.postgres.faults import AGAIN, explain
from everytick.ledgers.postgres.floor import Floor
from everytick.ledgers.statements import statements

T = TypeVar("T")

Row = tuple[Any, ...]
"""One row of an answer."""

_TRIES = 5
_SCHEMA = re.compile(r"\beverytick\.")


class Clash(Exception):
    """Another transaction was first; this one is undone and looks again."""


@cache
def in_schema(schema: str) -> dict[str, bytes]:
    """Return the statements as they are for a ledger in this schema."""
    taking_values = schema.replace("%", "%%")
    return {
        name: renamed(text, taking_values if "%(" in text else schema).encode()
        for name, text in statements("postgres").items()
    }


def renamed(text: str, schema: str) -> str:
    """Return SQL that names the schema ``everytick`` as it is for a ledger in another."""
    quoted = sql.Identifier(schema).as_string(None)
    text = text.replace("SCHEMA IF NOT EXISTS everytick", f"SCHEMA IF NOT EXISTS {quoted}")
    return _SCHEMA.sub(lambda _: f"{quoted}.", text)


class Connection:
    """A connection that is made when it is needed, and made anew when it was lost.

    Args:
        address: Where the ledger lies.

    Attributes:
        ready: From where on it looks for ready ticks; a line is a queue, a class and who is left out.
        due: From where on it looks for cursors; there is one line.
        room: From where on it looks for cursors that have room for more ticks; a line is who is left out.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self.ready = Floor()
        self.due = Floor()
        self.room = Floor()
        self._sql = in_schema(address.schema)
        self._db: psycopg.Connection[Row] | None = None
        self._open = True
        self._within = False

    @property
    def told(self) -> str:
        """The ledger's address as people may see it."""
        return self.address.told

    @property
    def quoted(self) -> str:
        """The schema as it is written in SQL."""
        return sql.Identifier(self.address.schema).as_string(None)

    def execute(self, statement: str, /, **values: Any) -> int:  # noqa: ANN401 - whatever psycopg can bind
        """Run a statement; return how many rows it changed."""
        return self._run(statement, values).rowcount

    def many(self, statement: str, /, rows: Sequence[Values], **values: Any) -> int:  # noqa: ANN401 - see execute
        """Run a statement that takes a batch, one array a column; return how many rows it changed."""
        return self._run(statement, arrays.columns(rows) | values).rowcount if rows else 0

    def batch(self, statement: str, /, rows: Sequence[Values], **values: Any) -> list[Row]:  # noqa: ANN401 - see execute
        """Run a statement that takes a batch, and return what it returns."""
        return self._run(statement, arrays.columns(rows) | values).fetchall() if rows else []

    def done(self, statement: str, /, rows: Sequence[Values], **values: Any) -> list[Values]:  # noqa: ANN401 - see execute
        """Run a statement that returns the keys of what it did of a batch; return those rows of the batch.

        Mostly it is all of them, and then no key is read.
        """
        if not rows:
            return []
        cursor = self._run(statement, arrays.columns(rows) | values)
        if cursor.rowcount == len(rows):
            return list(rows)
        named = [column.name for column in cursor.description or ()]
        keys = set(cursor.fetchall())
        return [row for row in rows if tuple([row[name] for name in named]) in keys]

    def take_in(self, statement: str, /, rows: Iterable[Row]) -> None:
        """Run a statement that takes rows in as they are."""
        with self._ready().cursor().copy(self._sql[statement]) as into:
            for row in rows:
                into.write_row(row)

    def rows(self, statement: str, /, **values: Any) -> list[Row]:  # noqa: ANN401 - see execute
        """Return all rows of a statement.

        Raises:
            LedgerError: The server could not do it, and why; transact() says so for what it is told to do.
        """
        try:
            return self._run(statement, values).fetchall()
        except psycopg.Error as fault:
            if self._within:
                raise
            raise explain(fault, self.told) from fault

    def pages(self, statement: str, limit: int, /, **values: Any) -> Generator[list[Row], None, None]:  # noqa: ANN401 - see execute
        """Yield what a statement that reads returns, so many rows at a time; nothing else meanwhile.

        Raises:
            LedgerError: The server could not do it, and why.
        """
        try:
            with self._transaction("begin_reading"), self._ready().cursor("pages") as cursor:
                cursor.execute(self._sql[statement], values)
                while page := cursor.fetchmany(limit):
                    yield page
        except psycopg.Error as fault:
            raise explain(fault, self.told) from fault

    def row(self, statement: str, /, **values: Any) -> Row | None:  # noqa: ANN401 - see execute
        """Return the first row of a statement."""
        found = self.rows(statement, **values)
        return found[0] if found else None

    def script(self, text: str) -> None:
        """Run several statements that take no values."""
        self._ready().execute(sql.SQL(renamed(text, self.address.schema)))

    def transact(self, work: Callable[[], T], *, begin: str = "begin", clash: bool = False) -> T:
        """Do work in a transaction; do it again where another was in the way.

        Args:
            work: What to do; it may be done several times.
            begin: The statement that begins it.
            clash: Whether a row that another wrote first means to look again, and not that one is wrong.

        Raises:
            LedgerError: The server could not do it, and why.
        """
        again = (*AGAIN, psycopg.errors.UniqueViolation) if clash else AGAIN
        for left in reversed(range(_TRIES)):
            try:
                with self._transaction(begin):
                    return work()
            except Clash as fault:
                if not left:
                    raise LedgerLocked(f"{self.told}: others were first, again and again") from fault
            except again as fault:
                if not left:
                    raise explain(fault, self.told) from fault
            except psycopg.Error as fault:
                raise explain(fault, self.told) from fault
        raise AssertionError  # the last try returns or raises

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo, within a transaction, what a refused row came with."""
        self.execute("mark")
        try:
            yield
        except psycopg.IntegrityError:
            self.execute("undo")
            raise
        self.execute("release")

    def close(self) -> None:
        """Close the connection; an open transaction is rolled back."""
        self._open = False
        self._drop()

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[None]:
        db = self._ready()
        self._within = True
        try:
            self.execute(begin)
            yield
            self.execute("commit")
        except BaseException:
            self._leave(db)
            raise
        finally:
            self._within = False

    def _leave(self, db: psycopg.Connection[Row]) -> None:
        """Roll back; where that cannot be said, begin with a new connection."""
        try:
            db.execute(self._sql["rollback"])
        except psycopg.Error:
            self._drop()

    def _run(self, statement: str, values: Values) -> psycopg.Cursor[Row]:
        return self._ready().execute(self._sql[statement], values or None)

    def _ready(self) -> psycopg.Connection[Row]:
        if not self._open:
            raise LedgerError(f"{self.told}: this ledger was closed")
        if self._db is not None and (self._within or not self._db.closed):
            return self._db
        self._drop()
        self._db = self._connected()
        return self._db

    def _connected(self) -> psycopg.Connection[Row]:
        db = psycopg.connect(
            **self.address.options,  # type: ignore[arg-type] # libpq's own names
            client_encoding="utf8",
            autocommit=True,
            prepare_threshold=None,
        )
        arrays.prepare(db)
        return db

    def _drop(self) -> None:
        if self._db is not None:
            with suppress(psycopg.Error):
                self._db.close()
            self._db = None
