"""An executor that runs nothing and ends attempts as a test's script says, in the test's own time."""

from collections.abc import Callable
from dataclasses import dataclass

from everytick.clock import Clock
from everytick.conclude import Outcome
from everytick.executor import Job, Result
from everytick.when import Instant


@dataclass(frozen=True, slots=True)
class Act:
    """How one attempt goes.

    Attributes:
        seconds: How long it takes.
        outcome: How it ends.
        error: What it says of its failure.
        obeys: Whether it ends when it is asked to stop.
    """

    seconds: float = 0.0
    outcome: Outcome = "succeeded"
    error: str | None = None
    obeys: bool = True


@dataclass(slots=True)
class _Playing:
    job: Job
    act: Act
    ends: Instant
    stopped: bool = False


class ScriptedExecutor:
    """Ends attempts by a script.

    Args:
        clock: Whose time they take.
        script: From a job to how it goes; without one, everything succeeds at once.

    Attributes:
        started: Every job that was started, in order, with the moment.
    """

    def __init__(self, clock: Clock, script: Callable[[Job], Act] | None = None) -> None:
        self._clock = clock
        self._script = script or (lambda _: Act())
        self._playing: dict[str, _Playing] = {}
        self._until: int | None = None
        self.started: list[tuple[Instant, Job]] = []

    def start(self, job: Job) -> None:
        """Note the job and when it will end."""
        if job.key in self._playing:
            raise ValueError(f"{job.key} is in flight")
        now = self._clock.now()
        act = self._script(job)
        seconds, timed_out = act.seconds, False
        if job.timeout is not None and seconds > job.timeout:
            seconds, timed_out = job.timeout, True
        if timed_out:
            act = Act(seconds, "timeout", f"stopped after {job.timeout:g} s")
        self.started.append((now, job))
        self._playing[job.key] = _Playing(job, act, now + round(seconds * 1e6))

    def stop(self, key: str, *, grace: float) -> None:
        """End an attempt now, or after the grace where it does not obey."""
        playing = self._playing.get(key)
        if playing is not None and not playing.stopped:
            wait = 0 if playing.act.obeys else round(grace * 1e6)
            stopped_at = self._clock.now() + wait
            if stopped_at < playing.ends:
                playing.ends = stopped_at
                playing.act = Act(outcome="cancelled", error="stopped on request")
            playing.stopped = True

    def extend(self, until: int) -> None:
        """Let attempts live until this moment of the clock's boot()."""
        self._until = until

    def results(self) -> list[Result]:
        """Return what has ended by now."""
        now = self._clock.now()
        late = self._until is not None and self._clock.boot() > self._until
        ended = [one for one in self._playing.values() if late or one.ends <= now]
        for one in ended:
            del self._playing[one.job.key]
        return [self._result(one, lost=late and one.ends > now) for one in ended]

    def fileno(self) -> int | None:
        """Return none."""
        return None

    def close(self) -> None:
        """Lose what still runs."""
        for playing in self._playing.values():
            playing.act = Act(outcome="lost", error="the runner was closed")
            playing.ends = self._clock.now()

    def next_end(self) -> Instant | None:
        """Return when the next attempt ends."""
        return min((one.ends for one in self._playing.values()), default=None)

    def _result(self, one: _Playing, *, lost: bool) -> Result:
        if lost:
            return Result(key=one.job.key, outcome="lost", error="its lease ended")
        return Result(key=one.job.key, outcome=one.act.outcome, error=one.act.error)
