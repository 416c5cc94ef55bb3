"""Wall clocks: the one file that knows time zones and what happens when the clocks change.

A pattern of wall times says when something is due on the clock on the wall. `Projection` lays such a pattern
on the line of instants. A zone is a row of spans, in each of which the clock runs at one offset from UTC:

    offset +1         │ offset +2                          │ offset +1
    ... 01:58  01:59  │ 03:00  03:01  ...    02:58  02:59  │ 02:00  02:01 ...
                      └ gap: 02:00-02:59 does not exist    └ fold: 02:00-02:59 comes twice

Rules of the defaults: Debian cron (the README.Debian and the source of cron 3.0pl1).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import lru_cache
from hashlib import blake2b
from itertools import pairwise
from typing import Literal, NamedTuple, Protocol, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from everytick.errors import ScheduleError

Gap = Literal["next", "skip", "previous"]
Fold = Literal["first", "second", "both"]

DAY = 86_400
_WEEKDAY_ZERO = 4  # 1970-01-01 was a Thursday
_BLOCK_BITS = 25  # spans are looked up in blocks of 2**25 seconds, a little over a year
_FIRST = int(datetime(1, 1, 3, tzinfo=UTC).timestamp())
_LAST = int(datetime(9999, 12, 29, tzinfo=UTC).timestamp())
_HORIZON = 41 * 366 * DAY


class WallTimes(Protocol):
    """A pattern on the wall clock, in seconds since 1970-01-01T00:00 as that clock shows them."""

    def at_or_after(self, wall: int) -> int | None:
        """Return the first time of the pattern that is not earlier; None when none within the horizon."""

    def ahead_of(self, wall: int) -> int | None:
        """Return the last time of the pattern that is earlier; None when none within the horizon."""

    def count(self, start: int, end: int) -> int:
        """Return how many times of the pattern lie in start <= time < end."""


class Span(NamedTuple):
    """A stretch start <= second < end of the time line with one offset from UTC, all in seconds."""

    start: int
    end: int
    offset: int
    offset_before: int
    offset_after: int


class Change(NamedTuple):
    """A moment, in seconds, at which the wall clock jumps from one offset to another."""

    second: int
    offset_before: int
    offset: int

    @property
    def first_wall(self) -> int:
        """Return the first wall time that does not exist, or that comes twice."""
        return self.second + min(self.offset_before, self.offset)

    @property
    def end_wall(self) -> int:
        """Return the first wall time behind those."""
        return self.second + max(self.offset_before, self.offset)


class Zone:
    """An IANA time zone as a row of spans, found by asking `zoneinfo` and remembered."""

    __slots__ = ("_blocks", "_info", "_recent", "name")

    def __init__(self, name: str) -> None:
        """Open a zone; use `zone_named`, which keeps one object for each name."""
        self.name = name
        self._info = _open(name)
        self._blocks: dict[int, tuple[Span, ...]] = {}
        self._recent = Span(_FIRST, _LAST, 0, 0, 0) if name == "UTC" else Span(0, 0, 0, 0, 0)

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return zone_named, (self.name,)

    def span_at(self, second: int) -> Span:
        """Return the span around a second since 1970-01-01T00:00:00Z."""
        span = self._recent
        if span.start <= second < span.end:
            return span
        number = second >> _BLOCK_BITS
        block = self._blocks.get(number)
        if block is None:
            block = self._blocks[number] = self._spans(number)
        span = self._recent = next(span for span in block if second < span.end)
        return span

    def spans(self, start: int, end: int) -> Iterator[Span]:
        """Yield the spans that meet start <= second < end, earliest first."""
        while start < end:
            span = self.span_at(start)
            yield span
            start = span.end

    def changes(self, start: int, end: int) -> Iterator[Change]:
        """Yield the changes of the clock in start <= second < end, earliest first."""
        for span in self.spans(start, end):
            if span.offset != span.offset_before and span.start >= start:
                yield Change(span.start, span.offset_before, span.offset)

    def second_at(self, wall: int) -> int:
        """Return when the wall clock first shows a time; for one in a gap, the first second after the gap."""
        near = self.spans(wall - DAY, wall + DAY)
        return next(max(wall - span.offset, span.start) for span in near if wall - span.offset < span.end)

    def rules(self) -> str:
        """Return a fingerprint of the zone's data for 2000 to 2050; "" for UTC, which has no rules."""
        if self.name == "UTC":
            return ""
        return _fingerprint(self)

    def offset(self, second: int) -> int:
        """Return the offset from UTC at a second, in seconds; the years end at 1 and 9999."""
        moment = datetime.fromtimestamp(min(max(second, _FIRST), _LAST), self._info)
        ahead = moment.utcoffset()
        return 0 if ahead is None else ahead.days * DAY + ahead.seconds

    def _spans(self, number: int) -> tuple[Span, ...]:
        start, stop = number << _BLOCK_BITS, (number + 1) << _BLOCK_BITS
        changes = self._changes(start, stop)
        edges = [(start, self.offset(start)), *changes, (stop, self.offset(stop))]
        offset_before = self.offset(start - 1)
        spans = []
        for (begin, offset), (end, offset_after) in pairwise(edges):
            spans.append(Span(begin, end, offset, offset_before, offset_after))
            offset_before = offset
        return tuple(spans)

    def _changes(self, start: int, stop: int) -> list[tuple[int, int]]:
        """Return (second, new offset) of each change in start < second < stop.

        Each day is looked at: no zone has ever changed its clock and changed it back within one.
        """
        changes = []
        offset = self.offset(start)
        for edge in range(start + DAY, stop + DAY, DAY):
            day_end = min(edge, stop - 1)
            while (ahead := self.offset(day_end)) != offset:
                start = self._first_other(start, day_end, offset)
                offset = self.offset(start)
                changes.append((start, offset))
                if offset == ahead:
                    break
            start = day_end
        return changes

    def _first_other(self, low: int, high: int, offset: int) -> int:
        """Return the first second in low < second <= high with another offset, by bisection."""
        while high - low > 1:
            middle = (low + high) // 2
            if self.offset(middle) == offset:
                low = middle
            else:
                high = middle
        return high


