"""What can be asked of a PostgreSQL ledger."""

from collections.abc import Iterator, Mapping, Sequence

from everytick.conclude import Attempt
from everytick.consider import Slot
from everytick.ledger import AttemptRow, Change, Head, Process, TaskRow, TickFilter, VersionRow
from everytick.ledgers import rows
from everytick.ledgers.postgres.arrays import array, numbers
from everytick.ledgers.postgres.heads import heads, next_due, next_ready
from everytick.ledgers.postgres.record import PostgresRecord
from everytick.ledgers.rows import bound
from everytick.plan import Cursor
from everytick.tick import Key, TickRow
from everytick.when import Instant

_PAGE = 1000


class PostgresReads(PostgresRecord):
    """The reading half of a PostgreSQL ledger."""

    def next_plan(self) -> Instant | None:
        return next_due(self._db)

    def next_ready(self, queues: Sequence[str], without: frozenset[int]) -> Instant | None:
        return min((row[2] for row in next_ready(self._db, queues, without)), default=None)

    def heads(self, queues: Sequence[str]) -> list[Head]:
        return [
            Head(queue=row[0], priority=row[1], ready_at=row[2], task=row[3])
            for row in heads(self._db, queues)
        ]

    def held(self, process: int) -> list[Attempt]:
        return [rows.held(row) for row in self._db.rows("select_held", holder=process)]

    def stop_requests(self, process: int) -> list[Key]:
        return [Key(*row) for row in self._db.rows("select_stops", holder=process)]

    def processes(self) -> list[Process]:
        return [rows.process(row) for row in self._db.rows("select_processes")]

    def process(self, number: int) -> Process | None:
        found = self._db.row("select_process", process=number)
        return None if found is None else rows.process(found)

    def moment(self) -> Instant | None:
        found: tuple[Instant | None] = self._db.row("moment") or (None,)
        return found[0]

    def versions(self, *tasks: int) -> list[VersionRow]:
        return rows.versions(self._db.rows("select_versions", tasks=numbers(set(tasks))))

    def numbered(self, *wanted: tuple[int, int]) -> list[VersionRow]:
        each = sorted(set(wanted))
        tasks, of_each = numbers(task for task, _ in each), numbers(number for _, number in each)
        return rows.versions(self._db.rows("select_numbered", tasks=tasks, numbers=of_each))

    def tasks(self, origin: str | None = None, name: str | None = None) -> Iterator[TaskRow]:
        """Read page by page, so that a million of them need no memory."""
        if name is not None:
            found = self._db.rows("select_named", names=array([name]))
            yield from (rows.task(row) for row in found if origin is None or row[2] == origin)
            return
        last = ""
        while True:
            page = self._db.rows("select_tasks", origin=origin, after=last, limit=_PAGE)
            yield from map(rows.task, page)
            if len(page) < _PAGE:
                return
            last = page[-1][1]

    def ticks(self, which: TickFilter) -> list[TickRow]:
        found = self._db.rows(
            "select_ticks" if which.task is None else "select_task_ticks",
            task=which.task,
            since=which.since,
            until=which.until,
            states=array(state.value for state in which.states),
            limit=which.limit,
        )
        return [rows.tick(row) for row in found]

    def tick(self, key: Key) -> TickRow | None:
        row = self._db.row("select_tick", **bound(key))
        return None if row is None else rows.tick(row)

    def last(self, tasks: Sequence[int], until: Instant) -> Mapping[int, TickRow]:
        found = self._db.rows("select_last", tasks=numbers(tasks), until=until)
        return {row[0]: rows.tick(row) for row in found}

    def attempts(self, *ticks: Key) -> list[AttemptRow]:
        return [rows.attempt(row) for row in self._db.batch("select_attempts", [bound(key) for key in ticks])]

    def output(self, key: Key, attempt: int) -> tuple[str | None, str]:
        row = self._db.row("select_output", **bound(key), attempt=attempt)
        return (None, "") if row is None else (row[0], row[1])

    def slots(self, task_id: int) -> list[Slot]:
        return [rows.slot(row) for row in self._db.rows("select_slots", tasks=numbers([task_id]))]

    def changes(self, after: int = 0, limit: int = 100, act: str | None = None) -> list[Change]:
        return [
            rows.change(row) for row in self._db.rows("select_changes", after=after, limit=limit, act=act)
        ]

    def backfills(self, task_id: int) -> list[Cursor]:
        return [rows.cursor(row) for row in self._db.rows("select_backfills", task_id=task_id)]

    def counts(self, task_id: int, since: Instant) -> Mapping[str, int]:
        return dict(self._db.rows("count_states", task_id=task_id, since=since))

    def hint(self) -> int:
        return int((self._db.row("others_wrote") or (0,))[0])
