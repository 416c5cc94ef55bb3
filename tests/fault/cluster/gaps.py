"""Gaps: how late what was due is started after a kill."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from everytick.tick import SECOND, parse_tick_name

from .evidence import Evidence, Row
from .tasks import Job

_SOON = 3 * SECOND
"""Ticks due within so long after a kill show how long nobody started any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """A process that was killed with -9.

    Attributes:
        victim: What it was.
        pid: Its process.
        at: When, in microseconds of CLOCK_BOOTTIME.
    """

    victim: str
    pid: int
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """What a kill cost, in microseconds.

    Attributes:
        free: How late the latest was of those ticks that nobody held.
        held: When the last of those ticks that it held was started again, or given up; None where it
            held none.
        count: How many it held.
        latest: Which of those that nobody held was the latest.
    """

    victim: str
    free: int
    held: int | None
    count: int
    latest: str


def measure(kill: Kill, jobs: Sequence[Job], found: Evidence, offset: int) -> Gap:
    """Return what a kill cost.

    Ticks of tasks of which it held one are no ticks that nobody held: they wait behind that one.

    Args:
        kill: Which.
        jobs: The tasks.
        found: Files and tables, some time after it.
        offset: The ledger's time less CLOCK_BOOTTIME.
    """
    mine = [
        row
        for row in found.attempts
        if row["pid"] == kill.pid and row["outcome"] == "lost" and row["refused_at"] is None
    ]
    mine = [row for row in mine if row["started_at"] - offset <= kill.at < row["ended_at"] - offset]
    held = [_next_start(row, found, offset) - kill.at for row in mine]
    busy = {row["name"] for row in mine}
    free = [
        late for job in jobs if job.brisk and job.name not in busy for late in _late(kill, job, found, offset)
    ]
    late, latest = max(free, default=(0, ""))
    return Gap(victim=kill.victim, free=late, held=max(held, default=None), count=len(held), latest=latest)


def _next_start(lost: Row, found: Evidence, offset: int) -> int:
    """Return when the attempt after a lost one began; when it was given up, where none did."""
    for line in found.lines[lost["name"]]:
        due_at = parse_tick_name(line.tick)[1]
        if due_at == lost["due_at"] and line.attempt > lost["attempt"] and line.word == "start":
            return line.boot
    return int(lost["ended_at"]) - offset


def _late(kill: Kill, job: Job, found: Evidence, offset: int) -> Iterator[tuple[int, str]]:
    for line in found.lines[job.name]:
        due = parse_tick_name(line.tick)[1] - offset
        first = line.attempt == 1 and line.word == "start"
        if first and kill.at - SECOND < due < kill.at + _SOON:
            yield max(0, line.boot - max(due, kill.at)), line.tick
    for row in found.ticks[job.name]:
        due = row["due_at"] - offset
        if row["reason"] in {"missed", "expired"} and kill.at - SECOND < due < kill.at + _SOON:
            yield (
                int(row["ended_at"]) - offset - max(due, kill.at),
                f"{job.name} {row['due_at']} {row['reason']}",
            )
