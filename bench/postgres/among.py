"""Ten thousand ticks due among a million tasks, and among ten thousand: planned, claimed and settled.

By turns in one run, each turn with ticks of other instants: our methods with the decisions of the two
programs, and psycopg alone with the same rows in the same batches. Time is played.

Among the ten thousand every definition is known after the first turn; among the million each that is due is
read anew in every turn, as it is in life. ``up`` is a scheduler and a runner in one process, and what one has
read the other knows; apart from each other, both read it.
"""

import gc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter, process_time

import psycopg

from everytick.conclude import Attempt, Report, conclude
from everytick.consider import Considered, Ready, Slot, consider
from everytick.ledger import Order
from everytick.ledgers.postgres import PostgresLedger
from everytick.plan import Cursor, Plan, plan
from everytick.testing.servers import PostgresServer
from everytick.versions import Versions
from figures import tell
from postgres.million import PERIOD, when
from postgres.place import Row, connected, ledger, process, settled, with_tasks

DUE = 10_000
"""So many ticks are due in each turn."""

TURNS = 4
PLANNED = 500
"""So many cursors the scheduler reads at once."""

BATCH = 1_000
MOST = 1.5
"""What they may cost among many, in times of what they cost among few."""

Live = Callable[[int], None]
Took = tuple[float, float]
"""Seconds on the clock, and of CPU time of this process."""

NOBODY: frozenset[int] = frozenset()
DONE = Report(outcome="succeeded")


class Ours:
    """A ledger with the decisions that the scheduler and the runner make, and what each knows of tasks.

    Args:
        made: The ledger.
        apart: Whether they are processes of their own.
    """

    def __init__(self, made: PostgresLedger, *, apart: bool) -> None:
        self.ledger = made
        self.planner = Versions(made)
        self.runner = Versions(made) if apart else self.planner
        self.order = Order(holder=process(made), queues=("default",), limit=BATCH)

    def live(self, now: int) -> None:
        """Plan, claim and settle all that is due by now."""
        while self._plan(now):
            pass
        done = 0
        while attempts := self._claim(now):
            policies = [self.runner.policies(one.key.task_id, one.version) for one in attempts]
            ended = [conclude(one, DONE, how, now) for one, how in zip(attempts, policies, strict=True)]
            assert not self.ledger.settle(ended, now)
            done += len(attempts)
        assert done == DUE, done

    def _plan(self, now: int) -> int:
        def decide(cursors: Sequence[Cursor]) -> list[Plan]:
            self.planner.prepare((one.task_id, one.version) for one in cursors)
            since = self.planner.since
            return [
                plan(one, since(one.task_id, one.version, one.planned_through), now, now) for one in cursors
            ]

        return self.ledger.plan(now, now, PLANNED, NOBODY, decide)

    def _claim(self, now: int) -> list[Attempt]:
        def decide(batch: Sequence[Ready], slots: Mapping[int, Sequence[Slot]]) -> Considered:
            self.runner.prepare((one.key.task_id, one.version) for one in batch)
            return consider(batch, slots, self.runner.version, now)

        return self.ledger.claim(self.order, now, decide).attempts


class Bare:
    """psycopg alone on the same tables; nothing is decided, and what is due is read once."""

    def __init__(self, db: psycopg.Connection[Row], schema: str) -> None:
        self.db = db
        self.schema = schema

    def live(self, now: int) -> None:
        """Insert, start and end a tick of each task that is due by now."""
        done = 0
        while found := self._plan(now, PLANNED):
            done += found
        assert done == DUE, done
        while self._claim_and_settle(now):
            pass

    def _plan(self, now: int, limit: int) -> int:
        with self.db.transaction():
            rows = self._all(
                "SELECT task_id, next_due, last_due FROM {}.cursor WHERE next_due <= %s ORDER BY next_due"
                " LIMIT %s FOR UPDATE", (now, limit),
            )  # fmt: skip
            if not rows:
                return 0
            ids, due, last = ([row[at] for row in rows] for at in range(3))
            self._run(
                "UPDATE {}.cursor AS c SET planned_through = due, last_due = due, next_due = due + %s"
                " FROM unnest(%s::bigint[], %s::bigint[]) AS d (id, due) WHERE task_id = id AND request = 0",
                (PERIOD, ids, due),
            )
            self._run(
                "INSERT INTO {}.tick"
                " (task_id, due_at, version, prev_due, next_due, state, queue, priority, ready_at)"
                " SELECT id, due, 1, last, due + %s, 'planned', 'default', 1, due"
                " FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS d (id, due, last)",
                (PERIOD, ids, due, last),
            )
        return len(rows)

    def _claim_and_settle(self, now: int) -> int:
        with self.db.transaction():
            rows = self._all(
                "SELECT task_id, due_at FROM {}.tick WHERE queue = 'default' AND priority = 1"
                " AND ready_at <= %s ORDER BY ready_at LIMIT %s FOR UPDATE", (now, BATCH),
            )  # fmt: skip
            ids, due = ([row[at] for row in rows] for at in range(2))
            self._run(
                "INSERT INTO {}.slot (task_id, lane, due_at, request, attempt, holder)"
                " SELECT id, 0, due, 0, 1, 1"
                " FROM unnest(%s::bigint[], %s::bigint[]) AS d (id, due)", (ids, due),
            )  # fmt: skip
            self._run(
                "UPDATE {}.tick SET state = 'running', ready_at = NULL, holder = 1, started_at = %s"
                f" {_THESE}", (now, ids, due),
            )  # fmt: skip
        with self.db.transaction():
            self._run(
                "UPDATE {}.tick SET state = 'succeeded', holder = NULL, ended_at = %s, proof = task_id"
                f" {_THESE}", (now, ids, due),
            )  # fmt: skip
            self._run(
                "DELETE FROM {}.slot USING unnest(%s::bigint[]) AS d (id) WHERE task_id = id AND lane = 0",
                (ids,),
            )
        return len(rows)

    def _all(self, text: str, values: tuple[object, ...]) -> list[Row]:
        return self.db.execute(text.format(self.schema), values).fetchall()

    def _run(self, text: str, values: tuple[object, ...]) -> None:
        self.db.execute(text.format(self.schema), values)


