"""What an audit reads of a PostgreSQL ledger."""

from collections.abc import Collection, Sequence

from everytick.ledgers import rows
from everytick.ledgers.postgres.arrays import array, numbers
from everytick.ledgers.postgres.connection import Connection
from everytick.ledgers.record import Record
from everytick.ledgers.rows import bound
from everytick.tick import Key, TickRow
from everytick.when import Instant


class PostgresRecord(Record[Connection]):
    """The record of a PostgreSQL ledger."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def _list_of_numbers(self, values: Collection[int]) -> str:
        return numbers(values)

    def _list_of_names(self, names: Sequence[str]) -> str:
        return array(names)

    def _before(self, tasks: Sequence[int], moment: Instant) -> list[TickRow]:
        found = self._db.rows("select_all_before", tasks=self._list_of_numbers(tasks), moment=moment)
        return [rows.tick(row) for row in found]

    def standing(self, keys: Collection[Key]) -> set[Key]:
        found = self._db.batch("select_standing", [bound(key) for key in keys])
        return {Key(*row) for row in found}
