"""Lives a second on a SQLite ledger: each tick planned, claimed and settled, synchronous=FULL, in batches.

    .venv/bin/python bench/ledger.py [--folder FOLDER]

Three ways through the same lives, by turns in one run; the best turn of each counts, and the ratios are those
of the best turns:

    bare      sqlite3 alone: the same rows in the same tables, in the same batches, nothing read but its keys
    methods   the methods of SqliteLedger, with decisions that are made beforehand or cost next to nothing
    programs  the same with the decisions of the two programs: plan(), consider() and conclude()

Required: at least 5,000 lives a second through the programs, and 12,000 through the methods.
"""

import argparse
import sqlite3
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter, process_time

from decisions import PERIOD, SECOND, Free, Real
from everytick.ledger import Change, Order, Process
from everytick.ledgers.sqlite import SqliteLedger
from everytick.revise import begin
from everytick.task import Inline, Task
from everytick.versions import Versions
from everytick.when import schedule
from figures import tell

TASKS = 10_000
BATCH = 1_000
TURNS = 5
ASKED = 5_000
START = 1_767_225_600 * SECOND
NOBODY: frozenset[int] = frozenset()


def ledger_with_tasks(path: Path) -> SqliteLedger:
    """Return a new ledger with the tasks in it, each due every ten seconds, and one process."""
    ledger = SqliteLedger(str(path))
    rule = schedule("every 10s")
    tasks = [
        Task(name=f"t{number:05}", schedule=rule, work=Inline(call="none:none")) for number in range(TASKS)
    ]
    ledger.edit(
        Change(at=START, actor="bench", act="apply"),
        [task.name for task in tasks],
        lambda _, numbers: [begin(numbers[task.name], task, START) for task in tasks],
    )
    ledger.register(
        Process(kind="up", host="here", pid=1, boot="", release="0", started_at=START),
    )
    return ledger


class Methods(Free):
    """The methods of a ledger, with decisions that cost next to nothing."""

    def __init__(self, path: Path) -> None:
        self.ledger = ledger_with_tasks(path)

    def turn(self, due: int) -> int:
        """Plan, claim and settle what is due at an instant; return how many ticks that were."""
        while self.ledger.plan(due, due, BATCH, NOBODY, lambda cursors: self.plans(cursors, due)):
            pass
        order = Order(holder=1, queues=("default",), limit=BATCH)
        lives = 0
        while claim := self.ledger.claim(order, due, lambda b, s: self.considered(b, s, due)).attempts:
            assert not self.ledger.settle([self.ended(attempt, due) for attempt in claim], due)
            lives += len(claim)
        return lives


class Programs(Real, Methods):
    """The same with the decisions that the scheduler and the runner make."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.versions = Versions(self.ledger)


class Bare:
    """sqlite3 alone, writing what a ledger writes."""

    def __init__(self, path: Path) -> None:
        ledger_with_tasks(path).close()
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.execute("PRAGMA synchronous = full")
        self.last: int | None = None

    def turn(self, due: int) -> int:
        """Write the lives of all tasks in batches."""
        for first in range(1, TASKS + 1, BATCH):
            self.plan(due, range(first, first + BATCH))
        for first in range(1, TASKS + 1, BATCH):
            self.claim(due, range(first, first + BATCH))
            self.settle(due, range(first, first + BATCH))
        self.last = due
        return TASKS

    def plan(self, due: int, tasks: Sequence[int]) -> None:
        """Move the cursors and insert the ticks."""
        self.db.execute("BEGIN IMMEDIATE")
        self.db.executemany(
            "UPDATE cursor SET planned_through = ?, last_due = ?, next_due = ?"
            " WHERE task_id = ? AND request = 0",
            [(due, due, due + PERIOD, task) for task in tasks],
        )
        self.db.executemany(
            "INSERT INTO tick (task_id, due_at, version, prev_due, next_due, state, queue,"
            " priority, ready_at) VALUES (?, ?, 1, ?, ?, 'planned', 'default', 1, ?)",
            [(task, due, self.last, due + PERIOD, due) for task in tasks],
        )
        self.db.execute("COMMIT")

    def claim(self, due: int, tasks: Sequence[int]) -> None:
        """Insert the slots and start the ticks."""
        self.db.execute("BEGIN IMMEDIATE")
        self.db.executemany(
            "INSERT INTO slot (task_id, lane, due_at, request, attempt, holder) VALUES (?, 0, ?, 0, 1, 1)",
            [(task, due) for task in tasks],
        )
        self.db.executemany(
            "UPDATE tick SET state = 'running', ready_at = NULL, holder = 1, started_at = ?"
            " WHERE task_id = ? AND due_at = ? AND request = 0",
            [(due, task, due) for task in tasks],
        )
        self.db.execute("COMMIT")

    def settle(self, due: int, tasks: Sequence[int]) -> None:
        """End the ticks and delete the slots."""
        self.db.execute("BEGIN IMMEDIATE")
        self.db.executemany(
            "UPDATE tick SET state = 'succeeded', holder = NULL, ended_at = ?, proof = ?"
            " WHERE task_id = ? AND due_at = ? AND request = 0",
            [(due, due, task, due) for task in tasks],
        )
        self.db.executemany("DELETE FROM slot WHERE task_id = ? AND lane = 0", [(task,) for task in tasks])
        self.db.execute("COMMIT")


def main() -> None:
    """Print lives a second, and what the bare program does as a multiple of them."""
    options = argparse.ArgumentParser(description="Lives a second on a SQLite ledger")
    options.add_argument("--folder", help="where the files lie; the temporary folder unless given")
    with tempfile.TemporaryDirectory(dir=options.parse_args().folder) as folder:
        place = Path(folder)
        ways: dict[str, Callable[[int], int]] = {
            "bare": Bare(place / "bare.db").turn,
            "methods": Methods(place / "methods.db").turn,
            "programs": Programs(place / "programs.db").turn,
        }
        best = dict.fromkeys(ways, 0.0)
        least = dict.fromkeys(ways, float("inf"))
        for turn in range(1, TURNS + 1):
            for name, way in ways.items():
                begun, worked = perf_counter(), process_time()
                assert way(START + turn * PERIOD) == TASKS
                best[name] = max(best[name], TASKS / (perf_counter() - begun))
                least[name] = min(least[name], (process_time() - worked) / TASKS)
    print(
        f"{TASKS:,} tasks, batches of {BATCH:,}, the best of {TURNS} turns, SQLite {sqlite3.sqlite_version}"
    )
    for name, rate in best.items():
        share, work = rate / best["bare"], least[name] * 1e6
        print(f"{name:10}{rate:10,.0f} lives/s{share:8.2f} of bare{work:8.0f} µs of CPU a life")
    tell(
        "5,000 lives/s through a ledger and its decisions",
        f"{best['programs']:,.0f}/s",
        met=best["programs"] >= ASKED,
        beside=f"the same rows by sqlite3 alone: {best['bare']:,.0f}/s",
    )


if __name__ == "__main__":
    main()
