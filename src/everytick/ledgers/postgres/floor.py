"""The floor: from where on an index is read for what comes next.

A transaction that somebody holds open keeps in the indexes tick_ready and cursor_next_due what has been
started and planned since, and each look from the lowest entry on walks over all of it. A smaller index, a
partition a day or a table of lowest instants would keep dead rows as well; to begin later stores nothing.
It is right to, because nothing open comes in below the moment: who plans, asks, wakes or tries again writes
a ready_at of his own moment at least. The margin is for clocks that differ, and commits that take long.

The cursor of a backfill or of a resumed task may begin in the past, but whoever writes it leaves a sign, and
the look that follows it is whole. What comes in below all the same (by a clock that was moved back, by rows
that were restored) is found by the next whole look. Where whole looks are cheap each look is whole. Where
they are not, there is a rest of twenty times what the last one took: they take a twentieth of the time, and
what comes in below is late by that rest at most. How long they take is said by the server, whose clock may
leap meanwhile: no rest is longer than a minute.

The same holds for the cursors of tasks that have their fill of unstarted ticks: each is counted to know it,
all of them stay below the moment, and nobody tells the scheduler when a tick of theirs is started. A look at
cursors that have room goes on where the last one ended, and a whole look finds which have room again: they
are planned late by a rest at most, and what was due meanwhile is caught up with as their policy says. A
cursor that another scheduler has locked counts as seen, as that one plans it; had it died, the same rest
holds.
"""

from collections.abc import Hashable, Mapping
from typing import Any

from everytick.when import Instant

LOWEST: Instant = -(2**63)
"""Below all that is there."""

MARGIN = 1_000_000
"""Microseconds below the moment of which a commit may still bring something."""

CHEAP = 5_000
"""Microseconds that a whole look may take and be repeated at once."""

_DEAR = 3
"""So many whole looks, one after the other, that were not cheap: once may be a server that is busy."""

_REST = 20
_LONGEST = 60_000_000


class Floor:
    """Where the looks at one index begin, line by line."""

    def __init__(self) -> None:
        self._at: dict[Hashable, Instant] = {}
        self._now: Instant | None = None
        self._dear = 0
        self._begun = 0
        self._seen = 0
        self._rested = 0
        self._sign = 0

    def rise(self, now: Instant) -> None:
        """Take note of the moment."""
        self._now = now

    def of(self, line: Hashable) -> Instant:
        """Return where the next look at a line begins."""
        return LOWEST if self._whole() else self._at.get(line, LOWEST)

    def found(self, lowest: Mapping[Any, Instant | None], begun: int, ended: int) -> None:
        """Take note of what the look that follows of() has found.

        Args:
            lowest: The lowest open instant of each line, None where there is none. Other lines are forgotten.
            begun: When it began, in microseconds by the server's clock.
            ended: When it ended.
        """
        if self._whole():
            self._dear = self._dear + 1 if ended - begun > CHEAP else 0
            self._begun, self._rested = begun, ended + min(_REST * (ended - begun), _LONGEST)
        self._seen = ended
        if self._now is not None:
            now = self._now
            self._at = {
                line: (now if instant is None else min(instant, now)) - MARGIN
                for line, instant in lowest.items()
            }

    def signed(self, sign: int) -> bool:
        """Take note of a sign, another than before where somebody may have written far below the moment.

        Returns:
            Whether it is another; then the next look is whole.
        """
        if sign == self._sign:
            return False
        self._sign, self._rested = sign, self._begun
        return True

    def _whole(self) -> bool:
        """Tell whether the next look is to be whole; a clock that was moved back ends a rest."""
        return self._dear < _DEAR or not self._begun <= self._seen < self._rested
