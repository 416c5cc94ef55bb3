"""The outside world: attempts as they truly run, and the executor that starts them.

The executor keeps the promises of a real one and its warden: an attempt dies with its process, and no
attempt outlives the lease that its process was last told of.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from everytick.conclude import Outcome
from everytick.executor import Job, Result
from everytick.life.presence import Presence
from everytick.task import Work
from everytick.testing.executor import Act
from everytick.testing.simulation.machine import Machine


@dataclass(slots=True, kw_only=True, eq=False)
class Run:
    """One attempt, as it truly went; times are microseconds since boot.

    Attributes:
        tick: The tick's name.
        attempt: Its number.
        process: The process that started it, by the ledger's number.
        started: When it began.
        ends: When it ends, as things stand; when it ended, if it is over.
        outcome: How it ends.
        error: What it says of its failure.
        obeys: Whether it ends when it is asked to stop.
        over: It has ended.
    """

    tick: str
    attempt: int
    process: int
    started: int
    ends: int
    outcome: Outcome
    error: str | None
    obeys: bool
    over: bool = False

    def cut(self, at: int, outcome: Outcome, error: str) -> None:
        """Let it end at a moment, if it would have gone on until later."""
        if not self.over and self.ends > at:
            self.ends, self.outcome, self.error = at, outcome, error


class Witness(Protocol):
    """Who is told what happens outside."""

    def started(self, run: Run) -> None:
        """Hear of an attempt that begins."""

    def ended(self, run: Run) -> None:
        """Hear of an attempt that is over."""

    def refused(self, tick: str, attempt: int, lives_until: int) -> None:
        """Hear of an attempt that never began, because the lease it was told of was over."""


Moment = Callable[[str], None]
"""Called at each side of each call; it may raise, or let time pass."""


class SimulatedExecutor:
    """Starts attempts whose course is decided when they begin.

    Args:
        machine: Whose time they take.
        witness: Who is told.
        script: From a job to how it goes.
        presence: Of the process that it belongs to.
        before: Called with each call's name before it acts.
        after: Called with each call's name after it acted.
    """

    def __init__(
        self,
        machine: Machine,
        witness: Witness,
        script: Callable[[Job], Act],
        presence: Presence,
        *,
        before: Moment,
        after: Moment,
    ) -> None:
        self._machine = machine
        self._witness = witness
        self._script = script
        self._presence = presence
        self._before = before
        self._after = after
        self._runs: dict[str, Run] = {}
        self._told: list[Result] = []
        self._until: int | None = None

    def start(self, job: Job) -> None:
        """Begin an attempt, or report it lost where the lease is over."""
        self._before("start")
        if job.key in self._runs:
            raise ValueError(f"{job.key} is in flight")
        tick, _, attempt = job.key.rpartition("!")
        now = self._machine.boot
        if self._until is not None and now >= self._until:
            self._told.append(Result(key=job.key, outcome="lost", error="the lease is over"))
            self._witness.refused(tick, int(attempt), self._presence.lives_until())
        else:
            self._runs[job.key] = run = self._course(job, tick, int(attempt))
            self._witness.started(run)
        self._after("start")

    def _course(self, job: Job, tick: str, attempt: int) -> Run:
        act = self._script(job)
        now = self._machine.boot
        run = Run(
            tick=tick,
            attempt=attempt,
            process=self._presence.id,
            started=now,
            ends=now + round(act.seconds * 1e6),
            outcome=act.outcome,
            error=act.error,
            obeys=act.obeys,
        )
        if job.timeout is not None:
            grace = 0.0 if act.obeys else job.grace
            run.cut(now + round((job.timeout + grace) * 1e6), "timeout", f"stopped after {job.timeout:g} s")
        return run

    def lacks(self, work: Work) -> str | None:  # noqa: ARG002 - whatever it is
        """Lack nothing."""
        return None

    def stop(self, key: str, *, grace: float) -> None:
        """End an attempt now, or after the grace where it does not obey."""
        self._before("stop")
        run = self._runs.get(key)
        if run is not None:
            wait = 0.0 if run.obeys else grace
            run.cut(self._machine.boot + round(wait * 1e6), "cancelled", "stopped on request")
        self._after("stop")

    def extend(self, until: int) -> None:
        """Let attempts live until a moment since boot; those that are dead stay dead."""
        self._before("extend")
        self._until = until
        self._after("extend")

    def results(self) -> list[Result]:
        """Return what has ended by now."""
        self._before("results")
        self.pass_time(self._machine.boot)
        told, self._told = self._told, []
        for key in [key for key, run in self._runs.items() if run.over]:
            run = self._runs.pop(key)
            told.append(Result(key=key, outcome=run.outcome, error=run.error))
        self._after("results")
        return told

    def fileno(self) -> int | None:
        """Return none: the world knows when to come back."""
        return None

    def close(self) -> None:
        """Kill what still runs."""
        self._before("close")
        self.kill("its runner closed")
        self._after("close")

    def kill(self, why: str) -> None:
        """Let everything end now: what the warden does when its process is gone."""
        for run in self._runs.values():
            run.cut(self._machine.boot, "lost", why)
        self.pass_time(self._machine.boot)

    def pass_time(self, now: int) -> None:
        """Let end what ends by now; the lease ends what would go on."""
        for run in sorted(self._runs.values(), key=lambda run: run.ends):
            if self._until is not None:
                run.cut(max(self._until, run.started), "lost", "its lease ended")
            if not run.over and run.ends <= now:
                run.over = True
                self._witness.ended(run)

    def next_end(self) -> int | None:
        """Return when the next attempt ends, as things stand."""
        if self._told or any(run.over for run in self._runs.values()):
            return self._machine.boot
        ends = [run.ends for run in self._runs.values()]
        if ends and self._until is not None:
            ends.append(self._until)
        return min(ends, default=None)
