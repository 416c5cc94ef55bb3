"""Forecast: play the schedules of many tasks in virtual time, to see when how many ticks start together.

Nothing is kept of a tick but what is counted: memory does not grow with their number.

    tasks ──▶ instants of each, with jitter ──▶ merged, second by second ──▶ Load
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from heapq import merge
from itertools import groupby

from msgspec import structs

from everytick.policy import Duration, jittered
from everytick.task import Task
from everytick.tick import SECOND
from everytick.when import Instant, Minus, Schedule, Union, Within
from everytick.when.walltime import DAY, Zone

COLUMNS = 72
"""At most so many buckets show the load over time."""

TOLD_EVERY = 20_000
"""Progress is told each time so many ticks have been played."""

_LONG = 35_280 * DAY * SECOND  # what divides a day divides it, and so do two to ten days
_HOUR = 3600
_WIDTHS = (
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, _HOUR, 2 * _HOUR, 3 * _HOUR, 6 * _HOUR, 12 * _HOUR,
    DAY, 2 * DAY, 7 * DAY, 14 * DAY, 28 * DAY, 91 * DAY, 182 * DAY, 364 * DAY, 3640 * DAY,
)  # fmt: skip
_HERDS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """The fullest stretch of one length.

    Attributes:
        at: Where it begins; the first of several that are equally full.
        ticks: How many ticks start in it.
    """

    at: Instant
    ticks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Herd:
    """Tasks that start in the same second.

    Attributes:
        tasks: Their names.
        times: How often exactly these do.
        first: The first such second.
    """

    tasks: tuple[str, ...]
    times: int
    first: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """When how many ticks start.

    Attributes:
        ticks: How many each task has, by name.
        second: The fullest second of the clock; None where there is no tick.
        minute: The fullest minute.
        width: The length of a bucket.
        buckets: How many ticks start in each bucket of the span.
        hours: How many start in each hour of the day.
        days: How many whole days the span has.
        idle: The whole days without a tick.
        idle_of: How many whole days each task leaves out, by name.
        herds: Tasks that start in the same second, the largest herds first.
    """

    ticks: dict[str, int]
    second: Peak | None
    minute: Peak | None
    width: Duration
    buckets: tuple[int, ...]
    hours: tuple[int, ...]
    days: int
    idle: tuple[date, ...]
    idle_of: dict[str, int]
    herds: tuple[Herd, ...]


def in_force(task: Task, moment: Instant) -> Task:
    """Return the task as if it had been applied long ago: its schedule bound.

    Intervals without an anchor of their own are counted so that one is due at the moment, where a day is a
    whole number of them.
    """
    return structs.replace(task, schedule=task.schedule.bound(name=task.name, anchor=moment - _LONG))


def at_most(schedule: Schedule, start: Instant, end: Instant) -> int:
    """Return how many instants a bound schedule yields in start <= instant < end, at most.

    It is known at once, without a walk through them; what parts share, or take away, is not looked at.
    """
    match schedule:
        case Union():
            return sum(at_most(part, start, end) for part in schedule.parts)
        case Minus():
            return at_most(schedule.keep, start, end)
        case Within(inner=Union() | Minus() as inner):
            return at_most(inner, start, end)
        case _:
            return schedule.count(start - 1, end - 1)


def starts(task: Task, start: Instant, end: Instant) -> Iterator[tuple[Instant, Instant, Instant | None]]:
    """Yield ready_at, due_at and next_due of each tick in start <= due_at < end, in order of all three.

    Args:
        task: The task, its schedule bound.
        start: Where the span begins.
        end: The first instant behind it.
    """
    schedule, policies, name = task.schedule, task.policies, task.name
    due = schedule.instant_after(start - 1)
    while due is not None and due < end:
        following = schedule.instant_after(due)
        yield jittered(policies, name, due, following), due, following
        due = following


def forecast(
    tasks: Sequence[Task],
    start: Instant,
    end: Instant,
    zone: Zone,
    progress: Callable[[int], None] = lambda _: None,
) -> Load:
    """Return when how many ticks start in a span.

    Args:
        tasks: The tasks, their schedules bound.
        start: Where the span begins.
        end: The first instant behind it: ticks with start <= due_at < end are played.
        zone: Whose days and hours are told.
        progress: Told now and then how many more ticks were played.
    """
    count = _Count(tasks, start, end, zone)
    played = 0
    streams = [_tagged(task, number, start, end) for number, task in enumerate(tasks)]
    for second, group in groupby(merge(*streams), key=lambda one: one[0] // SECOND):
        members = [number for _, number in group]
        count.second(second, members)
        played += len(members)
        if played >= TOLD_EVERY:
            progress(played)
            played = 0
    progress(played)
    return count.load()


def _tagged(task: Task, number: int, start: Instant, end: Instant) -> Iterator[tuple[Instant, int]]:
    if task.policies.jitter:
        return ((ready, number) for ready, _, _ in starts(task, start, end))
    return ((due, number) for due in task.schedule.instants(start - 1, end - 1))


def _width(seconds: int) -> int:
    return next((width for width in _WIDTHS if seconds <= width * COLUMNS), _WIDTHS[-1])


class _Count:
    """What has been counted so far; it is shown each second that has a tick, in order."""

    def __init__(self, tasks: Sequence[Task], start: Instant, end: Instant, zone: Zone) -> None:
        self._names = [task.name for task in tasks]
        self._start = start // SECOND
        self._zone = zone
        self._width = _width(-(-end // SECOND) - self._start)
        self._buckets = [0] * max(1, -(-(-(-end // SECOND) - self._start) // self._width))
        self._hours = [0] * 24
        self._ticks = [0] * len(tasks)
        self._second = (0, 0)
        self._minute = (0, 0)
        self._this_minute = (0, 0)
        self._days = self._whole_days(end // SECOND)
        self._busy: set[int] = set()
        self._day_of = [-1] * len(tasks)
        self._busy_of = [0] * len(tasks)
        self._herds: dict[frozenset[int], tuple[int, int]] = {}

    def _whole_days(self, end: int) -> range:
        """Return the days since 1970-01-01 that lie wholly in the span, on the zone's clock."""
        first, last = ((at + self._zone.offset(at)) // DAY for at in (self._start, end))
        first += self._zone.second_at(first * DAY) < self._start
        return range(first, max(first, last))

    def second(self, second: int, members: Sequence[int]) -> None:
        """Count the ticks that start in a second."""
        many = len(members)
        local = second + self._zone.span_at(second).offset
        self._hours[local % DAY // _HOUR] += many
        self._buckets[min((second - self._start) // self._width, len(self._buckets) - 1)] += many
        if many > self._second[1]:
            self._second = (second, many)
        minute, so_far = self._this_minute
        self._this_minute = (second // 60, so_far + many if minute == second // 60 else many)
        if self._this_minute[1] > self._minute[1]:
            self._minute = self._this_minute
        day = local // DAY
        self._busy.add(day)
        for number in members:
            self._ticks[number] += 1
            if self._day_of[number] != day:
                self._day_of[number] = day
                self._busy_of[number] += day in self._days
        if many > 1:
            self._herd(second, frozenset(members))

    def _herd(self, second: int, members: frozenset[int]) -> None:
        if len(members) < 2:
            return
        times, first = self._herds.get(members, (0, second))
        self._herds[members] = (times + 1, first)
        if len(self._herds) > 2 * _HERDS:
            self._herds = dict(self._largest(_HERDS))

    def _largest(self, count: int) -> list[tuple[frozenset[int], tuple[int, int]]]:
        """Return the herds with the most tasks; of equal ones those that meet most often."""
        return sorted(self._herds.items(), key=lambda herd: (-len(herd[0]), -herd[1][0], herd[1][1]))[:count]

    def load(self) -> Load:
        return Load(
            ticks=dict(zip(self._names, self._ticks, strict=True)),
            second=_peak(self._second, 1),
            minute=_peak(self._minute, 60),
            width=self._width * SECOND,
            buckets=tuple(self._buckets),
            hours=tuple(self._hours),
            days=len(self._days),
            idle=tuple(_date(day) for day in self._days if day not in self._busy),
            idle_of={
                name: len(self._days) - busy for name, busy in zip(self._names, self._busy_of, strict=True)
            },
            herds=tuple(
                Herd(
                    tasks=tuple(self._names[number] for number in sorted(members)),
                    times=times,
                    first=first * SECOND,
                )
                for members, (times, first) in self._largest(_HERDS)
            ),
        )


def _peak(found: tuple[int, int], length: int) -> Peak | None:
    at, ticks = found
    return Peak(at=at * length * SECOND, ticks=ticks) if ticks else None


def _date(day: int) -> date:
    return date.fromordinal(date(1970, 1, 1).toordinal() + day)
