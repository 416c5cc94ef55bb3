"""Health: what somebody should be told about now, without touching anything.

An alarm says what is wrong, since when, and how to mend it. It is over when the facts no longer
say so; nothing is remembered.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from everytick.policy import Policies, Priority
from everytick.tick import rfc3339, tick_name
from everytick.when import Instant, format_duration

PATIENCE = 60_000_000
"""Microseconds that planning and claiming may lag before anybody is told."""

STEP = 2_000_000
"""A wall clock so many microseconds off has stepped."""


class Kind(StrEnum):
    """What is wrong."""

    LATE = "late"  # a tick has not succeeded by its finish deadline, nor has a newer one
    STALE = "stale"  # the last success is longer ago than the task's freshness allows
    BEHIND = "behind"  # instants have passed that are not planned yet
    STARVED = "starved"  # ready ticks wait in a queue, and nobody claims them
    PAUSED = "paused"  # a task was paused because its ticks failed
    LOST = "lost"  # the ledger has lost commits, and nobody has said that it is the ledger now
    CLOCK = "clock"  # a process's wall clock has stepped: unless another bears its own out, it starts nothing
    DEAD = "dead"  # a process has stopped beating
    DESERTED = "deserted"  # there are tasks, and no program of a kind they need


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Something that somebody should be told about.

    Attributes:
        kind: See Kind.
        subject: The task, the queue or the process.
        since: Since when.
        sentence: What is wrong.
        mend: What to do about it.
    """

    kind: Kind
    subject: str
    since: Instant | None
    sentence: str
    mend: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFacts:
    """How a task stands.

    Attributes:
        task: Its name.
        policies: Of its newest version.
        begun: When its first version came into force; where no freshness is asked for, any of its versions.
        awaited: The due_at of the newest tick past its finish deadline, where neither it nor a newer
            one has succeeded; request 0.
        succeeded_at: When its last success ended.
        unplanned: The first instant that is not planned yet.
        paused_for: Why Everytick itself paused it; None where it did not.
    """

    task: str
    policies: Policies
    begun: Instant
    awaited: Instant | None = None
    succeeded_at: Instant | None = None
    unplanned: Instant | None = None
    paused_for: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueFacts:
    """How one class of a queue stands.

    Attributes:
        queue: The queue.
        ready_at: Since when its longest waiting tick is ready; None where nothing is planned.
        priority: The class.
        task: Whose tick that is.
    """

    queue: str
    ready_at: Instant | None
    priority: Priority = Priority.NORMAL
    task: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessFacts:
    """How a scheduler or runner stands.

    Attributes:
        id: Its number in the ledger.
        kind: ``scheduler``, ``runner`` or ``up`` (both).
        host: Its machine.
        pid: Its process id there.
        skew: How far its wall clock is ahead of its own, in microseconds.
        silent: Somebody has watched its beat for a whole lease, and it did not change.
    """

    id: int
    kind: str
    host: str
    pid: int
    skew: int = 0
    silent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """How a ledger stands.

    Attributes:
        tasks: Its tasks.
        queues: Its queues, by class.
        processes: Those that are not known to have ended.
        lost: When a process noticed that it has lost commits, where no person has taken it as it is since.
        how: How that process noticed.
    """

    tasks: Iterable[TaskFacts] = ()
    queues: Sequence[QueueFacts] = ()
    processes: Sequence[ProcessFacts] = ()
    lost: Instant | None = None
    how: str = ""


def health(facts: Facts, now: Instant) -> Iterator[Alarm]:
    """Yield what somebody should be told about: the ledger and its programs, then queues, then tasks."""
    if facts.lost is not None:
        yield Alarm(
            kind=Kind.LOST,
            subject="ledger",
            since=facts.lost,
            sentence=f"the ledger has lost commits, and nothing is started: {facts.how}",
            mend="put the newest copy there is in its place, then everytick doctor --accept-restore",
        )
    yield from _deserted(facts)
    for process in facts.processes:
        yield from _of_process(process)
    for queue in facts.queues:
        yield from starved(queue, now)
    for task in facts.tasks:
        yield from _of_task(task, now)


