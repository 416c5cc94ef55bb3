"""What an audit reads of a SQLite ledger."""

import json
from collections.abc import Collection, Sequence

from everytick.ledgers import rows
from everytick.ledgers.record import Record
from everytick.ledgers.rows import numbers
from everytick.ledgers.sqlite.connection import Connection
from everytick.tick import Key, TickRow
from everytick.when import Instant


class SqliteRecord(Record[Connection]):
    """The record of a SQLite ledger."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def _list_of_numbers(self, values: Collection[int]) -> str:
        return numbers(values)

    def _list_of_names(self, names: Sequence[str]) -> str:
        return json.dumps(list(names))

    def _before(self, tasks: Sequence[int], moment: Instant) -> list[TickRow | None]:
        return [self.recorded_before(task_id, 0, moment) for task_id in tasks]

    def standing(self, keys: Collection[Key]) -> set[Key]:
        return {Key(*row) for row in self._db.rows("select_standing", keys=rows.keys(keys))}
