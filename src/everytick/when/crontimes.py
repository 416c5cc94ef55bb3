"""The wall times of a cron line: the days of its calendar, and the times of each such day."""

from bisect import bisect_left
from calendar import monthrange
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

from everytick.when.cronfield import Choice, Mark

_DAY = 86_400
_DAY_ZERO = date(1970, 1, 1).toordinal()
_MONTHS_AHEAD = 41 * 12


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthDays:
    """The days that three fields allow, as one bit mask for each month: bit d stands for day d.

    Vixie's rule: a day must match the day of month *and* the day of week, but where neither field begins with
    `*` it is enough that it matches one of them.

    Args:
        days: The day-of-month field.
        months: The month field.
        weekdays: The day-of-week field.
    """

    days: Choice
    months: Choice
    weekdays: Choice
    _masks: dict[int, int] = field(default_factory=dict, init=False, repr=False, compare=False)
    _page: tuple[int, int, int, int] = field(default=(0, 0, 0, 0), init=False, repr=False, compare=False)

    @property
    def either(self) -> bool:
        """Return whether one of the two day fields is enough."""
        return not (self.days.star or self.weekdays.star)

    def at_or_after(self, day: int) -> int | None:
        """Return the first matching day that is not earlier, counted from 1970-01-01."""
        first, end, month, mask = self._page
        if not first <= day < end:
            first, end, month, mask = self._turn(day)
        rest = mask >> (day - first)
        if rest:
            return day + (rest & -rest).bit_length() - 1
        for ahead in range(month + 1, min(month + _MONTHS_AHEAD, 12 * 10_000)):
            mask = self.mask(ahead)
            if mask:
                return _first_day(ahead) + (mask & -mask).bit_length() - 2
        return None

    def at_or_before(self, day: int) -> int | None:
        """Return the last matching day that is not later, counted from 1970-01-01."""
        at = date.fromordinal(day + _DAY_ZERO)
        month = at.year * 12 + at.month - 1
        rest = self.mask(month) & ((2 << at.day) - 1)
        if rest:
            return day - at.day + rest.bit_length() - 1
        for behind in range(month - 1, max(month - _MONTHS_AHEAD, 11), -1):
            mask = self.mask(behind)
            if mask:
                return _first_day(behind) + mask.bit_length() - 2
        return None

    def count(self, start: int, end: int) -> int:
        """Return how many matching days lie in start <= day < end."""
        if start >= end:
            return 0
        first, last = date.fromordinal(start + _DAY_ZERO), date.fromordinal(end + _DAY_ZERO)
        first_month, last_month = (at.year * 12 + at.month - 1 for at in (first, last))
        whole = sum(self.mask(month).bit_count() for month in range(first_month, last_month))
        before = self.mask(first_month) & ((1 << first.day) - 1)
        behind = self.mask(last_month) & ((1 << last.day) - 1)
        return whole - before.bit_count() + behind.bit_count()

    def ever(self) -> bool:
        """Return whether any day matches: 28 years show each month beginning on each weekday."""
        return any(self.mask(month) for month in range(2000 * 12, 2028 * 12))

    def _turn(self, day: int) -> tuple[int, int, int, int]:
        """Open the month of a day: its first day, the first behind it, its number, its days from bit 0 on."""
        at = date.fromordinal(day + _DAY_ZERO)
        first, month = day - at.day + 1, at.year * 12 + at.month - 1
        page = (first, first + monthrange(at.year, at.month)[1], month, self.mask(month) >> 1)
        object.__setattr__(self, "_page", page)
        return page

    def mask(self, month: int) -> int:
        """Return the matching days of a month, which is counted from January of the year 0."""
        mask = self._masks.get(month)
        if mask is None:
            mask = self._masks[month] = self._mask(*divmod(month, 12))
        return mask

    def _mask(self, year: int, month: int) -> int:
        if month + 1 not in self.months.values:
            return 0
        monday_first, length = monthrange(year, month + 1)
        first = (monday_first + 1) % 7
        by_day = sum(1 << day for day in self.days.values if day <= length)
        by_weekday = sum(
            1 << day for day in range(1, length + 1) if (first + day - 1) % 7 in self.weekdays.values
        )
        for mark in self.days.marks:
            by_day |= _marked(mark, first, length)
        for mark in self.weekdays.marks:
            by_weekday |= _marked(mark, first, length)
        return by_day | by_weekday if self.either else by_day & by_weekday


