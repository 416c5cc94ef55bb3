"""The burst: so many tasks due in one instant, twice, a period apart."""

import os
from dataclasses import dataclass
from pathlib import Path

import psycopg

from everytick.clock import SystemClock
from everytick.tick import SECOND
from peers.arrivals import in_order
from peers.cell import PERIOD
from peers.judge import Lateness, lateness
from peers.roster import Row
from peers.stage import Failed, Servers, Stage

TICKS = 2
PATIENCE = 20.0
"""Seconds after the last due instant for which arrivals are looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """What came of a burst.

    Attributes:
        row: The key of the row.
        tasks: How many tasks were due at once.
        lateness: How late they came; None where the row could not play.
        why: Why not, or what it said when it ended in the middle of it.
        cpu: CPU seconds of its programs, from their start.
        load: The load average of the machine over a minute, at the end; the row's own work is in it.
        stolen: The share of the machine's CPU time that its host took away meanwhile.
    """

    row: str
    tasks: int
    lateness: Lateness | None = None
    why: str = ""
    cpu: float = 0.0
    load: float | None = None
    stolen: float = 0.0


def safely(servers: Servers, row: Row, tasks: int, lane: int) -> Burst:
    """Return what comes of a burst; where a row breaks its database, that is what comes of it."""
    try:
        return play(servers, row, tasks, lane)
    except psycopg.Error as fault:
        return Burst(row=row.key, tasks=tasks, why=str(fault).partition("\n")[0])


def play(servers: Servers, row: Row, tasks: int, lane: int) -> Burst:
    """Return what comes of a burst.

    Args:
        servers: The servers.
        row: Who plays.
        tasks: How many tasks are due at once.
        lane: Which of the cells that play at once this is.
    """
    clock = SystemClock()
    with Stage(servers, lane, row, tasks, TICKS) as stage:
        begin = stage.cell.begin * SECOND
        try:
            stage.register((begin - clock.now()) / SECOND - 1)
            stage.start()
            before = stolen()
            clock.wait(begin - SECOND // 2)
            stage.expect_ready()
        except Failed as fault:
            return Burst(row=row.key, tasks=tasks, why=str(fault))
        watched, why = watch(stage, clock, tasks)
        used = stage.cpu()
        stage.kill()
        assert stage.reader is not None
        found = in_order(stage.reader.arrivals(), begin, PERIOD)
        dues = [begin + tick * PERIOD * SECOND for tick in range(TICKS)]
        return Burst(
            row=row.key,
            tasks=tasks,
            lateness=lateness(found, tasks, dues, watched),
            why=why,
            cpu=used,
            load=round(os.getloadavg()[0], 1),
            stolen=share(before, stolen()),
        )


def watch(stage: Stage, clock: SystemClock, tasks: int) -> tuple[float, str]:
    """Wait until all have arrived, or until patience or the program ends.

    Returns:
        How long after the last due instant that was, and what the program said if it ended.
    """
    last = stage.cell.begin * SECOND + (TICKS - 1) * PERIOD * SECOND
    while clock.now() < last + PATIENCE * SECOND:
        clock.wait(max(last + SECOND // 2, clock.now() + SECOND // 2))
        try:
            stage.expect_alive()
        except Failed as fault:
            return PATIENCE, str(fault)
        assert stage.reader is not None
        if stage.reader.count() < TICKS * tasks:
            continue
        found = in_order(stage.reader.arrivals(), stage.cell.begin * SECOND, PERIOD)
        if len({(one.task, one.due) for one in found if one.due <= last}) == TICKS * tasks:
            break
    return (clock.now() - last) / SECOND, ""


def stolen() -> tuple[int, int]:
    """Return the machine's CPU time since it started, stolen and in all, in its own units."""
    words = Path("/proc/stat").read_text("ascii").splitlines()[0].split()[1:9]
    return int(words[7]), sum(map(int, words))


def share(before: tuple[int, int], after: tuple[int, int]) -> float:
    """Return the share that was stolen between two looks."""
    return (after[0] - before[0]) / max(1, after[1] - before[1])
