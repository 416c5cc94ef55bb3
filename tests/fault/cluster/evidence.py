"""The evidence of a run: what the files of the tasks say, and what the ledger's tables say.

The tables are read by SQL of its own; nothing of the product reads them here.
"""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row
from tests.fault.proof import Line, written

from everytick.tick import tick_name

from .tasks import Job

Row = Mapping[str, Any]

_TICKS = """
    SELECT t.*, k.name FROM everytick.tick AS t JOIN everytick.task AS k ON k.id = t.task_id
    WHERE t.request = 0 ORDER BY k.name, t.due_at
"""
_REQUESTS = """
    SELECT t.*, k.name FROM everytick.tick AS t JOIN everytick.task AS k ON k.id = t.task_id
    WHERE t.request <> 0 ORDER BY k.name, t.due_at
"""
_ATTEMPTS = """
    SELECT a.*, k.name, p.pid FROM everytick.attempt AS a
    JOIN everytick.task AS k ON k.id = a.task_id LEFT JOIN everytick.process AS p ON p.id = a.holder
    WHERE a.request = 0
"""
_LEFT = """
    SELECT count(*) AS left FROM everytick.slot AS s JOIN everytick.process AS p ON p.id = s.holder
    WHERE p.status <> 'alive'
"""
_ACCEPTED = """
    SELECT max(at) AS at FROM everytick.change WHERE act = 'accept-restore'
"""
_OPEN = """
    SELECT count(*) AS open FROM everytick.tick WHERE due_at <= %s AND ended_at IS NULL
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restore:
    """A restore from an older dump; microseconds of CLOCK_BOOTTIME.

    Attributes:
        dumped: When the dump was begun: what was committed since may be lost.
        restored: When the older ledger was in place.
        accepted: When a person said that this was so, as the ledger has it: the command that writes it may
            take a while to end, and others start ticks meanwhile.
    """

    dumped: int
    restored: int
    accepted: int

    def lost(self, boot: int) -> bool:
        """Tell whether what was committed at a moment may be lost."""
        return self.dumped <= boot < self.restored


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """A node that stood still with all its attempts, for longer than a lease; microseconds of CLOCK_BOOTTIME.

    Nobody can end such an attempt while it stands still: when all goes on, its warden kills it at once.

    Attributes:
        pids: The processes.
        since: When all of them stood still.
        until: When they went on.
    """

    pids: frozenset[int]
    since: int
    until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What somebody asked for; microseconds of CLOCK_BOOTTIME.

    Attributes:
        act: The command.
        job: Of which task; empty for all.
        tick: The tick that it was about, or that it made.
        began: When the command was started.
        ended: When it had ended.
        done: Whether it said that it was done.
    """

    act: str
    job: str = ""
    tick: str = ""
    began: int
    ended: int
    done: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What befell a run that its files and tables cannot tell.

    Attributes:
        restores: The restores from older dumps, in order.
        frozen: The nodes that stood still.
        asked: What people asked for, in order.
    """

    restores: Sequence[Restore] = ()
    frozen: Sequence[Frozen] = ()
    asked: Sequence[Asked] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """What there is to judge a run by.

    Attributes:
        lines: Of each task by name.
        ticks: The scheduled rows of each task by name, by due_at.
        attempts: Attempts that did not end their tick, and refused results.
        left: How many slots are held by processes that live no more.
        requests: The rows that people asked for, of each task by name; each with its ``tick``.
    """

    lines: Mapping[str, Sequence[Line]]
    ticks: Mapping[str, Sequence[Row]]
    attempts: Sequence[Row]
    left: int
    requests: Mapping[str, Sequence[Row]] = field(default_factory=dict)


def gather(jobs: Sequence[Job], folder: Path, ledger: str) -> Evidence:
    """Return what files and tables say now."""
    ticks: dict[str, list[Row]] = {job.name: [] for job in jobs}
    for row in rows(ledger, _TICKS):
        ticks[row["name"]].append(row)
    requests: dict[str, list[Row]] = {}
    for row in rows(ledger, _REQUESTS):
        name = tick_name(row["name"], row["due_at"], row["request"])
        requests.setdefault(row["name"], []).append({**row, "tick": name})
    return Evidence(
        lines={job.name: written(job.file(folder)) for job in jobs},
        ticks=ticks,
        attempts=rows(ledger, _ATTEMPTS),
        left=rows(ledger, _LEFT)[0]["left"],
        requests=requests,
    )


def unfinished(ledger: str, until: int) -> int:
    """Return how many ticks that were due by a moment have not ended."""
    return int(rows(ledger, _OPEN, until)[0]["open"])


def accepted(ledger: str) -> int:
    """Return when a person last accepted a restore, by the ledger's time."""
    return int(rows(ledger, _ACCEPTED)[0]["at"])


def rows(ledger: str, query: str, *values: object) -> Sequence[Row]:
    """Ask the ledger's tables."""
    with closing(psycopg.connect(ledger, row_factory=dict_row, connect_timeout=5)) as db:
        return db.execute(query, values).fetchall()
