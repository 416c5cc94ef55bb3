"""The world: processes on one machine that live, hesitate and die, on the real SQL, in virtual time."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from random import Random

from everytick.errors import LedgerError
from everytick.executor import Executor, Job
from everytick.ledgers.sqlite import SqliteLedger
from everytick.life.presence import Presence
from everytick.program import PATIENCE, Program
from everytick.runner import Runner
from everytick.scheduler import Scheduler
from everytick.task import Call
from everytick.testing.executor import Act
from everytick.testing.simulation.faults import Crash, Faults, FaultyLedger, Moves
from everytick.testing.simulation.machine import Machine, ProcessClock
from everytick.testing.simulation.mirror import Caller
from everytick.testing.simulation.model import Model
from everytick.testing.simulation.outside import SimulatedExecutor
from everytick.testing.simulation.people import Person
from everytick.testing.simulation.tasks import first_moment, random_act, readable
from everytick.versions import Versions

SECOND = 1_000_000
_LEAST = 1000
_DEEPEST = 3


class Life:
    """One process, from its start to its end.

    Args:
        world: Where it lives.
        kind: ``scheduler``, ``runner`` or ``up``.

    Attributes:
        wake: When it does its next round, by the machine's boot time.
        busy: It is in the middle of a round, stopped for a while.
        dead: It is gone.
        finishing: It was told to stop.
    """

    def __init__(self, world: "World", kind: str) -> None:
        self.world = world
        self.kind = kind
        self.name = f"{kind} {world.count()}"
        self.clock = ProcessClock(world.machine)
        self.busy = self.dead = self.finishing = False
        self.wake = world.machine.boot
        self.executor: SimulatedExecutor | None = None
        self.presence: Presence | None = None
        self.ledger = FaultyLedger(world.path, world.faults, self._committed)
        self.presence = presence = Presence(self.ledger, self.clock, kind)
        self.programs: list[Program] = []
        if kind != "runner":
            horizon = world.random.choice((2, 10, 30)) * SECOND
            self.programs.append(
                Scheduler(self.ledger, self.clock, presence, Versions(self.ledger), horizon=horizon)
            )
        if kind != "scheduler":
            self.programs.append(self._runner(presence))
        self.waiting = list(self.programs)

    def _runner(self, presence: Presence) -> Runner:
        world = self.world
        self.executor = SimulatedExecutor(
            world.machine,
            world.model,
            world.script,
            presence,
            before=world.faults.before,
            after=world.faults.after,
        )
        executors: Mapping[type, Executor] = {Call: self.executor}
        limit = world.random.choice((1, 3, 8))
        grace = world.random.choice((0, 2, 10)) * SECOND
        return Runner(
            self.ledger, self.clock, presence, Versions(self.ledger), executors, limit=limit, grace=grace
        )

    def _committed(self, call: str, moves: Moves) -> None:
        caller = Caller(self.presence.id if self.presence else 0, self.clock.now())
        self.world.wrote(self.name, call, moves, caller)

    def round(self) -> None:
        """Do one round, as program.run() does, and decide when to come back."""
        now = self.clock.now()
        back = now + 60 * SECOND
        if self.finishing:
            self._finish()
            back = now + PATIENCE // 10
        else:
            for program in self.programs:
                try:
                    back = min(back, program.step())
                except LedgerError as fault:
                    self.world.say(f"{self.name} is told: {fault}")
                    back = min(back, now + PATIENCE)
        moment = self.world.machine.boot
        self.wake = moment + max(_LEAST, back - self.clock.now()) + self.world.idle()
        ends = self.executor.next_end() if self.executor else None
        if ends is not None:
            self.wake = min(self.wake, max(ends, moment + _LEAST))

    def _finish(self) -> None:
        try:
            self.waiting = [program for program in self.waiting if not program.finish()]
        except LedgerError as fault:
            self.world.say(f"{self.name} is told: {fault}")
            return
        if self.waiting:
            return
        try:
            if self.presence is not None:
                self.presence.leave()
        except LedgerError as fault:
            self.world.say(f"{self.name} is told: {fault}")
        for program in self.programs:
            program.close()
        self.end("ended")

    def end(self, how: str) -> None:
        """Be gone: the kernel closes its files, its warden kills its attempts."""
        if not self.dead:
            self.dead = True
            self.world.say(f"{self.name} {how}")
            if self.executor is not None:
                self.executor.kill("its runner is gone")
            if not self.busy:
                self.ledger.close()


class World:
    """A machine with one ledger, its processes, and people who meddle.

    Args:
        seed: Decides everything that happens.
        folder: Where the ledger lies meanwhile.
        tell: Takes each line of the trace, if anybody reads it.

    Attributes:
        machine: Whose time it is.
        model: What truly happened.
        faults: What falls on calls.
        lives: The processes that are not gone.
    """

    def __init__(self, seed: int, folder: Path, tell: Callable[[str], None] | None) -> None:
        self.random = Random(seed)  # noqa: S311 - a simulation is replayed by its seed
        self.machine = Machine(first_moment(self.random))
        self.model = Model(self.machine)
        self.faults = Faults(self.random, self._pause)
        self.path = str(folder / "ledger.db")
        self.lives: list[Life] = []
        self._tell = tell
        self._born = 0
        self._depth = 0
        self._current: Life | None = None
        self._later: list[tuple[int, int, Callable[[], None]]] = []
        self._laziness = self.random.choice((0, 0, 1, 3)) * SECOND
        self._calm = False
        self._ahead = 0
        SqliteLedger(self.path).close()

    def count(self) -> int:
        """Return the next number for a process or an event."""
        self._born += 1
        return self._born

    def say(self, line: str) -> None:
        """Add a line to the trace."""
        if self._tell is not None:
            self._tell(f"{readable(self.machine.truth())} {line}")

    def idle(self) -> int:
        """Return how much later than it meant to a process is woken."""
        if not self._laziness or self._calm:
            return 0
        return self.random.choice((0, 0, self.random.randrange(self._laziness)))

    def script(self, job: Job) -> Act:
        """Return how an attempt goes; once all is calm, well and at once."""
        act = Act() if self._calm else random_act(self.random)
        self.say(f"  {job.key} begins: {act.outcome} after {act.seconds:g} s")
        return act

    # Time.

    def later(self, delay: int, act: Callable[[], None]) -> None:
        """Let something happen after a delay."""
        self._later.append((self.machine.boot + delay, self.count(), act))
        self._later.sort(key=lambda event: event[:2])

    def play(self, duration: int) -> None:
        """Let time pass, and everybody do what they do."""
        end = self.machine.boot + duration
        while self.machine.boot <= end:
            awake = [life for life in self.lives if not life.busy and not life.dead]
            life = min(awake, key=lambda one: one.wake, default=None)
            at = self._later[0][0] if self._later else end + 1
            if life is not None and life.wake <= min(at, end):
                self._move(life.wake)
                self._round(life)
            elif at <= end:
                self._move(at)
                self._later.pop(0)[2]()
            else:
                break
        self._move(end)

    def _move(self, to: int) -> None:
        self.machine.boot = max(self.machine.boot, to)
        for life in self.lives:
            if life.executor is not None:
                life.executor.pass_time(self.machine.boot)

    def _round(self, life: Life) -> None:
        outer, self._current = self._current, life
        try:
            life.round()
        except Crash as crash:
            self._die(life, f"crashed {crash}")
        finally:
            self._current = outer
            self.lives = [one for one in self.lives if not one.dead or one.busy]

    def _pause(self, duration: int) -> None:
        """Stop the process that is calling, while the others go on."""
        life = self._current
        if self._depth >= _DEEPEST:
            return
        self._depth += 1
        self.say(f"{life.name if life else 'somebody'} is stopped for {duration / 1e6:g} s")
        if life is not None:
            life.busy = True
        try:
            self._current = None
            self.play(duration)
        finally:
            self._depth -= 1
            self._current = life
            if life is not None:
                life.busy = False
        self.say(f"{life.name if life else 'somebody'} goes on")
        if life is not None and life.dead:
            life.ledger.close()
            raise Crash("while it was stopped")

    # Lives.

    def start(self, kind: str) -> None:
        """Start a process."""
        life = Life(self, kind)
        self.say(f"{life.name} starts")
        self.lives.append(life)

    def _die(self, life: Life, how: str) -> None:
        if life.dead:
            return
        life.end(how)
        if not life.finishing:
            self.later(self._downtime(), partial(self._restart, life.kind))

    def _downtime(self) -> int:
        return round(10 ** self.random.uniform(3, 7.5))

    def _restart(self, kind: str) -> None:
        if not self._calm:
            self.start(kind)

    def kill_one(self) -> None:
        """Kill a process with -9, even one that is stopped."""
        if self.lives:
            self._die(self.random.choice(self.lives), "is killed")

    def stop_one(self) -> None:
        """Tell a process to end, and start another one later."""
        if self.lives:
            life = self.random.choice(self.lives)
            if not life.finishing:
                self.say(f"{life.name} is told to end")
                life.finishing = True
                life.wake = self.machine.boot
                self.later(self._downtime(), partial(self._restart, life.kind))

    def outage(self) -> None:
        """Lose all processes, for seconds or for days."""
        self._lose_power(round(10 ** self.random.uniform(6, self.random.choice((7, 8, 11.4)))))

    def _lose_power(self, down: int) -> None:
        self.say(f"the power fails for {down / 1e6:g} s")
        for life in self.lives:
            life.end("lost its power")
            self.later(self._downtime(), partial(self._restart, life.kind))
        self.lives = [life for life in self.lives if life.busy]
        self._later = [(at + down, number, act) for at, number, act in self._later]
        self._move(self.machine.boot + down)

    def step_clock(self) -> None:
        """Let the wall clock step, by a little or by hours; it is vouched for, or soon set right."""
        size = round(10 ** self.random.uniform(*self.random.choice(((5, 6.5), (7, 9.9)))))
        self._set_wall(self.random.choice((-size, 0, size, size)))
        delay = round(10 ** self.random.uniform(5.5, 7))
        if self.random.random() < 0.7:
            self.later(delay, lambda: self.meet(Person.vouch))
        else:
            self.later(delay, partial(self._set_wall, 0))

    def _set_wall(self, ahead: int) -> None:
        self.machine.wall_ahead = ahead
        self._ahead = max(self._ahead, ahead)
        self.say(f"the wall clock is {ahead / 1e6:g} s ahead")

    def meet(self, act: Callable[[Person], None]) -> None:
        """Let a person do something, with a connection of their own."""
        outer, self._current = self._current, None
        moment = self.machine.wall()
        caller = Caller(0, moment)
        ledger = FaultyLedger(
            self.path, self.faults, lambda call, moves: self.wrote("somebody", call, moves, caller)
        )
        try:
            act(Person(self.random, ledger, moment, caller.meant, self.say))
        except LedgerError as fault:
            self.say(f"somebody was told: {fault}")
        except Crash as crash:
            self.say(f"somebody's command crashed {crash}")
        finally:
            ledger.close()
            self._current = outer

    def wrote(self, who: str, call: str, moves: Moves, caller: Caller) -> None:
        """Hear of a committed transaction: it goes into the trace, and to the model."""
        self.say(f"{who} commits {call}")
        if self._tell is not None:
            for move in moves:
                self._tell(f"    {self.model.line(move)}")
        self.model.committed(call, moves, caller)

    def calm_down(self) -> None:
        """Let there be no more faults: the clock is right, and every kind of process is there."""
        self._calm = True
        self.faults.on = False
        self._later.clear()
        self.machine.wall_ahead = 0
        if self._ahead:  # what was planned by a clock that ran ahead waits until then
            self._lose_power(self._ahead)
            self._later.clear()
        self.later(10 * SECOND, lambda: self.meet(Person.vouch))  # who is asked has noticed by then
        self.meet(Person.resume_all)
        kinds = {life.kind for life in self.lives if not life.finishing and not life.dead}
        if "up" not in kinds and kinds != {"scheduler", "runner"}:
            self.start("up")
