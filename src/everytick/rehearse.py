"""Rehearse: play one task in virtual time, to see what its overlap policy makes of a typical duration.

`consider()` decides here as it does in a runner; only the attempts are pretended. Each takes equally long
and succeeds, a runner always has a place free, and who is asked to stop does so at once. As in a ledger, a
task has a bounded number of unstarted ticks: the others are considered late, when there is room.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush

from everytick.consider import Ready, Slot, consider
from everytick.forecast import TOLD_EVERY, starts
from everytick.plan import UNSTARTED, Status, Version
from everytick.policy import Duration
from everytick.task import Task
from everytick.tick import Key, Reason
from everytick.when import Instant


@dataclass(slots=True, kw_only=True)
class Rehearsal:
    """What became of a task's ticks.

    Attributes:
        took: How long an attempt takes; the task's timeout where that is shorter.
        stopped: Whether the timeout stops every attempt.
        ran: How many ticks were started.
        cancelled: How many of those were asked to stop, as a newer one was due.
        waited: How many of those had waited for an earlier tick.
        longest_wait: How long, at most.
        most_active: How many were active at once, at most.
        most_waiting: How many waited at once, at most.
        skipped: How many were never started, by reason.
        left: How many have neither run nor been skipped when the span is over.
    """

    took: Duration
    stopped: bool
    ran: int = 0
    cancelled: int = 0
    waited: int = 0
    longest_wait: Duration = 0
    most_active: int = 0
    most_waiting: int = 0
    skipped: Counter[Reason] = field(default_factory=Counter)
    left: int = 0


def rehearse(
    task: Task,
    took: Duration,
    start: Instant,
    end: Instant,
    progress: Callable[[int], None] = lambda _: None,
) -> Rehearsal:
    """Return what becomes of a task's ticks in start <= due_at < end.

    Args:
        task: The task, its schedule bound.
        took: How long an attempt takes. One that ends in the very instant the next is ready has ended.
        start: Where the span begins.
        end: The first instant behind it.
        progress: Told now and then how many more ticks were played.
    """
    play = _Play(task, took, start)
    previous: Instant | None = None
    for number, (ready_at, due, following) in enumerate(starts(task, start, end), 1):
        key = Key(1, due)
        tick = Ready(key=key, version=1, prev_due=previous, next_due=following, attempt=1, reruns=0, newest=1)
        if not play.add(tick, ready_at, end):
            play.told.left += task.schedule.count(due - 1, end - 1)
            break
        previous = due
        if number % TOLD_EVERY == 0:
            progress(TOLD_EVERY)
    play.advance(end)
    play.told.left += len(play.waiting)
    return play.told


class _Play:
    """The slots of the task, when each attempt ends, and until when who waits may wait."""

    def __init__(self, task: Task, took: Duration, start: Instant) -> None:
        timeout = task.policies.timeout
        stopped = timeout is not None and timeout < took
        self.told = Rehearsal(took=timeout if stopped and timeout is not None else took, stopped=stopped)
        self.slots: dict[Key, Slot] = {}
        self.waiting: dict[Key, Ready] = {}
        self._now = start
        self._ends: dict[Key, Instant] = {}
        self._events: list[tuple[Instant, Key]] = []
        self._version = Version(
            version=1, since=start, status=Status.ACTIVE, paused_until=None, anchor=start, task=task,
            schedule=task.schedule,
        )  # fmt: skip

    def add(self, tick: Ready, ready_at: Instant, end: Instant) -> bool:
        """Play a tick when it is ready and there is room for it; False where that is not before the end."""
        self.advance(ready_at)
        while len(self.waiting) >= UNSTARTED and self._events and self._events[0][0] < end:
            self._happen()
        if len(self.waiting) >= UNSTARTED:
            return False
        self.consider(tick, max(ready_at, self._now))
        return True

    def advance(self, now: Instant) -> None:
        """Let happen what happens by now."""
        while self._events and self._events[0][0] <= now:
            self._happen()

    def _happen(self) -> None:
        """Let happen what comes next: an attempt ends, or one that waits must be considered again."""
        self._now, key = heappop(self._events)
        if key in self.waiting:
            self.consider(self.waiting[key], self._now)
        elif self._ends.get(key) == self._now:
            del self._ends[key], self.slots[key]
            self._pass_on(self._now)

    def consider(self, ready: Ready, now: Instant) -> None:
        """Decide about one tick."""
        decided = consider([ready], {1: tuple(self.slots.values())}, self._the_version, now)
        for end in decided.ends:
            self._leave(end.key)
            if end.reason is not None:
                self.told.skipped[end.reason] += 1
        for wait in decided.waits:
            lane = wait.lane if wait.lane is not None else self.slots[wait.key].lane
            self.slots[wait.key] = Slot(key=wait.key, lane=lane, attempt=1, holder=None)
            self.waiting[wait.key] = ready
            heappush(self._events, (wait.until, wait.key))
        for start in decided.starts:
            self._start(start.ready.key, start.lane, now, start.ready)
        self.told.most_waiting = max(self.told.most_waiting, len(self.waiting))
        if decided.cancels:
            self._stop(decided.cancels, now)

    def _the_version(self, _task: int, _number: int) -> Version:
        return self._version

    def _start(self, key: Key, lane: int, now: Instant, ready: Ready) -> None:
        told = self.told
        if self.waiting.pop(key, None) is not None:
            told.waited += 1
            told.longest_wait = max(told.longest_wait, now - ready.key.due_at)
        self.slots[key] = Slot(key=key, lane=lane, attempt=1, holder=1)
        self._ends[key] = now + told.took
        heappush(self._events, (now + told.took, key))
        told.ran += 1
        told.most_active = max(told.most_active, len(self.slots) - len(self.waiting))

    def _stop(self, keys: Sequence[Key], now: Instant) -> None:
        for key in keys:
            del self.slots[key], self._ends[key]
            self.told.cancelled += 1
        self._pass_on(now)

    def _pass_on(self, now: Instant) -> None:
        if self.waiting:
            self.consider(self.waiting[min(self.waiting)], now)

    def _leave(self, key: Key) -> None:
        self.slots.pop(key, None)
        self.waiting.pop(key, None)