_THESE = (
    "FROM unnest(%s::bigint[], %s::bigint[]) AS d (id, due)"
    " WHERE task_id = id AND due_at = due AND request = 0"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What ten thousand due ticks cost: seconds, and microseconds of CPU time of this process a tick."""

    few: float
    full: float
    cpu_few: float
    cpu_full: float

    @classmethod
    def of(cls, turns: Sequence[tuple[Took, Took]]) -> "Cost":
        """Return what a turn cost in the middle of all."""
        few, full = zip(*turns, strict=True)
        return cls(
            few=median(wall for wall, _ in few),
            full=median(wall for wall, _ in full),
            cpu_few=median(cpu for _, cpu in few) * 1e6 / DUE,
            cpu_full=median(cpu for _, cpu in full) * 1e6 / DUE,
        )

    def told(self) -> str:
        """Return how many times as much many cost."""
        return f"{self.full / self.few:.2f} times: {self.full:.2f} s, {self.few:.2f} s"


def timed(live: Live, now: int) -> Took:
    """Return the seconds, and those of CPU time, that the lives of what is due by now took."""
    begun, used = perf_counter(), process_time()
    live(now)
    return perf_counter() - begun, process_time() - used


def among(server: PostgresServer, many: str, count: int, instants: int, begin: int) -> None:
    """Tell what ten thousand due ticks cost in a ledger of many tasks, and in one of ten thousand.

    Args:
        server: The server.
        many: The schema in which the many are; the few come into another beside it.
        count: How many there are; they are due from ``begin`` on, spread over their period.
        instants: How many schedules they share.
        begin: See count.
    """
    span = PERIOD * DUE // count
    beside_it = f"few_{many}"
    with ledger(server, beside_it) as few, ledger(server, many) as full, connected(server) as db:
        with_tasks(few, DUE, lambda n: when(n, begin, min(instants, DUE)), now=begin - PERIOD)
        settled(db, [beside_it, many])
        ways: dict[str, tuple[Live, Live]] = {
            "up": (Ours(few, apart=False).live, Ours(full, apart=False).live),
            "apart": (Ours(few, apart=True).live, Ours(full, apart=True).live),
            "bare": (Bare(db, beside_it).live, Bare(db, many).live),
        }
        gc.collect()
        gc.freeze()  # as programs do when they are at rest for the first time
        took: dict[str, list[tuple[Took, Took]]] = {way: [] for way in ways}
        for turn in range(TURNS * len(ways)):
            way = list(ways)[turn % len(ways)]
            live_few, live_full = ways[way]
            first = timed(live_few, begin + turn * PERIOD + PERIOD - 1)
            took[way].append((first, timed(live_full, begin + (turn + 1) * span - 1)))
    beside = f"psycopg alone {Cost.of(took['bare']).told()}"
    for way, name in (("up", "as `up`"), ("apart", "scheduler and runner apart")):
        cost = Cost.of(took[way])
        tell(
            f"10,000 due among {count:,} tasks with {instants:,} schedules cost at most {MOST} times"
            f" 10,000 among 10,000: {name}",
            cost.told(),
            met=cost.full <= MOST * cost.few,
            cpu=f"{cost.cpu_full:.0f} and {cost.cpu_few:.0f} us of Python a tick",
            beside=beside,
        )
