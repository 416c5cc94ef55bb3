"""Versions: the definitions of the ledger, read once and kept.

A version never changes once it is written, so a kept one cannot be stale. Only those that are asked for are
read: a task that is paused each night has a thousand of them, and mostly the newest is in force.
"""

import contextlib
import logging
from collections.abc import Iterable, Sequence

from everytick.errors import UsageError
from everytick.ledger import Reads, VersionRow
from everytick.plan import Version
from everytick.policy import Policies
from everytick.task import Task, read_definition
from everytick.when import Instant

log = logging.getLogger("everytick")

Numbered = tuple[int, int]
"""A task, and the number of one of its versions."""

_KEPT = 150_000
"""So many versions: what a process knows of them takes a kilobyte each."""

_AHEAD = 20_000

_STRIDE = 10
"""So many earlier versions are read at once, where a task was edited since it was planned."""

_PATIENCE = 10_000_000
"""Microseconds after which broken tasks are looked at again."""

_CHANCES = 50
"""How many of them at once: fewer than a batch of the scheduler, so that they cannot keep the others out."""


class Versions:
    """The versions of tasks, by number.

    Args:
        ledger: Where they are read.

    Attributes:
        broken: Why a task cannot be read or reckoned with by this release; such a task is left alone.
    """

    def __init__(self, ledger: Reads) -> None:
        self._ledger = ledger
        self._kept: dict[Numbered, Version] = {}
        self._unreadable: dict[Numbered, UsageError] = {}
        self.broken: dict[int, str] = {}
        self._told: dict[int, str] = {}
        self._looked = 0

    def version(self, task_id: int, number: int) -> Version:
        """Return one version of a task.

        Raises:
            UsageError: This release cannot read it, or it is missing.
        """
        wanted = (task_id, number)
        found = self._kept.get(wanted)
        if found is None:
            self._read([wanted])
            found = self._kept.get(wanted)
        if found is None:
            missing = UsageError(f"task number {task_id} has no version {number}; everytick audit tells more")
            raise self._unreadable.get(wanted, missing)
        return found

    def policies(self, task_id: int, number: int) -> Policies:
        """Return the policies of a version, or the default ones where it cannot be read."""
        try:
            return self.version(task_id, number).task.policies
        except UsageError:
            return Policies()

    def since(self, task_id: int, newest: int, moment: int) -> list[Version]:
        """Return the versions of a task that reach beyond a moment, by number.

        Raises:
            UsageError: As for version().
        """
        found = [self.version(task_id, newest)]
        while found[0].since > moment and found[0].version > 1:
            before = found[0].version - 1
            if (task_id, before) not in self._kept:
                self._read([(task_id, number) for number in range(max(1, before + 1 - _STRIDE), before + 1)])
            found.insert(0, self.version(task_id, before))
        return found

    def prepare(self, wanted: Iterable[Numbered]) -> None:
        """Read in one go what is going to be asked for."""
        missing = {one for one in wanted if one not in self._kept}
        if missing:
            self._read(sorted(missing))

    def keep(self, row: VersionRow) -> None:
        """Keep a version that was read already; what cannot be read is told when it is asked for."""
        with contextlib.suppress(UsageError):
            if (row.task_id, row.version) not in self._kept:
                version = revived(row)
                self._make_room(1)
                self._kept[row.task_id, row.version] = version

    def read_ahead(self) -> None:
        """Read the newest versions of tasks while nothing is due, as many as are likely to be asked for."""
        for row in self._ledger.tasks():
            if len(self._kept) >= _AHEAD:
                return
            self.keep(row.newest)

    def forget(self) -> None:
        """Read all anew when it is asked for: the ledger may be an older one than before."""
        self._kept.clear()
        self._unreadable.clear()

    def leave_alone(self, task_id: int, number: int, fault: UsageError) -> None:
        """Count a task as broken, and tell each trouble once.

        Args:
            task_id: The task.
            number: The version that told its name, if it can be read.
            fault: Why it is broken.
        """
        why = self.broken[task_id] = str(fault)
        if self._told.get(task_id) != why:
            self._told[task_id] = why
            known = self._kept.get((task_id, number))
            name = "" if known is None else f" '{known.task.name}'"
            log.error("task%s left alone: %s", name, why)

    def look_again(self, moment: Instant) -> None:
        """Give a few of the broken tasks another chance now and then: an edit may have mended them."""
        if self.broken and moment - self._looked >= _PATIENCE:
            self._looked = moment
            for task_id in list(self.broken)[:_CHANCES]:
                del self.broken[task_id]

    def _read(self, wanted: Sequence[Numbered]) -> None:
        """Read versions; of those that cannot be read the last look alone is remembered."""
        self._unreadable.clear()
        self._make_room(len(wanted))
        for row in self._ledger.numbered(*wanted):
            try:
                self._kept[row.task_id, row.version] = revived(row)
            except UsageError as fault:
                self._unreadable[row.task_id, row.version] = fault

    def _make_room(self, count: int) -> None:
        """Forget those that were read longest ago."""
        while self._kept and len(self._kept) + count > _KEPT:
            del self._kept[next(iter(self._kept))]


def revived(row: VersionRow, task: Task | None = None) -> Version:
    """Return the version that a row describes, its schedule bound.

    Args:
        row: The row.
        task: What to take for its definition, where nobody can read that.

    Raises:
        UsageError: This release cannot read it.
    """
    task = task or read_definition(row.name, row.origin, row.definition)
    return Version(
        version=row.version,
        since=row.since,
        status=row.status,
        paused_until=row.paused_until,
        anchor=row.anchor,
        task=task,
        schedule=task.schedule.bound(name=row.name, anchor=row.anchor),
    )
