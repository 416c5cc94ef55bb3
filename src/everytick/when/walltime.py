"""Wall clocks: the one file that knows time zones and what happens when the clocks change.

A pattern of wall times says when something is due on the clock on the wall. `Projection` lays such a pattern on
the line of instants. A zone is a row of spans, in each of which the clock runs at one offset from UTC:

    offset +1         │ offset +2                          │ offset +1
    ... 01:58  01:59  │ 03:00  03:01  ...    02:58  02:59  │ 02:00  02:01 ...
                      └ gap: 02:00-02:59 does not exist    └ fold: 02:00-02:59 comes twice

Rules of the defaults: Debian cron (the README.Debian and the source of cron 3.0pl1).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import lru_cache
from hashlib import blake2b
from typing import Literal, NamedTuple, Protocol, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from everytick.errors import ScheduleError

Gap = Literal["next", "skip", "previous"]
Fold = Literal["first", "second", "both"]

DAY = 86_400
_BLOCK_BITS = 25  # spans are looked up in blocks of 2**25 seconds, a little over a year
_FIRST = int(datetime(1, 1, 3, tzinfo=UTC).timestamp())
_LAST = int(datetime(9999, 12, 29, tzinfo=UTC).timestamp())
_HORIZON = 41 * 366 * DAY


class WallTimes(Protocol):
    """A pattern on the wall clock, in seconds since 1970-01-01T00:00 as that clock shows them."""

    def at_or_after(self, wall: int) -> int | None:
        """Return the first time of the pattern that is not earlier; None when there is none within the horizon."""

    def ahead_of(self, wall: int) -> int | None:
        """Return the last time of the pattern that is earlier; None when there is none within the horizon."""

    def count(self, start: int, end: int) -> int:
        """Return how many times of the pattern lie in start <= time < end."""


class Span(NamedTuple):
    """A stretch start <= second < end of the time line with one offset from UTC, all in seconds."""

    start: int
    end: int
    offset: int
    offset_before: int
    offset_after: int


class Zone:
    """An IANA time zone as a row of spans, found by asking `zoneinfo` and remembered."""

    __slots__ = ("_blocks", "_info", "_recent", "name")

    def __init__(self, name: str) -> None:
        """Open a zone; use `zone_named`, which keeps one object for each name."""
        self.name = name
        self._info = _open(name)
        self._blocks: dict[int, tuple[Span, ...]] = {}
        self._recent = Span(0, 0, 0, 0, 0)

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

    def rules(self) -> str:
        """Return a fingerprint of the zone's data for 2000 to 2050; "" for UTC, which has no rules."""
        if self.name == "UTC":
            return ""
        return _fingerprint(self)

    def offset(self, second: int) -> int:
        """Return the offset from UTC at a second, in seconds; beyond the years 1 to 9999, that of the nearest."""
        moment = datetime.fromtimestamp(min(max(second, _FIRST), _LAST), self._info)
        ahead = moment.utcoffset()
        return 0 if ahead is None else ahead.days * DAY + ahead.seconds

    def _spans(self, number: int) -> tuple[Span, ...]:
        start, stop = number << _BLOCK_BITS, (number + 1) << _BLOCK_BITS
        changes = self._changes(start, stop)
        edges = [(start, self.offset(start)), *changes, (stop, self.offset(stop))]
        offset_before = self.offset(start - 1)
        spans = []
        for (begin, offset), (end, offset_after) in zip(edges, edges[1:], strict=False):
            spans.append(Span(begin, end, offset, offset_before, offset_after))
            offset_before = offset
        return tuple(spans)

    def _changes(self, start: int, stop: int) -> list[tuple[int, int]]:
        """Return (second, new offset) of each change in start < second < stop.

        Each day is looked at: no zone has ever changed its clock and changed it back within one.
        """
        changes = []
        offset = self.offset(start)
        for noon in range(start + DAY, stop + DAY, DAY):
            day_end = min(noon, stop - 1)
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
        known = {zone.lower(): zone for zone in sorted(available_timezones())}
        near = get_close_matches(name.lower(), known, n=1, cutoff=0.5)
        near = near or [zone for zone in known if zone.endswith("/" + name.lower())]
        mend = f": did you mean {known[near[0]]}?" if near else ": write an IANA name such as Europe/Berlin"
        raise ScheduleError(f"There is no time zone {name!r}{mend}") from None


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
    told = [(span.start, span.offset) for span in zone.spans(start, end) if span.offset != span.offset_before]
    digest = blake2b(repr((zone.offset(start), told)).encode(), digest_size=6).hexdigest()
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
        gap: What becomes of times that do not exist. `next`: the first second after the gap, `previous`: the last
            `grain` before it; either once, however many times of the pattern fall in. `skip`: nothing.
        fold: Which of the two comings of a repeated time counts.
        grain: Seconds between neighbouring times of the finest pattern of this kind: 60, or 1.
    """

    times: WallTimes
    zone: Zone
    gap: Gap
    fold: Fold
    grain: int

    def at_or_after(self, second: int) -> int | None:
        """Return the first second of the projection that is not earlier; None when none within the horizon."""
        limit = min(second + _HORIZON, _LAST)
        start = second
        while start < limit:
            span = self.zone.span_at(start)
            low, high = self._walls(span)
            extras = [extra for extra in self._extras(span) if extra >= second]
            wall = self.times.at_or_after(max(second + span.offset, low))
            if wall is not None and wall < high:
                extras.append(wall - span.offset)
            if extras:
                return min(extras)
            start = span.end if wall is None else max(span.end, wall - DAY)
        return None

    def ahead_of(self, second: int) -> int | None:
        """Return the last second of the projection that is earlier; None when none within the horizon."""
        limit = max(second - _HORIZON, _FIRST)
        end = second
        while end > limit:
            span = self.zone.span_at(end - 1)
            low, high = self._walls(span)
            extras = [extra for extra in self._extras(span) if extra < second]
            wall = self.times.ahead_of(min(second + span.offset, high))
            if wall is not None and wall >= low:
                extras.append(wall - span.offset)
            if extras:
                return max(extras)
            end = span.start if wall is None else min(span.start, wall + DAY)
        return None

    def count(self, start: int, end: int) -> int:
        """Return how many seconds of the projection lie in start <= second < end."""
        total = 0
        for span in self.zone.spans(max(start, _FIRST), min(end, _LAST)):
            low, high = self._walls(span)
            total += self.times.count(max(start + span.offset, low), min(end + span.offset, high))
            for extra in self._extras(span):
                wall = extra + span.offset
                told = low <= wall < high and self.times.at_or_after(wall) == wall
                total += start <= extra < end and not told
        return total

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
        if (
            self.gap == "next"
            and span.offset_before < span.offset
            and self._due_in_gap(span.start, span, before=True)
        ):
            extras.append(span.start)
        if self.gap == "previous" and span.offset < span.offset_after and self._due_in_gap(span.end, span):
            extras.append(max(span.start, span.end - self.grain))
        return extras

    def _due_in_gap(self, change: int, span: Span, *, before: bool = False) -> bool:
        start, end = (span.offset_before, span.offset) if before else (span.offset, span.offset_after)
        wall = self.times.at_or_after(change + start)
        return wall is not None and wall < change + end
