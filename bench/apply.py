"""Bringing 100,000 tasks into a ledger, then applying them unchanged.

python bench/apply.py [TASKS]
"""

import sys
import tempfile
import time

from everytick.edits import Author, Edits
from everytick.ledgers.sqlite import SqliteLedger
from everytick.task import Command, Task
from everytick.testing.clock import FakeClock
from everytick.versions import Versions
from everytick.when import schedule

SCHEDULES = ("*/5 * * * *", "0 6 * * mon-fri", "every 15m", "30 2 * * *", "H H * * *")


def main() -> None:
    """Apply so many tasks and print how long it took."""
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    tasks = [
        Task(
            name=f"task-{n:06}",
            schedule=schedule(SCHEDULES[n % len(SCHEDULES)], "Asia/Kolkata"),
            work=Command(command=("true", str(n))),
        )
        for n in range(wanted)
    ]
    clock = FakeClock()
    with tempfile.TemporaryDirectory() as folder, SqliteLedger(f"{folder}/apply.db") as ledger:
        for what in ("new", "unchanged"):
            edits = Edits(ledger, Versions(ledger))
            began = time.perf_counter()
            differences = edits.compare(tasks, "python")
            compared = time.perf_counter()
            edits.apply(differences, clock.now(), Author(actor="bench"))
            applied = time.perf_counter()
            print(
                f"{what:>10}: {len(differences):,} differences found in {compared - began:.1f} s, "
                f"applied in {applied - compared:.1f} s"
            )
            clock.advance(seconds=1)


if __name__ == "__main__":
    main()
