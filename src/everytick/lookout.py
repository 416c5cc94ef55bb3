"""The lookout: a runner's own eye on what is ready in its queues and has nobody to run it."""

import logging
from collections.abc import Sequence

from everytick.checkup import lines
from everytick.health import PATIENCE, starved
from everytick.ledger import Reads
from everytick.when import Instant

log = logging.getLogger("everytick.runner")

_EVERY = 10_000_000
"""Microseconds between two looks."""


class Lookout:
    """Tells once when ticks of a class starve, and once when that is over.

    What waited before a runner began to look, or while it could not, is most often claimed the next moment:
    it is told when it has stayed ready for the patience since then.

    Args:
        ledger: Where they stand.
        queues: The queues that are watched.
    """

    def __init__(self, ledger: Reads, queues: Sequence[str]) -> None:
        self._ledger = ledger
        self._queues = queues
        self._began: Instant = 0
        self._looked: Instant | None = None
        self._told: set[str] = set()

    def look(self, now: Instant, moment: Instant) -> None:
        """Look, if it is time.

        Args:
            now: The moment.
            moment: The same of a clock that never steps.
        """
        if self._looked is not None and moment - self._looked < _EVERY:
            return
        if self._looked is None or moment - self._looked > PATIENCE:
            self._began = moment
        self._looked = moment
        starving = {
            alarm.subject: alarm for line in lines(self._ledger, self._queues) for alarm in starved(line, now)
        }
        if moment - self._began >= PATIENCE:
            for subject, alarm in starving.items():
                if subject not in self._told:
                    log.warning("%s; %s", alarm.sentence, alarm.mend)
            self._told |= starving.keys()
        for subject in sorted(self._told - starving.keys()):
            log.warning("what was ready of queue %s, has been claimed", subject)
        self._told &= starving.keys()
