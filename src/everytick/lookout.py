"""The lookout: a runner's own eye on what is ready in its queues and has nobody to run it."""

import logging
from collections.abc import Sequence

from everytick.checkup import lines
from everytick.health import starved
from everytick.ledger import Reads
from everytick.when import Instant

log = logging.getLogger("everytick.runner")

_EVERY = 10_000_000
"""Microseconds between two looks."""


class Lookout:
    """Tells once when ticks of a class starve, and once when that is over.

    Args:
        ledger: Where they stand.
        queues: The queues that are watched.
    """

    def __init__(self, ledger: Reads, queues: Sequence[str]) -> None:
        self._ledger = ledger
        self._queues = queues
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
        self._looked = moment
        alarms = [alarm for line in lines(self._ledger, self._queues) for alarm in starved(line, now)]
        for alarm in alarms:
            if alarm.subject not in self._told:
                log.warning("%s; %s", alarm.sentence, alarm.mend)
        found = {alarm.subject for alarm in alarms}
        for subject in sorted(self._told - found):
            log.warning("what was ready of queue %s, has been claimed", subject)
        self._told = found
