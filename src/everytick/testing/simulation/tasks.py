"""Random tasks: every kind of schedule and policy, and attempts that go well, badly, or on and on."""

import math
from datetime import datetime
from random import Random

from everytick.conclude import Outcome
from everytick.policy import (
    CatchingUp,
    CatchUp,
    Overlap,
    Overlapping,
    Policies,
    Priority,
    Retry,
    Uncertain,
)
from everytick.task import Call, Task
from everytick.testing.executor import Act
from everytick.when import instant_of, moment_of, schedule

ORIGIN = "simulation"

STARTS = (
    "2026-03-29T00:58:30Z",  # the clocks of Berlin and London go forward
    "2026-10-25T00:58:30Z",  # and back
    "2026-03-08T06:59:00Z",  # New York's go forward
    "2026-11-01T05:59:00Z",  # and back
    "2026-10-03T15:29:30Z",  # Lord Howe's go forward, by half an hour
    "2026-06-30T23:59:00Z",
    "2026-12-31T23:58:50Z",
)
"""First moments: where wall clocks change, and where days, months and years end."""

_OUTCOMES: tuple[Outcome, ...] = ("succeeded", "error", "lost")

_ZONES = ("UTC", "Europe/Berlin", "Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata")

_SCHEDULES = (
    "every 1s",
    "every 2s",
    "every 3s",
    "every 5s",
    "every 7s",
    "every 20s",
    "every 1m",
    "* * * * * *",
    "*/5 * * * * *",
    "*/7 * * * * *",
    "15,16,17 * * * * *",
    "* * * * *",
    "*/2 * * * *",
    "0 * * * *",
    "30 1 * * *",
    "0 2 * * *",
    "*/30 0-3 * * *",
    "H * * * *",
    "0 0 1 * *",
    "every 5s | */7 * * * * *",
    "every 2s minus */10 * * * * *",
    "* * * * * * within 00:00-03:00",
)


def random_task(random: Random, name: str) -> Task:
    """Return a task with a random schedule and random policies."""
    return Task(
        name=name,
        schedule=schedule(random.choice(_SCHEDULES), random.choice(_ZONES)),
        work=Call(call="simulation:attempt"),
        policies=_policies(random),
        origin=ORIGIN,
    )


def _policies(random: Random) -> Policies:
    return Policies(
        catch_up=_catch_up(random),
        overlap=_overlap(random),
        retry=_retry(random),
        uncertain=random.choice((Uncertain.RERUN, Uncertain.RERUN, Uncertain.SKIP)),
        jitter=_span(random, 0.1, 5) if random.random() < 0.3 else 0,
        timeout=_span(random, 0.5, 20) if random.random() < 0.4 else None,
        grace=_span(random, 0.1, 5),
        start_within=_span(random, 0.5, 60) if random.random() < 0.3 else None,
        pause_after=random.randint(1, 3) if random.random() < 0.1 else None,
        priority=random.choice(tuple(Priority)),
    )


def _catch_up(random: Random) -> CatchUp:
    kind = random.choice(tuple(CatchingUp))
    if kind is CatchingUp.NONE:
        return CatchUp(kind, grace=_span(random, 0.5, 60))
    if kind is CatchingUp.LATEST:
        return CatchUp(kind)
    limit = random.choice((None, 1, 3, 50, 150))
    window = None if limit and random.random() < 0.5 else _span(random, 1, 300)
    return CatchUp(kind, limit, window)


def _overlap(random: Random) -> Overlap:
    kind = random.choice(tuple(Overlapping))
    return Overlap.allow(random.choice((None, 1, 2, 3))) if kind is Overlapping.ALLOW else Overlap(kind)


def _retry(random: Random) -> Retry:
    if random.random() < 0.4:
        return Retry()
    return Retry(
        attempts=random.randint(2, 4),
        backoff=random.choice(("fixed", "exponential")),
        delay=_span(random, 0.1, 8),
        on=random.choice((("error", "timeout"), ("error",), ("timeout",), ("OSError",))),
        until=random.choice((None, None, "next")),
    )


def _span(random: Random, shortest: float, longest: float) -> int:
    """Return a duration in microseconds; short ones are as likely as long ones."""
    return round(math.exp(random.uniform(math.log(shortest), math.log(longest))) * 1e6)


def random_act(random: Random) -> Act:
    """Return how an attempt goes."""
    seconds = _span(random, 0.02, 25) / 1e6 if random.random() < 0.6 else 0.0
    outcome = random.choices(_OUTCOMES, (70, 27, 3))[0]
    error = random.choice(("OSError: no", "exit status 1")) if outcome != "succeeded" else None
    return Act(seconds, outcome, error, obeys=random.random() < 0.7)


def first_moment(random: Random) -> int:
    """Return when a world begins: near a change of clocks, at a fraction of a second."""
    start = instant_of(datetime.fromisoformat(random.choice(STARTS)))
    return start + random.randrange(30_000_000)


def readable(instant: int) -> str:
    """Return a moment for a trace."""
    return moment_of(instant).strftime("%d %H:%M:%S.%f")
