"""The ledger: what every store of tasks, ticks and changes has to promise.

Whatever decides is handed in as a pure function; the ledger reads the facts, calls it, and writes
what it decided, all in one transaction. Every write is conditional on the row being as it was read,
so each method is safe to repeat after a lost connection.

Instants are microseconds UTC. SQL never reads a clock: the moment is an argument.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from everytick.conclude import Attempt, Settlement
from everytick.consider import Considered, Ready, Slot
from everytick.plan import Cursor, Plan, PlannedTick
from everytick.record import Backfill, Change, Record, VersionRow
from everytick.revise import Revision
from everytick.tick import NEVER, Key, State, TickRow
from everytick.when import Instant

__all__ = [
    "AttemptRow",
    "Backfill",
    "Change",
    "Claim",
    "ClaimDecision",
    "EditDecision",
    "Head",
    "Ledger",
    "Order",
    "PlanDecision",
    "Process",
    "Reads",
    "SettleDecision",
    "TaskRow",
    "TickFilter",
    "VersionRow",
    "Writes",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A scheduler or runner, as others see it.

    Attributes:
        id: Its number in the ledger; 0 before it is registered. Never used again.
        kind: ``scheduler``, ``runner`` or ``up`` (both).
        host: The machine's name.
        pid: Its process id there.
        boot: The machine's boot id, and among which pids it runs there: a container has its own.
        release: The version of Everytick it runs.
        started_at: When it registered.
        beat: A number that grows while it lives; what it counts means nothing.
        skew: Its wall clock less its own clock, in microseconds.
        status: ``alive``, ``gone`` (ended well) or ``dead`` (declared so by a sweeper).
    """

    id: int = 0
    kind: str
    host: str
    pid: int
    boot: str
    release: str
    started_at: Instant
    beat: int = 0
    skew: int = 0
    status: str = "alive"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRow:
    """A task's newest version and where its cursor stands.

    Attributes:
        newest: The newest version.
        planned_through: How far it is planned.
        last_due: The newest instant that has a row.
        next_due: When planning looks at it again.
        settled_through: The newest instant whose scheduled tick has left ``planned``.
    """

    newest: VersionRow
    planned_through: Instant
    last_due: Instant | None
    next_due: Instant | None
    settled_through: Instant | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRow:
    """An attempt that did not end its tick, or a late result that was refused."""

    key: Key
    attempt: int
    holder: int
    started_at: Instant
    ended_at: Instant
    outcome: str
    refused_at: Instant | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a runner asks for.

    Attributes:
        holder: The process that will hold the attempts.
        queues: The queues it serves.
        limit: How many it can start at once; so many are read of each queue, as if there were no other.
        beyond: How many more of each queue to look at: they may be skipped, wait, or cancel what runs.
        without: Tasks it cannot run.
        beat: The holder's last confirmed beat. Where the ledger shows an older one, it has lost commits, and
            nothing is claimed.
    """

    holder: int
    queues: tuple[str, ...]
    limit: int
    beyond: int = 0
    without: frozenset[int] = frozenset()
    beat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a claim brought.

    Attributes:
        attempts: Started in the ledger; to be run now.
        considered: How many ticks something was decided about; 0 means that nothing is to be done now.
    """

    attempts: list[Attempt]
    considered: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The head of a line: which tick of a queue and class is ready first.

    Attributes:
        queue: The queue.
        priority: The class.
        ready_at: When it is, or was, ready.
        task: The name of its task.
    """

    queue: str
    priority: int
    ready_at: Instant
    task: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TickFilter:
    """Which ticks to list, newest first: due in [since, until]."""

    task: str | None = None
    states: tuple[State, ...] = ()
    since: Instant = 0
    until: Instant = NEVER
    limit: int = 20


PlanDecision = Callable[[Sequence[Cursor]], Sequence[Plan]]
ClaimDecision = Callable[[Sequence[Ready], Mapping[int, Sequence[Slot]]], Considered]
SettleDecision = Callable[[Sequence[Attempt]], Sequence[Settlement]]
EditDecision = Callable[[Mapping[str, TaskRow], Mapping[str, int]], Sequence[Revision]]


class Writes(Protocol):
    """What the two programs and the commands do to a ledger."""

    def plan(
        self, until: Instant, now: Instant, limit: int, without: frozenset[int], decide: PlanDecision
    ) -> int:
        """Plan tasks whose cursor lies before ``until``; return how many cursors moved on.

        Args:
            until: Cursors whose next_due is at or before it.
            now: The moment; range rows end at it.
            limit: At most so many cursors.
            without: Tasks that cannot be planned.
            decide: plan(), applied to the cursors.
        """
        ...

    def claim(self, order: Order, now: Instant, decide: ClaimDecision) -> Claim:
        """Start ready ticks: their slots and the state ``running`` are committed when it returns.

        ``decide`` is told the ready ticks of each queue, those of a higher class first, and in each class
        those that are ready longest. What it decides nothing about stays as it is.
        """
        ...

    def settle(self, settlements: Sequence[Settlement], now: Instant) -> list[Settlement]:
        """Write how attempts ended; return those refused, because another holds the tick by now.

        A refused one is recorded as such. Settling again what is settled is no refusal.
        """
        ...

    def register(self, process: Process) -> int:
        """Write down a new process and return its number."""
        ...

    def beat(self, process: int, beat: int, skew: int) -> bool:
        """Renew a process's beat; False where it was declared dead, or its row is not as it left it."""
        ...

    def retire(self, process: int) -> None:
        """Write down that a process ended well, holding nothing."""
        ...

    def bury(self, process: int, beat: int, now: Instant, decide: SettleDecision) -> int | None:
        """Declare a process dead if its beat is still this one, and settle what it held.

        Returns:
            How many attempts it held; None where it lives, or another sweeper was first.
        """
        ...

    def edit(self, change: Change, names: Sequence[str], decide: EditDecision) -> int:
        """Write a change and the revisions it makes to the named tasks; return the change's number.

        A change that has a number already goes on: what is revised is counted to it. Tasks that do not exist
        yet are made; ``decide`` is told their numbers. An error that
        ``decide`` raises leaves nothing written.
        """
        ...

    def request(self, change: Change, task_id: int, tick: PlannedTick) -> Key:
        """Write a change that asks for one tick, and the tick; the change's number is its request.

        Of what was asked for like this of one task, the oldest UNSTARTED that nobody has started stand in
        line; the others are in RESERVE, and enter it when others end.
        """
        ...

    def backfill(self, change: Change, task_id: int, after: Instant, through: Instant, first: Instant) -> int:
        """Write a change that asks for ticks over (after, through], and its cursor; return its number."""
        ...

    def cancel(self, change: Change, key: Key) -> State | None:
        """End a tick that has not started, or ask its attempt to stop.

        Returns:
            The state it was in; None where there is no such tick. A tick that has ended stays as it is.
        """
        ...


