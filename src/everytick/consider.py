"""Consider: decide what becomes of ticks that are ready, without touching anything.

In this order: pause → start deadline → catch-up → overlap. The row and the task's slots alone
decide, so every claimer gives the same answer.

A slot is the right to run, one row per active tick. A lane from 0 on is held by a tick that is
active; a lane below 0 by a tick that waits for one, -1 being the first in the queue to have come.
A tick in back-off keeps its lane and has no holder.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from everytick.plan import Status, Version
from everytick.policy import CatchingUp, Overlapping, Policies, Priority, jittered
from everytick.task import Task
from everytick.tick import NEVER, Key, Reason
from everytick.when import Instant


class Ready(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A planned tick whose ready_at has come.

    Attributes:
        key: Which tick.
        version: The version of the task that planned it; its policies hold for it.
        prev_due: Where its data interval begins.
        next_due: When the next tick of the task is due.
        attempt: Which attempt would start now.
        reruns: How many earlier attempts were lost.
        newest: The number of the task's newest version: it may be paused or removed by now.
        queue: Where it stands in line.
        priority: Its class there.
    """

    key: Key
    version: int
    prev_due: Instant | None
    next_due: Instant | None
    attempt: int
    reruns: int
    newest: int
    queue: str = "default"
    priority: int = Priority.NORMAL


