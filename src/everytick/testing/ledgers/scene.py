"""The scene that the tests of the suite share: a ledger, a few tasks, and the decisions of the programs."""

from collections.abc import Mapping, Sequence

from everytick.conclude import Attempt, Outcome, Report, Settlement, conclude
from everytick.consider import Considered, Ready, Slot, consider
from everytick.ledger import Change, Claim, Ledger, Order, Process, TaskRow
from everytick.plan import Cursor, Plan, PlannedTick, Status, plan
from everytick.policy import Policies
from everytick.rescue import rescue
from everytick.revise import Revision, Standing, begin, revise
from everytick.task import Call, Task
from everytick.tick import Key, State, TickRow
from everytick.versions import Versions
from everytick.when import Instant, schedule

SECOND = 1_000_000
START: Instant = 1_767_225_600 * SECOND
"""2026-01-01T00:00:00Z."""

STEP = 10 * SECOND
"""A task of the scene is due so often."""

NOBODY: frozenset[int] = frozenset()


def due(number: int) -> Instant:
    """Return the instant of a task's tick, counted from 1."""
    return START + number * STEP


def change(act: str = "apply", at: Instant = START) -> Change:
    """Return a change that somebody makes."""
    return Change(at=at, actor="suite", act=act, note="to see what happens")


class Scene:
    """A ledger with the decisions that the programs hand in.

    Args:
        ledger: A new one.

    Attributes:
        ledger: The same.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.versions = Versions(ledger)

    def task(
        self,
        name: str = "report",
        policies: Policies | None = None,
        *,
        origin: str = "suite",
        within: Change | None = None,
    ) -> int:
        """Make a task that is due every ten seconds from START on; return its number."""
        task = _task(name, policies, origin)

        def decide(_: Mapping[str, TaskRow], numbers: Mapping[str, int]) -> list[Revision]:
            return [begin(numbers[name], task, START)]

        self.ledger.edit(within or change(), [name], decide)
        return self.row(name).newest.task_id

    def row(self, name: str = "report") -> TaskRow:
        """Return a task's newest version and its cursor."""
        (found,) = self.ledger.tasks(name=name)
        assert found in list(self.ledger.tasks())
        return found

    def revise(
        self,
        at: Instant,
        name: str = "report",
        status: Status = Status.ACTIVE,
        policies: Policies | None = None,
        *,
        origin: str = "suite",
    ) -> TaskRow:
        """Write a new version of a task; return how it stands then."""

        def decide(known: Mapping[str, TaskRow], _: Mapping[str, int]) -> list[Revision]:
            row = known[name]
            standing = Standing(
                task_id=row.newest.task_id,
                versions=self.versions.since(row.newest.task_id, row.newest.version, row.planned_through),
                planned_through=row.planned_through,
                settled_through=row.settled_through,
            )
            return [revise(standing, _task(name, policies, origin), status, at)]

        self.ledger.edit(change("edit", at), [name], decide)
        return self.row(name)

    def runner(self) -> int:
        """Register a runner and return its number."""
        return self.ledger.register(
            Process(kind="runner", host="here", pid=1, boot="b", release="0", started_at=START)
        )

    def plan(
        self, until: Instant, now: Instant = START, limit: int = 1000, without: frozenset[int] = NOBODY
    ) -> int:
        """Plan as the scheduler does, through ``until``."""

        def decide(cursors: Sequence[Cursor]) -> list[Plan]:
            return [self.planned(cursor, now, until) for cursor in cursors]

        return self.ledger.plan(until, now, limit, without, decide)

    def planned(self, cursor: Cursor, now: Instant, until: Instant) -> Plan:
        """Return what the scheduler decides about a cursor."""
        if cursor.request:
            versions = [self.versions.version(cursor.task_id, cursor.version)]
        else:
            versions = self.versions.since(cursor.task_id, cursor.version, cursor.planned_through)
        return plan(cursor, versions, now, until)

    def claim(
        self,
        holder: int,
        now: Instant,
        limit: int = 10,
        queues: tuple[str, ...] = ("default",),
        without: frozenset[int] = NOBODY,
    ) -> Claim:
        """Claim as the runner does."""

        def decide(batch: Sequence[Ready], slots: Mapping[int, Sequence[Slot]]) -> Considered:
            return consider(batch, slots, self.versions.version, now, limit)

        order = Order(holder=holder, queues=queues, limit=limit, without=without)
        return self.ledger.claim(order, now, decide)

    def started(self, holder: int, now: Instant) -> Attempt:
        """Claim, and return the one attempt that was started."""
        (attempt,) = self.claim(holder, now).attempts
        return attempt

    def concluded(
        self, attempt: Attempt, now: Instant, outcome: Outcome = "succeeded", error: str | None = None
    ) -> Settlement:
        """Return what the runner decides about an attempt that ended."""
        report = Report(outcome=outcome, error=error, summary='"done"', output="said\n")
        policies = self.versions.policies(attempt.key.task_id, attempt.version)
        return conclude(attempt, report, policies, now)

    def settle(
        self, attempt: Attempt, now: Instant, outcome: Outcome = "succeeded", error: str | None = None
    ) -> Settlement:
        """Settle an attempt as the runner does; it must not be refused."""
        settlement = self.concluded(attempt, now, outcome, error)
        assert self.ledger.settle([settlement], now) == []
        return settlement

    def rescued(self, held: Sequence[Attempt], now: Instant) -> list[Settlement]:
        """Return what a sweeper decides about the attempts of a process that is gone."""
        return [
            rescue(one, self.versions.policies(one.key.task_id, one.version), now, "it vanished")
            for one in held
        ]

    def request(self, task_id: int, at: Instant, *, act: str = "run") -> Key:
        """Ask for a tick of a task, due at an instant."""
        policies = self.versions.policies(task_id, 1)
        tick = PlannedTick(due_at=at, version=1, prev_due=None, next_due=None, ready_at=at, policies=policies)
        return self.ledger.request(change(act, at), task_id, tick)

    def tick(self, key: Key) -> TickRow:
        """Return a tick that is there."""
        row = self.ledger.tick(key)
        assert row is not None
        return row

    def recorded(self, task_id: int) -> list[TickRow]:
        """Return all rows of a task."""
        return list(self.ledger.recorded(task_id, START, due(1_000_000)))

    def states(self, task_id: int) -> list[tuple[int, str]]:
        """Return number and outcome of each scheduled tick that is not planned: ``(1, "succeeded")``."""
        return [
            ((row.key.due_at - START) // STEP, row.state + (f"({row.reason})" if row.reason else ""))
            for row in self.recorded(task_id)
            if row.state is not State.PLANNED and not row.key.request
        ]

    def facts(self, task_id: int) -> tuple[object, ...]:
        """Return everything that a failed method must leave as it was."""
        return (
            self.recorded(task_id),
            self.ledger.slots(task_id),
            self.ledger.processes(),
            list(self.ledger.tasks()),
            self.ledger.changes(),
            self.ledger.backfills(task_id),
        )


def _task(name: str, policies: Policies | None, origin: str) -> Task:
    return Task(
        name=name,
        schedule=schedule("every 10s"),
        work=Call(call="nobody:nothing"),
        policies=policies or Policies(),
        origin=origin,
    )
