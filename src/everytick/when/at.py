"""One-shot schedules: a few given times, and never again."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from datetime import UTC, datetime

from everytick.errors import ScheduleError
from everytick.when.schedule import SECOND, Instant, Schedule
from everytick.when.walltime import Zone, zone_named


@dataclass(frozen=True, slots=True, init=False)
class At(Schedule):
    """Given times, each once.

    A time without an offset is read on the wall clock of `zone`: where it does not exist, the first second
    after the gap counts; where it comes twice, the first. A time with an offset is that instant.

    Args:
        times: Date-times, or text such as `2026-12-01T09:00` or `2026-12-01T09:00+05:30`; whole seconds.
        zone: IANA name of the zone of times that have no offset.

    Raises:
        ScheduleError: There is no time, one cannot be read, or times with and without offset are mixed.
    """

    times: tuple[datetime, ...]
    zone: str
    _zone: Zone = field(repr=False, compare=False)
    _instants: tuple[Instant, ...] = field(repr=False, compare=False)

    def __init__(self, *times: datetime | str, zone: str = "UTC") -> None:
        told = [read_time(time) if isinstance(time, str) else time for time in times]
        aware = {time.tzinfo is not None for time in told}
        if not told or any(time.microsecond for time in told):
            raise ScheduleError("Name at least one time, in whole seconds: at 2026-12-01T09:00")
        if len(aware) > 1:
            raise ScheduleError("Give all times an offset, or none")
        if aware == {True}:
            told, zone = [time.astimezone(UTC).replace(tzinfo=None) for time in told], "UTC"
        clock = zone_named(zone)
        walls = sorted({time.replace(fold=0) for time in told})
        instants = sorted({clock.second_at(_wall(wall)) * SECOND for wall in walls})
        object.__setattr__(self, "times", tuple(walls))
        object.__setattr__(self, "zone", zone)
        object.__setattr__(self, "_zone", clock)
        object.__setattr__(self, "_instants", tuple(instants))

    def instant_after(self, moment: Instant) -> Instant | None:
        """Return the first instant later than `moment`; None after the last."""
        at = bisect_right(self._instants, moment)
        return self._instants[at] if at < len(self._instants) else None

    def instant_before(self, moment: Instant) -> Instant | None:
        """Return the last instant earlier than `moment`; None up to the first."""
        at = bisect_left(self._instants, moment)
        return self._instants[at - 1] if at else None

    def count(self, a: Instant, b: Instant) -> int:
        """Return how many instants t there are with a < t <= b."""
        return max(0, bisect_right(self._instants, b) - bisect_right(self._instants, a))

    def bound(self, *, name: str, anchor: Instant) -> "At":  # noqa: ARG002 - nothing here depends on the task
        """Return the schedule itself."""
        return self

    def sentence(self) -> str:
        """Return the times in plain English."""
        return f"Once at {' and at '.join(f'{time:%Y-%m-%d %H:%M:%S}' for time in self.times)} in {self.zone}"

    def notes(self, moment: Instant) -> tuple[str, ...]:
        """Return which times have passed, do not exist or come twice."""
        notes = ["All its times have passed"] if self.instant_after(moment) is None else []
        for time in self.times:
            second = self._zone.second_at(_wall(time))
            if second + self._zone.offset(second) != _wall(time):
                notes.append(f"{time} does not exist in {self.zone}: the first second after the gap counts")
            elif any(wall <= _wall(time) for wall in self._repeats(second)):
                notes.append(f"{time} comes twice in {self.zone}: the first counts")
        return tuple(notes)

    def rules(self) -> str:
        """Return the fingerprint of the zone's data."""
        return self._zone.rules()

    def __str__(self) -> str:
        suffix, zone = ("Z", "") if self.zone == "UTC" else ("", f" in {self.zone}")
        return f"at {', '.join(time.isoformat() + suffix for time in self.times)}{zone}"

    def _repeats(self, second: int) -> list[int]:
        """Return from which wall times on the clock repeats itself within a day of a second."""
        changes = self._zone.changes(second, second + 86_400)
        return [change.first_wall for change in changes if change.offset < change.offset_before]


def _wall(time: datetime) -> int:
    return int(time.replace(tzinfo=UTC).timestamp())


def read_time(text: str) -> datetime:
    """Read one date-time in ISO 8601, with an offset or without.

    Raises:
        ScheduleError: It is no date with a time of day.
    """
    word = text.strip()
    try:
        time = datetime.fromisoformat(word)
    except ValueError:
        time = None
    if time is None or len(word) <= len("2026-12-01"):
        mend = "A time is written like 2026-12-01T09:00"
        raise ScheduleError(mend, text=text, position=len(text) - len(text.lstrip())) from None
    return time
