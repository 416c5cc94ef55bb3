"""Ability: which tasks a runner lacks the code of; their ticks stay planned, for a runner that has it.

A tick runs by the version of its task that planned it. Where the code of that version is not here, and
that of the newest version is not here either, this runner is of an older deployment than the task, or
of another machine's: the task is left alone. Where only the tick's own version lacks its code, nobody
will ever have it again: the attempt is started, and fails.
"""

import logging
from collections.abc import Mapping

from everytick.consider import Ready
from everytick.executor import Executor
from everytick.task import Work
from everytick.versions import Versions
from everytick.when import Instant

log = logging.getLogger("everytick.runner")

_PATIENCE = 10_000_000
"""Microseconds after which it is looked again for what was lacking."""

_CHANCES = 50
"""For so many tasks at once."""

_KNOWN = 100_000
"""So many versions are known to have their code, then all are looked at anew: twenty megabytes at most."""


class Ability:
    """What a runner can run.

    Args:
        executors: How each kind of work is run.
        versions: The definitions it runs by.

    Attributes:
        lacking: What is lacking, by the number of the task.
    """

    def __init__(self, executors: Mapping[type, Executor], versions: Versions) -> None:
        self._executors = executors
        self._versions = versions
        self._had: set[tuple[int, int]] = set()
        self._calls: set[str] = set()
        self._told: dict[int, str] = {}
        self._looked: Instant = 0
        self.lacking: dict[int, str] = {}

    def has(self, ready: Ready) -> bool:
        """Tell whether a tick may be started here; note and tell what is lacking.

        Raises:
            UsageError: A version of its task cannot be read.
        """
        task_id = ready.key.task_id
        lacks = self._lacks(task_id, ready.version)
        if lacks is not None and ready.newest != ready.version:
            lacks = self._lacks(task_id, ready.newest)
        if lacks is None:
            self._mended(ready)
            return True
        self.lacking[task_id] = lacks
        if self._told.get(task_id) != lacks:
            self._told[task_id] = lacks
            log.error(
                "task '%s' is left to other runners, this one lacks its code: %s", self._name(ready), lacks
            )
        return False

    def forget(self) -> None:
        """Look at all tasks anew when one is asked for: the ledger may be an older one than before."""
        self._had.clear()
        self._told.clear()
        self.lacking.clear()

    def look_again(self, moment: Instant) -> None:
        """Give a few of the tasks another chance now and then: a deployment may have brought their code."""
        if self.lacking and moment - self._looked >= _PATIENCE:
            self._looked = moment
            for task_id in list(self.lacking)[:_CHANCES]:
                del self.lacking[task_id]

    def _lacks(self, task_id: int, number: int) -> str | None:
        if (task_id, number) in self._had:
            return None
        work: Work = self._versions.version(task_id, number).task.work
        call = getattr(work, "call", "")
        lacks = None if call in self._calls else self._executors[type(work)].lacks(work)
        if lacks is None:
            if len(self._had) >= _KNOWN:
                self._had.clear()
                self._calls.clear()
            self._had.add((task_id, number))
            self._calls |= {call} if call else set()
        return lacks

    def _mended(self, ready: Ready) -> None:
        if self._told.pop(ready.key.task_id, None) is not None:
            log.warning("task '%s' can be run here now", self._name(ready))

    def _name(self, ready: Ready) -> str:
        return self._versions.version(ready.key.task_id, ready.newest).task.name
