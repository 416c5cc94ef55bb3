"""The crash: killed with -9 between two bursts, and down for two ticks, or in the middle of a burst."""

from dataclasses import dataclass

import psycopg

from everytick.clock import SystemClock
from everytick.tick import SECOND
from peers.arrivals import by_latest
from peers.cell import PERIOD
from peers.judge import Losses, losses
from peers.roster import Row
from peers.stage import Failed, Servers, Stage

BETWEEN = 100
WITHIN = 300
WITHIN_QUICK = 3_000
"""How many tasks: who works 300 off in a few milliseconds is given more, so that the kill meets some."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crash:
    """What came of a crash.

    Attributes:
        row: The key of the row.
        kind: ``between`` or ``within`` bursts.
        tasks: How many tasks there were.
        arrived: How many of the burst's ticks had arrived when the kill was done; 0 between bursts.
        losses: What was lost and doubled; None where the row could not play.
        skipped: How many ticks the scheduler itself records as skipped, each with its reason.
        why: Why not.
    """

    row: str
    kind: str
    tasks: int
    arrived: int = 0
    losses: Losses | None = None
    skipped: int = 0
    why: str = ""


def safely(servers: Servers, row: Row, kind: str, lane: int) -> Crash:
    """Return what comes of a crash; where a row breaks its database, that is what comes of it."""
    try:
        return play(servers, row, kind, lane)
    except psycopg.Error as fault:
        return Crash(row=row.key, kind=kind, tasks=0, why=str(fault).partition("\n")[0])


def play(servers: Servers, row: Row, kind: str, lane: int) -> Crash:
    """Return what comes of a crash.

    Args:
        servers: The servers.
        row: Who plays.
        kind: ``between`` or ``within`` bursts.
        lane: Which of the cells that play at once this is.
    """
    clock = SystemClock()
    tasks = BETWEEN if kind == "between" else WITHIN_QUICK if row.quick else WITHIN
    ticks = 5 if kind == "between" else 3
    with Stage(servers, lane, row, tasks, ticks) as stage:
        begin = stage.cell.begin * SECOND
        try:
            stage.register((begin - clock.now()) / SECOND - 1)
            stage.start()
            clock.wait(begin - SECOND // 2)
            stage.expect_ready()
            stage.expect_alive()
            arrived = between(stage, clock) if kind == "between" else within(stage, clock, tasks)
        except Failed as fault:
            return Crash(row=row.key, kind=kind, tasks=tasks, why=str(fault))
        stage.kill()
        assert stage.reader is not None
        found = by_latest(stage.reader.arrivals(), begin, PERIOD)
        dues = [begin + tick * PERIOD * SECOND for tick in range(ticks)]
        return Crash(
            row=row.key,
            kind=kind,
            tasks=tasks,
            arrived=arrived,
            losses=losses(found, tasks, dues),
            skipped=stage.skipped(),
        )


def between(stage: Stage, clock: SystemClock) -> int:
    """Kill between the second tick and the third, start again after the fourth, look on after the fifth."""
    begin = stage.cell.begin
    for second, act in ((15, stage.crash), (33, stage.start), (55, stage.expect_alive)):
        clock.wait((begin + second) * SECOND)
        act()
    return 0


def within(stage: Stage, clock: SystemClock, tasks: int) -> int:
    """Kill when a third of the second burst has arrived, start again at once, look on for two periods."""
    second = (stage.cell.begin + PERIOD) * SECOND
    clock.wait(second)
    assert stage.reader is not None
    goal = tasks + tasks // 3
    while (found := stage.reader.count()) < goal and clock.now() < second + 9 * SECOND:
        clock.wait(clock.now() + 1_000)
    stage.crash()
    arrived = stage.reader.count() - tasks
    stage.start()
    clock.wait(second + 28 * SECOND)
    stage.expect_alive()
    return max(arrived, found - tasks)