def _first_day(month: int) -> int:
    return date(month // 12, month % 12 + 1, 1).toordinal() - _DAY_ZERO


def _marked(mark: Mark, first: int, length: int) -> int:
    """Return the marked day's bit in a month of `length` days that begins on weekday `first`; 0 for none."""
    if mark.kind == "last":
        return 1 << length
    if mark.kind == "last workday":
        return 1 << _workday(length, first, length)
    if mark.kind == "nearest workday":
        return 1 << _workday(mark.day, first, length) if mark.day <= length else 0
    day = 1 + (mark.day - first) % 7
    if mark.kind == "last weekday":
        return 1 << (day + (length - day) // 7 * 7)
    day += (mark.nth - 1) * 7
    return 1 << day if day <= length else 0


def _workday(day: int, first: int, length: int) -> int:
    """Return the Monday to Friday nearest to a day, without leaving its month."""
    weekday = (first + day - 1) % 7
    if weekday == 6:
        return day - 1 if day > 1 else day + 2
    if weekday == 0:
        return day + 1 if day < length else day - 2
    return day


@dataclass(frozen=True, slots=True, kw_only=True)
class CronTimes:
    """Each of some seconds of each of some minutes of each of some days: `WallTimes` in closed form.

    Args:
        days: Which days.
        minutes: Which minutes of such a day, each as the second of the day it begins with, ascending.
        seconds: Which seconds of such a minute, ascending.
    """

    days: MonthDays
    minutes: tuple[int, ...]
    seconds: tuple[int, ...]
    _last: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_last", self.minutes[-1] + self.seconds[-1])

    def at_or_after(self, wall: int) -> int | None:
        """Return the first time that is not earlier."""
        day, second = divmod(wall, _DAY)
        if second > self._last:
            day, second = day + 1, 0
        due = self.days.at_or_after(day)
        if due is None:
            return None
        if due > day:
            return due * _DAY + self.minutes[0] + self.seconds[0]
        into = second % 60
        minute = second - into
        at = bisect_left(self.minutes, minute)
        if self.minutes[at] == minute:
            if into <= self.seconds[-1]:
                return due * _DAY + minute + self.seconds[bisect_left(self.seconds, into)]
            at += 1
        return due * _DAY + self.minutes[at] + self.seconds[0]

    def ahead_of(self, wall: int) -> int | None:
        """Return the last time that is earlier."""
        day, second = divmod(wall, _DAY)
        if second <= self.minutes[0] + self.seconds[0]:
            day, second = day - 1, _DAY
        due = self.days.at_or_before(day)
        if due is None:
            return None
        if due < day:
            return due * _DAY + self._last
        into = second % 60
        at = bisect_left(self.minutes, second - into)
        if at < len(self.minutes) and self.minutes[at] == second - into and into > self.seconds[0]:
            return due * _DAY + self.minutes[at] + self.seconds[bisect_left(self.seconds, into) - 1]
        return due * _DAY + self.minutes[at - 1] + self.seconds[-1]

    def count(self, start: int, end: int) -> int:
        """Return how many times lie in start <= time < end."""
        if start >= end:
            return 0
        (first, early), (last, late) = divmod(start, _DAY), divmod(end, _DAY)
        whole = self.days.count(first, last) * len(self.minutes) * len(self.seconds)
        before = self._earlier(early) if self.days.count(first, first + 1) else 0
        behind = self._earlier(late) if self.days.count(last, last + 1) else 0
        return whole - before + behind

    def _earlier(self, second: int) -> int:
        """Return how many times of a day are earlier than a second of the day."""
        into = second % 60
        at = bisect_left(self.minutes, second - into)
        total = at * len(self.seconds)
        if at < len(self.minutes) and self.minutes[at] == second - into:
            total += bisect_left(self.seconds, into)
        return total


@lru_cache(maxsize=4096)
def minutes_of_day(hours: tuple[int, ...], minutes: tuple[int, ...]) -> tuple[int, ...]:
    """Return the seconds of the day at which these minutes of these hours begin; shared by schedules."""
    return tuple(hour * 3600 + minute * 60 for hour in hours for minute in minutes)


@lru_cache(maxsize=4096)
def times_of_day(minutes: tuple[int, ...], seconds: tuple[int, ...]) -> tuple[int, ...]:
    """Return all times of a day in microseconds, for bisection; none where a table does not pay."""
    if not 1 < len(minutes) * len(seconds) <= 1440:
        return ()
    return tuple((minute + second) * 1_000_000 for minute in minutes for second in seconds)


@lru_cache(maxsize=4096)
def month_days(days: Choice, months: Choice, weekdays: Choice) -> MonthDays:
    """Return the calendar of three fields; shared by schedules, so that each month is worked out once."""
    return MonthDays(days=days, months=months, weekdays=weekdays)