class Slot(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One row of the slot table."""

    key: Key
    lane: int
    attempt: int
    holder: int | None
    cancel_requested: bool = False


class Start(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Run this tick, in this lane."""

    ready: Ready
    lane: int
    fresh: bool


class End(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """End this tick without running it: skipped for a reason, or cancelled where there is none."""

    key: Key
    reason: Reason | None


class Wait(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Let this tick wait in a lane below 0, at the latest until an instant.

    Attributes:
        key: Which tick.
        lane: Where it waits; None for a tick that keeps the slot it has.
        until: When it is considered again, if nothing wakes it before.
    """

    key: Key
    lane: int | None
    until: Instant


@dataclass(slots=True)
class Considered:
    """What was decided about a batch.

    Attributes:
        starts: To be run.
        ends: To be ended without a run.
        waits: To wait for a lane, or for the end of a pause.
        cancels: Active ticks to be asked to stop.
        places: How many more could be started.
    """

    starts: list[Start] = field(default_factory=list)
    ends: list[End] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)
    cancels: list[Key] = field(default_factory=list)
    places: int = NEVER


VersionOf = Callable[[int, int], Version]
"""From a task's number and a version's number to the version."""


def consider(
    batch: Sequence[Ready],
    slots: Mapping[int, Sequence[Slot]],
    version_of: VersionOf,
    now: Instant,
    places: int = NEVER,
) -> Considered:
    """Decide about a batch of ready ticks.

    Args:
        batch: Ready ticks, those that are to have the places first.
        slots: The slots of each task in the batch.
        version_of: How to find a task's version.
        now: The moment.
        places: How many can be started; what finds no place, and could start, is left as it is.
    """
    decided = Considered(places=places)
    lanes = {ready.key.task_id: _Lanes(slots.get(ready.key.task_id, ())) for ready in batch}
    left: list[tuple[Ready, Version]] = []
    for ready in _in_turn(batch):
        version = version_of(ready.key.task_id, ready.version)
        newest = version if ready.newest == ready.version else version_of(ready.key.task_id, ready.newest)
        table = lanes[ready.key.task_id]
        own = table.of(ready.key)
        verdict = _before_overlap(ready, version, newest, now, waited=own is not None)
        if isinstance(verdict, End):
            table.leave(ready.key)
            decided.ends.append(verdict)
        elif isinstance(verdict, Wait):
            decided.waits.append(verdict)
        else:
            left.append((ready, version))
    for ready, version in left:  # what has ended by now is in nobody's way
        table = lanes[ready.key.task_id]
        own = table.of(ready.key)
        if own is not None and own.lane >= 0:
            table.start(ready, own.lane, decided, fresh=False)
        else:
            table.place(ready, version.task, decided)
    return decided


def _in_turn(batch: Sequence[Ready]) -> Sequence[Ready]:
    """Keep the order of the batch between tasks, and let the ticks of each task go by due_at."""
    if len({ready.key.task_id for ready in batch}) == len(batch):
        return batch
    turns: defaultdict[int, list[Ready]] = defaultdict(list)
    for ready in sorted(batch, key=lambda one: (one.key.due_at, one.key.request), reverse=True):
        turns[ready.key.task_id].append(ready)
    return [turns[ready.key.task_id].pop() for ready in batch]


def missed(ready: Ready, version: Version, now: Instant) -> bool:
    """Tell whether a scheduled tick that was never considered is too old under its catch-up policy."""
    task = version.task
    policy = task.policies.catch_up
    due = ready.key.due_at
    overtaken = ready.next_due is not None and ready.next_due <= now
    if policy.kind is CatchingUp.LATEST:
        return overtaken
    if policy.kind is CatchingUp.NONE:
        return overtaken or now - _first_ready_at(ready, task) > policy.grace
    if not overtaken:
        return False
    if policy.window is not None and now - due > policy.window:
        return True
    return policy.limit is not None and version.schedule.count(due, now) > policy.limit


def _first_ready_at(ready: Ready, task: Task) -> Instant:
    return jittered(task.policies, task.name, ready.key.due_at, ready.next_due)


def _before_overlap(
    ready: Ready, version: Version, newest: Version, now: Instant, *, waited: bool
) -> End | Wait | None:
    key = ready.key
    first = ready.attempt == 1
    if newest.status is Status.REMOVED and first:
        return End(key=key, reason=None)
    paused = newest.status is Status.PAUSED and now < (newest.paused_until or NEVER)
    if paused and not key.request:
        if first:
            return End(key=key, reason=Reason.PAUSED)
        return Wait(key=key, lane=None, until=newest.paused_until or NEVER)
    if not first:
        return None
    if now > _deadline(ready, version.task):
        return End(key=key, reason=Reason.EXPIRED)
    if not key.request and not waited and missed(ready, version, now):
        return End(key=key, reason=Reason.MISSED)
    return None


def _deadline(ready: Ready, task: Task) -> Instant:
    """Return until when a tick may start; what somebody asked for waits until it is cancelled."""
    within = task.policies.start_within
    return NEVER if within is None or ready.key.request else _first_ready_at(ready, task) + within


def _first_lane(policies: Policies, due_at: Instant) -> int:
    """Return the lane of a tick that finds no other; without a limit due_at tells lanes apart."""
    return 0 if policies.overlap.limit is not None else max(due_at, 0)


class _Lanes:
    """The slots of one task while a batch is decided, changed by each decision."""

    def __init__(self, held: Sequence[Slot]) -> None:
        self.slots = {slot.key: slot for slot in held}

    def of(self, key: Key) -> Slot | None:
        return self.slots.get(key)

    def leave(self, key: Key) -> None:
        self.slots.pop(key, None)

    def free(self, policies: Policies, due_at: Instant) -> int | None:
        """Return a lane that nobody holds, or None where the limit is reached.

        What is active under an older version with a higher limit counts, whichever lane it holds.
        """
        taken = {slot.lane for slot in self.slots.values() if slot.lane >= 0}
        limit = policies.overlap.limit
        if limit is not None and len(taken) >= limit:
            return None
        lane = _first_lane(policies, due_at)
        while lane in taken:
            lane += 1
        return lane

    def waiting(self) -> list[Slot]:
        """Return the slots of those that wait, oldest first."""
        queue = [slot for slot in self.slots.values() if slot.lane < 0]
        return sorted(queue, key=lambda slot: (slot.key.due_at, slot.key.request))

    def start(self, ready: Ready, lane: int, decided: Considered, *, fresh: bool) -> None:
        if decided.places <= 0:
            return
        decided.places -= 1
        self.slots[ready.key] = Slot(key=ready.key, lane=lane, attempt=ready.attempt, holder=0)
        decided.starts.append(Start(ready=ready, lane=lane, fresh=fresh))

    def place(self, ready: Ready, task: Task, decided: Considered) -> None:
        """Start the tick, let it wait, or skip it, as the overlap policy says."""
        if not self.slots:
            self.start(ready, _first_lane(task.policies, ready.key.due_at), decided, fresh=True)
            return
        kind = task.policies.overlap.kind
        if kind is Overlapping.CANCEL_RUNNING and not ready.key.request:
            self._end_backoff(decided)
        queued = kind is Overlapping.QUEUE_ALL or bool(ready.key.request)
        ahead = [slot for slot in self.waiting() if slot.key < ready.key]
        lane = self.free(task.policies, ready.key.due_at)
        if lane is not None and not (queued and ahead):
            if ahead and decided.places > 0 and kind in {Overlapping.QUEUE_ONE, Overlapping.CANCEL_RUNNING}:
                self._supersede([slot.key for slot in ahead if not slot.key.request], decided)
            self.start(ready, lane, decided, fresh=True)
        elif queued:
            self._wait(ready, task, decided)
        elif kind in {Overlapping.SKIP, Overlapping.ALLOW}:
            decided.ends.append(End(key=ready.key, reason=Reason.OVERLAP))
        else:
            self._replace(ready, task, decided)
            if kind is Overlapping.CANCEL_RUNNING:
                decided.cancels.extend(
                    slot.key for slot in self.slots.values() if slot.lane >= 0 and not slot.cancel_requested
                )

    def _end_backoff(self, decided: Considered) -> None:
        """Cancel what is active without running: nobody would hear a request to stop."""
        for slot in [slot for slot in self.slots.values() if slot.lane >= 0 and slot.holder is None]:
            self.leave(slot.key)
            decided.ends.append(End(key=slot.key, reason=None))

    def _wait(self, ready: Ready, task: Task, decided: Considered) -> None:
        own = self.of(ready.key)
        lane = own.lane if own else min((slot.lane for slot in self.slots.values()), default=0)
        lane = lane if own else min(lane, 0) - 1
        self.slots[ready.key] = Slot(key=ready.key, lane=lane, attempt=ready.attempt, holder=None)
        until = min(_deadline(ready, task), NEVER - 1) + 1
        decided.waits.append(Wait(key=ready.key, lane=lane, until=until))

    def _replace(self, ready: Ready, task: Task, decided: Considered) -> None:
        """Let the newest of the waiting ticks wait; the others end superseded."""
        rivals = [slot.key for slot in self.waiting() if not slot.key.request and slot.key != ready.key]
        if any(key > ready.key for key in rivals):
            self.leave(ready.key)
            decided.ends.append(End(key=ready.key, reason=Reason.SUPERSEDED))
            return
        self._supersede(rivals, decided)
        self._wait(ready, task, decided)

    def _supersede(self, rivals: Sequence[Key], decided: Considered) -> None:
        for key in rivals:
            self.leave(key)
            decided.ends.append(End(key=key, reason=Reason.SUPERSEDED))
            decided.waits[:] = [wait for wait in decided.waits if wait.key != key]
