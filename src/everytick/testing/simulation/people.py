"""People: what is done to a world from outside, at any moment, by programs that may crash too."""

from collections.abc import Callable
from functools import partial
from random import Random

from everytick.edits import Author, Edits
from everytick.errors import LedgerError, UsageError
from everytick.ledger import Change, Ledger, TickFilter
from everytick.plan import Status
from everytick.task import Task
from everytick.testing.simulation.mirror import Meant
from everytick.testing.simulation.tasks import ORIGIN, random_task
from everytick.versions import Versions
from everytick.when import Instant

AUTHOR = Author(actor="somebody", note="by chance")
NAMES = ("ash", "birch", "cedar", "dogwood", "elm")


class Person:
    """One person at a command line: does one thing, and goes.

    Args:
        random: The dice.
        ledger: A connection of the person's own.
        now: The moment, by the wall clock.
        meant: Where the intention is noted before it is carried out.
        say: Takes a line of the trace.
    """

    def __init__(
        self,
        random: Random,
        ledger: Ledger,
        now: Instant,
        meant: dict[str, Meant],
        say: Callable[[str], None],
    ) -> None:
        self._random = random
        self._ledger = ledger
        self._now = now
        self._meant = meant
        self._say = say
        self._edits = Edits(ledger, Versions(ledger))

    def act(self) -> None:
        """Do one thing by chance; what is refused is left."""
        acts = (self.apply, self.pause, self.resume, self.run, self.backfill, self.cancel)
        act = self._random.choices(acts, (3, 2, 2, 3, 2, 4))[0]
        self._try(act)

    def _try(self, act: Callable[[], None]) -> None:
        try:
            act()
        except (LedgerError, UsageError) as fault:
            self._say(f"somebody was told: {fault}")

    def begin(self, count: int) -> None:
        """Apply the first tasks."""
        self._write([random_task(self._random, name) for name in NAMES[:count]])

    def apply(self) -> None:
        """Add, change or remove tasks."""
        names = {row.newest.name: row for row in self._ledger.tasks(origin=ORIGIN)}
        versions = Versions(self._ledger)
        kept = [
            versions.version(row.newest.task_id, row.newest.version).task
            for row in names.values()
            if row.newest.status is not Status.REMOVED
        ]
        if kept and self._random.random() < 0.5:
            kept.pop(self._random.randrange(len(kept)))
        if self._random.random() < 0.8:
            free = [name for name in NAMES if name not in {task.name for task in kept}]
            kept.append(random_task(self._random, self._random.choice(free or [kept.pop(0).name])))
        self._write(kept)

    def _write(self, tasks: list[Task]) -> None:
        differences = self._edits.compare(tasks, ORIGIN)
        for one in differences:
            status = {"add": "active", "change": None, "remove": "removed"}[one.kind]
            self._meant[one.name] = Meant(task=one.after, status=status)
        self._say("somebody applies " + ", ".join(f"{one.kind} {one.name}" for one in differences))
        self._edits.apply(differences, lambda: self._now, AUTHOR)

    def pause(self) -> None:
        """Pause a task, for ever or for a while."""
        until = None
        if self._random.random() < 0.6:
            until = self._now + round(10 ** self._random.uniform(5, 7.8))
        name = self._random.choice(NAMES)
        self._meant[name] = Meant(task=None, status="paused", paused_until=until)
        self._say(f"somebody pauses {name} until {until}")
        self._edits.pause(name, self._now, AUTHOR, until=until)

    def resume(self, name: str = "") -> None:
        """Resume a task."""
        name = name or self._random.choice(NAMES)
        self._meant[name] = Meant(task=None, status="active")
        self._say(f"somebody resumes {name}")
        self._edits.resume(name, self._now, AUTHOR)

    def run(self) -> None:
        """Ask for a tick now."""
        name = self._random.choice(NAMES)
        self._say(f"somebody runs {name}")
        self._edits.run(name, self._now, AUTHOR)

    def backfill(self) -> None:
        """Ask for ticks of the past, and perhaps of the near future."""
        name = self._random.choice(NAMES)
        span = round(10 ** self._random.uniform(6, 8.3))
        after = self._now - self._random.choice((span, 30 * 86_400_000_000, span // 2))
        self._say(f"somebody backfills {name}")
        self._edits.backfill(name, after, after + span, self._now, AUTHOR)

    def cancel(self) -> None:
        """Cancel a tick, whatever its state."""
        found = self._ledger.ticks(TickFilter(until=self._now + 5_000_000, limit=8))
        if found:
            tick = self._random.choice(found)
            self._say(f"somebody cancels {tick.task} {tick.key}")
            self._edits.cancel(tick.task, tick.key, self._now, AUTHOR)

    def vouch(self) -> None:
        """Say that the wall clock is right."""
        change = Change(at=self._now, actor="somebody", act="accept-clock")
        self._say("somebody vouches for the wall clock")
        self._ledger.edit(change, [], lambda *_: [])

    def resume_all(self) -> None:
        """Resume whatever is paused."""
        for row in self._ledger.tasks(origin=ORIGIN):
            if row.newest.status is Status.PAUSED:
                name = row.newest.name
                self._try(partial(self.resume, name))
