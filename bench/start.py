"""How long commands take to start and answer, on a small ledger, beside an empty Python program.

python bench/start.py [RUNS]
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from figures import Watch, tell

LIMIT = 0.3
APP = """
from everytick import Everytick
app = Everytick("sqlite:///start.db")
for number in range(20):
    app.task("*/5 * * * *", name=f"task-{number}")(print)
"""
COMMANDS = (
    ("--version",),
    ("next", "0 6 * * mon-fri", "--zone", "Asia/Kolkata", "--json"),
    ("next", "0 6 * * mon-fri", "--zone", "Asia/Kolkata"),
    ("tasks", "--ledger", "sqlite:///start.db", "--json"),
    ("tasks", "--ledger", "sqlite:///start.db"),
    ("audit", "--ledger", "sqlite:///start.db", "--json"),
)


def timed(program: list[str], runs: int, folder: str) -> tuple[float, float]:
    """Return the median seconds that a program takes, on the wall and of CPU."""
    walls, cpus = [], []
    for _ in range(runs):
        watch = Watch()
        subprocess.run(program, cwd=folder, stdout=subprocess.DEVNULL, check=True)
        walls.append(watch.wall)
        cpus.append(watch.cpu)
    return median(walls), median(cpus)


def main() -> None:
    """Print a line for each command."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    everytick = str(Path(sys.executable).with_name("everytick"))
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "jobs.py").write_text(APP, "utf-8")
        subprocess.run(
            [everytick, "apply", "jobs.py", "--yes"], cwd=folder, stdout=subprocess.DEVNULL, check=True
        )
        empty = timed([sys.executable, "-c", "pass"], runs, folder)
        slowest = (0.0, 0.0, "")
        for command in COMMANDS:
            wall, cpu = timed([everytick, *command], runs, folder)
            shown = " ".join(command)
            print(f"{shown:60} {1000 * wall:7.0f} ms {1000 * cpu:7.0f} ms CPU {wall / empty[0]:6.1f}x empty")
            slowest = max(slowest, (wall, cpu, command[0]))
    wall, cpu, name = slowest
    tell(
        "commands start in under 0.3 s",
        f"{wall:.2f} s (the slowest, {name})",
        met=wall < LIMIT,
        cpu=f"{cpu:.2f} s",
        beside=f"an empty Python program: {empty[0]:.2f} s, CPU {empty[1]:.2f} s",
    )
    print(f"load {os.getloadavg()[0]:.1f}, medians of {runs}")


if __name__ == "__main__":
    main()
