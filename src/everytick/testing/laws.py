"""The laws of the ledger, checked from its rows by a second, plain reading of what should be there.

Nothing of the code that plans and decides is used: only versions, schedules and rows.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from everytick.ledger import Ledger, TaskRow
from everytick.plan import Status
from everytick.testing.executor import Played
from everytick.tick import FAILURES, NEVER, SKIPS, TERMINAL, State, TickRow, proof, tick_name
from everytick.versions import revived
from everytick.when import Instant


def breaches(ledger: Ledger, played: Sequence[Played] | None = None) -> list[str]:
    """Return every breach of the laws that the ledger shows, in words; none where all is well.

    Args:
        ledger: What is checked, up to each task's cursor.
        played: All attempts that were really started, where a test knows them.
    """
    found: list[str] = []
    rows: list[TickRow] = []
    for task in ledger.tasks():
        mine = list(ledger.recorded(task.newest.task_id, -NEVER, NEVER))
        scheduled = [row for row in mine if not row.key.request]
        found += _completeness(ledger, task, scheduled)
        found += _chain(scheduled)
        found += [fault for row in mine for fault in _outcome(row)]
        found += _lanes(ledger, task, mine)
        rows += mine
    if played is not None:
        found += _starts(rows, played)
    return found


def expected(ledger: Ledger, task: TaskRow) -> Iterator[Instant]:
    """Yield every instant that a task's versions give, up to its cursor."""
    versions = [revived(row) for row in ledger.versions(task.newest.task_id)]
    ends = [version.since for version in versions[1:]] + [task.planned_through]
    for version, end in zip(versions, ends, strict=True):
        if version.status is not Status.REMOVED:
            yield from version.schedule.instants(version.since, min(end, task.planned_through))


def recorded(ledger: Ledger, task: TaskRow, rows: Sequence[TickRow]) -> Iterator[Instant]:
    """Yield every instant that has a row, those of range rows one by one."""
    schedules = {row.version: revived(row).schedule for row in ledger.versions(task.newest.task_id)}
    for row in rows:
        if row.through is None:
            yield row.key.due_at
        else:
            yield from schedules[row.version].instants(row.key.due_at - 1, row.through)


def _completeness(ledger: Ledger, task: TaskRow, rows: Sequence[TickRow]) -> list[str]:
    name = task.newest.name
    wanted, there = Counter(expected(ledger, task)), Counter(recorded(ledger, task, rows))
    found = [f"missing: {tick_name(name, due)}" for due in wanted - there]
    found += [f"doubled or never due: {tick_name(name, due)}" for due in there - wanted]
    if sum(row.count for row in rows) != there.total():
        found.append(f"{name}: a range row counts wrong")
    return found


def _chain(rows: Sequence[TickRow]) -> list[str]:
    found = []
    last: Instant | None = None
    for row in rows:
        if row.prev_due != last:
            found.append(f"the chain is broken at {tick_name(row.task, row.key.due_at)}")
        last = row.through or row.key.due_at
    return found


def _outcome(row: TickRow) -> list[str]:
    name = tick_name(row.task, row.key.due_at, row.key.request)
    reasons = {State.FAILED: FAILURES, State.SKIPPED: SKIPS}.get(row.state, frozenset({None}))
    found = []
    if row.reason not in reasons:
        found.append(f"{name} is {row.state} for the reason {row.reason}")
    if row.state not in TERMINAL:
        return found
    ending = (row.through, row.count, row.state, row.reason, row.attempt, row.ended_at)
    if row.proof != proof(row.key, ending):
        found.append(f"{name}: its proof does not fit")
    return found


def _lanes(ledger: Ledger, task: TaskRow, rows: Sequence[TickRow]) -> list[str]:
    """A running tick holds a lane and a terminal one none; nobody waits for ever beside a free lane."""
    slots = {slot.key: slot for slot in ledger.slots(task.newest.task_id)}
    found = []
    for row in rows:
        slot = slots.pop(row.key, None)
        name = tick_name(row.task, row.key.due_at, row.key.request)
        if row.state is State.RUNNING and (slot is None or slot.lane < 0 or slot.holder != row.holder):
            found.append(f"{name} runs without a lane")
        if row.state in TERMINAL and slot is not None:
            found.append(f"{name} has ended and holds a slot")
        waits = slot is not None and slot.lane < 0 and row.ready_at == NEVER
        if waits and not any(other.lane >= 0 for other in ledger.slots(task.newest.task_id)):
            found.append(f"{name} waits for a lane that nobody holds")
    return found + [f"a slot without a tick: {key}" for key in slots]


def _starts(rows: Sequence[TickRow], played: Sequence[Played]) -> list[str]:
    """Each attempt starts at most once, and only where its row says so."""
    starts = Counter(one.job.key for one in played)
    found = [f"{key} was started {count} times" for key, count in starts.items() if count > 1]
    allowed = set()
    for row in rows:
        name = tick_name(row.task, row.key.due_at, row.key.request)
        last = row.attempt if row.started_at is not None else row.attempt - 1
        allowed |= {f"{name}!{number}" for number in range(1, last + 1)}
        if row.state in {State.SUCCEEDED, State.FAILED} and f"{name}!{row.attempt}" not in starts:
            found.append(f"{name} ended without a start")
    return found + [f"{key} was started, and its row does not say so" for key in starts.keys() - allowed]
