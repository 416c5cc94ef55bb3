"""How fast an audit walks a million ticks, and how much memory it takes.

    python bench/audit.py [TICKS] [TASKS]

The ledger is generated: every tick succeeded, each row with its proof and its link to the one before.
"""

import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from everytick.audit.auditor import audit
from everytick.edits import Author, Edits
from everytick.ledgers.sqlite import SqliteLedger
from everytick.task import Call, Task
from everytick.tick import Key, State, proof
from everytick.versions import Versions
from everytick.when import Instant, schedule

START = 1_772_323_200_000_000
MINUTE = 60_000_000


def rows(task_id: int, count: int) -> Iterator[tuple[object, ...]]:
    """Yield the rows of one task, due each minute."""
    before: Instant | None = None
    for number in range(1, count + 1):
        due = START + number * MINUTE
        ended = due + 1_000_000
        ending = (None, 1, State.SUCCEEDED, None, 1, ended)
        yield (task_id, due, before, due + MINUTE, due, ended, proof(Key(task_id, due), ending))
        before = due


def generate(path: str, ticks: int, tasks: int) -> Instant:
    """Write a ledger; return the moment at which it is complete."""
    each = ticks // tasks
    end = START + each * MINUTE
    with SqliteLedger(path) as ledger:
        edits = Edits(ledger, Versions(ledger))
        known = [
            Task(name=f"task-{number:04}", schedule=schedule("* * * * *"), work=Call(call="bench:none"))
            for number in range(tasks)
        ]
        edits.apply(edits.compare(known, "python"), lambda: START, Author(actor="bench"))
        numbers = [row.newest.task_id for row in ledger.tasks()]
    writer = sqlite3.connect(path)
    writer.execute("PRAGMA synchronous = off")
    for task_id in numbers:
        writer.executemany(
            "INSERT INTO tick (task_id, due_at, prev_due, next_due, version, state, queue, priority,"
            " started_at, ended_at, proof) VALUES (?, ?, ?, ?, 1, 'succeeded', 'default', 1, ?, ?, ?)",
            rows(task_id, each),
        )
    writer.execute(
        "UPDATE cursor SET planned_through = ?, next_due = ?, last_due = ?", (end, end + MINUTE, end)
    )
    writer.commit()
    writer.close()
    return end


def main() -> None:
    """Generate, audit, print."""
    ticks = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    tasks = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "bench.db"))
        now = generate(path, ticks, tasks)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with SqliteLedger(path) as ledger:
            start, busy = time.perf_counter(), time.process_time()
            found = audit(ledger, now)
            seconds, busy = time.perf_counter() - start, time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if not found.clean or found.counts.recorded != ticks // tasks * tasks:
        raise SystemExit(f"the audit is wrong: {found.as_json()}")
    print(
        f"{found.counts.recorded:,} ticks of {tasks} tasks in {seconds:.1f} s: {ticks / seconds:,.0f} ticks/s"
    )
    print(f"{busy:.1f} s of one core, so {ticks / busy:,.0f} ticks/s where it has one for itself")
    print(f"peak memory {peak / 1024:.0f} MB, of which the audit added {(peak - before) / 1024:.1f} MB")


if __name__ == "__main__":
    main()
