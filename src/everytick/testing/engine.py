"""The stepped engine: a scheduler and a runner on a fake clock, for tests that tell stories in time.

engine = Engine("2026-03-01T00:00:00Z")
engine.apply(task("report", "0 6 * * *"))
engine.run(days=365)
assert engine.told("report")[-1] == "2027-02-28T06:00:00Z succeeded"
"""

from collections.abc import Callable, Sequence
from datetime import timedelta

from everytick.edits import Author, Edits
from everytick.executor import Executor, Job
from everytick.ledger import Ledger, TickFilter
from everytick.ledgers.sqlite import SqliteLedger
from everytick.life.presence import LEASE, Presence
from everytick.policy import Policies
from everytick.runner import Runner
from everytick.scheduler import GLANCE, HORIZON, Scheduler
from everytick.task import Call, Command, Inline, Task
from everytick.testing.clock import FakeClock
from everytick.testing.executor import Act, Played, ScriptedExecutor
from everytick.testing.laws import breaches
from everytick.tick import Key, State, TickRow, parse_rfc3339, parse_tick_name, rfc3339
from everytick.versions import Versions
from everytick.when import Instant, schedule

_FAR = 86_400_000_000
_LEAST = 1000
_GRACE = 3600.0

AUTHOR = Author(actor="test", note="a story")


def task(
    name: str, when: str, *, zone: str = "UTC", policies: Policies | None = None, origin: str = "story"
) -> Task:
    """Return a task whose work is played by the script of an engine."""
    return Task(
        name=name,
        schedule=schedule(when, zone),
        work=Call(call=f"story:{name}"),
        policies=policies or Policies(),
        origin=origin,
    )


class Engine:
    """A scheduler and a runner that can be down separately, on one ledger and one fake clock.

    Args:
        start: The first moment.
        script: How attempts go; see ScriptedExecutor.
        ledger: The ledger; one in memory unless told otherwise.
        limit: How many attempts the runner runs at once.

    Attributes:
        scheduling: Whether the scheduler is up; set it to stop one, or to let it go on as after a freeze.
        running: The same of the runner.
        queues: What its runners serve; it counts from the next start_runner() on.
        played: Every attempt that any of its runners started, in order.
    """

    def __init__(
        self,
        start: str = "2026-01-01T00:00:00Z",
        script: Callable[[Job], Act] | None = None,
        ledger: Ledger | None = None,
        limit: int = 1000,
    ) -> None:
        self.clock = FakeClock(start)
        self.ledger = ledger or SqliteLedger(":memory:")
        self.script = script
        self.played: list[Played] = []
        self.versions = Versions(self.ledger)
        self.edits = Edits(self.ledger, self.versions)
        self.start_scheduler()
        self.queues: tuple[str, ...] = ("default",)
        self.start_runner(limit)

    def start_scheduler(self) -> None:
        """Start a scheduler anew, as after a crash: it knows nothing but the ledger."""
        presence = Presence(self.ledger, self.clock, "scheduler")
        self.scheduler = Scheduler(self.ledger, self.clock, presence, Versions(self.ledger))
        self.scheduling = True

    def start_runner(self, limit: int = 1000) -> None:
        """Start a runner anew, as after a crash: what the old one held is nobody's."""
        self.executor = ScriptedExecutor(self.clock, self.script, self.played)
        self.presence = Presence(self.ledger, self.clock, "runner")
        kinds: dict[type, Executor] = {Call: self.executor, Command: self.executor, Inline: self.executor}
        self.runner = Runner(
            self.ledger,
            self.clock,
            self.presence,
            Versions(self.ledger),
            kinds,
            queues=self.queues,
            limit=limit,
            grace=round(_GRACE * 1e6),
        )
        self.running = True
        self.draining = False

    def crash_runner(self) -> None:
        """Kill the runner and all it runs, with nobody left to say so."""
        self.running = False
        self.executor.vanish()

    def stop_runner(self) -> None:
        """Tell the runner to stop: it lets what it runs end within an hour, and starts nothing more."""
        self.draining = True

    def apply(self, *tasks: Task) -> int:
        """Make the ledger hold these tasks and no others of their origin."""
        differences = self.edits.compare(tasks, "story")
        return self.edits.apply(differences, self.clock.now, AUTHOR)

    def pause(self, name: str, until: str | None = None) -> None:
        """Pause a task."""
        end = None if until is None else parse_rfc3339(until)
        self.edits.pause(name, self.clock.now(), AUTHOR, until=end)

    def resume(self, name: str) -> None:
        """Resume a task."""
        self.edits.resume(name, self.clock.now(), AUTHOR)

    def ask(self, name: str) -> Key:
        """Ask for a tick of a task now."""
        return self.edits.run(name, self.clock.now(), AUTHOR)

    def backfill(self, name: str, after: str, through: str) -> int:
        """Ask for the ticks of a task in (after, through]; return how many those are."""
        span = parse_rfc3339(after), parse_rfc3339(through)
        return self.edits.backfill(name, *span, self.clock.now(), AUTHOR)[1]

    def cancel(self, tick: str) -> State:
        """Cancel a tick by its name; return the state it was in."""
        name, due_at, request = parse_tick_name(tick)
        key = Key(self.edits.task(name).newest.task_id, due_at, request)
        return self.edits.cancel(name, key, self.clock.now(), AUTHOR)

    def step(self) -> None:
        """Do one round of whatever is up."""
        if self.scheduling:
            self.scheduler.step()
        if self.running and not self.draining:
            self.runner.step()
        elif self.running and self.runner.finish():
            self.presence.leave()
            self.running = False

    def run(self, duration: timedelta | None = None, **parts: float) -> None:
        """Let time pass, doing each round when there is something to do: ``run(hours=1)``."""
        end = self.clock.now() + (duration or timedelta(**parts)) // timedelta(microseconds=1)
        self.step()
        while (following := self._next()) <= end:
            self.clock.wait(following)
            self.step()
        self.clock.wait(end)
        self.step()

    def run_until(self, moment: str) -> None:
        """Let time pass until a moment, RFC 3339."""
        self.run(microseconds=parse_rfc3339(moment) - self.clock.now())

    def _next(self) -> Instant:
        """Return when something can happen; beats count while somebody depends on them.

        What could have happened already, but waits for something else, is looked at as often as the
        programs look.
        """
        now = self.clock.now()
        found = [now + _FAR]
        if self.scheduling and (due := self.ledger.next_plan()) is not None:
            found.append(due - HORIZON)
        if self.running and (ready := self.ledger.next_ready(self.queues, frozenset())) is not None:
            found.append(ready)
        found = [moment if moment > now else now + GLANCE for moment in found]
        if self.running and (ends := self.executor.next_end()) is not None:
            found += [ends, now + LEASE // 4]
        if len(self.ledger.processes()) > self.scheduling + self.running:
            found.append(now + LEASE // 4)
        return max(min(found), now + _LEAST)

    def breaches(self) -> list[str]:
        """Return every breach of the laws so far; see everytick.testing.laws."""
        return breaches(self.ledger, self.played)

    def ticks(self, name: str | None = None, limit: int = 100_000) -> Sequence[TickRow]:
        """Return the ticks due by now, oldest first."""
        which = TickFilter(task=name, until=self.clock.now(), limit=limit)
        return self.ledger.ticks(which)[::-1]

    def told(self, name: str) -> list[str]:
        """Return what became of each tick of a task due by now: ``2026-01-01T06:00:00Z succeeded``."""
        return [
            f"{rfc3339(row.key.due_at)} {row.state}" + (f"({row.reason})" if row.reason else "")
            for row in self.ticks(name)
        ]
