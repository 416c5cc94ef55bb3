"""Play one world: some minutes of trouble, then rest, then the laws."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from everytick.audit.auditor import audit
from everytick.ledgers.sqlite import SqliteLedger
from everytick.testing.simulation.laws import at_rest, check
from everytick.testing.simulation.mirror import LawBroken
from everytick.testing.simulation.people import Person
from everytick.testing.simulation.world import SECOND, World

_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it; memory makes no difference but speed
_PATIENCE = 120
_CASTS = (
    ("scheduler", "runner"),
    ("up",),
    ("up", "up"),
    ("scheduler", "runner", "runner"),
    ("scheduler", "up", "runner"),
    ("scheduler", "up"),
    ("scheduler", "scheduler", "runner"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What one world came to.

    Attributes:
        seed: Which world.
        broken: What law it broke, or what the core raised; empty where all is well.
        counts: How often each fault fell on each call.
        ticks: How many ticks it had.
        runs: How many attempts truly began.
    """

    seed: int
    broken: str
    counts: Counter[tuple[str, str]]
    ticks: int
    runs: int


def simulate(seed: int, tell: Callable[[str], None] | None = None) -> Played:
    """Play one world.

    Args:
        seed: Decides everything that happens.
        tell: Takes each line of the trace as it happens.
    """
    with _overheard(tell):
        return _simulated(seed, tell)


@contextmanager
def _overheard(tell: Callable[[str], None] | None) -> Iterator[None]:
    """Let what the programs log be part of the trace, and nothing else."""
    log = logging.getLogger("everytick")
    handler = logging.Handler()
    handler.emit = lambda record: tell(f"    {record.getMessage()}") if tell else None  # type: ignore[method-assign]
    log.addHandler(handler)
    passes_on, log.propagate = log.propagate, False
    try:
        yield
    finally:
        log.propagate = passes_on
        log.removeHandler(handler)


def _simulated(seed: int, tell: Callable[[str], None] | None) -> Played:
    with TemporaryDirectory(prefix="everytick-", dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        world = World(seed, Path(folder), tell)
        broken = ""
        try:
            _play(world)
        except Exception as fault:  # noqa: BLE001 - whatever the core raises is a finding
            broken = str(fault) if isinstance(fault, LawBroken) else f"{type(fault).__name__}: {fault}"
        finally:
            for life in world.lives:
                life.ledger.close()
    return Played(
        seed=seed,
        broken=broken,
        counts=world.faults.counts,
        ticks=len(world.model.ticks),
        runs=len(world.model.runs),
    )


def _play(world: World) -> None:
    random = world.random
    faults = world.faults
    faults.crashes = random.choice((0.0, 0.5, 1.0, 2.0, 4.0))
    faults.troubles = random.choice((0.0, 0.5, 1.0))
    faults.pauses = random.choice((0.0, 0.3, 1.0))
    world.meet(lambda person: person.begin(random.randint(2, 4)))
    for kind in random.choice(_CASTS):
        world.start(kind)
    acts: tuple[Callable[[], None], ...] = (
        lambda: world.meet(Person.act),
        world.kill_one,
        world.stop_one,
        world.outage,
        world.step_clock,
    )
    weights = (10, random.choice((0, 2)), 3, random.choice((0, 1)), random.choice((0, 0, 1, 4)))
    faults.on = True
    for _ in range(random.randint(5, 25)):
        world.play(round(10 ** random.uniform(4, 7.2)))
        random.choices(acts, weights)[0]()
    world.calm_down()
    _rest(world)


def _rest(world: World) -> None:
    """Let all that is due end, then check the laws."""
    through = world.machine.truth() + 5 * SECOND
    with SqliteLedger(world.path) as ledger:
        for _ in range(_PATIENCE):
            world.play(10 * SECOND)
            restless = at_rest(world.model, ledger, through)
            if not restless:
                break
        else:
            raise LawBroken(f"the world does not come to rest: {restless} (law 1)")
        check(world.model, ledger, through)
        findings = audit(ledger, world.machine.truth()).findings
        if findings:
            raise LawBroken(f"the model finds nothing wrong, but the audit does: {findings[0]}")
