"""Plan: turn a task's versions and its cursor into ticks, without touching anything.

The cursor of a task says through which instant its ticks stand in the ledger. It walks through the
task's versions, each in force over the stretch (since, next version's since]; so a scheduler that
was down through five edits still gives every instant the version it had.

    ──────v1 active──────┊───v2 paused───┊──────v3 active─────────▶
       ●   ●   ●   ●   ● ┊ ○   ○   ○   ○ ┊ ●   ●   ●   ●   ·   ·
                       ▲ planned_through             now ▲     ▲ now + horizon

What a task may have unstarted in the ledger is bounded; the rest waits behind its cursor. Where a
long outage left more missed ticks than may keep rows of their own, one range row stands for the
oldest of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import msgspec
from msgspec import structs

from everytick.errors import ScheduleError
from everytick.policy import CatchingUp, Policies, Priority, jittered
from everytick.task import Task
from everytick.tick import NEVER, Reason, State
from everytick.when import Instant, Schedule

UNSTARTED = 100
"""A task has at most so many unstarted ticks in the ledger."""

OWN_ROWS = 100
"""The newest so many skipped ticks of an outage keep rows of their own."""


class Status(StrEnum):
    """Whether a version yields ticks that run."""

    ACTIVE = "active"
    PAUSED = "paused"  # its instants become skipped(paused)
    REMOVED = "removed"  # it has no instants


class Version(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One version of a task.

    Attributes:
        version: Its number, from 1.
        since: It is in force over (since, the next version's since].
        status: See Status.
        paused_until: When a pause ends by itself.
        anchor: What its intervals count from.
        task: The task as it was written.
        schedule: Its schedule, bound to its name and anchor.
    """

    version: int
    since: Instant
    status: Status
    paused_until: Instant | None
    anchor: Instant
    task: Task
    schedule: Schedule


