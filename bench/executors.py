"""What an attempt costs in each executor, and how soon its end is seen.

    .venv/bin/python bench/executors.py [ATTEMPTS]

CPU is that of all processes together: runner, warden, workers, programs. `bare` starts the same program with
subprocess.run, one after another: the floor for a command.
"""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from everytick.executor import Executor, Job, Result
from everytick.executors.command import CommandExecutor
from everytick.executors.inline import InlineExecutor
from everytick.executors.process import ProcessExecutor
from everytick.executors.warden.client import Warden

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
MILLISECONDS = 1000
TRIALS = 20


def boottime() -> int:
    """Return CLOCK_BOOTTIME in microseconds, as a lease is told."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000  # noqa: TID251 - a lease is told in real time


def cpu(pid: int) -> float:
    """Return the CPU seconds of a process and of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICKS_PER_SECOND


def memory(pid: int) -> str:
    """Return how much memory a process takes: in all, and with shared pages shared out."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    sizes = {line.split()[0]: int(line.split()[1]) / 1024 for line in lines[1:]}
    return f"RSS {sizes['Rss:']:.1f} MB, PSS {sizes['Pss:']:.1f} MB"


def wait(executor: Executor) -> list[Result]:
    """Return the next results."""
    while not (found := executor.results()):
        descriptor = executor.fileno()
        if descriptor is not None:
            select.select([descriptor], [], [])
    return found


def cost(count: int, seconds: float, spent: float) -> str:
    """Return what one of so many took: time and CPU time."""
    each, busy = MILLISECONDS * seconds / count, MILLISECONDS * spent / count
    return f"{count / seconds:>8,.0f} attempts/s {each:8.3f} ms each {busy:8.3f} ms CPU each"


def run(
    executor: Executor, warden: Warden | None, job: Callable[[str], Job], count: int, abreast: int
) -> str:
    """Run so many attempts, so many at a time; return what one took."""
    workers: set[int] = set()
    executor.start(job("first"))
    workers |= {result.pid for result in wait(executor) if result.pid}
    watched = {os.getpid()} if warden is None or warden.pid is None else {os.getpid(), warden.pid}
    before = {pid: cpu(pid) for pid in watched}
    begun, started, ended = perf_counter(), 0, 0
    while ended < count:
        while started < count and started - ended < abreast:
            executor.start(job(str(started)))
            started += 1
        found = wait(executor)
        ended += len(found)
        workers |= {result.pid for result in found if result.pid}
    seconds = perf_counter() - begun
    alive = {pid for pid in workers - watched if Path(f"/proc/{pid}").exists()}
    spent = sum(cpu(pid) - before.get(pid, 0.0) for pid in watched | alive)
    return cost(count, seconds, spent)


def crash_seen(warden: Warden) -> list[float]:
    """Return after how many milliseconds the runner knew that a killed worker is gone."""
    executor, taken = ProcessExecutor(warden), []
    for _ in range(TRIALS):
        executor.start(Job(key="pid", call="os:getpid"))
        worker = wait(executor)[0].pid or 0
        executor.start(Job(key="hang", call="signal:pause"))
        begun = perf_counter()
        os.kill(worker, signal.SIGKILL)
        wait(executor)
        taken.append(MILLISECONDS * (perf_counter() - begun))
    return sorted(taken)


def overdue(warden: Warden) -> list[float]:
    """Return how many milliseconds after the end of its lease the runner knew that an attempt is dead."""
    executor, taken = CommandExecutor(warden), []
    for _ in range(TRIALS):
        until = boottime() + 20_000
        executor.extend(until)
        executor.start(Job(key="sleep", command=("sleep", "1000")))
        wait(executor)
        taken.append((boottime() - until) / 1000)
    return sorted(taken)


def call(key: str) -> Job:
    """Return an attempt that takes no time, as a callable."""
    return Job(key=key, call="os:getpid")


def command(key: str) -> Job:
    """Return an attempt that takes no time, as a program."""
    return Job(key=key, command=("true",))


def bare(count: int) -> str:
    """Start the program without us; return what one took."""
    before, begun = os.times(), perf_counter()
    for _ in range(count):
        subprocess.run(["true"], check=True)
    seconds, after = perf_counter() - begun, os.times()
    return cost(count, seconds, sum(after[:4]) - sum(before[:4]))


def main() -> None:
    """Print a line for each."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    for abreast in (1, 8):
        warden = Warden()
        print(f"{abreast} at a time")
        print(f"  inline  {run(InlineExecutor(), None, call, 10 * count, abreast)}")
        print(f"  process {run(ProcessExecutor(warden), warden, call, count, abreast)}")
        print(f"  command {run(CommandExecutor(warden), warden, command, count // 4, abreast)}")
        warden.close()
    print(f"  bare    {bare(count // 4)}")

    warden = Warden()
    process = ProcessExecutor(warden)
    process.start(call("first"))
    worker = wait(process)[0].pid
    print(f"warden {memory(warden.pid or 0)}; worker {memory(worker or 0)}")
    for what, taken in (("crash of a worker", crash_seen(warden)), ("end of a lease", overdue(warden))):
        print(f"{what} seen after {taken[TRIALS // 2]:.1f} ms (median), {taken[-1]:.1f} ms (longest)")
    process.close()


if __name__ == "__main__":
    main()
