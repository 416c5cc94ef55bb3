"""What an audit reads, as both stores do it: pages of rows, and what is known of tasks."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

from everytick.ledgers import rows
from everytick.ledgers.rows import bound
from everytick.proof.seal import Seal
from everytick.record import Backfill, History
from everytick.tick import NEVER, Key, TickRow
from everytick.when import Instant

_PAGE = 5000


class Connection(Protocol):
    """What reads by the names of statements."""

    def rows(self, statement: str, /, **values: Any) -> list[Any]:  # noqa: ANN401 - what the store can bind
        """Return all rows of a statement."""
        ...

    def row(self, statement: str, /, **values: Any) -> Any | None:  # noqa: ANN401 - what the store can bind
        """Return the first row of a statement."""
        ...


C = TypeVar("C", bound=Connection)


class Record(ABC, Generic[C]):
    """The record of a ledger; how a store takes lists of values is its own matter."""

    _db: C

    @abstractmethod
    def _list_of_numbers(self, values: Collection[int]) -> str: ...

    @abstractmethod
    def _list_of_names(self, names: Sequence[str]) -> str: ...

    @abstractmethod
    def _before(self, tasks: Sequence[int], moment: Instant) -> Sequence[TickRow | None]: ...

    def task_count(self) -> int:
        return int((self._db.row("count_tasks") or (0,))[0])

    def histories(
        self, since: Instant | None, *, behind: int = 0, limit: int = 1000, names: Sequence[str] | None = None
    ) -> list[History]:
        if names is None:
            found = self._db.rows("select_histories", behind=behind, limit=limit)
        else:
            found = self._db.rows(
                "select_histories_named", names=self._list_of_names(names), behind=behind, limit=limit
            )
        tasks = [row[0] for row in found]
        written = self._db.rows("select_versions", tasks=self._list_of_numbers(tasks))
        before = [] if since is None else self._before(tasks, since)
        return rows.histories(
            found, rows.versions(written), self.backfills_asked(*tasks), before, self.seals(tasks)
        )

    def seals(self, tasks: Collection[int]) -> list[Seal]:
        return [Seal.read(*row) for row in self._db.rows("select_seals", tasks=self._list_of_numbers(tasks))]

    def recorded(
        self,
        task_id: int,
        after: Instant,
        through: Instant,
        *,
        last: int | None = None,
        behind: Key | None = None,
    ) -> Iterator[TickRow]:
        span = {"last": task_id if last is None else last, "after": after, "through": through}
        return self._paged("select_recorded", behind or Key(task_id, after, NEVER), span)

    def recorded_by_time(
        self, after: Instant, through: Instant, *, behind: Key | None = None
    ) -> Iterator[TickRow]:
        newest = behind or Key(NEVER, after, NEVER)
        return self._paged("select_recorded_by_time", newest, {"through": through})

    def _paged(self, statement: str, newest: Key, span: Mapping[str, int]) -> Iterator[TickRow]:
        """Read page by page, so that neither memory nor a long transaction grows with the span."""
        while True:
            page = self._db.rows(statement, **bound(newest), **span, limit=_PAGE)
            yield from map(rows.tick, page)
            if len(page) < _PAGE:
                return
            newest = Key(*page[-1][:3])

    def recorded_before(self, task_id: int, request: int, moment: Instant) -> TickRow | None:
        row = self._db.row("select_recorded_before", task_id=task_id, request=request, moment=moment)
        return None if row is None else rows.tick(row)

    def backfills_asked(self, *tasks: int) -> list[Backfill]:
        return [
            rows.backfill(row)
            for row in self._db.rows("select_backfills_asked", tasks=self._list_of_numbers(tasks))
        ]
