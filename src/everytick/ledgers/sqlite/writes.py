"""What the two programs write to a SQLite ledger; the decisions are handed in."""

import logging
import sqlite3
from collections import Counter
from collections.abc import Sequence

from everytick.conclude import Attempt, Settlement
from everytick.consider import Considered, Ready, Slot, Start, Wait
from everytick.errors import LedgerDamaged
from everytick.ledger import Claim, ClaimDecision, Order, PlanDecision, Process, SettleDecision
from everytick.ledgers import rows
from everytick.ledgers.rows import bound, numbers
from everytick.ledgers.sqlite.connection import Connection, Values
from everytick.ledgers.sqlite.lanes import admit, end, wake
from everytick.plan import UNSTARTED, Plan
from everytick.policy import Priority
from everytick.tick import Key, State, proof
from everytick.when import Instant

log = logging.getLogger("everytick.ledger")


class SqliteWrites:
    """What the scheduler and the runner do to a SQLite ledger."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection
        self._told: set[tuple[int, int]] = set()

    def plan(
        self, until: Instant, now: Instant, limit: int, without: frozenset[int], decide: PlanDecision
    ) -> int:
        with self._db.transaction():
            found = self._db.rows(
                "select_cursors", until=until, limit=limit, cap=UNSTARTED, without=numbers(without)
            )
            return self._write(decide([rows.cursor(row) for row in found]), now) if found else 0

    def _write(self, plans: Sequence[Plan], now: Instant) -> int:
        """Write plans; where a row of them is refused, all but the one that it belongs to."""
        try:
            with self._db.savepoint():
                moved = [plan for plan in plans if self._move(plan)]
                self._db.many(
                    "insert_tick",
                    [
                        rows.planned(plan.cursor.task_id, plan.cursor.request, tick, now)
                        for plan in moved
                        for tick in plan.ticks
                    ],
                )
                return len(moved)
        except sqlite3.IntegrityError as fault:
            if len(plans) > 1:
                return sum(self._write([plan], now) for plan in plans)
            self._tell(plans[0], fault)
            return 0

    def _move(self, plan: Plan) -> bool:
        cursor = plan.cursor
        changed = self._db.execute(
            "move_cursor",
            task_id=cursor.task_id,
            request=cursor.request,
            version=cursor.version,
            was=cursor.planned_through,
            planned_through=plan.planned_through,
            last_due=plan.last_due,
            next_due=plan.next_due,
        )
        return changed == 1

    def _tell(self, plan: Plan, fault: sqlite3.IntegrityError) -> None:
        cursor = plan.cursor
        if (cursor.task_id, cursor.request) not in self._told:
            self._told.add((cursor.task_id, cursor.request))
            log.error(
                "task number %d cannot be planned, its rows contradict its cursor; everytick audit tells "
                "more (%s)",
                cursor.task_id,
                fault,
            )

    def claim(self, order: Order, now: Instant, decide: ClaimDecision) -> Claim:
        with self._db.transaction():
            alive = self._db.row("select_alive", process=order.holder, beat=order.beat)
            batch = self._ready(order, now) if alive else []
            if not batch:
                return Claim(attempts=[], considered=0)
            slots: dict[int, list[Slot]] = {ready.key.task_id: [] for ready in batch}
            for row in self._db.rows("select_slots", tasks=numbers(slots)):
                slots[row[0]].append(rows.slot(row))
            waiting = {slot.key for held in slots.values() for slot in held}
            decided = decide(batch, slots)
            count = len(decided.starts) + len(decided.ends) + len(decided.waits)
            return Claim(attempts=self._apply(decided, order.holder, now, waiting), considered=count)

    def _ready(self, order: Order, now: Instant) -> list[Ready]:
        """Read as much of each queue as could be started were there no other."""
        batch: list[Ready] = []
        without = numbers(order.without)
        for queue in order.queues:
            room = order.limit + order.beyond
            for priority in Priority:
                if room <= 0:
                    break
                found = self._db.rows(
                    "select_ready",
                    queue=queue,
                    priority=priority.value,
                    now=now,
                    without=without,
                    limit=room,
                )
                room -= len(found)
                batch += [rows.ready(row, queue, priority) for row in found]
        return batch

    def _apply(self, decided: Considered, holder: int, now: Instant, waiting: set[Key]) -> list[Attempt]:
        """Write what was decided; lanes are given back first, and places in the queue are taken last."""
        for one in decided.ends:
            end(self._db, one, now)
        attempts = self._start(decided.starts, holder, now, waiting)
        for wait in decided.waits:
            self._wait(wait, waiting)
        self._db.many("ask_to_stop", [bound(key) for key in decided.cancels])
        wake(self._db, Counter(one.key.task_id for one in decided.ends if one.key in waiting), now)
        admit(self._db, (one.key for one in decided.ends), now)
        return attempts

    def _start(self, starts: Sequence[Start], holder: int, now: Instant, waiting: set[Key]) -> list[Attempt]:
        taken: list[Values] = []
        inserted: list[Values] = []
        for start in starts:
            ready = start.ready
            values = bound(ready.key) | {
                "lane": start.lane,
                "attempt": ready.attempt,
                "holder": holder,
                "now": now,
            }
            (taken if ready.key in waiting else inserted).append(values)
        self._every("take_slot", taken)
        self._every("insert_slot", inserted)
        self._every("start_tick", taken + inserted)
        return [rows.attempted(start.ready, holder, now) for start in starts]

    def _every(self, statement: str, values: Sequence[Values]) -> None:
        if self._db.many(statement, values) != len(values):
            raise LedgerDamaged(
                f"{self._db.path}: ticks and slots contradict each other, so nothing was claimed; everytick "
                f"audit tells more ({statement})"
            )

    def _wait(self, wait: Wait, waiting: set[Key]) -> None:
        key = bound(wait.key)
        if wait.lane is not None and wait.key not in waiting:
            self._db.execute("insert_slot", **key, lane=wait.lane, attempt=1, holder=None)
        self._db.execute("delay_tick", **key, ready_at=wait.until)

    def settle(self, settlements: Sequence[Settlement], now: Instant) -> list[Settlement]:
        if not settlements:
            return []
        with self._db.transaction():
            return self._settle(settlements, now)

    def _settle(self, settlements: Sequence[Settlement], now: Instant) -> list[Settlement]:
        ended, kept, refused = [], [], []
        for one in settlements:
            state = self._settled(one, now)
            if state is None:
                if not any(self._stands(form) for form in rows.forms(one)):
                    refused.append(one)
                    kept.append(rows.kept(one, now, refused_at=now))
                continue
            if state is State.PLANNED:
                kept.append(rows.kept(one, now, refused_at=None))
            else:
                ended.append(one.attempt.key)
            self._keep_output(one)
        self._db.many("delete_slot", [bound(key) for key in ended])
        self._db.many("keep_attempt", kept)
        wake(self._db, Counter(key.task_id for key in ended), now)
        admit(self._db, ended, now)
        return refused

    def _settled(self, one: Settlement, now: Instant) -> State | None:
        """Write how an attempt ended; return the state it brought, None where it is not the current one."""
        for form in rows.forms(one):
            if self._again(form) if form.state is State.PLANNED else self._ended(form, now):
                return form.state
        return None

    def _ended(self, one: Settlement, now: Instant) -> bool:
        attempt = one.attempt
        changed = self._db.execute(
            "end_attempt",
            **bound(attempt.key),
            attempt=attempt.attempt,
            holder=attempt.holder,
            state=one.state.value,
            reason=one.reason and one.reason.value,
            now=now,
            summary=one.report.summary,
            proof=proof(attempt.key, (None, 1, one.state, one.reason, attempt.attempt, now)),
        )
        return changed == 1

    def _again(self, one: Settlement) -> bool:
        """Plan the next attempt; the tick keeps its lane."""
        attempt = one.attempt
        key = bound(attempt.key)
        changed = self._db.execute(
            "try_again",
            **key,
            attempt=attempt.attempt,
            holder=attempt.holder,
            reruns=one.reruns,
            ready_at=one.ready_at,
        )
        if changed:
            self._db.execute("idle_slot", **key, attempt=attempt.attempt)
        return changed == 1

    def _stands(self, one: Settlement) -> bool:
        """Tell whether this settlement was written before: its commit was in doubt."""
        attempt = one.attempt
        found = self._db.rows(
            "settled_before",
            **bound(attempt.key),
            attempt=attempt.attempt,
            holder=attempt.holder,
            outcome=one.report.outcome,
            state=one.state.value,
            reason=one.reason and one.reason.value,
        )
        return bool(found[0][0])

    def _keep_output(self, one: Settlement) -> None:
        report = one.report
        if report.error or report.output:
            self._db.execute(
                "keep_output",
                **bound(one.attempt.key),
                attempt=one.attempt.attempt,
                error=report.error,
                output=report.output,
            )

    def register(self, process: Process) -> int:
        with self._db.transaction():
            return self._db.insert(
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

    def beat(self, process: int, beat: int, skew: int) -> bool:
        with self._db.transaction():
            return self._db.execute("beat_process", process=process, beat=beat, skew=skew) == 1

    def retire(self, process: int) -> None:
        with self._db.transaction():
            self._db.execute("retire_process", process=process)

    def bury(self, process: int, beat: int, now: Instant, decide: SettleDecision) -> int | None:
        with self._db.transaction():
            if not self._db.execute("bury_process", process=process, beat=beat):
                return None
            held = [rows.held(row) for row in self._db.rows("select_held", holder=process)]
            self._settle(decide(held), now)
            return len(held)
