"""Bringing 100,000 tasks into a ledger, then applying them unchanged.

python bench/apply.py [TASKS]
"""

import sqlite3
import sys
import tempfile
from pathlib import Path

from everytick.edits import Author, Edits
from everytick.ledgers.sqlite import SqliteLedger
from everytick.task import Command, Task
from everytick.testing.clock import FakeClock
from everytick.versions import Versions
from everytick.when import schedule
from figures import Watch, tell

SCHEDULES = ("*/5 * * * *", "0 6 * * mon-fri", "every 15m", "30 2 * * *", "H H * * *")
LIMIT = 10.0


def bare(path: str, tasks: list[Task]) -> float:
    """Write the same rows with sqlite3 alone, definitions and first instants known; return the seconds."""
    SqliteLedger(path).close()
    rows = [(number, task.name, task.definition) for number, task in enumerate(tasks, 1)]
    db = sqlite3.connect(path, isolation_level=None)
    watch = Watch()
    db.execute("PRAGMA synchronous = full")
    db.execute("BEGIN IMMEDIATE")
    db.execute(
        "INSERT INTO change (id, at, actor, act, note, detail) VALUES (1, 1, 'bench', 'apply', '', '')"
    )
    db.executemany("INSERT INTO task (id, name, origin) VALUES (?, ?, 'python')", (row[:2] for row in rows))
    db.executemany(
        "INSERT INTO task_version (task_id, version, since, status, anchor, rules, definition, change_id)"
        " VALUES (?, 1, 1, 'active', 1, '', ?, 1)",
        ((number, definition) for number, _, definition in rows),
    )
    db.executemany(
        "INSERT INTO cursor (task_id, request, version, planned_through, next_due) VALUES (?, 0, 1, 1, 2)",
        ((number,) for number, _, _ in rows),
    )
    db.execute("COMMIT")
    seconds = watch.wall
    db.close()
    return seconds


def main() -> None:
    """Apply so many tasks and print how long it took."""
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    reading = Watch()
    tasks = [
        Task(
            name=f"task-{n:06}",
            schedule=schedule(SCHEDULES[n % len(SCHEDULES)], "Asia/Kolkata"),
            work=Command(command=("true", str(n))),
        )
        for n in range(wanted)
    ]
    print(f"{wanted:,} tasks read in {reading.wall:.1f} s, {reading.cpu:.1f} s CPU")
    clock = FakeClock()
    with tempfile.TemporaryDirectory() as folder, SqliteLedger(f"{folder}/apply.db") as ledger:
        floor = bare(str(Path(folder, "bare.db")), tasks)
        for what in ("new", "unchanged"):
            edits = Edits(ledger, Versions(ledger))
            watch = Watch()
            differences = edits.compare(tasks, "python")
            edits.apply(differences, clock.now, Author(actor="bench"))
            wall, cpu = watch.wall, watch.cpu
            tell(
                f"{wanted:,} tasks applied in under 10 s ({what})",
                f"{wall:.1f} s",
                met=wall < LIMIT,
                cpu=f"{cpu:.1f} s",
                beside=f"the same rows by sqlite3 alone: {floor:.1f} s",
            )
            clock.advance(seconds=1)


if __name__ == "__main__":
    main()
