"""Whole lives of ticks: planned, claimed, run inline and settled, on SQLite with synchronous=FULL.

    python bench/lives.py [TICKS]

Virtual time goes as fast as the programs can follow: the figure is the work, not the waiting. Memory is
looked at each tenth of the way, and flat where the second half adds less than a twentieth to what there was.
"""

import os
import sys
import tempfile
from pathlib import Path

from decisions import PERIOD as STEP
from everytick.edits import Author, Edits
from everytick.executor import Executor
from everytick.executors.inline import InlineExecutor
from everytick.ledgers.sqlite import SqliteLedger
from everytick.life.presence import Presence
from everytick.runner import Runner
from everytick.scheduler import Scheduler
from everytick.task import Call, Command, Inline, Task
from everytick.testing.clock import FakeClock
from everytick.versions import Versions
from everytick.when import schedule
from family import own_memory
from figures import Watch, tell
from ledger import START, Bare

TASKS = 1_000
PERIOD = 10
ASKED = 5_000
FLAT = 1.05


def nothing(tick: object) -> None:
    """Do nothing with a tick."""
    del tick


def bare(folder: str) -> float:
    """Return how many such lives a second sqlite3 alone writes: the best of three turns."""
    alone, best = Bare(Path(folder, "bare.db")), 0.0
    for turn in range(1, 4):
        watch = Watch()
        best = max(best, alone.turn(START + turn * STEP) / watch.wall)
    return best


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
        edits.apply(edits.compare(tasks, "python"), clock.now, Author(actor="bench"))
        inline = InlineExecutor()
        executors: dict[type, Executor] = {Call: inline, Command: inline, Inline: inline}
        scheduler = Scheduler(ledger, clock, presence, versions)
        runner = Runner(ledger, clock, presence, versions, executors, limit=500)
        floor = bare(folder)
        watch, done, told, sizes = Watch(), 0.0, 0.0, []
        while done < wanted:
            for _ in range(3):
                scheduler.step()
                runner.step()
            clock.advance(seconds=PERIOD / 4)
            done += TASKS / 4
            if done >= told + wanted / 10:
                told = done
                sizes.append(own_memory(os.getpid()))
                print(
                    f"{done:>10,.0f} ticks  {done / watch.wall:>8,.0f} ticks/s  {sizes[-1]:.1f} MB",
                    flush=True,
                )
        wall, cpu = watch.wall, watch.cpu
        ended = sum(ledger.counts(row.newest.task_id, 0).get("succeeded", 0) for row in ledger.tasks())
    tell(
        "5,000 ticks/s, whole lives inline, synchronous=FULL",
        f"{ended / wall:,.0f}/s over {ended:,} ticks",
        met=ended / wall >= ASKED,
        cpu=f"{1e6 * cpu / ended:.0f} us a tick: {ended / cpu:,.0f}/s of one core",
        beside=f"the same rows by sqlite3 alone: {floor:,.0f}/s",
    )
    first, half, last = sizes[0], sizes[len(sizes) // 2], sizes[-1]
    tell(
        f"memory flat over {wanted:,} ticks",
        f"{first:.1f} MB at a tenth, {half:.1f} MB half way, {last:.1f} MB at the end",
        met=last < FLAT * half,
    )


if __name__ == "__main__":
    main()