def _of_task(task: TaskFacts, now: Instant) -> Iterator[Alarm]:
    name, policies = task.task, task.policies
    within = policies.finish_within
    if within is not None and task.awaited is not None and now > task.awaited + within:
        since = task.awaited + within
        yield Alarm(
            kind=Kind.LATE,
            subject=name,
            since=since,
            sentence=f"{tick_name(name, task.awaited)} had to succeed by {rfc3339(since)} and has not",
            mend=f"everytick why {tick_name(name, task.awaited)} tells what keeps it",
        )
    fresh = policies.fresh_within
    last = task.begun if task.succeeded_at is None else task.succeeded_at
    if fresh is not None and now > last + fresh:
        ago = "never succeeded" if task.succeeded_at is None else f"last succeeded at {rfc3339(last)}"
        yield Alarm(
            kind=Kind.STALE,
            subject=name,
            since=last + fresh,
            sentence=f"{name} {ago}; it is to succeed every {_words(fresh)}",
            mend=f"everytick ticks {name} shows what became of its ticks since",
        )
    if task.unplanned is not None and now > task.unplanned + PATIENCE:
        yield Alarm(
            kind=Kind.BEHIND,
            subject=name,
            since=task.unplanned,
            sentence=f"{name} is not planned beyond {rfc3339(task.unplanned)}",
            mend="see that a scheduler runs, and that the task's earlier ticks get done: "
            "at most 100 wait in the ledger",
        )
    if task.paused_for is not None:
        yield Alarm(
            kind=Kind.PAUSED,
            subject=name,
            since=None,
            sentence=f"{name} is paused: {task.paused_for}",
            mend=f"mend the cause, then everytick resume {name}",
        )


def starved(queue: QueueFacts, now: Instant) -> Iterator[Alarm]:
    """Yield an alarm where ticks of a class are ready, and nobody claims them."""
    if queue.ready_at is not None and now > queue.ready_at + PATIENCE:
        told = queue.priority.name.lower()
        first = f"; {queue.task} waits longest" if queue.task else ""
        strict = "" if queue.priority is Priority.HIGH else " (a higher class always comes first)"
        yield Alarm(
            kind=Kind.STARVED,
            subject=f"{queue.queue}, {told} priority",
            since=queue.ready_at,
            sentence=f"ticks of queue {queue.queue}, {told} priority, are ready since "
            f"{rfc3339(queue.ready_at)}, unclaimed{first}",
            mend=f"start a runner that serves {queue.queue} and has the code of its tasks, or let the ones "
            f"there run more at once{strict}",
        )


def _of_process(process: ProcessFacts) -> Iterator[Alarm]:
    name = f"{process.kind} {process.id} (pid {process.pid} on {process.host})"
    if process.silent:
        yield Alarm(
            kind=Kind.DEAD,
            subject=name,
            since=None,
            sentence=f"{name} has stopped beating; what it held is lost and is run again by the others",
            mend="look at its log and at its machine, then start it again",
        )
    elif abs(process.skew) > STEP:
        yield Alarm(
            kind=Kind.CLOCK,
            subject=name,
            since=None,
            sentence=f"the wall clock of {name} is {process.skew / 1e6:+.1f} s off; "
            "unless the ledger's clock bears it out, it starts nothing",
            mend="set the clock right; or, where it is right, everytick doctor --accept-clock",
        )


def _deserted(facts: Facts) -> Iterator[Alarm]:
    """Tell which kind of program is wanted and not there."""
    alive = {process.kind for process in facts.processes if not process.silent}
    wanted = {"scheduler": "plans", "runner": "runs"} if facts.queues else {}
    for kind, does in wanted.items():
        if not alive & {kind, "up"}:
            yield Alarm(
                kind=Kind.DESERTED,
                subject=kind,
                since=None,
                sentence=f"there are tasks, and nobody {does} them: no {kind} is alive",
                mend=f"start one: everytick {kind}, or everytick up",
            )


def _words(duration: int) -> str:
    return format_duration(timedelta(microseconds=duration))
