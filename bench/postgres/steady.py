"""100,000 tasks each 10 s on PostgreSQL: ticks a second that a scheduler and a runner keep up with.

    cd bench && python -m postgres.steady [SECONDS [TASKS ...]]

Real time, real processes: one scheduler, one runner that runs inline work which does nothing, and PostgreSQL
with fsync on, all on the cores of this machine. The instants of the tasks are spread over their period, and
what overlaps is skipped. For each number of tasks the programs begin on a ledger of its own, longer before
the first tick than they plan ahead, and are measured for so many seconds from the second period on. What
counts are the ledger's rows: a tick that the runner could not start before the next one of its task was due
is skipped as missed, and the load is not kept up with. Beside them psycopg alone, in two processes as well,
plans, claims and settles the same rows in the same batches, as fast as it can.
"""

import multiprocessing
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from everytick.clock import SystemClock
from everytick.scheduler import HORIZON
from everytick.testing.servers import PostgresServer
from everytick.when import moment_of
from family import cpu, family, own_memory
from figures import tell
from postgres.bare import Bare
from postgres.place import PERIOD, SECOND, START, Row, connected, ledger, server, with_tasks

STAGES = (40_000, 60_000, 80_000, 100_000)
KEPT_UP = 0.999
"""A load is kept up with where so many of its ticks are run."""

EDIT = 2_500
"""So many tasks are written a second, at least."""

LIMIT = 1_000
"""Attempts that the runner has at once; the bare program claims so many."""

AHEAD = 3
"""Ticks of a task that are planned at once: half of what the scheduler plans ahead is one turn of it."""

PLANNED = 500
"""Tasks that are planned in one transaction."""

