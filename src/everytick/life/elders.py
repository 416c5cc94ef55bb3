"""Elders: those who were there when a process came.

A process that is new knows nothing but the ledger, and cannot tell an older copy from the ledger itself. Who
was there before it can: each beats, or says that its beat is not taken. So before its first claim a new
process waits until each of them has been heard of; not for ever, as some may have died.
"""

from collections.abc import Collection

from everytick.clock import Clock
from everytick.ledger import Process, Reads


class Elders:
    """Those who may know more than the ledger does.

    Args:
        ledger: Where they are registered.
        clock: What to wait by.
        patience: Whoever lives is heard of within so many microseconds.
    """

    def __init__(self, ledger: Reads, clock: Clock, patience: int) -> None:
        self._ledger = ledger
        self._clock = clock
        self._patience = patience
        self._unheard: dict[int, int] = {}
        self._until = 0

    def meet(self, there: Collection[Process]) -> None:
        """Begin to wait for those who are there."""
        self._unheard = {one.id: one.beat for one in there}
        self._until = self._clock.boot() + self._patience

    def awaited(self) -> bool:
        """Tell whether somebody is to be heard of yet: its beat stands still, and nobody called it dead."""
        if self._unheard and self._clock.boot() < self._until:
            beats = {one.id: one.beat for one in self._ledger.processes()}
            self._unheard = {each: beat for each, beat in self._unheard.items() if beats.get(each) == beat}
        else:
            self._unheard.clear()
        return bool(self._unheard)
