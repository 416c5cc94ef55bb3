"""Lives a second on PostgreSQL: planned, claimed and settled, beside psycopg alone; fsync on.

    cd bench && python -m postgres.rates

Three ways through the same lives, by turns in one run; the best turn of each counts, part by part:

    bare      psycopg alone: the same rows in the same tables, in the same batches, nothing read or decided
    methods   the methods of PostgresLedger, with decisions that cost next to nothing
    programs  the same with the decisions of the two programs: plan(), consider() and conclude()

Asked for: plan and claim at least at a third of the bare rate, whole lives at least at a fifth.
"""

from collections.abc import Callable
from time import perf_counter, process_time
from typing import Protocol

from decisions import Free, Real
from everytick.conclude import Attempt
from everytick.ledger import Order
from everytick.testing.servers import PostgresServer
from everytick.versions import Versions
from figures import tell
from postgres.bare import Bare
from postgres.place import PERIOD, START, connected, ledger, process, server, settled, with_tasks

TASKS = 10_000
BATCH = 1_000
TURNS = 6
NOBODY: frozenset[int] = frozenset()
PARTS = ("plan", "claim", "settle")


class Way(Protocol):
    """One way through the lives of all tasks, part by part."""

    def plan(self, due: int) -> None:
        """Plan the tick of each task that is due at an instant."""

    def claim(self, due: int) -> None:
        """Claim the next batch of what is ready."""

    def settle(self, due: int) -> None:
        """Settle what was claimed last."""


class Methods(Free):
    """The methods of a ledger, with decisions that cost next to nothing."""

    def __init__(self, server: PostgresServer) -> None:
        name = type(self).__name__.lower()
        self.ledger = ledger(server, name)
        with_tasks(self.ledger, TASKS, lambda _: "every 10s")
        self.order = Order(holder=process(self.ledger), queues=("default",), limit=BATCH)
        self.held: list[Attempt] = []

    def plan(self, due: int) -> None:
        """Plan in batches until nothing is left."""
        while self.ledger.plan(due, due, BATCH, NOBODY, lambda cursors: self.plans(cursors, due)):
            pass

    def claim(self, due: int) -> None:
        """Claim a batch."""
        self.held = self.ledger.claim(self.order, due, lambda b, s: self.considered(b, s, due)).attempts
        assert len(self.held) == BATCH

    def settle(self, due: int) -> None:
        """Settle that batch."""
        assert not self.ledger.settle([self.ended(attempt, due) for attempt in self.held], due)


class Programs(Real, Methods):
    """The same with the decisions that the scheduler and the runner make."""

    def __init__(self, server: PostgresServer) -> None:
        super().__init__(server)
        self.versions = Versions(self.ledger)


class Alone:
    """psycopg alone."""

    def __init__(self, server: PostgresServer) -> None:
        self.bare = Bare(server, "bare", TASKS)
        self.bare.connect()
        self.first = 1

    def plan(self, due: int) -> None:
        """Plan in batches."""
        for first in range(1, TASKS + 1, BATCH):
            self.bare.plan(range(first, first + BATCH), [due])

    def claim(self, due: int) -> None:
        """Claim a batch."""
        self.bare.claim(range(self.first, self.first + BATCH), due)

    def settle(self, due: int) -> None:
        """Settle that batch."""
        self.bare.settle(range(self.first, self.first + BATCH), due)
        self.first = (self.first - 1 + BATCH) % TASKS + 1


class Times:
    """Seconds on the wall and of this process's CPU, part by part; the best turn of each."""

    def __init__(self) -> None:
        self.wall = dict.fromkeys(PARTS, float("inf"))
        self.cpu = dict.fromkeys(PARTS, float("inf"))

    def turn(self, way: Way, due: int) -> None:
        """Let all tasks live once."""
        wall, cpu = dict.fromkeys(PARTS, 0.0), dict.fromkeys(PARTS, 0.0)
        steps: list[tuple[str, Callable[[int], None]]] = [("plan", way.plan)]
        steps += [("claim", way.claim), ("settle", way.settle)] * (TASKS // BATCH)
        for part, step in steps:
            begun, worked = perf_counter(), process_time()
            step(due)
            wall[part] += perf_counter() - begun
            cpu[part] += process_time() - worked
        for part in PARTS:
            self.wall[part] = min(self.wall[part], wall[part])
            self.cpu[part] = min(self.cpu[part], cpu[part])

    def rate(self, *parts: str) -> float:
        """Return how many ticks a second went through some parts."""
        return TASKS / sum(self.wall[part] for part in parts)

    def told(self) -> str:
        """Return the microseconds of a tick, on the wall and of Python's CPU, part by part."""
        return "  ".join(
            f"{part} {self.wall[part] / TASKS * 1e6:5.0f} us ({self.cpu[part] / TASKS * 1e6:3.0f} of Python)"
            for part in PARTS
        )


def main() -> None:
    """Print ticks a second, and what they are of the bare program's."""
    with server() as place:
        ways: dict[str, Way] = {
            "bare": Alone(place),
            "methods": Methods(place),
            "programs": Programs(place),
        }
        with connected(place) as db:
            settled(db, list(ways))
        times = {name: Times() for name in ways}
        for turn in range(1, TURNS + 1):
            for name, way in ways.items():
                times[name].turn(way, START + turn * PERIOD)
            print(f"turn {turn} of {TURNS}", flush=True)
    for name, time in times.items():
        print(f"{name:9}{time.rate(*PARTS):8,.0f} lives/s  {time.told()}")
    for what, parts, share, words in (
        ("plan + claim", ("plan", "claim"), 1 / 3, "a third"),
        ("whole lives", PARTS, 1 / 5, "a fifth"),
    ):
        bare, ours = times["bare"].rate(*parts), times["programs"].rate(*parts)
        tell(
            f"{what} at least {words} of the bare rate",
            f"{ours / bare:.2f} of it: {ours:,.0f}/s",
            met=ours >= share * bare,
            cpu=f"{sum(times['programs'].cpu[part] for part in parts) / TASKS * 1e6:.0f} us of Python a tick",
            beside=f"psycopg alone: {bare:,.0f}/s; no decisions: {times['methods'].rate(*parts):,.0f}/s",
        )


if __name__ == "__main__":
    main()
