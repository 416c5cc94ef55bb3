"""The contract of every schedule, and the two combinations that `|` and `-` build.

A schedule is a pure rule that yields instants. It knows no clock: every question names its moment.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import or_
from typing import ClassVar

from everytick.errors import ScheduleError

Instant = int
"""Microseconds since 1970-01-01T00:00:00Z."""

SECOND: Instant = 1_000_000
DAY: Instant = 86_400 * SECOND
HORIZON: Instant = 41 * 366 * DAY
"""How far a search goes before it says never: 29 February on a given weekday may be 40 years away."""

_PATIENCE = 400_000  # more than a long weekend of seconds
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def instant_of(moment: datetime) -> Instant:
    """Return the instant of an aware date-time.

    Raises:
        ScheduleError: The date-time names no zone, so it names no instant.
    """
    if moment.tzinfo is None:
        raise ScheduleError(
            f"{moment.isoformat()} names no zone: write {moment.isoformat()}Z, or give its zone"
        )
    return (moment - _EPOCH) // _MICROSECOND


def moment_of(instant: Instant) -> datetime:
    """Return an instant as an aware date-time in UTC."""
    return _EPOCH + timedelta(0, 0, instant)


class Schedule(ABC):
    """A pure rule that yields instants: immutable, hashable, equal when its parts are equal.

    `H` and intervals are *unbound* until `bound` gives them a task's name and anchor; an unbound schedule can
    be read, printed and explained, and refuses to compute.
    """

    __slots__ = ()
    rank: ClassVar[int] = 2
    """How tightly the text binds: 0 for `|`, 1 for `minus` and `within`, 2 for what stands alone."""

    @abstractmethod
    def instant_after(self, moment: Instant) -> Instant | None:
        """Return the first instant later than `moment`; None when there is none within the horizon."""

    @abstractmethod
    def instant_before(self, moment: Instant) -> Instant | None:
        """Return the last instant earlier than `moment`; None when there is none within the horizon."""

    @abstractmethod
    def count(self, a: Instant, b: Instant) -> int:
        """Return how many instants t there are with a < t <= b."""

    @abstractmethod
    def bound(self, *, name: str, anchor: Instant) -> "Schedule":
        """Return the schedule of one task.

        Args:
            name: The task's name; a stable hash of it decides every `H`.
            anchor: Intervals are counted from here; the first comes one period later.
        """

    @abstractmethod
    def sentence(self) -> str:
        """Return what the schedule means, in plain English, without a full stop."""

    @abstractmethod
    def notes(self, moment: Instant) -> tuple[str, ...]:
        """Return what a reader at `moment` should know, such as what happens when the clocks change."""

    @abstractmethod
    def rules(self) -> str:
        """Return a fingerprint of what decides the instants besides the text (time zone data), or ""."""

    @abstractmethod
    def __str__(self) -> str:
        """Return the text that `text.schedule` reads back to an equal schedule."""

    def after(self, moment: datetime) -> datetime | None:
        """Return the first instant later than `moment`, in UTC.

        Raises:
            ScheduleError: `moment` names no zone, or the schedule is unbound.
        """
        found = self.instant_after(instant_of(moment))
        return None if found is None else _EPOCH + timedelta(0, 0, found)

    def before(self, moment: datetime) -> datetime | None:
        """Return the last instant earlier than `moment`, in UTC.

        Raises:
            ScheduleError: `moment` names no zone, or the schedule is unbound.
        """
        found = self.instant_before(instant_of(moment))
        return None if found is None else moment_of(found)

    def between(self, a: datetime, b: datetime) -> Iterator[datetime]:
        """Yield the instants t with a < t <= b, earliest first, in UTC.

        Raises:
            ScheduleError: A date-time names no zone, or the schedule is unbound.
        """
        return map(moment_of, self.instants(instant_of(a), instant_of(b)))

    def instants(self, a: Instant, b: Instant) -> Iterator[Instant]:
        """Yield the instants t with a < t <= b, earliest first."""
        found = self.instant_after(a)
        while found is not None and found <= b:
            yield found
            found = self.instant_after(found)

    def holds(self, moment: Instant) -> bool:
        """Return whether `moment` is one of the instants."""
        return self.instant_after(moment - 1) == moment

    def __or__(self, other: "Schedule") -> "Schedule":
        """Return the schedule of every instant that either yields."""
        parts = dict.fromkeys((*_parts(self), *_parts(other)))
        return Union(parts=tuple(parts)) if len(parts) > 1 else self

    def __sub__(self, other: "Schedule") -> "Schedule":
        """Return this schedule without the instants that `other` yields too."""
        return Minus(keep=self, drop=other)


def operand(schedule: Schedule, rank: int) -> str:
    """Return the text of a part of a combination, in brackets where it binds less tightly than `rank`."""
    return f"({schedule})" if schedule.rank < rank else str(schedule)


def _parts(schedule: Schedule) -> tuple[Schedule, ...]:
    return schedule.parts if isinstance(schedule, Union) else (schedule,)


def _inner(part: Schedule) -> str:
    sentence = part.sentence()
    return sentence[0].lower() + sentence[1:]


def _shared(a: Schedule, b: Schedule, span: tuple[Instant, Instant]) -> int:
    """Count the instants in the span that both yield, by walking the rarer of the two."""
    rare, dense = sorted((a, b), key=lambda part: part.count(*span))
    return sum(dense.holds(instant) for instant in rare.instants(*span))


@dataclass(frozen=True, slots=True, kw_only=True)
class Union(Schedule):
    """Every instant that any of the parts yields, once."""

    rank: ClassVar[int] = 0
    parts: tuple[Schedule, ...]

    def instant_after(self, moment: Instant) -> Instant | None:
        """Return the earliest of the parts' next instants."""
        found = [instant for part in self.parts if (instant := part.instant_after(moment)) is not None]
        return min(found, default=None)

    def instant_before(self, moment: Instant) -> Instant | None:
        """Return the latest of the parts' previous instants."""
        found = [instant for part in self.parts if (instant := part.instant_before(moment)) is not None]
        return max(found, default=None)

    def count(self, a: Instant, b: Instant) -> int:
        """Count each instant once; costs a walk over what the rarer parts yield."""
        *others, last = self.parts
        rest = Union(parts=tuple(others)) if len(others) > 1 else others[0]
        return rest.count(a, b) + last.count(a, b) - _shared(rest, last, (a, b))

    def bound(self, *, name: str, anchor: Instant) -> Schedule:
        """Bind every part."""
        return reduce(or_, (part.bound(name=name, anchor=anchor) for part in self.parts))

    def sentence(self) -> str:
        """Return the parts' sentences, joined."""
        return "; and ".join((self.parts[0].sentence(), *(_inner(part) for part in self.parts[1:])))

    def notes(self, moment: Instant) -> tuple[str, ...]:
        """Return the parts' notes, each once."""
        return tuple(dict.fromkeys(note for part in self.parts for note in part.notes(moment)))

    def rules(self) -> str:
        """Return the parts' fingerprints, each once."""
        return _rules(self.parts)

    def __str__(self) -> str:
        return " | ".join(map(str, self.parts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Minus(Schedule):
    """The instants of one schedule that another does not yield.

    Raises:
        ScheduleError: Both are the same, so nothing would be left; or, when asked, 400,000 instants in a row
            are taken away.
    """

    rank: ClassVar[int] = 1
    keep: Schedule
    drop: Schedule

    def __post_init__(self) -> None:
        if self.keep == self.drop:
            raise ScheduleError("This takes a schedule from itself and leaves nothing", text=str(self))

    def instant_after(self, moment: Instant) -> Instant | None:
        """Return the next instant that stays; None when none stays within the horizon."""
        found = self.keep.instant_after(moment)
        for _ in range(_PATIENCE):
            if found is None or not self.drop.holds(found):
                return found
            found = self.keep.instant_after(found) if found - moment < HORIZON else None
        raise self._endless()

    def instant_before(self, moment: Instant) -> Instant | None:
        """Return the previous instant that stays; None when none stays within the horizon."""
        found = self.keep.instant_before(moment)
        for _ in range(_PATIENCE):
            if found is None or not self.drop.holds(found):
                return found
            found = self.keep.instant_before(found) if moment - found < HORIZON else None
        raise self._endless()

    def count(self, a: Instant, b: Instant) -> int:
        """Count what stays; costs a walk over the rarer of the two."""
        return self.keep.count(a, b) - _shared(self.keep, self.drop, (a, b))

    def bound(self, *, name: str, anchor: Instant) -> Schedule:
        """Bind both."""
        return Minus(
            keep=self.keep.bound(name=name, anchor=anchor), drop=self.drop.bound(name=name, anchor=anchor)
        )

    def sentence(self) -> str:
        """Return both sentences, joined by "but not"."""
        return f"{self.keep.sentence()}; but not {_inner(self.drop)}"

    def notes(self, moment: Instant) -> tuple[str, ...]:
        """Return the notes of the schedule that is kept."""
        return self.keep.notes(moment)

    def rules(self) -> str:
        """Return both fingerprints."""
        return _rules((self.keep, self.drop))

    def _endless(self) -> ScheduleError:
        problem = f"This takes {_PATIENCE:,} instants in a row away: say what stays, with within"
        return ScheduleError(problem, text=str(self))

    def __str__(self) -> str:
        return f"{operand(self.keep, 1)} minus {operand(self.drop, 2)}"


def _rules(parts: tuple[Schedule, ...]) -> str:
    return " ".join(sorted({word for part in parts for word in part.rules().split()}))
