"""What `everytick up` costs while nothing is due: CPU and memory of all its processes, for a minute.

    python bench/idle.py [SECONDS]

Once with the live view on a terminal of its own, once without a terminal. A tick has run before, so that the
processes that run ticks are there. Beside it a Python program that wakes as often and does nothing.
"""

import os
import pty
import select
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

from family import cpu, family, memory
from figures import tell

APP = """
from everytick import Everytick
app = Everytick("sqlite:///idle.db")
app.task("0 6 * * *", name="report")(print)
app.task("0 7 * * mon-fri", name="prices", zone="Asia/Kolkata")(print)
"""
WAKES = "import select\nwhile True: select.select([], [], [], 0.5)"
MOST_CPU, MOST_MEMORY = 1.0, 80.0
SETTLING = 5.0


@contextmanager
def on_terminal(program: list[str], folder: str) -> Iterator[tuple[int, int]]:
    """Run a program on a terminal of its own; yield its pid and the terminal's other end."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(program, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        try:
            yield process.pid, ours
        finally:
            process.terminate()
            drained(ours, 1.0)
            process.wait(timeout=60)
            os.close(ours)


@contextmanager
def without_terminal(program: list[str], folder: str) -> Iterator[tuple[int, int]]:
    """Run a program; yield its pid and what it prints to."""
    with subprocess.Popen(program, cwd=folder, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield process.pid, process.stdout.fileno()
        finally:
            process.terminate()
            process.wait(timeout=60)


def drained(file: int, seconds: float) -> None:
    """Read what a program shows for so long."""
    end = perf_counter() + seconds
    while (left := end - perf_counter()) > 0:
        try:
            if select.select([file], [], [], left)[0] and not os.read(file, 1 << 16):
                select.select([], [], [], left)
        except OSError:  # the other end of the terminal is gone
            return


def measured(pid: int, file: int, seconds: float) -> tuple[float, list[float]]:
    """Return the share of a core that a program and all it has started took, in percent, and their memory."""
    drained(file, SETTLING)
    known = family(pid)
    before, begun = sum(map(cpu, known)), perf_counter()
    drained(file, seconds)
    share = 100 * (sum(map(cpu, known)) - before) / (perf_counter() - begun)
    return share, [memory(one) for one in known]


def main() -> None:
    """Measure both, and what wakes and does nothing."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    everytick = str(Path(sys.executable).with_name("everytick"))
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "jobs.py").write_text(APP, "utf-8")
        with without_terminal([sys.executable, "-c", WAKES], folder) as (pid, file):
            bare, sizes = measured(pid, file, min(seconds, 20.0))
        beside = f"a Python program that only wakes: {bare:.2f} %, {sizes[0]:.0f} MB"
        for what, kind in (("a live view", on_terminal), ("no terminal", without_terminal)):
            with kind([everytick, "up", "jobs.py"], folder) as (pid, file):
                drained(file, SETTLING)
                ask = [everytick, "run", "report", "--wait", "--ledger", "sqlite:///idle.db"]
                subprocess.run(ask, cwd=folder, stdout=subprocess.DEVNULL, check=True)
                share, sizes = measured(pid, file, seconds)
            print(f"{what}: {share:.2f} %, {' + '.join(f'{size:.1f}' for size in sizes)} MB")
            tell(
                f"idle `up` with {what}: under 1 % of a core",
                f"{share:.2f} %",
                met=share < MOST_CPU,
                beside=beside,
            )
            tell(
                f"idle `up` with {what}: under 80 MB",
                f"{sum(sizes):.0f} MB in {len(sizes)} processes",
                met=sum(sizes) < MOST_MEMORY,
                beside=beside,
            )


if __name__ == "__main__":
    main()
