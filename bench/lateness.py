"""How late ticks start: 1,000 tasks each 10 s in a real runner, beside a bare timer loop, in one run.

    python bench/lateness.py [SECONDS]

The tasks' instants are spread over their period, as H and jitter spread them, and then all in one instant.
The bare loop keeps a heap of instants, waits for the first with select, and calls a function: no ledger.
"""

import heapq
import multiprocessing
import select
import sys
import tempfile
from pathlib import Path

from everytick.assembly import programs
from everytick.clock import SystemClock
from everytick.config import RunnerSettings
from everytick.edits import Author, Edits
from everytick.ledger import TickFilter
from everytick.ledgers.sqlite import SqliteLedger
from everytick.program import run
from everytick.task import Inline, Task
from everytick.tick import SECOND, State
from everytick.versions import Versions
from everytick.when import moment_of, schedule

TASKS = 1_000
PERIOD = 10


def nothing(tick: object) -> None:
    """Do nothing with a tick."""
    del tick


def offset(n: int, *, spread: bool) -> int:
    """Return a task's place in its period, in microseconds."""
    return n * PERIOD * SECOND // TASKS // 1000 * 1000 if spread else 0


def bare(begin: int, seconds: int, *, spread: bool) -> list[int]:
    """Return how late a loop without a ledger calls its functions, in microseconds."""
    clock = SystemClock()
    heap = [(begin + offset(n, spread=spread) + PERIOD * SECOND, n) for n in range(TASKS)]
    heapq.heapify(heap)
    late = []
    while heap[0][0] < begin + seconds * SECOND:
        due, n = heap[0]
        now = clock.now()
        if due > now:
            select.select([], [], [], (due - now) / 1e6)
            continue
        late.append(clock.now() - due)
        nothing(n)
        heapq.heapreplace(heap, (due + PERIOD * SECOND, n))
    return late


def ours(begin: int, seconds: int, *, spread: bool) -> list[int]:
    """Return how late a real scheduler and runner start the same ticks, from the ledger's rows."""
    with tempfile.TemporaryDirectory() as folder, SqliteLedger(f"{folder}/late.db") as ledger:
        clock = SystemClock()
        edits = Edits(ledger, Versions(ledger))
        tasks = [
            Task(
                name=f"task-{n}",
                schedule=schedule(
                    f"every {PERIOD}s from {moment_of(begin + offset(n, spread=spread)).isoformat()}"
                ),
                work=Inline(call=f"{Path(__file__).resolve()}:nothing"),
            )
            for n in range(TASKS)
        ]
        edits.apply(edits.compare(tasks, "python"), begin, Author(actor="bench"))
        presence, parts = programs("up", ledger, clock, RunnerSettings(limit=500))
        end = begin + seconds * SECOND
        run(parts, presence, clock, lambda: clock.now() > end)
        rows = ledger.ticks(
            TickFilter(states=(State.SUCCEEDED,), since=begin + PERIOD * SECOND, until=end, limit=10**6)
        )
        return [row.started_at - row.key.due_at for row in rows if row.started_at is not None]


def told(who: str, late: list[int]) -> int:
    """Print the figures of one contestant and return its 99th percentile."""
    late.sort()
    shown = [late[int(len(late) * share)] / 1000 for share in (0.5, 0.99)]
    print(f"  {who:<12} {len(late):>6,} ticks  p50 {shown[0]:8.2f} ms  p99 {shown[1]:8.2f} ms", flush=True)
    return late[int(len(late) * 0.99)]


def main() -> None:
    """Run both side by side, on the same instants."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    for spread in (True, False):
        begin = SystemClock().now() // SECOND * SECOND + 2 * SECOND
        with multiprocessing.get_context("spawn").Pool(1) as beside:
            loop = beside.apply_async(bare, (begin, seconds), {"spread": spread})
            found = ours(begin, seconds, spread=spread)
            alone = loop.get()
        print(f"{TASKS:,} tasks each {PERIOD} s, " + ("spread over it" if spread else "all in one instant"))
        base = told("a bare loop", alone)
        p99 = told("Everytick", found)
        print(f"  difference of p99: {(p99 - base) / 1000:.2f} ms (asked for: at most 20 ms)")


if __name__ == "__main__":
    main()
