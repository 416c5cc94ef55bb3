"""Taking a PostgreSQL ledger elsewhere, and making one of another ledger."""

from collections.abc import Generator, Mapping, Sequence

from everytick import release
from everytick.errors import LedgerError
from everytick.ledgers import reach
from everytick.ledgers.postgres.connection import Connection
from everytick.ledgers.postgres.editions import HALF, MOVED
from everytick.upkeep import KEYS, WENT_ON, Copying, Place, Row, Tally


class PostgresCopies:
    """The part of a PostgreSQL ledger that copies.

    Args:
        connection: The schema.
    """

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def tally(self) -> Tally:
        return dict(self._db.rows("tally"))

    def numbers(self) -> Mapping[str, int]:
        return dict(self._db.rows("select_numbers"))

    def pages(self, table: str, behind: Place | None, limit: int) -> Generator[list[Row], None, None]:
        return self._db.pages(f"read_{table}", limit, **reach.bound(table, behind))

    def copying(self) -> Copying | None:
        if not self._db.rows("copy_table", schema=self._db.quoted)[0][0]:
            return None
        return reach.copying(self._db.rows("select_copy"))

    def begin_copy(self, source: Tally) -> None:
        self._db.transact(lambda: self._begin_copy(source), begin="begin_edit")

    def _begin_copy(self, source: Tally) -> None:
        self._db.execute("one_at_a_time", schema=self._db.address.schema)
        if any(self.tally()[table] for table in KEYS):
            raise LedgerError(f"{self._db.told}: this ledger is not empty; name a new one to copy into")
        self._db.execute("make_copy")
        for row in reach.begun(source):
            self._db.execute("insert_copy", **row)
        self._db.execute("insert_migration", name=HALF, release=release.VERSION)

    def put(self, table: str, rows: Sequence[Row], behind: Place | None) -> None:
        self._db.transact(lambda: self._put(table, rows, behind), begin="begin_edit")

    def _put(self, table: str, rows: Sequence[Row], behind: Place | None) -> None:
        if not self._db.execute("move_copy", **reach.moved(table, rows, behind)):
            raise LedgerError(f"{self._db.told}: somebody else copies into this ledger, too")
        self._db.take_in(f"put_{table}", rows)

    def analyze(self) -> None:
        self._db.transact(lambda: self._db.execute("analyze"), begin="begin_edit")

    def end_copy(self, numbers: Mapping[str, int]) -> None:
        self._db.transact(lambda: self._end_copy(numbers), begin="begin_edit")

    def _end_copy(self, numbers: Mapping[str, int]) -> None:
        for name, number in numbers.items():
            self._db.execute("set_number", schema=self._db.quoted, name=name, number=number)
        self._db.execute("drop_copy")
        self._db.execute("delete_migration", name=HALF)

    def move_to(self, successor: str, counted: Tally) -> None:
        self._db.transact(lambda: self._move_to(successor, counted), begin="begin_edit")

    def _move_to(self, successor: str, counted: Tally) -> None:
        self._db.execute("refuse_writers")
        if self.tally() != counted:
            raise LedgerError(WENT_ON)
        self._db.execute("make_successor")
        self._db.execute("delete_successor")
        self._db.execute("insert_successor", url=successor)
        self._db.execute("delete_migration", name=MOVED)
        self._db.execute("insert_migration", name=MOVED, release=release.VERSION)
