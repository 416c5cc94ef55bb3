"""How late ticks start: 1,000 tasks each 10 s in a real runner, beside a bare timer loop, in one run.

    python bench/lateness.py [SECONDS]

The tasks' instants are spread over their period, as H and jitter spread them, and then all in one instant.
The bare loop keeps a heap of instants, waits for the first with select, and calls a function: no ledger. Both
are judged by the clock that the called function reads, not by what a ledger says. What the disk takes for the
two commits of a tick is measured beside: no ledger that keeps its word starts a tick sooner than one of them.
"""

import heapq
import multiprocessing
import os
import select
import sys
import tempfile
from pathlib import Path

from everytick.assembly import programs
from everytick.clock import SystemClock
from everytick.config import RunnerSettings
from everytick.edits import Author, Edits
from everytick.ledgers.sqlite import SqliteLedger
from everytick.program import run
from everytick.task import Inline, Task
from everytick.tick import SECOND, Tick
from everytick.versions import Versions
from everytick.when import instant_of, moment_of, schedule
from figures import tell

TASKS = 1_000
PERIOD = 10
WITHIN = 20.0


clock = SystemClock()
late: list[int] = []
"""How many microseconds after its due_at each call began."""


def note(tick: Tick) -> None:
    """Note how late a tick is called."""
    late.append(clock.now() - instant_of(tick.due_at))


def offset(n: int, *, spread: bool) -> int:
    """Return a task's place in its period, in microseconds."""
    return n * PERIOD * SECOND // TASKS // 1000 * 1000 if spread else 0


def bare(begin: int, seconds: int, *, spread: bool) -> list[int]:
    """Return how late a loop without a ledger calls its functions, in microseconds."""
    heap = [(begin + offset(n, spread=spread), n) for n in range(TASKS)]
    heapq.heapify(heap)
    while heap[0][0] < begin + seconds * SECOND:
        due, n = heap[0]
        now = clock.now()
        if due > now:
            select.select([], [], [], (due - now) / 1e6)
            continue
        note(Tick(task="bare", due_at=moment_of(due), interval_start=None, attempt=1))
        heapq.heapreplace(heap, (due + PERIOD * SECOND, n))
    return late


def ours(begin: int, seconds: int, *, spread: bool) -> list[int]:
    """Return how late a real scheduler and runner start the same ticks."""
    with tempfile.TemporaryDirectory() as folder, SqliteLedger(f"{folder}/late.db") as ledger:
        edits = Edits(ledger, Versions(ledger))
        tasks = [
            Task(
                name=f"task-{n}",
                schedule=schedule(
                    f"every {PERIOD}s from {moment_of(begin + offset(n, spread=spread)).isoformat()}"
                ),
                work=Inline(call=f"{Path(__file__).resolve()}:note"),
            )
            for n in range(TASKS)
        ]
        edits.apply(edits.compare(tasks, "python"), clock.now, Author(actor="bench"))
        presence, parts = programs("up", ledger, clock, RunnerSettings(limit=TASKS))
        end = begin + seconds * SECOND
        run(parts, presence, clock, lambda: clock.now() > end)
        called: list[int] = sys.modules[str(Path(__file__).resolve())].late
        found = called[:]
        called.clear()
        return found


def synced(begin: int, seconds: int) -> list[int]:
    """Return how many microseconds the disk takes for what two commits write, a hundred times a second."""
    taken = []
    with tempfile.TemporaryFile(buffering=0) as file:
        for turn in range(100 * seconds):
            due = begin + turn * SECOND // 100
            select.select([], [], [], max(0.0, (due - clock.now()) / 1e6))
            start = clock.now()
            for _ in range(2):
                file.write(bytes(3 * 4096))
                os.fdatasync(file.fileno())
            taken.append(clock.now() - start)
    return taken


def told(who: str, found: list[int]) -> float:
    """Print the figures of one contestant and return its 99th percentile in milliseconds."""
    found.sort()
    p50, p99 = (found[int(len(found) * share)] / 1000 for share in (0.5, 0.99))
    print(f"  {who:<12} {len(found):>6,} ticks  p50 {p50:8.2f} ms  p99 {p99:8.2f} ms", flush=True)
    return p99


def main() -> None:
    """Run both side by side, on the same instants."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    for spread in (True, False):
        begin = SystemClock().now() // SECOND * SECOND + 2 * SECOND
        with multiprocessing.get_context("spawn").Pool(1) as beside:
            loop = beside.apply_async(bare, (begin, seconds), {"spread": spread})
            found = ours(begin, seconds, spread=spread)
            alone = loop.get()
        how = "spread over it" if spread else "all in one instant"
        print(f"{TASKS:,} tasks each {PERIOD} s, {how}")
        base = told("a bare loop", alone)
        p99 = told("Everytick", found)
        disk = told("the disk", synced(clock.now(), 5))
        tell(
            f"p99 lateness at 1,000 tasks each 10 s, {how}: within 20 ms of a bare loop's",
            f"{p99 - base:.1f} ms more: {p99:.1f} ms",
            met=p99 - base <= WITHIN,
            beside=f"a bare loop: {base:.1f} ms; the disk alone, two commits: {disk:.1f} ms",
        )


if __name__ == "__main__":
    main()
