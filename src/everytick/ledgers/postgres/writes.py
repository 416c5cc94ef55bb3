"""What the two programs write to a PostgreSQL ledger; the decisions are handed in."""

import logging
from collections.abc import Mapping, Sequence

import psycopg

from everytick.ledger import PlanDecision, Process, SettleDecision
from everytick.ledgers import rows
from everytick.ledgers.postgres.arrays import numbers
from everytick.ledgers.postgres.claims import PostgresClaims
from everytick.ledgers.postgres.connection import Connection
from everytick.ledgers.postgres.heads import next_due
from everytick.ledgers.postgres.settlements import PostgresSettlements
from everytick.plan import UNSTARTED, Plan
from everytick.when import Instant

log = logging.getLogger("everytick.ledger")

Places = Mapping[tuple[int, int], str]
"""Where the rows of cursors lie, by task and request."""


class PostgresWrites(PostgresClaims, PostgresSettlements):
    """What the scheduler and the runner do to a PostgreSQL ledger."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._told: set[tuple[int, int]] = set()

    def plan(
        self, until: Instant, now: Instant, limit: int, without: frozenset[int], decide: PlanDecision
    ) -> int:
        def work() -> tuple[int, tuple[Instant, int, int] | None]:
            self._db.due.rise(now)
            self._db.room.rise(now)
            first = next_due(self._db)
            if first is None or first > until:
                return 0, None
            found = self._db.rows(
                "select_cursors",
                first=max(first, self._db.room.of(without)),
                until=until,
                limit=limit,
                cap=UNSTARTED,
                without=numbers(without),
            )
            ((begun, ended),) = self._db.rows("looked")
            places = {(row[0], row[1]): row[-1] for row in found}
            moved = self._write(decide([rows.cursor(row[:-2]) for row in found]), places, now) if found else 0
            return moved, (until if len(found) < limit else found[-1][-2], begun, ended)

        moved, seen = self._db.transact(work, begin="begin_plan")
        if seen is not None:
            lowest, begun, ended = seen
            self._db.room.found({without: lowest}, begun, ended)
        return moved

    def _write(self, plans: Sequence[Plan], places: Places, now: Instant) -> int:
        """Write plans; where a row of them is refused, all but the one that it belongs to."""
        try:
            with self._db.savepoint():
                found = self._db.done("move_cursors", [_moving(plan, places) for plan in plans])
                moved = {(one["task_id"], one["request"]) for one in found}
                self._db.many(
                    "insert_ticks",
                    [
                        rows.planned(plan.cursor.task_id, plan.cursor.request, tick, now)
                        for plan in plans
                        if (plan.cursor.task_id, plan.cursor.request) in moved
                        for tick in plan.ticks
                    ],
                )
                return len(moved)
        except psycopg.IntegrityError as fault:
            if len(plans) > 1:
                return sum(self._write([plan], places, now) for plan in plans)
            self._tell(plans[0], fault)
            return 0

    def _tell(self, plan: Plan, fault: psycopg.IntegrityError) -> None:
        cursor = plan.cursor
        if (cursor.task_id, cursor.request) not in self._told:
            self._told.add((cursor.task_id, cursor.request))
            log.error(
                "task number %d cannot be planned, its rows contradict its cursor; everytick audit tells "
                "more (%s)",
                cursor.task_id,
                fault.diag.message_primary,
            )

    def register(self, process: Process) -> int:
        def work() -> int:
            found = self._db.row(
                "insert_process",
                kind=process.kind,
                host=process.host,
                pid=process.pid,
                boot=process.boot,
                release=process.release,
                started_at=process.started_at,
                beat=process.beat,
                skew=process.skew,
            )
            return 0 if found is None else int(found[0])

        return self._db.transact(work)

    def beat(self, process: int, beat: int, skew: int) -> bool:
        return (
            self._db.transact(lambda: self._db.execute("beat_process", process=process, beat=beat, skew=skew))
            == 1
        )

    def retire(self, process: int) -> None:
        self._db.transact(lambda: self._db.execute("retire_process", process=process))

    def bury(self, process: int, beat: int, now: Instant, decide: SettleDecision) -> int | None:
        def work() -> int | None:
            if not self._db.execute("bury_process", process=process, beat=beat):
                return None
            self._db.execute("lock_held", holder=process)
            held = [rows.held(row) for row in self._db.rows("select_held", holder=process)]
            self._settle(decide(held), now)
            return len(held)

        return self._db.transact(work)


def _moving(plan: Plan, places: Places) -> dict[str, object]:
    """Return the values of move_cursors."""
    cursor = plan.cursor
    return {
        "place": places[cursor.task_id, cursor.request],
        "task_id": cursor.task_id,
        "request": cursor.request,
        "version": cursor.version,
        "was": cursor.planned_through,
        "planned_through": plan.planned_through,
        "last_due": plan.last_due,
        "next_due": plan.next_due,
    }
