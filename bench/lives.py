"""Whole lives of ticks: planned, claimed, run inline and settled, on SQLite with synchronous=FULL.

    python bench/lives.py [TICKS]

Virtual time goes as fast as the programs can follow, so the figure is the work, not the waiting.
"""

import resource
import sys
import tempfile
import time
from pathlib import Path

from everytick.edits import Author, Edits
from everytick.executor import Executor
from everytick.executors.inline import InlineExecutor
from everytick.ledgers.sqlite import SqliteLedger
from everytick.presence import Presence
from everytick.runner import Runner
from everytick.scheduler import Scheduler
from everytick.task import Call, Command, Inline, Task
from everytick.testing.clock import FakeClock
from everytick.versions import Versions
from everytick.when import schedule

TASKS = 1_000
PERIOD = 10


def nothing(tick: object) -> None:
    """Do nothing with a tick."""
    del tick


def rss() -> float:
    """Return the peak of resident memory, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Run so many ticks and print what they cost."""
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder, SqliteLedger(f"{folder}/lives.db") as ledger:
        clock = FakeClock()
        presence = Presence(ledger, clock, "up")
        versions = Versions(ledger)
        tasks = [
            Task(
                name=f"task-{n}",
                schedule=schedule(f"every {PERIOD}s"),
                work=Inline(call=f"{Path(__file__).resolve()}:nothing"),
            )
            for n in range(TASKS)
        ]
        edits = Edits(ledger, versions)
        edits.apply(edits.compare(tasks, "python"), clock.now(), Author(actor="bench"))
        inline = InlineExecutor()
        executors: dict[type, Executor] = {Call: inline, Command: inline, Inline: inline}
        scheduler = Scheduler(ledger, clock, presence, versions)
        runner = Runner(ledger, clock, presence, versions, executors, limit=500)
        began, done, told = time.perf_counter(), 0.0, 0.0
        while done < wanted:
            for _ in range(3):
                scheduler.step()
                runner.step()
            clock.advance(seconds=PERIOD / 4)
            done += TASKS / 4
            if done >= told + wanted / 10:
                told = done
                spent = time.perf_counter() - began
                print(f"{done:>10,.0f} ticks  {done / spent:>8,.0f} ticks/s  peak {rss():.0f} MB", flush=True)
        ended = sum(ledger.counts(row.newest.task_id, 0).get("succeeded", 0) for row in ledger.tasks())
        print(f"{ended:,} succeeded, {done - ended:,.0f} open")


if __name__ == "__main__":
    main()