def _open(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        near = _nearest(name)
        mend = f": did you mean {near}?" if near else ": write an IANA name such as Europe/Berlin"
        raise ScheduleError(f"There is no time zone {name!r}{mend}") from None


def _nearest(name: str) -> str:
    """Return the place that somebody may have meant; empty where nobody can tell.

    An abbreviation or an offset that nearly fits (IST and MST, GMT+2 and GMT+0) is hours away: only places
    are near each other.
    """
    known = {zone.lower(): zone for zone in sorted(available_timezones())}
    if name.lower() in known:
        return known[name.lower()]
    places = [zone for zone in known if "/" in zone and not zone.startswith("etc/")]
    near = [zone for zone in places if zone.endswith("/" + name.lower())]
    near = near or get_close_matches(name.lower(), places, n=1, cutoff=0.5)
    return known[near[0]] if near else ""


@lru_cache(maxsize=1024)
def zone_named(name: str) -> Zone:
    """Return the zone of an IANA name such as `Asia/Kolkata`.

    Raises:
        ScheduleError: There is no such zone; the message names the nearest.
    """
    return Zone(name)


@lru_cache(maxsize=1024)
def _fingerprint(zone: Zone) -> str:
    start, end = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (2000, 2050))
    told = [zone.offset(start), *((change.second, change.offset) for change in zone.changes(start, end))]
    digest = blake2b(repr(told).encode(), digest_size=6).hexdigest()
    return f"{zone.name}:{digest}"


def checked_gap(gap: str | None) -> None:
    """Refuse a word that is no gap rule."""
    if gap is not None and gap not in get_args(Gap):
        raise ScheduleError(f"gap={gap!r} is none of {', '.join(get_args(Gap))}")


