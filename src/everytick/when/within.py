"""Daily windows: another schedule's instants while a zone's wall clock reads within them."""

import re
from dataclasses import dataclass, field
from typing import ClassVar

from everytick.errors import ScheduleError
from everytick.when.cronfield import WEEKDAY, has_hash, read
from everytick.when.place import part_of
from everytick.when.schedule import HORIZON, SECOND, Instant, Schedule, operand
from everytick.when.walltime import DAY, Window, zone_named

_WINDOW = re.compile(r"\s*(?:(?P<opens>[\d:]+)\s*-\s*(?P<closes>[\d:]+))?\s*(?P<days>\S+)?\s*", re.ASCII)
_TIME = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Within(Schedule):
    """The instants of a schedule at which a wall clock reads within a daily window.

    Both ends belong to the window, as in every range of a cron line: `09:15-15:30` holds 09:15:00 and
    15:30:00. `24:00` is the end of the day, and midnight itself belongs to the next. A window such as
    `22:00-06:00` runs past midnight; its weekday is that on which it opens.

    Args:
        inner: The schedule that is narrowed.
        window: `09:15-15:30 mon-fri`, `09:15-15:30` or `mon-fri`.
        zone: IANA name of the zone whose wall clock counts.

    Raises:
        ScheduleError: The window cannot be read, or it never closes.
    """

    rank: ClassVar[int] = 1
    inner: Schedule
    window: str
    zone: str = "UTC"
    _window: Window = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        found = _WINDOW.fullmatch(self.window)
        if not found or not self.window.strip():
            raise ScheduleError("A window is written like 09:15-15:30 mon-fri", text=self.window, position=0)
        opens, closes = (0, DAY) if found["opens"] is None else self._times(found)
        weekdays = self._weekdays(found)
        if closes - opens >= DAY and len(weekdays) == 7:
            raise ScheduleError("This window never closes: leave it out", text=self.window, position=0)
        window = Window(zone=zone_named(self.zone), opens=opens, closes=closes, weekdays=weekdays)
        times = "" if found["opens"] is None else f"{found['opens']}-{found['closes']} "
        object.__setattr__(self, "window", (times + (found["days"] or "").lower()).strip())
        object.__setattr__(self, "_window", window)

    def _times(self, found: re.Match[str]) -> tuple[int, int]:
        opens, closes = (self._time(found, end) for end in ("opens", "closes"))
        if opens >= DAY:
            raise ScheduleError(
                "A window opens before 24:00", text=self.window, position=found.start("opens")
            )
        if closes < DAY:
            closes += 1
        return opens, closes if opens < closes else closes + DAY

    def _time(self, found: re.Match[str], end: str) -> int:
        told = _TIME.fullmatch(found[end])
        hour, minute, second = (int(part or 0) for part in told.groups()) if told else (24, 60, 60)
        if minute > 59 or second > 59 or hour * 3600 + minute * 60 + second > DAY:
            raise ScheduleError(
                "A time of day is written like 09:15", text=self.window, position=found.start(end)
            )
        return hour * 3600 + minute * 60 + second

    def _weekdays(self, found: re.Match[str]) -> frozenset[int]:
        text = found["days"] or "*"
        with part_of(self.window, max(found.start("days"), 0)):
            choice = read(WEEKDAY, text)
            if choice.marks or has_hash(text):
                raise ScheduleError("A window opens on plain weekdays such as mon-fri", text=text)
        return frozenset(choice.values)

    def instant_after(self, moment: Instant) -> Instant | None:
        """Return the first instant later than `moment`; None when no window holds one in the horizon."""
        at = moment + 1
        while at - moment < HORIZON:
            stretch = self._window.stretch_after(at // SECOND)
            if stretch is None:
                return None
            found = self.inner.instant_after(max(moment, stretch[0] * SECOND - 1))
            if found is None or found < stretch[1] * SECOND:
                return found
            at = found
        return None

    def instant_before(self, moment: Instant) -> Instant | None:
        """Return the last instant earlier than `moment`; None when no window holds one in the horizon."""
        at = moment
        while moment - at < HORIZON:
            stretch = self._window.stretch_before(-(-at // SECOND))
            if stretch is None:
                return None
            found = self.inner.instant_before(min(moment, stretch[1] * SECOND))
            if found is None or found >= stretch[0] * SECOND:
                return found
            at = found + 1
        return None

    def count(self, a: Instant, b: Instant) -> int:
        """Return how many t there are with a < t <= b; asks the inner schedule once for each window."""
        total = 0
        stretch = self._window.stretch_after((a + 1) // SECOND)
        while stretch is not None and stretch[0] * SECOND <= b:
            start, end = max(a, stretch[0] * SECOND - 1), min(b, stretch[1] * SECOND - 1)
            total += self.inner.count(start, end) if start < end else 0
            stretch = self._window.stretch_after(stretch[1])
        return total

    def bound(self, *, name: str, anchor: Instant) -> "Within":
        """Bind the schedule inside."""
        return Within(self.inner.bound(name=name, anchor=anchor), self.window, self.zone)

    def sentence(self) -> str:
        """Return the inner sentence and the window."""
        return f"{self.inner.sentence()}; only within {self.window} in {self.zone}"

    def notes(self, moment: Instant) -> tuple[str, ...]:
        """Return the notes of the schedule inside."""
        return self.inner.notes(moment)

    def rules(self) -> str:
        """Return the fingerprints of the inner schedule and of the window's zone."""
        return " ".join(sorted({*self.inner.rules().split(), *self._window.zone.rules().split()}))

    def __str__(self) -> str:
        zone = f" in {self.zone}" if self.zone != "UTC" else ""
        return f"{operand(self.inner, 1)} within {self.window}{zone}"
