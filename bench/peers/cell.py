"""A cell: so many schedules of one row, all due at the same instants."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from everytick.clock import SystemClock
from everytick.tick import SECOND
from everytick.when import Instant
from peers.roster import Row

PERIOD = 10
"""Seconds between two ticks of a schedule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What a program is told; programs/cell.py says what each means."""

    step: str
    tasks: int
    period: int
    begin: int
    cron: str
    folder: str
    postgres: str
    redis: str
    options: dict[str, Any]

    def json(self) -> str:
        """Return it as programs read it."""
        return json.dumps(asdict(self))


def first_instant(row: Row, tasks: int, ticks: int, now: Instant) -> int:
    """Return when the first ticks are due, in seconds since 1970.

    It leaves time to register and to start. For a row with cron lines all ticks fall into the same minute: a
    line can then name them, and none before them.

    Args:
        row: The row.
        tasks: How many schedules it has.
        ticks: How many ticks of each schedule there will be.
        now: The moment.
    """
    ready = now / SECOND + row.loading + row.registering * tasks / 1_000
    begin = int(ready) + 1
    while row.cron and begin % 60 + (ticks - 1) * PERIOD >= 60:
        begin += 1
    return begin


def cron(begin: int, ticks: int) -> str:
    """Return the instants as a cron line of six fields, the seconds last."""
    seconds = ",".join(str((begin + tick * PERIOD) % 60) for tick in range(ticks))
    return f"{begin // 60 % 60} * * * * {seconds}"


def now() -> Instant:
    """Return the moment."""
    return SystemClock().now()
