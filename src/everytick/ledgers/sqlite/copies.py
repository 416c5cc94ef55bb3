"""Taking a SQLite ledger elsewhere, and making one of another ledger."""

from collections.abc import Generator, Mapping, Sequence

from everytick.errors import LedgerError
from everytick.ledgers import reach
from everytick.ledgers.sqlite.connection import Connection
from everytick.upkeep import KEYS, WENT_ON, Copying, Place, Row, Tally


class SqliteCopies:
    """The part of a SQLite ledger that copies.

    Args:
        connection: The file.
    """

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def tally(self) -> Tally:
        return dict(self._db.rows("tally"))

    def numbers(self) -> Mapping[str, int]:
        return {"task": 0, "change": 0, "process": 0} | dict(self._db.rows("select_numbers"))

    def pages(self, table: str, behind: Place | None, limit: int) -> Generator[list[Row], None, None]:
        return self._db.pages(f"read_{table}", limit, **reach.bound(table, behind))

    def copying(self) -> Copying | None:
        if not self._db.rows("copy_table")[0][0]:
            return None
        return reach.copying(self._db.rows("select_copy"))

    def begin_copy(self, source: Tally) -> None:
        with self._db.transaction():
            if any(self.tally()[table] for table in KEYS):
                raise LedgerError(f"{self._db.path}: this ledger is not empty; name a new one to copy into")
            self._db.execute("make_copy")
            self._db.many("insert_copy", reach.begun(source))
            self._db.execute("mark_as_copy")

    def put(self, table: str, rows: Sequence[Row], behind: Place | None) -> None:
        with self._db.transaction():
            if not self._db.execute("move_copy", **reach.moved(table, rows, behind)):
                raise LedgerError(f"{self._db.path}: somebody else copies into this ledger, too")
            self._db.many(f"put_{table}", rows)

    def analyze(self) -> None:
        """Do nothing: no statement of this dialect is planned by what the tables hold."""

    def end_copy(self, numbers: Mapping[str, int]) -> None:
        with self._db.transaction():
            for name in ("change", "process"):
                self._db.execute("delete_number", name=name)
                self._db.execute("insert_number", name=name, number=numbers[name])
            self._db.execute("drop_copy")
            self._db.execute("mark_as_ledger")

    def move_to(self, successor: str, counted: Tally) -> None:
        with self._db.transaction():
            if self.tally() != counted:
                raise LedgerError(WENT_ON)
            for writers in ("processes", "beats", "changes", "versions", "starts"):
                self._db.execute(f"refuse_{writers}")
            self._db.execute("make_successor")
            self._db.execute("delete_successor")
            self._db.execute("insert_successor", url=successor)
            self._db.execute("mark_as_moved")
