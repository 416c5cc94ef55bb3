"""Judge: a plain walk over each minute of the wall clock, around every change of every zone, 2020 to 2035."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, available_timezones

from everytick.when import Cron
from everytick.when.walltime import Change, zone_named

FROM, TO = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (2020, 2036))
AROUND = 3 * 3600
SECOND = 1_000_000


@dataclass(frozen=True)
class Minute:
    """A minute of the time line, and what the wall clock shows then."""

    second: int
    wall: datetime


def minutes_around(change: Change, zone: str) -> list[Minute]:
    info = ZoneInfo(zone)
    start = change.second - AROUND - change.second % 60
    return [
        Minute(second, datetime.fromtimestamp(second, info))
        for second in range(start, start + 2 * AROUND + 1, 60)
    ]


def matches(wall: datetime, minutes: set[int], hours: set[int], weekdays: set[int]) -> bool:
    return wall.minute in minutes and wall.hour in hours and wall.isoweekday() % 7 in weekdays


def walked(
    around: list[Minute], change: Change, fields: tuple[set[int], set[int], set[int]], *, fixed: bool
) -> set[int]:
    """Return the instants by Debian's rule: a fixed line ignores a repeated minute and mends a gap."""
    found = {
        minute.second
        for minute in around
        if matches(minute.wall, *fields) and not (fixed and minute.wall.fold)
    }
    if fixed and change.offset > change.offset_before:
        lost = range(change.first_wall, change.end_wall, 60)
        if any(matches(datetime.fromtimestamp(wall, UTC), *fields) for wall in lost):
            found.add(change.second)
    return found


def field(draw: random.Random, low: int, high: int, near: int) -> tuple[str, set[int]]:
    """Return a field and its values, written down apart from the parser under test."""
    step = draw.choice((1, 2, 3, 7, 15))
    some = {near, draw.randint(low, high)}
    return draw.choice(
        (
            ("*", set(range(low, high + 1))),
            (f"*/{step}", set(range(low, high + 1, step))),
            (str(near), {near}),
            (",".join(map(str, sorted(some))), some),
            (f"{low}-{near}", set(range(low, near + 1))),
        )
    )


def test_every_change_of_every_zone_agrees_with_a_walk_over_its_minutes() -> None:
    draw = random.Random(4711)
    judged: set[tuple[Change, ...]] = set()
    cases = 0
    for name in sorted(available_timezones()):
        changes = tuple(zone_named(name).changes(FROM, TO))
        if changes in judged:
            continue
        judged.add(changes)
        for change in changes:
            around = minutes_around(change, name)
            near = datetime.fromtimestamp(change.first_wall, UTC)
            for _ in range(4):
                minute, minutes = field(draw, 0, 59, draw.choice((near.minute, 30)))
                hour, hours = field(draw, 0, 23, near.hour)
                weekday, weekdays = field(draw, 0, 6, near.isoweekday() % 7)
                fixed = not (minute.startswith("*") or hour.startswith("*"))
                expected = walked(around, change, (minutes, hours, weekdays), fixed=fixed)
                line = Cron(f"{minute} {hour} * * {weekday}", name)
                start, end = (around[0].second - 1) * SECOND, around[-1].second * SECOND
                found = {instant // SECOND for instant in line.instants(start, end)}
                assert found == expected, (line, change)
                assert line.count(start, end) == len(expected), (line, change)
                cases += 1
    assert cases > 4000
