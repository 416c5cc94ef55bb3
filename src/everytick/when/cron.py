"""Cron lines with 5 fields, or 6 with the seconds first."""

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache

from everytick.errors import ScheduleError
from everytick.when.cronfield import FIELDS, Choice, canonical, has_hash, read, spread
from everytick.when.crontimes import CronTimes, minutes_of_day, month_days, times_of_day
from everytick.when.place import part_of
from everytick.when.schedule import SECOND, Instant, Schedule
from everytick.when.sentence import cron_sentence
from everytick.when.surprise import clock_notes, line_notes
from everytick.when.walltime import Fold, Gap, Projection, checked_fold, checked_gap, zone_named

NAMED = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}


@dataclass(frozen=True, slots=True)
class Cron(Schedule):
    """The instants of a cron line on the wall clock of a zone.

    Where the clocks change, the default is what Debian's cron does. *Fixed* lines, in which neither the
    minute nor the hour begins with `*`: a time that does not exist comes at the first instant after the gap,
    once; a time that comes twice counts the first time. All others follow elapsed time: times in a gap do not
    come, repeated times come twice.

    Args:
        text: 5 fields (minute, hour, day of month, month, day of week), 6 with the seconds first, or `@daily`
            and its kin.
        zone: IANA name of the zone whose wall clock counts.
        gap: `next`, `skip` or `previous`, in place of the default for times that do not exist.
        fold: `first`, `second` or `both`, in place of the default for times that come twice.

    Raises:
        ScheduleError: The text cannot be read, or its days never come; the error points at the place.
    """

    text: str
    zone: str = "UTC"
    gap: Gap | None = None
    fold: Fold | None = None
    _plan: Projection = field(init=False, repr=False, compare=False)
    _words: tuple[str, ...] = field(init=False, repr=False, compare=False)
    _choices: tuple[Choice, ...] = field(init=False, repr=False, compare=False)
    _hashed: bool = field(init=False, repr=False, compare=False)
    _times: tuple[Instant, ...] = field(init=False, repr=False, compare=False)
    _today: tuple[Instant, Instant] = field(default=(0, 0), init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        checked_gap(self.gap)
        checked_fold(self.fold)
        places = _places(self.text)
        choices = []
        for at, (start, word) in zip(FIELDS[-len(places) :], places, strict=True):
            with part_of(self.text, start):
                choices.append(read(at, word))
        calendar = month_days(*choices[-3:])
        if not calendar.ever():
            raise ScheduleError("No year has such a day", text=self.text, position=places[-3][0])
        minutes, hours = choices[-5:-3]
        fixed = not (minutes.star or hours.star)
        times = CronTimes(
            days=calendar,
            minutes=minutes_of_day(hours.values, minutes.values),
            seconds=choices[0].values if len(choices) == 6 else (0,),
        )
        plan = Projection(
            times=times,
            zone=zone_named(self.zone),
            gap=self.gap or ("next" if fixed else "skip"),
            fold=self.fold or ("first" if fixed else "both"),
            grain=1 if len(choices) == 6 else 60,
        )
        object.__setattr__(self, "text", canonical(self.text))
        object.__setattr__(self, "_plan", plan)
        object.__setattr__(self, "_times", times_of_day(times.minutes, times.seconds))
        object.__setattr__(self, "_words", tuple(word for _, word in places))
        object.__setattr__(self, "_choices", tuple(choices))
        object.__setattr__(self, "_hashed", any(has_hash(word) for _, word in places))

    def instant_after(self, moment: Instant) -> Instant | None:
        """Return the first instant later than `moment`."""
        midnight, last = self._today
        if 0 <= (into := moment - midnight) < last:
            return midnight + self._times[bisect_right(self._times, into)]
        if self._hashed:
            raise self._unbound()
        found = self._plan.at_or_after(moment // SECOND + 1)
        if found is None:
            return None
        if self._times and (start := self._plan.calm_midnight(found)) is not None:
            object.__setattr__(self, "_today", (start * SECOND, self._times[-1]))
        return found * SECOND

    def instant_before(self, moment: Instant) -> Instant | None:
        """Return the last instant earlier than `moment`."""
        if self._hashed:
            raise self._unbound()
        found = self._plan.ahead_of(-(-moment // SECOND))
        return None if found is None else found * SECOND

    def count(self, a: Instant, b: Instant) -> int:
        """Return how many instants t there are with a < t <= b, in closed form."""
        if self._hashed:
            raise self._unbound()
        return self._plan.count(a // SECOND + 1, b // SECOND + 1)

    def bound(self, *, name: str, anchor: Instant) -> "Cron":  # noqa: ARG002 - a cron line has no anchor
        """Return the line with each `H` replaced by the number that the task's name gives it."""
        if not self._hashed:
            return self
        words = self.text.split()
        told = " ".join(spread(at, word, name) for at, word in zip(FIELDS[-len(words) :], words, strict=True))
        return _decided(told, self.zone, self.gap, self.fold)

    def sentence(self) -> str:
        """Return the line in plain English."""
        return cron_sentence(self._words, self._choices, self.zone)

    def notes(self, moment: Instant) -> tuple[str, ...]:
        """Return what the next changes of the clocks do, and other surprises of the line."""
        hours = self._choices[-4]
        clocks = () if self._hashed else clock_notes(self._plan, hours, moment // SECOND)
        return (*clocks, *line_notes(self._words, self._choices))

    def rules(self) -> str:
        """Return the fingerprint of the zone's data."""
        return self._plan.zone.rules()

    def __str__(self) -> str:
        gap = f" gap={self.gap}" if self.gap else ""
        fold = f" fold={self.fold}" if self.fold else ""
        zone = f" in {self.zone}" if self.zone != "UTC" else ""
        return f"{self.text}{zone}{gap}{fold}"

    def _unbound(self) -> ScheduleError:
        return ScheduleError(
            "H needs the name of a task to be decided: bind the schedule first", text=self.text
        )


@lru_cache(maxsize=4096)  # names leave H few choices: 1,440 lines are all that a daily one can become
def _decided(text: str, zone: str, gap: Gap | None, fold: Fold | None) -> Cron:
    return Cron(text, zone=zone, gap=gap, fold=fold)


def _places(text: str) -> list[tuple[int, str]]:
    """Return the fields of a line, each with the place where it begins."""
    places = [(found.start(), found[0]) for found in re.finditer(r"\S+", text)]
    first = places[0][1] if places else ""
    if first.startswith("@") and len(places) == 1:
        return [(0, word) for word in _named(first.lower(), text).split()]
    if first.lower().startswith(("tz=", "cron_tz=")):
        raise ScheduleError(
            f"Name the zone beside the line, not in it: zone={first.partition('=')[2]!r}",
            text=text,
            position=0,
        )
    if len(places) not in {5, 6}:
        raise ScheduleError(
            f"A cron line has 5 fields, or 6 with the seconds first; this has {len(places)}", text=text
        )
    return places


def _named(name: str, text: str) -> str:
    if name == "@reboot":
        raise ScheduleError(
            "@reboot names no instant: start such a task with the machine, not on a schedule",
            text=text,
            position=0,
        )
    if name not in NAMED:
        near = get_close_matches(name, NAMED, n=1)
        mend = f"did you mean {near[0]}?" if near else f"there are {', '.join(NAMED)}"
        raise ScheduleError(f"There is no {name}: {mend}", text=text, position=0)
    return NAMED[name]
