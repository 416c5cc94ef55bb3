"""A long run of the real `everytick up`: tasks of each kind, its memory and lateness, an audit at its end.

    python bench/soak.py [SECONDS]

Forty-five tasks, each due every second or two: inline, in worker processes, as programs, and such as fail
first and are tried again. Exits with 1 if the audit finds anything, if a tick that should have run did not,
or if memory grows by more than a tenth after the first third.
"""

import json
import os
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

from family import cpu, family, memory
from idle import drained, without_terminal

APP = """
import sys
from everytick import Everytick, Retry, Task, schedule
from everytick.task import Command

app = Everytick("sqlite:///soak.db", origin="soak")
ALL = {"overlap": "queue_all", "catch_up": "all"}

def work(tick):
    return {"attempt": tick.attempt}

def fail_first(tick):
    if tick.attempt == 1:
        raise ValueError("the first attempt fails")

for number in range(20):
    app.task("every 1s", name=f"inline-{number}", inline=True, **ALL)(work)
for number in range(15):
    app.task("every 2s", name=f"process-{number}", **ALL)(work)
for number in range(5):
    app.task("every 2s", name=f"again-{number}", retry=Retry(3, delay=100_000), **ALL)(fail_first)
for number in range(5):
    app.tasks.append(Task(name=f"program-{number}", schedule=schedule("every 2s"),
                          work=Command(command=("true",)), origin="soak"))
"""
LEDGER = ("--ledger", "sqlite:///soak.db", "--json")
FLAT = 1.1
LOOKS = 20
MUST = {"succeeded", "planned"}
"""The states of ticks where nothing goes wrong; programs may be skipped, as their overlap policy says."""


def asked(folder: str, *arguments: str) -> str:
    """Run a command and return what it prints."""
    program = [str(Path(sys.executable).with_name("everytick")), *arguments, *LEDGER]
    return subprocess.run(program, cwd=folder, stdout=subprocess.PIPE, text=True, check=False).stdout


def watched(folder: str, seconds: float) -> list[float]:
    """Run `up` for so long and end it; return its memory, looked at from time to time."""
    sizes = []
    program = [str(Path(sys.executable).with_name("everytick")), "up", "jobs.py", "--limit", "16"]
    with without_terminal(program, folder) as (pid, file):
        begun = perf_counter()
        for _ in range(LOOKS):
            drained(file, seconds / LOOKS)
            known = family(pid)
            sizes.append(sum(map(memory, known)))
            spent, busy = perf_counter() - begun, sum(map(cpu, known))
            print(
                f"{spent:6.0f} s  {sizes[-1]:6.1f} MB in {len(known):2} processes  "
                f"{100 * busy / spent:5.1f} % of a core  load {os.getloadavg()[0]:.1f}",
                flush=True,
            )
    return sizes


def lateness(rows: list[dict[str, Any]]) -> str:
    """Return how late ticks were started."""
    late = sorted(
        datetime.fromisoformat(row["started_at"]) - datetime.fromisoformat(row["due_at"])
        for row in rows
        if row["started_at"] and row["state"] == "succeeded" and row["attempt"] == 1
    )
    p50, p99 = (late[int(len(late) * share)] / timedelta(milliseconds=1) for share in (0.5, 0.99))
    return f"started late by p50 {p50:.1f} ms, p99 {p99:.1f} ms"


def main() -> int:
    """Run, audit, print; return 1 if something is wrong."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 600.0
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "jobs.py").write_text(APP, "utf-8")
        sizes = watched(folder, seconds)
        rows = json.loads(asked(folder, "ticks", "--limit", "100000"))
        found = json.loads(asked(folder, "audit"))
    states = {row["state"] for row in rows if not row["task"].startswith("program")}
    flat = max(sizes[LOOKS // 3 :]) <= FLAT * sizes[LOOKS // 3]
    print(f"{len(rows):,} newest ticks: {', '.join(sorted(states))}; {lateness(rows)}")
    print(f"memory: {sizes[LOOKS // 3]:.1f} MB after a third, at most {max(sizes):.1f} MB; flat: {flat}")
    counts = {name: value for name, value in found.items() if isinstance(value, int)}
    print(f"audit: {counts}, {len(found['findings'])} findings")
    return 0 if flat and not found["findings"] and states <= MUST else 1


if __name__ == "__main__":
    sys.exit(main())
