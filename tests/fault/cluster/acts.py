"""The faults: each one act, that ends with everything up again."""

import signal
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random
from types import MappingProxyType

from tests.fault.pause import pause, until

from everytick.tick import SECOND

from .cluster import CLOCKED, Cluster
from .evidence import Frozen, Restore, accepted
from .gaps import Gap, Kill, measure
from .people import People
from .programs import Place, send, shoot

HOUR = 3600 * SECOND
JUMPS = (HOUR, -HOUR, 24 * HOUR, -24 * HOUR)
LEASE = 10.0
_ALARM = "has lost commits"


@dataclass(slots=True)
class Drama:
    """A run's faults, and what they were.

    Args:
        cluster: Where they fall.
        random: Decides where, and for how long.
        brief: Whether standing still and partitions last little longer than a lease, and not up to a minute.
        people: They hold still while the cost of a kill is measured.
    """

    cluster: Cluster
    random: Random
    brief: bool
    people: People
    gaps: list[Gap] = field(default_factory=list)
    restores: list[Restore] = field(default_factory=list)
    frozen: list[Frozen] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    jumps: int = 0
    alarms: int = 0

    def play(self, kind: str) -> None:
        """Play one act; lost commits are to be told of after a restore, and never else."""
        ACTS[kind](self)
        alarms = self._alarms()
        if alarms > self.alarms and ACTS[kind] is not Drama.restore:
            self.told.append(f"commits were called lost after '{kind}'")
        self.alarms = alarms

    def kill_scheduler(self) -> None:
        """Kill a scheduler with -9."""
        self._kill(self.random.choice(self.cluster.of("scheduler")), 0.0)

    def kill_runner(self) -> None:
        """Kill a runner with -9, and wait until the others have what it held."""
        self._kill(self.random.choice(self.cluster.of("runner")), LEASE)

    def _kill(self, victim: Place, longer: float) -> None:
        """Kill a program in a quiet moment, and see what the others make of it before it is started anew."""
        with self.people.quiet:
            pause(2.0)
            kill = Kill(victim=victim.kind, pid=victim.pid, at=victim.kill())
            pause(4.0)
            victim.start()
            pause(longer)
        cluster = self.cluster
        self.gaps.append(measure(kill, cluster.jobs, cluster.evidence(), cluster.offset))

    def kill_a_child(self) -> None:
        """Kill a warden, a worker or a command with -9."""
        for _ in range(3):
            found = sorted(self.random.choice(self.cluster.of("runner")).descendants())
            if found:
                shoot(self.random.choice(found))
            pause(0.3)

    def stand_still(self) -> None:
        """Stop a program with SIGSTOP, and let it go on."""
        victim = self.random.choice(self.cluster.places)
        victim.stand_still()
        pause(LEASE + 2 if self.brief else self.random.uniform(LEASE, 60.0))
        victim.go_on()

    def freeze(self) -> None:
        """Stop all programs of a node with SIGSTOP, their attempts too, and let them all go on."""
        places = self.cluster.on(self.random.choice(self.cluster.nodes))
        stopped: set[int] = set()
        for place in places:
            stopped |= place.freeze()
        frozen = self.cluster.clock.boot()
        pause(LEASE + 2 if self.brief else self.random.uniform(LEASE, 60.0))
        thawed = self.cluster.clock.boot()
        for pid in stopped:
            send(pid, signal.SIGCONT)
        self.frozen.append(Frozen(pids=frozenset(stopped), since=frozen, until=thawed))

    def kill_database(self) -> None:
        """Kill PostgreSQL with -9, and start it again."""
        self.cluster.database.kill()
        pause(1.0 if self.brief else self.random.choice((0.0, 1.0, 4.0, 14.0)))
        self.cluster.database.start()

    def kill_backend(self) -> None:
        """Kill one of PostgreSQL's processes with -9: it ends all others, and recovers by itself."""
        shoot(self.random.choice(self.cluster.database.backends()))
        pause(1.0)

    def cut(self) -> None:
        """Cut all connections, a few times."""
        for _ in range(3):
            self.cluster.database.cut()
            pause(self.random.uniform(0.2, 1.5))

    def fill_disk(self) -> None:
        """Fill the disk of the database."""
        with self.cluster.database.full():
            pause(5.0 if self.brief else self.random.uniform(5.0, 20.0))

    def part(self) -> None:
        """Part a node from all others."""
        with self.random.choice(self.cluster.nodes):
            pause(LEASE + 3 if self.brief else self.random.uniform(3.0, 40.0))

    def jump(self) -> None:
        """Let a node's wall clock jump, start a program anew on it, and set the clock right."""
        wall = self.cluster.wall
        wall.move(self._next_jump())
        pause(3.0)
        victim = self.random.choice(self.cluster.on(self.cluster.nodes[CLOCKED]))
        victim.kill()
        victim.start()
        pause(4.0 if self.brief else self.random.uniform(4.0, 15.0))
        wall.move(0)

    def jump_of_the_database(self) -> None:
        """Let the wall clock of the database's node jump, and set it right."""
        wall = self.cluster.database.wall
        wall.move(self._next_jump())
        pause(4.0 if self.brief else self.random.uniform(4.0, 15.0))
        wall.move(0)

    def _next_jump(self) -> int:
        self.jumps += 1
        return JUMPS[(self.jumps - 1) % len(JUMPS)]

    def slow(self) -> None:
        """Let what a node says to the database come late, or not at all."""
        proxy = self.cluster.proxy
        proxy.delay, proxy.cuts = 0.15, 0.005
        pause(6.0 if self.brief else self.random.uniform(6.0, 20.0))
        proxy.delay = proxy.cuts = 0.0

    def two_at_once(self) -> None:
        """Let a node or a program fail, and the database while it does."""
        first = self.random.choice((Drama.stand_still, Drama.part, Drama.slow))
        second = (Drama.kill_database, Drama.kill_backend, Drama.cut, Drama.fill_disk, Drama.kill_a_child)
        with ThreadPoolExecutor(1) as beside:
            going = beside.submit(first, self)
            while not going.done():
                pause(1.0)
                self.random.choice(second)(self)
            going.result()

    def restore(self) -> None:
        """Put an older dump in the ledger's place, start a runner beside it, and let a person say so."""
        cluster = self.cluster
        newcomer = self.random.choice(cluster.of("runner"))
        dumped = cluster.clock.boot()
        cluster.database.dump()
        pause(8.0 if self.brief else self.random.uniform(8.0, 25.0))
        before = self._alarms()
        newcomer.kill()
        cluster.database.restore()
        restored = cluster.clock.boot()
        newcomer.insist()
        if not until(lambda: self._alarms() > before, 15):
            self.told.append("nobody noticed that an older dump was restored")
        pause(2.0)
        cluster.ask("doctor", "--accept-restore", "--note", "the disk was lost, this is the newest dump")
        said = accepted(cluster.database.ledger) - cluster.offset
        self.restores.append(Restore(dumped=dumped, restored=restored, accepted=said))

    def _alarms(self) -> int:
        return sum(place.said().count(_ALARM) for place in self.cluster.places)


ACTS: Mapping[str, Callable[[Drama], None]] = MappingProxyType(
    {
        "kill -9 of a scheduler": Drama.kill_scheduler,
        "kill -9 of a runner": Drama.kill_runner,
        "kill -9 of a warden or an attempt": Drama.kill_a_child,
        "SIGSTOP, then SIGCONT": Drama.stand_still,
        "SIGSTOP, then SIGCONT, of a whole node": Drama.freeze,
        "PostgreSQL killed -9 and started again": Drama.kill_database,
        "one process of PostgreSQL killed -9": Drama.kill_backend,
        "connections cut": Drama.cut,
        "disk of the database full": Drama.fill_disk,
        "partition of a node": Drama.part,
        "wall clock of a node jumps": Drama.jump,
        "wall clock of the database jumps": Drama.jump_of_the_database,
        "slow network that cuts": Drama.slow,
        "restore from an older dump": Drama.restore,
        "a node and the database at once": Drama.two_at_once,
    }
)
"""Every kind of fault, by what it is called in the table."""
