"""Every bench in turn, then one table of what is asked for and what was measured.

    python bench/table.py [BENCH ...]

Exits with 1 if a bench fails; an ask that is not met is in the table, not an error: the machine may be busy.
"""

import os
import platform
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

from figures import KEPT, Figure, kept

RUNS = (
    ("when.py",),
    ("ledger.py",),
    ("lives.py", "200000"),
    ("apply.py",),
    ("lateness.py", "60"),
    ("feed.py",),
    ("isin.py",),
    ("gleif.py",),
    ("start.py",),
    ("idle.py",),
    ("executors.py", "500"),
    ("audit.py", "200000"),
)
"""The programs with their arguments, in the order of the table."""

HEADS = ("asked for", "measured", "met", "CPU time", "beside it, in the same run", "load")


def line(figure: Figure) -> tuple[str, ...]:
    """Return a row of the table."""
    met = "yes" if figure.met else "no"
    return figure.ask, figure.measured, met, figure.cpu, figure.beside, f"{figure.load:.1f}"


def table(rows: list[tuple[str, ...]]) -> str:
    """Return a table in Markdown that can be read as it is."""
    widths = [max(len(row[column]) for row in (HEADS, *rows)) for column in range(len(HEADS))]
    lines = [HEADS, tuple("-" * width for width in widths), *rows]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in lines
    )


def played(programs: list[list[str]]) -> int:
    """Run programs that tell figures, then print the table; return how many failed."""
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "figures")
        file.touch()
        for program in programs:
            print(f"\n== {' '.join(program)}", flush=True)
            done = subprocess.run([sys.executable, *program], env=os.environ | {KEPT: str(file)}, check=False)
            failed += done.returncode != 0
        rows = [line(figure) for figure in kept(file)]
    print(f"\nPython {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {os.cpu_count()} cores\n")
    print(table(rows))
    return failed


def main() -> int:
    """Run the benches that are named, or all; return how many failed."""
    wanted = set(sys.argv[1:]) or {name for name, *_ in RUNS}
    here = Path(__file__)
    return played([[str(here.with_name(name)), *rest] for name, *rest in RUNS if name in wanted])


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
