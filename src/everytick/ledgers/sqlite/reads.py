"""What can be asked of a SQLite ledger."""

import json
from collections.abc import Iterator, Mapping, Sequence

from everytick.conclude import Attempt
from everytick.consider import Slot
from everytick.ledger import AttemptRow, Change, Head, Process, TaskRow, TickFilter, VersionRow
from everytick.ledgers import rows
from everytick.ledgers.rows import bound, numbers
from everytick.ledgers.sqlite.record import SqliteRecord
from everytick.plan import Cursor
from everytick.policy import Priority
from everytick.tick import Key, TickRow
from everytick.when import Instant

_PAGE = 1000


class SqliteReads(SqliteRecord):
    """The reading half of a SQLite ledger."""

    def next_plan(self) -> Instant | None:
        found: tuple[Instant | None] = self._db.row("next_plan") or (None,)
        return found[0]

    def next_ready(self, queues: Sequence[str], without: frozenset[int]) -> Instant | None:
        left_out = numbers(without)
        found = [
            self._db.row("next_ready", queue=queue, priority=priority.value, without=left_out)
            for queue in queues
            for priority in Priority
        ]
        return min((row[0] for row in found if row is not None), default=None)

    def heads(self, queues: Sequence[str]) -> list[Head]:
        return [
            Head(queue=queue, priority=priority, ready_at=row[0], task=row[1])
            for queue in queues
            for priority in Priority
            for row in self._db.rows("head_of_line", queue=queue, priority=priority.value)
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
        return None

    def versions(self, *tasks: int) -> list[VersionRow]:
        return rows.versions(self._db.rows("select_versions", tasks=numbers(tasks)))

    def numbered(self, *wanted: tuple[int, int]) -> list[VersionRow]:
        return rows.versions(self._db.rows("select_numbered", wanted=json.dumps(sorted(set(wanted)))))

    def tasks(self, origin: str | None = None, name: str | None = None) -> Iterator[TaskRow]:
        """Read page by page, so that a million of them need no memory."""
        if name is not None:
            found = self._db.rows("select_task", name=name)
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
            states=json.dumps([state.value for state in which.states]),
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
        return [rows.attempt(row) for row in self._db.rows("select_attempts", keys=rows.keys(ticks))]

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
