"""The checkup: reads from a ledger what health is judged by."""

from collections.abc import Collection, Iterator, Sequence

from everytick.health import Facts, ProcessFacts, QueueFacts, TaskFacts
from everytick.ledger import Reads, TaskRow, TickFilter
from everytick.life import losses
from everytick.plan import Status
from everytick.policy import Policies, Priority
from everytick.tick import NEVER, Reason, State, TickRow
from everytick.versions import Versions
from everytick.when import Instant

_LOOK_BACK = 100


def facts(ledger: Reads, versions: Versions, now: Instant, silent: Collection[int] = ()) -> Facts:
    """Return how a ledger stands.

    Args:
        ledger: Which.
        versions: Its definitions.
        now: The moment.
        silent: The processes whose beat somebody has watched for a whole lease without a change.
    """
    queues = sorted({_policies(versions, row).queue for row in _tasks(ledger)})
    alarm = losses.alarm(ledger)
    return Facts(
        lost=None if alarm is None else alarm.at,
        how="" if alarm is None else alarm.note,
        tasks=(_task(ledger, versions, row, now) for row in _tasks(ledger)),
        queues=[one for queue in queues for one in lines(ledger, (queue,)) or [_empty(queue)]],
        processes=[
            ProcessFacts(
                id=process.id,
                kind=process.kind,
                host=process.host,
                pid=process.pid,
                skew=process.skew,
                silent=process.id in silent,
            )
            for process in ledger.processes()
        ],
    )


def lines(ledger: Reads, queues: Sequence[str]) -> list[QueueFacts]:
    """Return how each class of these queues stands that has anything planned."""
    return [
        QueueFacts(queue=one.queue, ready_at=one.ready_at, priority=Priority(one.priority), task=one.task)
        for one in ledger.heads(queues)
    ]


def _tasks(ledger: Reads) -> Iterator[TaskRow]:
    """Yield the tasks that are not removed; nothing keeps them, there may be a million."""
    return (row for row in ledger.tasks() if row.newest.status is not Status.REMOVED)


def _empty(queue: str) -> QueueFacts:
    return QueueFacts(queue=queue, ready_at=None)


def _policies(versions: Versions, row: TaskRow) -> Policies:
    versions.keep(row.newest)
    return versions.policies(row.newest.task_id, row.newest.version)


def _task(ledger: Reads, versions: Versions, row: TaskRow, now: Instant) -> TaskFacts:
    policies = _policies(versions, row)
    success = None
    if policies.finish_within is not None or policies.fresh_within is not None:
        which = TickFilter(task=row.newest.name, states=(State.SUCCEEDED,), until=now, limit=1)
        success = next(iter(ledger.ticks(which)), None)
    awaited = None
    if policies.finish_within is not None:
        awaited = _awaited(ledger, row, now - policies.finish_within, success)
    paused = row.newest.status is Status.PAUSED and now < (row.newest.paused_until or NEVER)
    return TaskFacts(
        task=row.newest.name,
        policies=policies,
        begun=_begun(ledger, row, policies),
        awaited=awaited,
        succeeded_at=None if success is None else success.ended_at,
        unplanned=None if paused else row.next_due,
        paused_for=_paused_for(ledger, row) if paused else None,
    )


def _begun(ledger: Reads, row: TaskRow, policies: Policies) -> Instant:
    """Return when a task began; only its freshness is judged by it."""
    first = row.newest
    if policies.fresh_within is not None and first.version > 1:
        first = ledger.versions(first.task_id)[0]
    return first.since


def _awaited(ledger: Reads, row: TaskRow, until: Instant, success: TickRow | None) -> Instant | None:
    """Return when the newest tick past its deadline was due, if neither it nor a newer one has succeeded.

    Ticks of a pause and cancelled ones were not to run.
    """
    for tick in ledger.ticks(TickFilter(task=row.newest.name, until=until, limit=_LOOK_BACK)):
        if success is not None and success.key.due_at >= tick.key.due_at:
            return None
        if not tick.key.request and tick.reason is not Reason.PAUSED and tick.state is not State.CANCELLED:
            return tick.key.due_at
    return None


def _paused_for(ledger: Reads, row: TaskRow) -> str | None:
    """Return why Everytick itself paused a task; None where a person did."""
    change = next(iter(ledger.changes(after=row.newest.change_id - 1, limit=1)), None)
    return change.note if change is not None and change.actor == "everytick" else None
