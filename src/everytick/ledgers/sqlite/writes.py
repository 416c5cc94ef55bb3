"""What the programs and the commands write to a SQLite ledger; the decisions are handed in."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace

from everytick.conclude import Attempt, Settlement
from everytick.consider import Considered, End, Ready, Start, Wait
from everytick.ledger import (
    Change,
    Claim,
    ClaimDecision,
    EditDecision,
    Order,
    PlanDecision,
    Process,
    SettleDecision,
)
from everytick.ledgers import rows
from everytick.ledgers.sqlite.connection import Connection
from everytick.plan import UNSTARTED, Plan, PlannedTick, Status
from everytick.policy import Priority
from everytick.revise import Revision
from everytick.tick import NEVER, TERMINAL, Key, Reason, State, proof
from everytick.when import Instant


class SqliteWrites:
    """The writing half of a SQLite ledger."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def plan(
        self, until: Instant, now: Instant, limit: int, without: frozenset[int], decide: PlanDecision
    ) -> int:
        with self._db.transaction():
            found = self._db.rows(
                "select_cursors", until=until, limit=limit, cap=UNSTARTED, without=_numbers(without)
            )
            if not found:
                return 0
            plans = decide([rows.cursor(row) for row in found])
            moved = [plan for plan in plans if self._move_cursor(plan)]
            self._db.many(
                "insert_tick",
                [
                    _tick(plan.cursor.task_id, plan.cursor.request, tick, now)
                    for plan in moved
                    for tick in plan.ticks
                ],
            )
            return len(moved)

    def _move_cursor(self, plan: Plan) -> bool:
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

    def claim(self, order: Order, now: Instant, decide: ClaimDecision) -> Claim:
        with self._db.transaction():
            batch: list[Ready] = []
            for queue in order.queues:
                for priority in Priority:
                    found = self._db.rows(
                        "select_ready",
                        queue=queue,
                        priority=priority.value,
                        now=now,
                        without=_numbers(order.without),
                        limit=order.limit - len(batch),
                    )
                    batch += [rows.ready(row) for row in found]
            tasks = sorted({ready.key.task_id for ready in batch})
            slots = {
                task_id: [rows.slot(row) for row in self._db.rows("select_slots", task_id=task_id)]
                for task_id in tasks
            }
            decided = decide(batch, slots)
            waiting = {slot.key for held in slots.values() for slot in held}
            attempts = self._apply(decided, order.holder, now, waiting)
            return Claim(attempts=attempts, considered=len(batch))

    def _apply(self, decided: Considered, holder: int, now: Instant, waiting: set[Key]) -> list[Attempt]:
        for end in decided.ends:
            self._end(end, now)
        for wait in decided.waits:
            self._wait(wait, waiting)
        attempts = [self._start(start, holder, now, waiting) for start in decided.starts]
        self._db.many("ask_to_stop", [asdict(key) for key in decided.cancels])
        self._wake({end.key.task_id for end in decided.ends}, now)
        return attempts

    def _start(self, start: Start, holder: int, now: Instant, waiting: set[Key]) -> Attempt:
        ready = start.ready
        slot = asdict(ready.key) | {"lane": start.lane, "attempt": ready.attempt, "holder": holder}
        self._db.execute("take_slot" if ready.key in waiting else "insert_slot", **slot)
        self._db.execute("start_tick", **asdict(ready.key), attempt=ready.attempt, holder=holder, now=now)
        return Attempt(
            key=ready.key,
            attempt=ready.attempt,
            holder=holder,
            reruns=ready.reruns,
            version=ready.version,
            prev_due=ready.prev_due,
            next_due=ready.next_due,
            started_at=now,
        )

    def _wait(self, wait: Wait, waiting: set[Key]) -> None:
        if wait.lane is not None and wait.key not in waiting:
            self._db.execute("insert_slot", **asdict(wait.key), lane=wait.lane, attempt=1, holder=None)
        self._db.execute("delay_tick", **asdict(wait.key), ready_at=wait.until)

    def _end(self, end: End, now: Instant) -> None:
        facts = self._db.row("ending_facts", **asdict(end.key))
        if facts is None or facts[3] in TERMINAL:
            return
        through, count, attempt, _ = facts
        state = State.CANCELLED if end.reason is None else State.SKIPPED
        self._db.execute(
            "end_tick",
            **asdict(end.key),
            state=state.value,
            reason=end.reason and end.reason.value,
            now=now,
            proof=proof(end.key, (through, count, state, end.reason, attempt, now)),
        )
        self._db.execute("delete_slot", **asdict(end.key))

    def _wake(self, tasks: Iterable[int], now: Instant) -> None:
        """Let the first of those that wait for a lane be considered again."""
        for task_id in sorted(tasks):
            first = self._db.row("first_waiting", task_id=task_id)
            if first is not None:
                self._db.execute(
                    "delay_tick", task_id=task_id, due_at=first[0], request=first[1], ready_at=now
                )

    def settle(self, settlements: Sequence[Settlement], now: Instant) -> list[Settlement]:
        if not settlements:
            return []
        with self._db.transaction():
            return self._settle(settlements, now)

    def _settle(self, settlements: Sequence[Settlement], now: Instant) -> list[Settlement]:
        refused = []
        freed: set[int] = set()
        for one in settlements:
            accepted = self._again(one, now) if one.state is State.PLANNED else self._outcome(one, now)
            if accepted:
                self._keep_output(one)
                if one.state in TERMINAL:
                    freed.add(one.attempt.key.task_id)
            elif not self._settled_before(one):
                self._keep_attempt(one, now, refused_at=now)
                refused.append(one)
        self._wake(freed, now)
        return refused

    def _outcome(self, one: Settlement, now: Instant) -> bool:
        attempt = one.attempt
        changed = self._db.execute(
            "end_attempt",
            **asdict(attempt.key),
            attempt=attempt.attempt,
            holder=attempt.holder,
            state=one.state.value,
            reason=one.reason and one.reason.value,
            now=now,
            summary=one.report.summary,
            proof=proof(attempt.key, (None, 1, one.state, one.reason, attempt.attempt, now)),
        )
        if changed:
            self._db.execute("delete_slot", **asdict(attempt.key))
        return changed == 1

    def _again(self, one: Settlement, now: Instant) -> bool:
        attempt = one.attempt
        changed = self._db.execute(
            "try_again",
            **asdict(attempt.key),
            attempt=attempt.attempt,
            holder=attempt.holder,
            reruns=one.reruns,
            ready_at=one.ready_at,
        )
        if changed:
            self._db.execute("idle_slot", **asdict(attempt.key), attempt=attempt.attempt)
            self._keep_attempt(one, now, refused_at=None)
        return changed == 1

    def _settled_before(self, one: Settlement) -> bool:
        found = self._db.row(
            "settled_before",
            **asdict(one.attempt.key),
            attempt=one.attempt.attempt,
            holder=one.attempt.holder,
            outcome=one.report.outcome,
            state=one.state.value,
            reason=one.reason and one.reason.value,
        )
        return found is not None and bool(found[0])

    def _keep_attempt(self, one: Settlement, now: Instant, *, refused_at: Instant | None) -> None:
        attempt = one.attempt
        self._db.execute(
            "keep_attempt",
            **asdict(attempt.key),
            attempt=attempt.attempt,
            holder=attempt.holder,
            started_at=attempt.started_at,
            now=now,
            outcome=one.report.outcome,
            refused_at=refused_at,
        )

    def _keep_output(self, one: Settlement) -> None:
        report = one.report
        if report.error or report.output:
            self._db.execute(
                "keep_output",
                **asdict(one.attempt.key),
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
        self._db.check_place()
        with self._db.transaction():
            return self._db.execute("beat_process", process=process, beat=beat, skew=skew) == 1

    def retire(self, process: int) -> None:
        with self._db.transaction():
            self._db.execute("end_process", process=process, status="gone", beat=None)

    def bury(self, process: int, beat: int, now: Instant, decide: SettleDecision) -> int | None:
        with self._db.transaction():
            if not self._db.execute("end_process", process=process, status="dead", beat=beat):
                return None
            held = [rows.held(row) for row in self._db.rows("select_held", holder=process)]
            self._settle(decide(held), now)
            return len(held)

    def edit(self, change: Change, names: Sequence[str], decide: EditDecision) -> int:
        with self._db.transaction():
            change_id = self._change(change)
            known, numbers = {}, {}
            for name in names:
                found = self._db.row("select_tasks", name=name, origin=None)
                if found is not None:
                    known[name] = rows.task(found)
                    numbers[name] = found[0]
                else:
                    numbers[name] = self._number(name)
            for revision in decide(known, numbers):
                self._revise(revision, change_id, change.at)
            return change_id

    def _number(self, name: str) -> int:
        found = self._db.row("task_number", name=name)
        return int(found[0]) if found else self._db.insert("insert_task", name=name, origin="")

    def _change(self, change: Change) -> int:
        return self._db.insert(
            "insert_change",
            at=change.at,
            actor=change.actor,
            act=change.act,
            note=change.note,
            detail=change.detail,
        )

    def _revise(self, revision: Revision, change_id: int, now: Instant) -> None:
        version, task_id = revision.version, revision.task_id
        self._db.execute("adopt_task", task_id=task_id, origin=version.task.origin)
        self._db.execute(
            "insert_version",
            task_id=task_id,
            version=version.version,
            since=version.since,
            status=version.status.value,
            paused_until=version.paused_until,
            anchor=version.anchor,
            rules=version.schedule.rules(),
            definition=version.task.definition,
            change_id=change_id,
        )
        last_due = None
        if version.version > 1:
            self._db.execute("delete_planned", task_id=task_id, since=version.since)
            newest = self._db.row("newest_row", task_id=task_id, since=version.since)
            if newest is not None:
                last_due = newest[1]
                self._db.execute(
                    "repoint_tick", task_id=task_id, due_at=newest[0], next_due=revision.repointed
                )
            self._stir(revision, now)
        self._db.execute(
            "set_cursor",
            task_id=task_id,
            version=version.version,
            planned_through=revision.planned_through,
            last_due=last_due,
            next_due=revision.next_due,
        )

    def _stir(self, revision: Revision, now: Instant) -> None:
        """Let what waits for more than time be considered again under the new version."""
        task_id = revision.task_id
        for due_at, request, ready_at in self._db.rows("select_idle", task_id=task_id):
            if ready_at in (NEVER, revision.held_until):
                self._db.execute("delay_tick", task_id=task_id, due_at=due_at, request=request, ready_at=now)
        if revision.version.status is Status.REMOVED:
            self._db.execute("stop_backfills", task_id=task_id)

    def request(self, change: Change, task_id: int, tick: PlannedTick) -> Key:
        with self._db.transaction():
            change_id = self._change(change)
            last_due = (self._db.row("last_due", task_id=task_id) or (None,))[0]
            if last_due is not None and last_due >= tick.due_at:
                last_due = None
            asked = replace(tick, prev_due=last_due)
            self._db.execute("insert_tick", **_tick(task_id, change_id, asked, change.at))
            return Key(task_id, tick.due_at, change_id)

    def backfill(self, change: Change, task_id: int, after: Instant, through: Instant, first: Instant) -> int:
        with self._db.transaction():
            change_id = self._change(change)
            version = (self._db.row("newest_version", task_id=task_id) or (1,))[0]
            self._db.execute(
                "insert_backfill",
                task_id=task_id,
                request=change_id,
                version=version,
                after=after,
                first=first,
                through=through,
            )
            return change_id

    def cancel(self, change: Change, key: Key) -> State | None:
        with self._db.transaction():
            facts = self._db.row("ending_facts", **asdict(key))
            if facts is None:
                return None
            state = State(facts[3])
            if state in TERMINAL:
                return state
            self._change(change)
            if state is State.RUNNING:
                self._db.execute("ask_to_stop", **asdict(key))
            else:
                self._end(End(key=key, reason=None), change.at)
                self._wake({key.task_id}, change.at)
            return state


def _numbers(numbers: Iterable[int]) -> str:
    return json.dumps(sorted(numbers))


def _tick(task_id: int, request: int, tick: PlannedTick, now: Instant) -> dict[str, object]:
    key = Key(task_id, tick.due_at, request)
    ended = tick.state in TERMINAL
    reason: Reason | None = tick.reason
    return {
        "task_id": task_id,
        "due_at": tick.due_at,
        "request": request,
        "version": tick.version,
        "prev_due": tick.prev_due,
        "next_due": tick.next_due,
        "through": tick.through,
        "count": tick.count,
        "state": tick.state.value,
        "reason": reason and reason.value,
        "queue": tick.policies.queue,
        "priority": tick.policies.priority.value,
        "ready_at": tick.ready_at,
        "ended_at": now if ended else None,
        "proof": proof(key, (tick.through, tick.count, tick.state, reason, 1, now)) if ended else None,
    }