class Cursor(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How far a task is planned.

    Attributes:
        task_id: The task.
        request: 0 for its schedule, else the change that asked for a backfill.
        version: The task's newest version; with planned_through the token of compare-and-set.
        planned_through: Every instant up to here has its row.
        last_due: The newest instant that has a row; None before the first.
        through: A backfill ends here.
        unstarted: How many of its ticks nobody has started.
    """

    task_id: int
    request: int = 0
    version: int
    planned_through: Instant
    last_due: Instant | None
    through: Instant | None = None
    unstarted: int


class PlannedTick(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A row to insert: one tick, or one range of skipped ticks (then through and reason are set)."""

    due_at: Instant
    version: int
    prev_due: Instant | None
    next_due: Instant | None
    ready_at: Instant | None
    policies: Policies
    through: Instant | None = None
    count: int = 1
    state: State = State.PLANNED
    reason: Reason | None = None


class Plan(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one look at a cursor decided: rows to insert, and where the cursor stands then."""

    cursor: Cursor
    ticks: tuple[PlannedTick, ...]
    planned_through: Instant
    last_due: Instant | None
    next_due: Instant | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """One rule over (after, through]."""

    version: Version
    after: Instant
    through: Instant
    paused: bool


def stretches(versions: Sequence[Version], after: Instant) -> list[Stretch]:
    """Return which rule is in force when, from a moment on, in order of time.

    Args:
        versions: Of one task, by number.
        after: Only what lies after this instant.
    """
    found: list[Stretch] = []
    ends = [version.since for version in versions[1:]] + [NEVER]
    for version, end in zip(versions, ends, strict=True):
        if version.status is Status.REMOVED:
            continue
        begin = max(version.since, after)
        if version.status is Status.PAUSED:
            until = min(end, version.paused_until or NEVER)
            if begin < until:
                found.append(Stretch(version=version, after=begin, through=until, paused=True))
            begin = max(begin, until)
        if begin < end:
            found.append(Stretch(version=version, after=begin, through=end, paused=False))
    return found


def next_instant(found: Sequence[Stretch], moment: Instant) -> Instant | None:
    """Return the first instant after a moment at which a tick may start: pauses yield none."""
    for stretch in found:
        if stretch.paused or stretch.through <= moment:
            continue
        due = _first_in(stretch.version.schedule, max(moment, stretch.after), stretch.through)
        if due is not None:
            return due
    return None


def wake_at(found: Sequence[Stretch], moment: Instant, now: Instant) -> Instant | None:
    """Return the first instant that planning has to look at again; None where an edit must come first."""
    for stretch in found:
        if stretch.paused and stretch.through > now:
            return next_instant(found, stretch.through)
        due = _first_in(stretch.version.schedule, max(moment, stretch.after), stretch.through)
        if due is not None:
            return due
    return None


def _first_in(schedule: Schedule, after: Instant, through: Instant) -> Instant | None:
    """Return the first instant in (after, through].

    A schedule that gives up its search may still be counted: where it yields nothing in a span that has
    an end, it cannot hold up the versions that come after it.
    """
    try:
        due = schedule.instant_after(after)
    except ScheduleError:
        if through == NEVER or schedule.count(after, through):
            raise
        return None
    return due if due is not None and due <= through else None


def plan(cursor: Cursor, versions: Sequence[Version], now: Instant, until: Instant) -> Plan:
    """Return the ticks to insert for one cursor.

    Args:
        cursor: How far the task is planned.
        versions: The task's versions that reach beyond the cursor, by number; for a backfill the
            one version to use.
        now: The moment; what is due before it may have been missed.
        until: Plan through this instant.
    """
    found = stretches(versions, cursor.planned_through)
    if cursor.through is not None:
        found = [_asked_for(versions[-1], cursor.planned_through, cursor.through)]
    planner = _Planner(cursor, found, now)
    for stretch in found:
        if stretch.paused and stretch.through > now:
            break
        end = min(stretch.through, until)
        if end <= planner.moment:
            break
        if stretch.paused:
            planner.leave_out(stretch, end, Reason.PAUSED)
            planner.moment = end
            continue
        if not cursor.request:
            planner.leave_behind(stretch, min(now, end))
        if not planner.add(stretch, end):
            break
    return planner.plan()


def _asked_for(version: Version, after: Instant, through: Instant) -> Stretch:
    """Return the span of a backfill: one version holds for all of it, also before it was written.

    Its ticks are of the lowest class, so that they take only what other tasks leave free.
    """
    policies = replace(version.task.policies, priority=Priority.LOW)
    quiet = structs.replace(version, task=structs.replace(version.task, policies=policies))
    return Stretch(version=quiet, after=after, through=through, paused=False)


class _Planner:
    """The rows gathered so far, and the moment they reach."""

    def __init__(self, cursor: Cursor, found: Sequence[Stretch], now: Instant) -> None:
        self.cursor = cursor
        self.found = found
        self.now = now
        self.room = UNSTARTED - cursor.unstarted
        self.moment = cursor.planned_through
        self.last_due = cursor.last_due
        self.ticks: list[PlannedTick] = []

    def add(self, stretch: Stretch, end: Instant) -> bool:
        """Plan the instants through ``end``; False where the task has as many as it may have."""
        task = stretch.version.task
        schedule = stretch.version.schedule
        due = _first_in(schedule, max(self.moment, stretch.after), end)
        while due is not None:
            if self.room <= 0:
                return False
            following = _first_in(schedule, due, stretch.through)
            if following is None:
                following = next_instant(self.found, stretch.through)
            # What is planned late queues behind what is ready by now: no backlog crowds out other tasks.
            ready_at = max(jittered(task.policies, task.name, due, following), self.now)
            self._put(stretch, due, next_due=following, ready_at=ready_at)
            self.room -= 1
            self.moment = due
            due = _first_in(schedule, due, end)
        self.moment = end
        return True

    def leave_behind(self, stretch: Stretch, end: Instant) -> None:
        """Skip the missed instants that are too many to keep rows of their own."""
        schedule = stretch.version.schedule
        policies = stretch.version.task.policies
        begin = max(self.moment, stretch.after)
        if begin >= end:
            return
        first_kept = _first_kept(stretch.version, begin, end, self.now)
        if first_kept <= begin:
            return
        alive = _alive_since(policies, self.now)
        if alive is not None:
            dead = schedule.instant_before(min(alive, first_kept))
            if dead is not None and dead > begin:
                self.leave_out(stretch, dead, Reason.EXPIRED)
        self.leave_out(stretch, first_kept - 1, Reason.MISSED)

    def leave_out(self, stretch: Stretch, end: Instant, reason: Reason) -> None:
        """Let one range row stand for all instants through ``end``."""
        schedule = stretch.version.schedule
        begin = max(self.moment, stretch.after)
        first = schedule.instant_after(begin)
        if first is None or first > end:
            return
        last = schedule.instant_before(end + 1)
        count = schedule.count(begin, end)
        through = last if count > 1 else None
        self._put(stretch, first, next_due=None, ready_at=None, through=through, count=count, reason=reason)
        self.moment = last if last is not None else first

    def _put(
        self,
        stretch: Stretch,
        due: Instant,
        *,
        next_due: Instant | None,
        ready_at: Instant | None,
        through: Instant | None = None,
        count: int = 1,
        reason: Reason | None = None,
    ) -> None:
        self.ticks.append(
            PlannedTick(
                due_at=due,
                version=stretch.version.version,
                prev_due=self.last_due,
                next_due=next_due,
                ready_at=ready_at,
                policies=stretch.version.task.policies,
                through=through,
                count=count,
                state=State.PLANNED if reason is None else State.SKIPPED,
                reason=reason,
            )
        )
        self.last_due = through or due

    def plan(self) -> Plan:
        return Plan(
            cursor=self.cursor,
            ticks=tuple(self.ticks),
            planned_through=self.moment,
            last_due=self.last_due,
            next_due=wake_at(self.found, self.moment, self.now),
        )


def _first_kept(version: Version, begin: Instant, end: Instant, now: Instant) -> Instant:
    """Return from which instant on the due ones in (begin, end] keep rows of their own."""
    schedule = version.schedule
    catch_up = version.task.policies.catch_up
    if schedule.count(begin, end) <= OWN_ROWS:
        return begin
    own = _nth_newest(version, end, OWN_ROWS)
    if catch_up.kind is not CatchingUp.ALL:
        return own
    wanted = begin
    if catch_up.limit is not None and schedule.count(begin, end) > catch_up.limit + 1:
        wanted = _nth_newest(version, end, catch_up.limit + 1)
    if catch_up.window is not None:
        wanted = max(wanted, now - catch_up.window)
    return min(own, max(wanted, _alive_since(version.task.policies, now) or wanted))


def _alive_since(policies: Policies, now: Instant) -> Instant | None:
    """Return from which instant on a tick may be within its start deadline; None where it has none."""
    return None if policies.start_within is None else now - policies.start_within - policies.jitter


def _nth_newest(version: Version, end: Instant, n: int) -> Instant:
    """Return the n-th newest instant at or before ``end``; there are at least n."""
    moment = end + 1
    for _ in range(n):
        moment = version.schedule.instant_before(moment) or moment
    return moment