class Reads(Record, Protocol):
    """What can be asked of a ledger."""

    def next_plan(self) -> Instant | None:
        """Return the smallest next_due of all cursors."""
        ...

    def next_ready(self, queues: Sequence[str], without: frozenset[int]) -> Instant | None:
        """Return when the next tick of these queues is ready."""
        ...

    def heads(self, queues: Sequence[str]) -> list[Head]:
        """Return which planned tick is ready first, of each of these queues and each class that has one."""
        ...

    def held(self, process: int) -> list[Attempt]:
        """Return the attempts that a process holds."""
        ...

    def stop_requests(self, process: int) -> list[Key]:
        """Return the ticks a process runs that somebody asked to stop."""
        ...

    def processes(self) -> list[Process]:
        """Return the processes that are not known to have ended."""
        ...

    def process(self, number: int) -> Process | None:
        """Return one process, whether it has ended or not; None where the ledger never had it."""
        ...

    def moment(self) -> Instant | None:
        """Return what the ledger's own clock says; None where it has none beside that of this machine."""
        ...

    def versions(self, *tasks: int) -> list[VersionRow]:
        """Return the versions of tasks, by the number of the task and their own."""
        ...

    def numbered(self, *wanted: tuple[int, int]) -> list[VersionRow]:
        """Return some versions, each named by the number of the task and its own; in that order."""
        ...

    def tasks(self, origin: str | None = None, name: str | None = None) -> Iterator[TaskRow]:
        """Return tasks by name, removed ones too."""
        ...

    def ticks(self, which: TickFilter) -> list[TickRow]:
        """Return ticks, newest due first."""
        ...

    def tick(self, key: Key) -> TickRow | None:
        """Return one tick."""
        ...

    def last(self, tasks: Sequence[int], until: Instant) -> Mapping[int, TickRow]:
        """Return of each of these tasks the newest tick due by an instant that has ended, if there is one."""
        ...

    def attempts(self, *ticks: Key) -> list[AttemptRow]:
        """Return the attempts of ticks that did not end them, and refused results; those of each in order."""
        ...

    def output(self, key: Key, attempt: int) -> tuple[str | None, str]:
        """Return what an attempt said: its error, and its output."""
        ...

    def slots(self, task_id: int) -> list[Slot]:
        """Return who holds and who waits for the lanes of a task."""
        ...

    def changes(self, after: int = 0, limit: int = 100, act: str | None = None) -> list[Change]:
        """Return changes in order, from behind the given number on."""
        ...

    def backfills(self, task_id: int) -> list[Cursor]:
        """Return the backfills of a task that are not planned to their end."""
        ...

    def counts(self, task_id: int, since: Instant) -> Mapping[str, int]:
        """Return how many ticks due from an instant on are in each state."""
        ...

    def hint(self) -> int:
        """Return a number that changes when another process has written: a hint, never a proof."""
        ...


class Ledger(Writes, Reads, AbstractContextManager["Ledger"], Protocol):
    """A ledger. Not for use by several threads at once."""

    def close(self) -> None:
        """Close it; committed work stays."""
        ...
