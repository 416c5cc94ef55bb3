"""How people read instants and rules: to the second, and beside UTC on the clock of the schedule."""

from zoneinfo import ZoneInfo

from everytick.tick import SECOND, rfc3339
from everytick.when import Instant, Schedule, moment_of
from everytick.when.clockchange import clocks


def clock(instant: Instant) -> str:
    """Return an instant to the second, RFC 3339 in UTC."""
    return rfc3339(instant // SECOND * SECOND)


def on_its_clock(schedule: Schedule, instant: Instant) -> str:
    """Return ``" (Mon 06:30 in Asia/Kolkata)"`` where the schedule goes by one clock other than UTC's."""
    zones = clocks(schedule)
    if len(zones) != 1 or zones == {"UTC"}:
        return ""
    (zone,) = zones
    local = moment_of(instant).astimezone(ZoneInfo(zone))
    return f" ({local:%a %H:%M:%S} in {zone})".replace(":00 in", " in")


def lowered(sentence: str) -> str:
    """Return a sentence to go on with."""
    return sentence[:1].lower() + sentence[1:]
