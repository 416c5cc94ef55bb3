"""Judges: from arrivals to lateness, and to what is lost and doubled."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from everytick.tick import SECOND
from peers.arrivals import Arrival


@dataclass(frozen=True, slots=True, kw_only=True)
class Lateness:
    """How late the ticks of a burst arrived.

    Percentiles are of all ticks that were due. A tick that did not arrive while it was watched for is later
    than every other; a percentile that falls on one is None: later than `watched`.

    Attributes:
        due: How many ticks were due.
        arrived: How many of them arrived.
        p50: The median, in seconds.
        p99: The 99th percentile.
        most: The latest.
        watched: How long after it was due the last tick was watched for, in seconds.
    """

    due: int
    arrived: int
    p50: float | None
    p99: float | None
    most: float | None
    watched: float


def lateness(arrivals: Iterable[Arrival], tasks: int, dues: list[int], watched: float) -> Lateness:
    """Return how late ticks arrived.

    Args:
        arrivals: What arrived, each with its due instant.
        tasks: How many tasks were due at each instant.
        dues: The instants, in microseconds.
        watched: How long after the last of them was looked.
    """
    first: dict[tuple[int, int], int] = {}
    for one in arrivals:
        key = one.task, one.due
        first[key] = min(first.get(key, one.at), one.at)
    wanted = set(dues)
    late = sorted((at - due) / SECOND for (_, due), at in first.items() if due in wanted)
    count = tasks * len(dues)

    def at_share(share: float) -> float | None:
        place = min(int(count * share), count - 1)
        return late[place] if place < len(late) else None

    return Lateness(
        due=count,
        arrived=len(late),
        p50=at_share(0.5),
        p99=at_share(0.99),
        most=at_share(1.0),
        watched=watched,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """What a crash did.

    Attributes:
        due: How many ticks were due.
        lost: How many of them never arrived.
        doubled: How many arrived again without a word that it is again.
        again: How many were started again by an attempt that says so.
    """

    due: int
    lost: int
    doubled: int
    again: int


def losses(arrivals: Iterable[Arrival], tasks: int, dues: list[int]) -> Losses:
    """Return what was lost and what arrived more than once.

    Args:
        arrivals: What arrived, each with its due instant.
        tasks: How many tasks were due at each instant.
        dues: The instants, in microseconds.
    """
    wanted = set(dues)
    attempts = Counter((one.task, one.due, one.attempt) for one in arrivals if one.due in wanted)
    starts = Counter((task, due) for task, due, _ in attempts)
    return Losses(
        due=tasks * len(dues),
        lost=tasks * len(dues) - len(starts),
        doubled=sum(count - 1 for count in attempts.values()),
        again=sum(count - 1 for count in starts.values()),
    )
