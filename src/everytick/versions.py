"""Versions: the definitions of the ledger, read once and kept.

A version never changes once it is written, so a kept one cannot be stale; a task whose newest number
is higher than the kept ones is read again.
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

_KEPT = 150_000
"""So many tasks: what a process knows of them takes a kilobyte each."""

_AHEAD = 20_000

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
        self._kept: dict[int, tuple[Version, ...]] = {}
        self._unreadable: dict[int, dict[int, UsageError]] = {}
        self.broken: dict[int, str] = {}
        self._told: dict[int, str] = {}
        self._looked = 0

    def version(self, task_id: int, number: int) -> Version:
        """Return one version of a task.

        Raises:
            UsageError: This release cannot read it, or it is missing.
        """
        for one in self._kept.get(task_id, ()):
            if one.version == number:
                return one
        self._read([task_id])
        found = self._find(task_id, number)
        if found is None:
            missing = UsageError(f"task number {task_id} has no version {number}; everytick audit tells more")
            raise self._unreadable.get(task_id, {}).get(number, missing)
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
            found.insert(0, self.version(task_id, found[0].version - 1))
        return found

    def prepare(self, wanted: Iterable[tuple[int, int]]) -> None:
        """Read in one go what is going to be asked for: tasks, with the numbers of their versions."""
        missing = {task_id for task_id, number in wanted if self._find(task_id, number) is None}
        if missing:
            self._read(sorted(missing))

    def keep(self, row: VersionRow) -> None:
        """Keep a version that was read already; what cannot be read is told when it is asked for."""
        with contextlib.suppress(UsageError):
            if self._find(row.task_id, row.version) is None:
                version = revived(row)
                self._make_room(1)
                self._kept[row.task_id] = (*self._kept.get(row.task_id, ()), version)

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

    def leave_alone(self, task_id: int, fault: UsageError) -> None:
        """Count a task as broken, and tell each trouble once."""
        why = self.broken[task_id] = str(fault)
        if self._told.get(task_id) != why:
            self._told[task_id] = why
            name = next((f" '{one.task.name}'" for one in self._kept.get(task_id, ())), "")
            log.error("task%s left alone: %s", name, why)

    def look_again(self, moment: Instant) -> None:
        """Give a few of the broken tasks another chance now and then: an edit may have mended them."""
        if self.broken and moment - self._looked >= _PATIENCE:
            self._looked = moment
            for task_id in list(self.broken)[:_CHANCES]:
                del self.broken[task_id]

    def _find(self, task_id: int, number: int) -> Version | None:
        for one in self._kept.get(task_id, ()):
            if one.version == number:
                return one
        return None

    def _read(self, tasks: Sequence[int]) -> None:
        for task_id in tasks:
            self._kept.pop(task_id, None)
            self._unreadable.pop(task_id, None)
        self._make_room(len(tasks))
        self._kept.update(dict.fromkeys(tasks, ()))
        for row in self._ledger.versions(*tasks):
            try:
                self._kept[row.task_id] += (revived(row),)
            except UsageError as fault:
                self._unreadable.setdefault(row.task_id, {})[row.version] = fault

    def _make_room(self, count: int) -> None:
        """Forget those that were read longest ago."""
        while self._kept and len(self._kept) + count > _KEPT:
            oldest = next(iter(self._kept))
            del self._kept[oldest]
            self._unreadable.pop(oldest, None)


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
