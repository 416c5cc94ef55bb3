"""From rows to values and back: what each column of a statement means, alike for every store."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from msgspec.structs import replace

from everytick.conclude import Attempt, Settlement
from everytick.consider import Ready, Slot
from everytick.errors import UnreadableRow
from everytick.ledger import AttemptRow, Process, TaskRow
from everytick.plan import Cursor, PlannedTick, Status
from everytick.policy import Priority
from everytick.proof.seal import Seal
from everytick.record import Backfill, Change, History, VersionRow
from everytick.tick import TERMINAL, Key, Reason, State, TickRow, proof
from everytick.when import Instant

Row = Sequence[Any]
"""One row, its columns in the order of the statement that selects them."""

_STATES = {one.value: one for one in State}
_REASONS = {one.value: one for one in Reason}
_STATUSES = {one.value: one for one in Status}


def cursor(row: Row) -> Cursor:
    """Read a row of select_cursors or select_backfills."""
    task_id, request, version, planned_through, last_due, through, unstarted = row
    return Cursor(
        task_id=task_id,
        request=request,
        version=version,
        planned_through=planned_through,
        last_due=last_due,
        through=through,
        unstarted=unstarted,
    )


def ready(row: Row, queue: str = "default", priority: int = Priority.NORMAL) -> Ready:
    """Read a row of select_ready."""
    task_id, due_at, request, version, prev_due, next_due, attempt, reruns, newest = row
    return Ready(
        key=Key(task_id, due_at, request),
        version=version,
        prev_due=prev_due,
        next_due=next_due,
        attempt=attempt,
        reruns=reruns,
        newest=newest,
        queue=queue,
        priority=priority,
    )


def slot(row: Row) -> Slot:
    """Read a row of select_slots."""
    task_id, due_at, request, lane, attempt, holder, cancel_requested = row
    return Slot(
        key=Key(task_id, due_at, request),
        lane=lane,
        attempt=attempt,
        holder=holder,
        cancel_requested=bool(cancel_requested),
    )


def held(row: Row) -> Attempt:
    """Read a row of select_held."""
    return Attempt(
        key=Key(*row[:3]),
        attempt=row[3],
        holder=row[4],
        reruns=row[5],
        version=row[6],
        prev_due=row[7],
        next_due=row[8],
        started_at=row[9],
        cancel_requested=bool(row[10]),
    )


def process(row: Row) -> Process:
    """Read a row of select_processes."""
    fields = ("id", "kind", "host", "pid", "boot", "release", "started_at", "beat", "skew", "status")
    return Process(**dict(zip(fields, row, strict=True)))


def change(row: Row) -> Change:
    """Read a row of select_changes."""
    return Change(**dict(zip(("id", "at", "actor", "act", "note", "detail"), row, strict=True)))


def version(row: Row) -> VersionRow:
    """Read a row of select_versions."""
    return VersionRow(
        task_id=row[0],
        name=row[1],
        origin=row[2],
        version=row[3],
        since=row[4],
        status=_STATUSES[row[5]],
        paused_until=row[6],
        anchor=row[7],
        rules=row[8],
        definition=row[9],
        change_id=row[10],
    )


def versions(found: Iterable[Row]) -> list[VersionRow]:
    """Read the rows of select_versions, by task and number: no server sorts wide rows as quickly."""
    return [version(row) for row in sorted(found, key=itemgetter(0, 3))]


def task(row: Row) -> TaskRow:
    """Read a row of select_tasks."""
    return TaskRow(
        newest=version(row[:11]),
        planned_through=row[11],
        last_due=row[12],
        next_due=row[13],
        settled_through=row[14],
    )


def tick(row: Row) -> TickRow:
    """Read a row of select_tick, select_ticks or select_recorded.

    Raises:
        UnreadableRow: Its state or reason is none that there is.
    """
    try:
        state = _STATES[row[9]]
        reason = None if row[10] is None else _REASONS[row[10]]
    except KeyError as fault:
        why = f"it is {row[9]!r} for the reason {row[10]!r}"
        raise UnreadableRow(why, task_id=row[0], due_at=row[1], request=row[2]) from fault
    return TickRow(
        key=Key(*row[:3]),
        task=row[3],
        version=row[4],
        prev_due=row[5],
        next_due=row[6],
        through=row[7],
        count=row[8],
        state=state,
        reason=reason,
        queue=row[11],
        priority=row[12],
        ready_at=row[13],
        attempt=row[14],
        reruns=row[15],
        holder=row[16],
        sent_at=row[17],
        started_at=row[18],
        ended_at=row[19],
        summary=row[20],
        proof=row[21],
    )


def backfill(row: Row) -> Backfill:
    """Read a row of select_backfills_asked."""
    return Backfill(cursor=cursor(row[:7]), change=change(row[7:]))


def histories(
    found: Iterable[Row],
    versions: Iterable[VersionRow],
    backfills: Iterable[Backfill],
    before: Iterable[TickRow | None],
    seals: Iterable[Seal],
) -> list[History]:
    """Put together the rows of select_histories and what else is known of these tasks."""
    written, asked = defaultdict(list), defaultdict(list)
    for one in versions:
        written[one.task_id].append(one)
    for each in backfills:
        asked[each.cursor.task_id].append(each)
    newest = {row.key.task_id: row for row in before if row is not None}
    sealed = {seal.task_id: seal for seal in seals}
    return [
        History(
            task_id=task_id,
            name=name,
            planned_through=planned_through,
            versions=written[task_id],
            backfills=asked[task_id],
            before=newest.get(task_id),
            seal=sealed.get(task_id),
        )
        for task_id, name, planned_through in found
    ]


def attempt(row: Row) -> AttemptRow:
    """Read a row of select_attempts."""
    return AttemptRow(
        key=Key(*row[:3]),
        attempt=row[3],
        holder=row[4],
        started_at=row[5],
        ended_at=row[6],
        outcome=row[7],
        refused_at=row[8],
    )


def attempted(ready: Ready, holder: int, now: Instant) -> Attempt:
    """Return the attempt that a process starts of a ready tick."""
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


def bound(key: Key) -> dict[str, Any]:
    """Return the parameters that name a tick."""
    return {"task_id": key.task_id, "due_at": key.due_at, "request": key.request}


def key(values: Mapping[str, Any]) -> Key:
    """Return the tick that parameters name."""
    return Key(values["task_id"], values["due_at"], values["request"])


def numbers(found: Iterable[int]) -> str:
    """Return a list of numbers as the one parameter that a statement takes it by: JSON."""
    return json.dumps(sorted(found))


def keys(found: Iterable[Key]) -> str:
    """Return a list of ticks as the one parameter that a statement takes it by: JSON."""
    return json.dumps([(key.task_id, key.due_at, key.request) for key in found])


def sealed(one: Seal) -> dict[str, Any]:
    """Return the parameters of insert_seal."""
    return {"task_id": one.task_id, "through": one.through, "counts": one.counts, "digest": one.digest}


def planned(task_id: int, request: int, tick: PlannedTick, now: Instant) -> dict[str, Any]:
    """Return the parameters of insert_tick."""
    ended = tick.state in TERMINAL
    ending = (tick.through, tick.count, tick.state, tick.reason, 1, now)
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
        "reason": tick.reason and tick.reason.value,
        "queue": tick.policies.queue,
        "priority": tick.policies.priority.value,
        "ready_at": tick.ready_at,
        "ended_at": now if ended else None,
        "proof": proof(Key(task_id, tick.due_at, request), ending) if ended else None,
    }


def kept(one: Settlement, now: Instant, *, refused_at: Instant | None) -> dict[str, Any]:
    """Return the parameters of keep_attempt."""
    return bound(one.attempt.key) | {
        "attempt": one.attempt.attempt,
        "holder": one.attempt.holder,
        "started_at": one.attempt.started_at,
        "now": now,
        "outcome": one.report.outcome,
        "refused_at": refused_at,
    }


def forms(one: Settlement) -> tuple[Settlement, ...]:
    """Return what a settlement may become: no new attempt follows where somebody asked for a stop."""
    if one.state in TERMINAL:
        return (one,)
    return one, replace(one, state=State.CANCELLED, reason=None, ready_at=None)