clock = SystemClock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What became of the ticks that were due in one stage.

    Attributes:
        tasks: How many tasks there were.
        due: Ticks due a second.
        run: Of those that succeeded.
        late: How late attempts started, in microseconds: the median and the 99th percentile.
        busy: Cores that each program took.
        memory: MB of the scheduler and the runner.
    """

    tasks: int
    due: float
    run: float
    late: tuple[float, float]
    busy: dict[str, float]
    memory: dict[str, float]

    @property
    def kept_up(self) -> bool:
        """Whether as good as all ticks were run, less than a period late."""
        return self.run >= KEPT_UP * self.due and self.late[1] < PERIOD

    def told(self) -> str:
        """Return it in one line."""
        cores = ", ".join(f"{name} {share:.2f}" for name, share in self.busy.items())
        sizes = ", ".join(f"{name} {size:.0f} MB" for name, size in self.memory.items())
        p50, p99 = (one / 1000 for one in self.late)
        return (
            f"{self.tasks:,} tasks: {self.run:,.0f} of {self.due:,.0f} ticks/s run,"
            f" p50 {p50:,.0f} ms, p99 {p99:,.0f} ms late; cores: {cores}; {sizes}"
        )


@contextmanager
def running(server: PostgresServer, schema: str, *words: str) -> Iterator[int]:
    """Run a program of Everytick on a ledger; yield its process."""
    everytick = str(Path(sys.executable).with_name("everytick"))
    command = [everytick, *words, "--ledger", f"{server.url()}?schema={schema}"]
    with subprocess.Popen(command) as process:
        try:
            yield process.pid
        finally:
            process.terminate()
            process.wait(timeout=60)


def waited(until: int) -> None:
    """Let time pass."""
    clock.wait(until, [])


def measured(pids: dict[str, int], seconds: int) -> tuple[int, int, dict[str, float]]:
    """Watch for so long; return from when to when, and the cores that each program took."""
    known = {name: family(pid) for name, pid in pids.items()}
    before = {name: sum(map(cpu, family)) for name, family in known.items()}
    begun = clock.now()
    waited(begun + seconds * SECOND)
    length = clock.now() - begun
    after = {name: sum(map(cpu, family)) for name, family in known.items()}
    return begun, begun + length, {name: (after[name] - before[name]) / length * SECOND for name in known}


def found(
    db: psycopg.Connection[Row], schema: str, begin: int, end: int
) -> tuple[float, float, tuple[float, float]]:
    """Return ticks due and run a second in a span, and their lateness."""
    row = db.execute(
        "SELECT count(*), count(*) FILTER (WHERE state = 'succeeded'),"
        " percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY started_at - due_at)"
        f" FROM {schema}.tick WHERE due_at > %s AND due_at <= %s",
        (begin, end),
    ).fetchone()
    assert row is not None
    due, run, late = row
    assert isinstance(due, int)
    assert isinstance(run, int)
    seconds = (end - begin) / SECOND
    p50, p99 = late if isinstance(late, list) else (float("inf"), float("inf"))
    return due / seconds, run / seconds, (p50, p99)


def stage(place: PostgresServer, count: int, length: int) -> Stage:
    """Measure for so many seconds how so many tasks are kept up with."""
    schema, now = f"steady_{count}", clock.now()
    begin = (now + HORIZON) // SECOND * SECOND + (10 + count // EDIT) * SECOND
    work = f"{Path(__file__).with_name('nothing.py').resolve()}:nothing"

    def text(n: int) -> str:
        """Return the schedule of a task; neighbours are far apart."""
        offset = n * 61_803 % count * (PERIOD // count)
        return f"every 10s from {moment_of(begin + offset).isoformat()}"

    with ledger(place, schema) as made:
        with_tasks(made, count, text, now, work)
    with (
        connected(place) as db,
        running(place, schema, "scheduler") as scheduler,
        running(place, schema, "runner", "--limit", str(LIMIT)) as runner,
    ):
        pids = {"scheduler": scheduler, "runner": runner, "postgres": place.pid}
        assert clock.now() < begin - HORIZON
        waited(begin + PERIOD)
        since, until, busy = measured(pids, length)
        memory = {name: own_memory(pid) for name, pid in pids.items() if name != "postgres"}
        waited(until + 3 * SECOND)  # what was due last has been started by now, unless it is late
        due, run, late = found(db, schema, since, until)
    return Stage(tasks=count, due=due, run=run, late=late, busy=busy, memory=memory)


def alone(place: PostgresServer, count: int, length: int) -> float:
    """Return how many ticks a second psycopg alone plans, claims and settles: two processes for so long."""
    known = Bare(place, "alone", count, PERIOD // count)
    context = multiprocessing.get_context("fork")
    planned: multiprocessing.Queue[tuple[int, int]] = context.Queue(maxsize=20)
    planner = context.Process(target=planning, args=(known, count, planned), daemon=True)
    planner.start()
    ran, until = 0, clock.now() + length * SECOND
    known.connect()
    while clock.now() < until:
        first, due = planned.get()
        tasks = range(first, first + LIMIT)
        for turn in range(AHEAD):
            known.claim(tasks, due + turn * PERIOD)
            known.settle(tasks, due + turn * PERIOD)
        ran += AHEAD * LIMIT
    planner.kill()
    planner.join()
    return ran / length


def planning(known: Bare, count: int, planned: "multiprocessing.Queue[tuple[int, int]]") -> None:
    """Plan as the scheduler does, a little ahead of who claims."""
    known.connect()
    due = START
    while True:
        for first in range(1, count + 1, LIMIT):
            for part in range(first, first + LIMIT, PLANNED):
                known.plan(range(part, part + PLANNED), [due + turn * PERIOD for turn in range(AHEAD)])
            planned.put((first, due))
        due += AHEAD * PERIOD


def main() -> None:
    """Go through the stages, and tell the last that was kept up with."""
    length = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    counts = [int(word) for word in sys.argv[2:]] or list(STAGES)
    stages: list[Stage] = []
    with server() as place:
        for count in counts:
            stages.append(stage(place, count, length))
            print(stages[-1].told(), flush=True)
        bare = alone(place, counts[-1], length)
    last = stages[-1]
    best = max((one for one in stages if one.kept_up), key=lambda one: one.run, default=stages[0])
    tell(
        "100,000 tasks each 10 s, skip, fsync on, one scheduler, one runner: 10,000 ticks/s",
        f"{last.run:,.0f}/s; p50 {last.late[0] / 1e3:,.0f} ms, p99 {last.late[1] / 1e3:,.0f} ms late",
        met=last.kept_up,
        cpu=", ".join(f"{name} {share:.2f}" for name, share in last.busy.items()) + " cores",
        beside=f"psycopg alone, as fast as it can: {bare:,.0f}/s; the most that was kept up with:"
        f" {best.run:,.0f}/s, p99 {best.late[1] / 1e3:,.0f} ms late",
    )


if __name__ == "__main__":
    main()
