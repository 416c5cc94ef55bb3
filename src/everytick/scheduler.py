"""The scheduler: plans ticks ahead of time, and settles what the dead have left behind.

Any number of schedulers may run; none is special. What one has planned, another finds planned.
"""

import logging
from collections.abc import Sequence

from everytick.clock import Clock
from everytick.conclude import Attempt, Settlement
from everytick.errors import UsageError
from everytick.ledger import Ledger, Process
from everytick.life.presence import Presence
from everytick.plan import Cursor, Plan, plan
from everytick.rescue import rescue
from everytick.versions import Versions
from everytick.when import Instant

log = logging.getLogger("everytick.scheduler")

HORIZON = 30_000_000
"""Tasks whose cursor reaches less far than so many microseconds are planned twice as far."""

GLANCE = 500_000
"""Microseconds between two looks at whether somebody else has written."""

_BATCH = 500
_ROUNDS = 100
_STRETCH = 200_000
"""Microseconds after which a step leaves the rest to the next."""

_BATCH_BESIDE = 100
_STRETCH_BESIDE = 20_000
"""The same where a runner in this process waits for its turn."""


class Scheduler:
    """One scheduler.

    Args:
        ledger: Its own connection to the ledger.
        clock: Its clock.
        presence: Its row in the ledger; shared where a runner lives in the same process.
        versions: The definitions it plans by.
        horizon: How far ahead it plans, in microseconds.
        alone: Whether it has its process to itself.
    """

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        presence: Presence,
        versions: Versions,
        *,
        horizon: int = HORIZON,
        alone: bool = False,
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._presence = presence
        self._versions = versions
        self._horizon = horizon
        self._batch = _BATCH if alone else _BATCH_BESIDE
        self._stretch = _STRETCH if alone else _STRETCH_BESIDE

    def step(self) -> Instant:
        """Beat, plan what is near, bury the dead; return when to come back."""
        if not self._presence.id or not self._presence.beat():
            self._presence.join()
            self._versions.forget()
        if not self._presence.trusted():
            return self._clock.now() + GLANCE
        self._versions.look_again(self._clock.boot())
        now = self._clock.now()
        moved = self._plan(now)
        buried = [self._bury(process, now) for process in self._presence.silent()]
        return (
            now
            if moved or any(buried)
            else now + min(GLANCE, self._presence.due(), self._presence.patience())
        )

    def files(self) -> Sequence[int]:
        """Return none: a scheduler waits for time alone."""
        return ()

    def finish(self) -> bool:
        """Have nothing to finish: every plan is whole when it is committed."""
        return True

    def close(self) -> None:
        """Have nothing to let go of."""

    def _plan(self, now: Instant) -> int:
        near = now + self._horizon
        until = near + self._horizon
        begun = self._clock.boot()
        moved = 0
        for _ in range(_ROUNDS):
            due = self._ledger.next_plan()
            if due is None or due > near:
                break
            broken = frozenset(self._versions.broken)
            moved = self._ledger.plan(
                near, now, self._batch, broken, lambda cursors: self._plans(cursors, now, until)
            )
            found_broken = len(self._versions.broken) > len(broken)
            if not (moved or found_broken) or self._clock.boot() - begun > self._stretch:
                break
        return moved

    def _plans(self, cursors: Sequence[Cursor], now: Instant, until: Instant) -> list[Plan]:
        self._versions.prepare((cursor.task_id, cursor.version) for cursor in cursors)
        plans = []
        for cursor in cursors:
            try:
                if cursor.request:
                    versions = [self._versions.version(cursor.task_id, cursor.version)]
                else:
                    versions = self._versions.since(cursor.task_id, cursor.version, cursor.planned_through)
                one = plan(cursor, versions, now, until)
            except UsageError as fault:
                self._versions.leave_alone(cursor.task_id, cursor.version, fault)
                continue
            if one.planned_through > cursor.planned_through:
                plans.append(one)
        return plans

    def _bury(self, process: Process, now: Instant) -> bool:
        """Settle what a dead process held; return whether it held anything, which is ready by now."""

        def decide(held: Sequence[Attempt]) -> list[Settlement]:
            return [self._rescued(attempt, process, now, len(held) - 1) for attempt in held]

        lost = self._ledger.bury(process.id, process.beat, now, decide)
        if lost is not None:
            log.warning(
                "%s %d (pid %d on %s) is dead: %d %s lost",
                process.kind,
                process.id,
                process.pid,
                process.host,
                lost,
                "attempt" if lost == 1 else "attempts",
            )
        return bool(lost)

    def _rescued(self, attempt: Attempt, process: Process, now: Instant, others: int) -> Settlement:
        policies = self._versions.policies(attempt.key.task_id, attempt.version)
        why = f"{process.kind} {process.id} (pid {process.pid} on {process.host}) stopped beating"
        if others:
            why += f", and {others} {'other' if others == 1 else 'others'} ran there"
        return rescue(attempt, policies, now, why)
