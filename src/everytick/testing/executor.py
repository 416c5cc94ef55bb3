"""An executor that runs nothing and ends attempts as a test's script says, in the test's own time."""

from collections.abc import Callable
from dataclasses import dataclass

from everytick.clock import Clock
from everytick.conclude import Outcome
from everytick.executor import Job, Result
from everytick.task import Call, Inline, Work
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
class Played:
    """One attempt that was started, as the executor saw it.

    Attributes:
        job: What was started.
        at: When.
        ends: When it ends, or ended; None where it vanished with its runner.
        act: How it goes.
    """

    job: Job
    at: Instant
    ends: Instant | None
    act: Act


class ScriptedExecutor:
    """Ends attempts by a script.

    Args:
        clock: Whose time they take.
        script: From a job to how it goes; without one, everything succeeds at once.
        played: Where every attempt that is started is noted, in order.

    Attributes:
        lacking: The calls whose code is not here.
    """

    def __init__(
        self,
        clock: Clock,
        script: Callable[[Job], Act] | None = None,
        played: list[Played] | None = None,
    ) -> None:
        self._clock = clock
        self._script = script or (lambda _: Act())
        self._playing: dict[str, Played] = {}
        self._stopped: set[str] = set()
        self._until: int | None = None
        self.played = [] if played is None else played
        self.lacking: set[str] = set()

    def lacks(self, work: Work) -> str | None:
        """Return what is not here."""
        lacking = isinstance(work, Call | Inline) and work.call in self.lacking
        return "there is no such module" if lacking else None

    def start(self, job: Job) -> None:
        """Note the job and when it will end."""
        if job.key in self._playing:
            raise ValueError(f"{job.key} is in flight")
        now = self._clock.now()
        act = self._script(job)
        seconds = act.seconds
        if job.timeout is not None and seconds > job.timeout:
            seconds = job.timeout if act.obeys else job.timeout + job.grace
            act = Act(seconds, "timeout", f"stopped after {job.timeout:g} s")
        one = Played(job, now, now + round(seconds * 1e6), act)
        self.played.append(one)
        self._playing[job.key] = one

    def stop(self, key: str, *, grace: float) -> None:
        """End an attempt now, or after the grace where it does not obey."""
        playing = self._playing.get(key)
        if playing is None or playing.ends is None or key in self._stopped:
            return
        self._stopped.add(key)
        stopped_at = self._clock.now() + (0 if playing.act.obeys else round(grace * 1e6))
        if stopped_at < playing.ends:
            playing.ends = stopped_at
            playing.act = Act(outcome="cancelled", error="stopped on request")

    def extend(self, until: int) -> None:
        """Let attempts live until this moment of the clock's boot()."""
        self._until = until

    def results(self) -> list[Result]:
        """Return what has ended by now."""
        now = self._clock.now()
        if self._until is not None and self._clock.boot() > self._until:
            dead_since = now - (self._clock.boot() - self._until)
            for one in self._playing.values():
                if one.ends is not None and one.ends > dead_since:
                    one.ends, one.act = dead_since, Act(outcome="lost", error="its lease ended")
        ended = [one for one in self._playing.values() if one.ends is not None and one.ends <= now]
        for one in ended:
            del self._playing[one.job.key]
            self._stopped.discard(one.job.key)
        return [Result(key=one.job.key, outcome=one.act.outcome, error=one.act.error) for one in ended]

    def fileno(self) -> int | None:
        """Return none."""
        return None

    def close(self) -> None:
        """Lose what still runs."""
        for one in self._playing.values():
            one.ends, one.act = self._clock.now(), Act(outcome="lost", error="the runner was closed")

    def vanish(self) -> None:
        """Lose what still runs without a word, as when the machine is switched off."""
        for one in self._playing.values():
            one.ends = None
        self._playing.clear()

    def next_end(self) -> Instant | None:
        """Return when the next attempt ends."""
        return min((one.ends for one in self._playing.values() if one.ends is not None), default=None)
