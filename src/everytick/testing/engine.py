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
from everytick.policy import Policies
from everytick.presence import LEASE, Presence
from everytick.runner import Runner
from everytick.scheduler import HORIZON, Scheduler
from everytick.task import Call, Command, Inline, Task
from everytick.testing.clock import FakeClock
from everytick.testing.executor import Act, ScriptedExecutor
from everytick.tick import TickRow, rfc3339
from everytick.versions import Versions
from everytick.when import Instant, schedule

_FAR = 86_400_000_000
_LEAST = 1000

AUTHOR = Author(actor="test", note="a story")


def task(name: str, when: str, *, zone: str = "UTC", policies: Policies | None = None) -> Task:
    """Return a task whose work is played by the script of an engine."""
    return Task(
        name=name,
        schedule=schedule(when, zone),
        work=Call(call=f"story:{name}"),
        policies=policies or Policies(),
        origin="story",
    )


class Engine:
    """A scheduler and a runner that can be down separately, on one ledger and one fake clock.

    Args:
        start: The first moment.
        script: How attempts go; see ScriptedExecutor.
        ledger: The ledger; one in memory unless told otherwise.

    Attributes:
        scheduling: Whether the scheduler is up.
        running: Whether the runner is up.
    """

    def __init__(
        self,
        start: str = "2026-01-01T00:00:00Z",
        script: Callable[[Job], Act] | None = None,
        ledger: Ledger | None = None,
    ) -> None:
        self.clock = FakeClock(start)
        self.ledger = ledger or SqliteLedger(":memory:")
        self.script = script
        self.versions = Versions(self.ledger)
        self.edits = Edits(self.ledger, self.versions)
        self.scheduling = self.running = True
        self.start_scheduler()
        self.start_runner()

    def start_scheduler(self) -> None:
        """Start a scheduler anew, as after a crash: it knows nothing but the ledger."""
        presence = Presence(self.ledger, self.clock, "scheduler")
        self.scheduler = Scheduler(self.ledger, self.clock, presence, Versions(self.ledger))

    def start_runner(self, limit: int = 1000) -> None:
        """Start a runner anew, as after a crash: what the old one held is nobody's."""
        self.executor = ScriptedExecutor(self.clock, self.script)
        presence = Presence(self.ledger, self.clock, "runner")
        kinds: dict[type, Executor] = {Call: self.executor, Command: self.executor, Inline: self.executor}
        self.runner = Runner(self.ledger, self.clock, presence, Versions(self.ledger), kinds, limit=limit)

    def apply(self, *tasks: Task) -> int:
        """Make the ledger hold these tasks and no others of their origin."""
        differences = self.edits.compare(tasks, "story")
        return self.edits.apply(differences, self.clock.now(), AUTHOR)

    def step(self) -> None:
        """Do one round of whatever is up."""
        if self.scheduling:
            self.scheduler.step()
        if self.running:
            self.runner.step()

    def run(self, duration: timedelta | None = None, **parts: float) -> None:
        """Let time pass, doing each round when there is something to do: ``run(hours=1)``."""
        end = self.clock.now() + (duration or timedelta(**parts)) // timedelta(microseconds=1)
        self.step()
        while (following := self._next()) <= end:
            self.clock.wait(following)
            self.step()
        self.clock.wait(end)
        self.step()

    def _next(self) -> Instant:
        """Return when something can happen; beats count while somebody depends on them."""
        now = self.clock.now()
        found = [now + _FAR]
        if self.scheduling and (due := self.ledger.next_plan()) is not None:
            found.append(due - HORIZON)
        if self.running and (ready := self.ledger.next_ready(("default",), frozenset())) is not None:
            found.append(ready)
        if self.running and (ends := self.executor.next_end()) is not None:
            found += [ends, now + LEASE // 4]
        if len(self.ledger.processes()) > self.scheduling + self.running:
            found.append(now + LEASE // 4)
        return max(min(found), now + _LEAST)

    def ticks(self, name: str | None = None, limit: int = 10_000) -> Sequence[TickRow]:
        """Return the ticks due by now, oldest first."""
        which = TickFilter(task=name, until=self.clock.now(), limit=limit)
        return self.ledger.ticks(which)[::-1]

    def told(self, name: str) -> list[str]:
        """Return what became of each tick of a task due by now: ``2026-01-01T06:00:00Z succeeded``."""
        return [
            f"{rfc3339(row.key.due_at)} {row.state}" + (f"({row.reason})" if row.reason else "")
            for row in self.ticks(name)
        ]
