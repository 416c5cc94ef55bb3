"""Gaps: instants that no row stands for, and which row once stood there."""

from dataclasses import dataclass

from everytick.tick import SKIPS, TickRow, proof
from everytick.when import Instant, Schedule


@dataclass(frozen=True, slots=True)
class Gap:
    """Instants in a row that no row of the ledger stands for.

    Attributes:
        first: The first of them.
        last: The last of them.
        count: How many.
        before: The instant before the first.
        schedule: What yields them; None where only the chain names them.
    """

    first: Instant
    last: Instant
    count: int
    before: Instant | None
    schedule: Schedule | None

    def home_of(self, row: TickRow) -> Instant | None:
        """Return where in this gap a row belongs, by the instant that it names as the one before it."""
        named = row.prev_due
        if named == self.before:
            return self.first
        if named is not None and self.schedule is not None and self.first <= named < self.last:
            return self.schedule.instant_after(named)
        return None

    def without(self, instant: Instant) -> "list[Gap]":
        """Return what is left of this gap."""
        if self.schedule is None or self.count == 1:
            return []
        left = self.schedule.instant_before(instant)
        right = self.schedule.instant_after(instant)
        rest = []
        if left is not None and left >= self.first:
            count = self.schedule.count(self.first - 1, left)
            rest.append(Gap(self.first, left, count, self.before, self.schedule))
        if right is not None and right <= self.last:
            count = self.schedule.count(instant, self.last)
            rest.append(Gap(right, self.last, count, instant, self.schedule))
        return rest

    def cut_off(self, row: TickRow) -> bool:
        """Tell whether a row right before this gap is a range row that stood for it when it was written."""
        due = row.key.due_at
        if row.through is not None:
            behind = self.before is not None and due <= self.before <= row.through
            return self.first > row.through and (behind or self.before == row.prev_due)
        if self.before != due:
            return False
        whole = (self.last, self.count + 1, row.state, row.reason, row.attempt, row.ended_at)
        return row.reason in SKIPS and proof(row.key, whole) == row.proof