def checked_fold(fold: str | None) -> None:
    """Refuse a word that is no fold rule."""
    if fold is not None and fold not in get_args(Fold):
        raise ScheduleError(f"fold={fold!r} is none of {', '.join(get_args(Fold))}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """A pattern of wall times laid on the time line of one zone. All times are whole seconds.

    Args:
        times: The pattern.
        zone: Whose wall clock.
        gap: What becomes of times that do not exist. `next`: the first second after the gap; `previous`: the
            last `grain` before it; either once, however many times of the pattern fall in. `skip`: nothing.
        fold: Which of the two comings of a repeated time counts.
        grain: Seconds between neighbouring times of the finest pattern of this kind: 60, or 1.
    """

    times: WallTimes
    zone: Zone
    gap: Gap
    fold: Fold
    grain: int
    _calm: tuple[int, int, int] = field(default=(0, 0, 0), init=False, repr=False, compare=False)

    def at_or_after(self, second: int) -> int | None:
        """Return the first second that is not earlier; None when there is none within the horizon."""
        start, end, offset = self._calm
        if start <= second < end:
            wall = self.times.at_or_after(second + offset)
            if wall is not None and wall < end + offset:
                return wall - offset
        return self._search_after(second)

    def ahead_of(self, second: int) -> int | None:
        """Return the last second that is earlier; None when there is none within the horizon."""
        limit = max(second - _HORIZON, _FIRST)
        end = second
        while end > limit:
            span = self.zone.span_at(end - 1)
            low, high = self._walls(span)
            found = [extra for extra in self._extras(span) if extra < second]
            wall = self.times.ahead_of(min(second + span.offset, high))
            if wall is not None and wall >= low:
                found.append(wall - span.offset)
            if found:
                return max(found)
            end = span.start if wall is None else min(span.start, wall + DAY)
        return None

    def count(self, start: int, end: int) -> int:
        """Return how many seconds of the projection lie in start <= second < end."""
        total = 0
        start, end = max(start, _FIRST), min(end, _LAST)
        for span in self.zone.spans(start, end):
            low, high = self._walls(span)
            total += self.times.count(max(start + span.offset, low), min(end + span.offset, high))
            for extra in self._extras(span):
                wall = extra + span.offset
                counted = low <= wall < high and self.times.at_or_after(wall) == wall
                total += start <= extra < end and not counted
        return total

    def calm_midnight(self, second: int) -> int | None:
        """Return when the wall clock's day around a second began, if no change of the clocks is near."""
        start, end, offset = self._calm
        midnight = second - (second + offset) % DAY
        return midnight if start <= midnight and midnight + DAY <= end else None

    def changes(self, start: int, end: int) -> Iterator[Change]:
        """Yield the changes of the clock in start <= second < end whose gap or fold meets the pattern."""
        for change in self.zone.changes(start, end):
            if self._due_between(change.first_wall, change.end_wall):
                yield change

    def _search_after(self, second: int) -> int | None:
        limit = min(second + _HORIZON, _LAST)
        start = second
        while start < limit:
            span = self.zone.span_at(start)
            low, high = self._walls(span)
            found = [extra for extra in self._extras(span) if extra >= second]
            wall = self.times.at_or_after(max(second + span.offset, low))
            if wall is not None and wall < high:
                found.append(wall - span.offset)
            if found:
                self._remember(span, low, high)
                return min(found)
            start = span.end if wall is None else max(span.end, wall - DAY)
        return None

    def _remember(self, span: Span, low: int, high: int) -> None:
        """Keep the part of a span in which an instant is simply wall time minus offset."""
        end = high - span.offset - (self.grain if self.gap == "previous" else 0)
        object.__setattr__(self, "_calm", (max(span.start + 1, low - span.offset), end, span.offset))

    def _walls(self, span: Span) -> tuple[int, int]:
        """Return the wall times low <= wall < high that count in a span, by the rule for folds."""
        low, high = span.start + span.offset, span.end + span.offset
        if self.fold == "first":
            low = max(low, span.start + span.offset_before)
        elif self.fold == "second":
            high = min(high, span.end + span.offset_after)
        return low, high

    def _extras(self, span: Span) -> list[int]:
        """Return the seconds in a span that stand for times in the gap before or after it."""
        extras = []
        if self.gap == "next" and self._due_between(
            span.start + span.offset_before, span.start + span.offset
        ):
            extras.append(span.start)
        if self.gap == "previous" and self._due_between(span.end + span.offset, span.end + span.offset_after):
            extras.append(max(span.start, span.end - self.grain))
        return extras

    def _due_between(self, start: int, end: int) -> bool:
        if start >= end:
            return False
        wall = self.times.at_or_after(start)
        return wall is not None and wall < end


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The seconds in which a zone's wall clock reads within a daily window, as stretches of the time line.

    Args:
        zone: Whose wall clock.
        opens: Second of the day.
        closes: First second behind the window, counted from the same midnight.
        weekdays: The days on which it opens; Sunday is 0.
    """

    zone: Zone
    opens: int
    closes: int
    weekdays: frozenset[int]

    def stretch_after(self, second: int) -> tuple[int, int] | None:
        """Return the first stretch start <= second < end that ends later than a second."""
        at = max(second, _FIRST)
        while at < _LAST:
            span = self.zone.span_at(at)
            day = (at + span.offset) // DAY
            for start, end in self._in_span(span, range(day - 1, day + 9)):
                if second < end:
                    return start, end
            at = span.end
        return None

    def stretch_before(self, second: int) -> tuple[int, int] | None:
        """Return the last stretch start <= second < end that starts earlier than a second."""
        at = min(second, _LAST)
        while at > _FIRST:
            span = self.zone.span_at(at - 1)
            day = (at + span.offset) // DAY
            for start, end in self._in_span(span, range(day, day - 10, -1)):
                if start < second:
                    return start, end
            at = span.start
        return None

    def _in_span(self, span: Span, days: range) -> Iterator[tuple[int, int]]:
        for day in days:
            if (day + _WEEKDAY_ZERO) % 7 in self.weekdays:
                start = max(day * DAY + self.opens - span.offset, span.start)
                end = min(day * DAY + self.closes - span.offset, span.end)
                if start < end:
                    yield start, end
