"""A clock that stands still until a test moves it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from everytick.when import Instant, instant_of, moment_of


class FakeClock:
    """A clock for tests: it moves when told to, and waiting moves it.

    Args:
        start: An aware date-time or an RFC 3339 text.

    Attributes:
        wall_ahead: How far the wall clock is ahead of now(), in microseconds: a step, if it is large.
    """

    def __init__(self, start: datetime | str = "2026-01-01T00:00:00Z") -> None:
        self._now = instant_of(datetime.fromisoformat(start) if isinstance(start, str) else start)
        self._boot = 1_000_000_000
        self.wall_ahead = 0

    def now(self) -> Instant:
        """Return the moment."""
        return self._now

    def moment(self) -> datetime:
        """Return the moment as an aware date-time, UTC."""
        return moment_of(self._now)

    def boot(self) -> int:
        """Return microseconds since the machine started."""
        return self._boot

    def skew(self) -> int:
        """Return how far ahead the wall clock is."""
        return self.wall_ahead

    def suspect(self) -> bool:
        """Tell whether the wall clock has stepped."""
        return abs(self.wall_ahead) > 2_000_000

    def accept(self) -> None:
        """Take the wall clock for right."""
        self._now += self.wall_ahead
        self.wall_ahead = 0

    def advance(self, duration: timedelta | None = None, **parts: float) -> None:
        """Move on: ``advance(hours=1)``."""
        step = (duration or timedelta(**parts)) // timedelta(microseconds=1)
        self._now += step
        self._boot += step

    def wait(self, until: Instant, files: Sequence[int] = ()) -> None:
        """Move on to a moment at once; files are not waited for."""
        del files
        step = max(0, until - self._now)
        self._now += step
        self._boot += step

    def wake(self) -> None:
        """Do nothing: nobody waits."""
