"""Intervals: the same time again and again, counted from an anchor."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from everytick.errors import ScheduleError
from everytick.when.duration import checked_duration, duration_words, format_duration, parse_duration
from everytick.when.schedule import Instant, Schedule, instant_of, moment_of

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, init=False)
class Every(Schedule):
    """One instant each period of elapsed time, whatever the wall clocks do.

    With an anchor of its own, `every 15m from 2026-01-01T00:00Z`, the anchor is the first instant. Without
    one it is counted from the anchor that the ledger stores for the task: the first comes one period later.

    Args:
        period: How long, as a `timedelta` or in words such as `1h30m`; whole milliseconds, at least 1.
        anchor: The first instant, aware.

    Raises:
        ScheduleError: The period is no duration or out of range, or the anchor names no zone.
    """

    period: timedelta
    anchor: datetime | None
    _period: Instant = field(repr=False, compare=False)
    _first: Instant | None = field(repr=False, compare=False)

    def __init__(self, period: timedelta | str, anchor: datetime | None = None) -> None:
        told = parse_duration(period) if isinstance(period, str) else checked_duration(period)
        first = None if anchor is None else instant_of(anchor)
        object.__setattr__(self, "period", told)
        object.__setattr__(self, "anchor", None if first is None else moment_of(first))
        object.__setattr__(self, "_period", told // _MICROSECOND)
        object.__setattr__(self, "_first", first)

    def instant_after(self, moment: Instant) -> Instant:
        """Return the first instant later than `moment`."""
        first = self._anchored()
        return max(first, first + ((moment - first) // self._period + 1) * self._period)

    def instant_before(self, moment: Instant) -> Instant | None:
        """Return the last instant earlier than `moment`; None up to the first."""
        first = self._anchored()
        return None if moment <= first else first + (moment - first - 1) // self._period * self._period

    def count(self, a: Instant, b: Instant) -> int:
        """Return how many instants t there are with a < t <= b, by arithmetic."""
        start = self._anchored() - self._period
        return max(0, (max(b, start) - start) // self._period - (max(a, start) - start) // self._period)

    def bound(self, *, name: str, anchor: Instant) -> "Every":  # noqa: ARG002 - an interval has no H
        """Return the interval counted from the task's anchor, unless it states its own."""
        return self if self.anchor is not None else Every(self.period, moment_of(anchor) + self.period)

    def sentence(self) -> str:
        """Return the interval in plain English."""
        origin = (
            "when the task was first applied"
            if self.anchor is None
            else f"{self.anchor:%Y-%m-%d %H:%M:%S} UTC"
        )
        return f"Every {duration_words(self.period)}, counted from {origin}"

    def notes(self, moment: Instant) -> tuple[str, ...]:  # noqa: ARG002 - no clock change concerns elapsed time
        """Return nothing: elapsed time holds no surprise."""
        return ()

    def rules(self) -> str:
        """Return nothing: only the text decides."""
        return ""

    def __str__(self) -> str:
        origin = "" if self.anchor is None else f" from {self.anchor.isoformat().replace('+00:00', 'Z')}"
        return f"every {format_duration(self.period)}{origin}"

    def _anchored(self) -> Instant:
        if self._first is None:
            raise ScheduleError(
                "An interval needs an anchor: bind the schedule first, or write `from`", text=str(self)
            )
        return self._first
