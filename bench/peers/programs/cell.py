"""What the program of a peer is told on its command line, and how the body of a task notes its start.

These programs run in environments of their own, without Everytick: they import their peer, this file and the
standard library alone.
"""

import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell of the table, for the peer that fills it.

    Attributes:
        step: ``register`` writes the schedules where the peer keeps them; ``run`` schedules until killed.
        tasks: How many schedules.
        period: Seconds between two ticks of one.
        begin: The first instant at which all are due, in seconds since 1970.
        cron: The same instants as a cron line of six fields, the seconds last.
        folder: A folder of its own.
        postgres: The URL of a database of its own.
        redis: The URL of a Redis database of its own.
        options: What sets this row apart from other rows of the same peer.
    """

    step: str
    tasks: int
    period: int
    begin: int
    cron: str
    folder: str
    postgres: str
    redis: str
    options: dict[str, Any]

    def ready(self) -> None:
        """Say that all schedules are known, and that only time is waited for."""
        Path(self.folder, "ready").touch()


def told() -> Cell:
    """Return the cell that the command line tells, as JSON."""
    return Cell(**json.loads(sys.argv[1]))


class Notes:
    """Lines of one write each, so that a kill leaves every line that was begun whole."""

    def __init__(self, folder: str) -> None:
        self._file = os.open(Path(folder, "starts"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def note(self, task: int, due: int) -> None:
        """Note that the body of a task starts now.

        Args:
            task: Its number.
            due: The instant it starts for, in microseconds since 1970.
        """
        os.write(self._file, b"%d %d 1 %d\n" % (task, due, time.time_ns() // 1000))
