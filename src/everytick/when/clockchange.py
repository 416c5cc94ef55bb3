"""What the changes of the clocks in a span do to a schedule: which times move, are left out, come twice.

Each change is compared with the same pattern on a clock that never changes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from everytick.when.at import At
from everytick.when.cron import Cron
from everytick.when.every import Every
from everytick.when.schedule import SECOND, Instant, Minus, Schedule, Union, moment_of
from everytick.when.walltime import Change, zone_named
from everytick.when.within import Within

Fate = Literal["moved", "left out", "twice", "first", "second"]
"""What becomes of times: they come elsewhere, never, twice, or once: the first or the second time."""

_GRAINS = (0, 60, 1)  # where the rule `next` puts a time of the gap, and `previous` by minute and by second


@dataclass(frozen=True, slots=True, kw_only=True)
class Upset:
    """What one change of the clocks does to a schedule.

    Attributes:
        zone: Whose clocks.
        at: When they change.
        wall: The first wall time concerned: it does not exist, or it comes twice.
        times: How many wall times of the schedule are concerned.
        fate: What becomes of them.
        to: For those that moved, the instant at which they come, once.
    """

    zone: str
    at: Instant
    wall: datetime
    times: int
    fate: Fate
    to: Instant | None = None

    @property
    def sentence(self) -> str:
        """What happens, in plain English, without a full stop."""
        more = f" and {self.times - 1} more" if self.times > 1 else ""
        verb = ("come", "do", "are") if more else ("comes", "does", "is")
        what = f"{self.wall:%Y-%m-%d %H:%M:%S}".removesuffix(":00") + f"{more} in {self.zone}"
        match self.fate:
            case "moved" if self.to is not None:
                return f"{what} {verb[1]} not exist, and {verb[0]} once, at {moment_of(self.to):%H:%M:%S} UTC"
            case "left out" | "moved":
                return f"{what} {verb[1]} not exist, and {verb[2]} left out"
            case "twice":
                return f"{what} {verb[0]} twice"
            case _:
                return f"{what} {verb[0]} twice on the clock; only the {self.fate} counts"


def clocks(schedule: Schedule) -> set[str]:
    """Return the names of the zones whose wall clocks a schedule goes by; none for elapsed time."""
    match schedule:
        case Cron() | At():
            return {schedule.zone}
        case Within():
            return clocks(schedule.inner) | {schedule.zone}
        case Minus():
            return clocks(schedule.keep) | clocks(schedule.drop)
        case Union():
            return {zone for part in schedule.parts for zone in clocks(part)}
        case _:
            return set()


def upsets(schedule: Schedule, start: Instant, end: Instant) -> Iterator[Upset]:
    """Yield what changes of the clocks in start <= moment < end do to a schedule, part by part.

    A schedule that runs through the hour and its neighbours alike, as every wildcard does, follows elapsed
    time: nothing happens to it. A part that mixes the clocks of several zones is left out.

    Args:
        schedule: The schedule, bound.
        start: Where the span begins.
        end: The first instant behind it.
    """
    for part in schedule.parts if isinstance(schedule, Union) else (schedule,):
        zones = clocks(part)
        if len(zones) != 1:
            continue
        name = zones.pop()
        for change in zone_named(name).changes(-(-start // SECOND), -(-end // SECOND)):
            found = _upset(part, name, change)
            if found is not None:
                yield found


def _steady(schedule: Schedule, offset: Instant) -> Schedule:
    """Return the schedule on a clock that never changes: its instants are wall times, as if in UTC.

    Args:
        schedule: The schedule.
        offset: How far that clock is ahead of UTC; where elapsed time stands on it.
    """
    match schedule:
        case Cron():
            return Cron(schedule.text)
        case At():
            return At(*schedule.times)
        case Within():
            return Within(_steady(schedule.inner, offset), schedule.window)
        case Minus():
            return Minus(keep=_steady(schedule.keep, offset), drop=_steady(schedule.drop, offset))
        case Union():
            return Union(parts=tuple(_steady(part, offset) for part in schedule.parts))
        case Every() if schedule.anchor is not None:
            first = schedule.instant_after(-(2**62))
            return Every(schedule.period, moment_of(first + offset))
        case _:
            return schedule


def _upset(schedule: Schedule, zone: str, change: Change) -> Upset | None:
    plain = _steady(schedule, change.offset_before * SECOND)
    low, high = change.first_wall * SECOND, change.end_wall * SECOND
    width = high - low
    times = plain.count(low - 1, high - 1)
    first = plain.instant_after(low - 1)
    if not times or first is None:
        return None
    at = change.second * SECOND
    to = None
    if change.offset > change.offset_before:
        to = _landing(schedule, plain, change)
        fate: Fate = "left out" if to is None else "moved"
    else:
        early, late = schedule.count(at - width - 1, at - 1), schedule.count(at - 1, at + width - 1)
        fate = "twice" if early and late else "first" if early else "second"
    before, behind = plain.count(low - width - 1, low - 1), plain.count(high - 1, high + width - 1)
    if fate in {"left out", "twice"} and before == times == behind:
        return None
    wall = datetime.fromtimestamp(first // SECOND, UTC).replace(tzinfo=None)
    return Upset(zone=zone, at=at, wall=wall, times=times, fate=fate, to=to)


def _landing(schedule: Schedule, plain: Schedule, change: Change) -> Instant | None:
    """Return the instant near a gap that only the times in the gap account for."""
    for grain in _GRAINS:
        second = change.second - grain
        wall = second + (change.offset_before if grain else change.offset)
        if schedule.holds(second * SECOND) and not plain.holds(wall * SECOND):
            return second * SECOND
    return None
