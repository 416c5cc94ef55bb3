"""Ten million kept ticks on PostgreSQL: their cost, an audit, a day that is dropped, a transaction held open.

    cd bench && python -m postgres.kept [TICKS] [MINUTES]

The ticks are those of 10,000 tasks, due each hour; fsync on. In turn:

    plan + claim   beside the same on an empty ledger, and beside psycopg alone, by turns
    audit          the command, beside psycopg alone that reads a tenth of the rows in the same pages; then a
                   row is taken away, and the audit of its task must find that
    a day          the command that prunes it, while another connection claims; beside the same claims before
    held open      a transaction that does nothing for so many minutes, while all tasks live on and on, beside
                   psycopg alone by turns: the server keeps what both have moved, and seeks among it
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from time import perf_counter

import psycopg

from everytick.clock import SystemClock
from everytick.ledger import Order
from everytick.ledgers.postgres import PostgresLedger
from everytick.testing.servers import PostgresServer
from everytick.versions import Versions
from family import cpu
from family import memory as memory_of
from figures import tell
from postgres.grown import HOUR, grown
from postgres.place import PERIOD, START, Row, connected, ledger, process, server, settled, with_tasks
from postgres.rates import BATCH, TASKS, Alone, Programs, Times, Way

TURNS = 5
FEW_TURNS = 3
"""The best of so many counts, at both ends of a long run: the first is a cold one."""

FEW = 100
"""So many ticks are claimed at once while a day is dropped."""

DAY = 24 * HOUR
MOST = 0.1
"""Seconds that a claim may be blocked."""

MEMORY = 100
"""MB that an audit may take."""


class Living(Programs):
    """The programs on a ledger that is there."""

    def __init__(self, made: PostgresLedger) -> None:
        self.ledger = made
        self.order = Order(holder=process(made), queues=("default",), limit=BATCH)
        self.held = []
        self.versions = Versions(made)


def paired(bare: Way, empty: Way, kept: Way, end: int) -> None:
    """Measure plan and claim by turns."""
    times = {"bare": Times(), "empty": Times(), "kept": Times()}
    for turn in range(1, TURNS + 1):
        times["bare"].turn(bare, START + turn * PERIOD)
        times["empty"].turn(empty, START + turn * HOUR)
        times["kept"].turn(kept, end + turn * HOUR)
    cost = {name: 1e6 / time.rate("plan", "claim") for name, time in times.items()}
    tell(
        "plan + claim with 10 million kept ticks at most 1.2 times an empty ledger",
        f"{cost['kept'] / cost['empty']:.2f} times: {cost['kept']:.0f} us a tick",
        met=cost["kept"] <= 1.2 * cost["empty"],
        beside=f"empty {cost['empty']:.0f} us; psycopg alone {cost['bare']:.0f} us",
    )


def command(place: PostgresServer, *words: str) -> list[str]:
    """Return a command of Everytick on the ledger that has grown."""
    return [sys.executable, "-m", "everytick", *words, "--ledger", f"{place.url()}?schema=kept", "--json"]


def audited(place: PostgresServer, db: psycopg.Connection[Row], ticks: int) -> None:
    """Measure an audit, and see that it finds nothing, and then a row that is gone."""
    begun, memory, busy = perf_counter(), 0.0, 0.0
    with subprocess.Popen(command(place, "audit"), stdout=subprocess.PIPE, text=True) as ran:
        while ran.poll() is None:
            memory, busy = max(memory, memory_of(ran.pid)), max(busy, cpu(ran.pid))
            with suppress(subprocess.TimeoutExpired):
                ran.wait(0.25)
        seconds = perf_counter() - begun
        said = json.loads(ran.communicate()[0])
    assert (ran.returncode, said["findings"]) == (0, [])
    assert said["recorded"] >= ticks
    begun = perf_counter()
    tenth = read(db, 1, TASKS // 10)
    bare = (perf_counter() - begun) * said["recorded"] / tenth
    tell(
        "an audit of 10 million ticks in under 2 minutes with constant memory",
        f"{seconds:.0f} s for {said['recorded']:,}; {memory:.0f} MB at most",
        met=seconds < 120 and memory < MEMORY,
        cpu=f"{busy:.0f} s",
        beside=f"psycopg alone reads them in {bare:.0f} s",
    )
    gone = "task_id = 77 AND due_at = " + str(START + 5 * HOUR)
    db.execute(f"CREATE TABLE kept.gone AS SELECT * FROM kept.tick WHERE {gone}")
    db.execute(f"DELETE FROM kept.tick WHERE {gone}")
    found = json.loads(
        subprocess.run(command(place, "audit", "t0000076"), capture_output=True, check=False).stdout
    )
    assert (found["missing"], [one["kind"] for one in found["findings"]]) == (1, ["missing"])
    db.execute("INSERT INTO kept.tick SELECT * FROM kept.gone")
    db.execute("DROP TABLE kept.gone")


def read(db: psycopg.Connection[Row], first: int, last: int) -> int:
    """Read all rows of tasks in pages; return how many there were."""
    count = 0
    behind: Row = (first, -1, 0)
    while page := db.execute(
        "SELECT * FROM kept.tick WHERE (task_id, due_at, request) > (%s, %s, %s) AND task_id <= %s"
        " ORDER BY task_id, due_at, request LIMIT 5000",
        (*behind, last),
    ).fetchall():
        count += len(page)
        behind = page[-1][:3]
    return count


class Claiming:
    """Claims of a few ticks, one after the other, and how long each took.

    Args:
        way: Whose.
        due: When the last ticks were due.
    """

    def __init__(self, way: Living, due: int) -> None:
        self.way = way
        self.due = due
        self.left = 0
        self.took: list[float] = []
        order = way.order
        self.few = Order(holder=order.holder, queues=order.queues, limit=FEW)

    def go_on(self, enough: Callable[[], bool]) -> list[float]:
        """Claim and settle until it is enough; return how long the claims took."""
        self.took = []
        while not enough():
            if not self.left:
                self.due += HOUR
                self.way.plan(self.due)
                self.left = TASKS
            begun = perf_counter()
            claim = self.way.ledger.claim(
                self.few, self.due, lambda b, s: self.way.considered(b, s, self.due)
            )
            self.took.append(perf_counter() - begun)
            self.left -= len(claim.attempts)
            assert claim.attempts
            self.way.ledger.settle([self.way.ended(one, self.due) for one in claim.attempts], self.due)
        return self.took


def told(took: list[float]) -> str:
    """Return the median, the 99th percentile and the longest of some durations."""
    ordered = sorted(took)
    p50, p99 = ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100]
    return f"p50 {p50 * 1e3:.0f}, p99 {p99 * 1e3:.0f}, longest {ordered[-1] * 1e3:.0f} ms"


def a_day_is_dropped(place: PostgresServer, db: psycopg.Connection[Row], claiming: Claiming) -> None:
    """Measure claims beside a pruning."""
    begun = perf_counter()
    before = list(claiming.go_on(lambda: perf_counter() > begun + 10))
    keep = (SystemClock().now() - START - DAY - HOUR // 2) // HOUR
    with subprocess.Popen(
        command(place, "ledger", "prune", "--keep", f"{keep}h"), stdout=subprocess.PIPE
    ) as ran:
        assert ran.stdout is not None
        begun = perf_counter()
        took = claiming.go_on(lambda: ran.poll() is not None)
        seconds = perf_counter() - begun
        said = json.loads(ran.stdout.read())
    assert said["rows"] >= TASKS * 24
    assert db.execute("SELECT count(*) FROM kept.seal").fetchone() == (TASKS,)
    tell(
        "dropping a day blocks no claim for over 100 ms",
        f"claims of {FEW}: {told(took)}",
        met=max(took) <= MOST,
        beside=f"without it {told(before)}; {said['rows']:,} rows went in {seconds:.0f} s",
    )


@contextmanager
def held_open(place: PostgresServer) -> Iterator[None]:
    """Hold a transaction open that has looked at something."""
    with psycopg.connect(place.url()) as db:
        db.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        db.execute("SELECT count(*) FROM empty.task")
        yield
        db.rollback()


def held(place: PostgresServer, ways: dict[str, tuple[Way, int, int]], minutes: float) -> None:
    """Measure whole lives while a transaction is held open, the first turns beside the last ones."""
    took: dict[str, list[float]] = {name: [] for name in ways}
    begun = perf_counter()
    turn = 0
    with held_open(place):
        while perf_counter() - begun < minutes * 60:
            turn += 1
            for name, (way, due, period) in ways.items():
                times = Times()
                times.turn(way, due + turn * period)
                took[name].append(sum(times.wall.values()))
            rates = ", ".join(f"{name} {TASKS / all_of[-1]:,.0f}/s" for name, all_of in took.items())
            print(f"{perf_counter() - begun:4.0f} s, {turn * TASKS:,} ticks each: {rates}", flush=True)
    first = {name: TASKS / min(all_of[:FEW_TURNS]) for name, all_of in took.items()}
    last = {name: TASKS / min(all_of[-FEW_TURNS:]) for name, all_of in took.items()}
    tell(
        f"a transaction held open for {minutes:g} minutes: lives still at least a fifth of the bare rate",
        f"{last['empty'] / last['bare']:.2f} of it after {turn * TASKS:,} ticks:"
        f" {last['empty']:,.0f}/s; {first['empty']:,.0f}/s at first",
        met=last["empty"] >= last["bare"] / 5,
        beside=f"psycopg alone {last['bare']:,.0f}/s; {first['bare']:,.0f}/s at first",
    )


def main() -> None:
    """Grow a ledger, and measure."""
    ticks = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    minutes = float(sys.argv[2]) if len(sys.argv) > 2 else 10
    with server() as place, connected(place) as db:
        begun = perf_counter()
        end = grown(place, "kept", TASKS, ticks // TASKS)
        print(f"{ticks:,} ticks are there after {perf_counter() - begun:.0f} s", flush=True)
        with ledger(place, "kept") as old, ledger(place, "empty") as new:
            with_tasks(new, TASKS, lambda _: "every 1h")
            bare = Alone(place)
            settled(db, ["empty", "bare", "kept"])
            kept, empty = Living(old), Living(new)
            paired(bare, empty, kept, end)
            audited(place, db, ticks)
            a_day_is_dropped(place, db, Claiming(kept, end + TURNS * HOUR))
            done = TURNS
            held(
                place,
                {"empty": (empty, START + done * HOUR, HOUR), "bare": (bare, START + done * PERIOD, PERIOD)},
                minutes,
            )


if __name__ == "__main__":
    main()
