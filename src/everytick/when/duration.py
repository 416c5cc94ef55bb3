"""Durations as people write them: `500ms`, `15m`, `1h30m`, `2d`."""

import re
from datetime import timedelta
from functools import lru_cache

from everytick.errors import ScheduleError

_UNITS = {"w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_NAMES = {"d": "day", "h": "hour", "m": "minute", "s": "second", "ms": "millisecond"}
_PART = re.compile(r"([0-9]{1,9})(?:\s*)(ms|[wdhms])(?![a-z])\s*")
_SHORTEST = timedelta(milliseconds=1)
_LONGEST = timedelta(days=36_525)


@lru_cache(maxsize=1024)  # of many schedules few differ in it
def parse_duration(text: str) -> timedelta:
    """Read a duration: numbers with units w, d, h, m, s and ms, the larger first. A day is 24 hours.

    Raises:
        ScheduleError: It is no duration, is zero, or is longer than a century.
    """
    total, at, finest = 0, 0, max(_UNITS.values()) + 1
    word = text.strip().lower()
    while at < len(word):
        found = _PART.match(word, at)
        if not found or _UNITS[found[2]] >= finest:
            break
        finest = _UNITS[found[2]]
        total += int(found[1]) * finest
        at = found.end()
    if not word or at < len(word):
        raise ScheduleError(
            "A duration is written like 500ms, 30s, 15m, 1h30m, 24h or 2d",
            text=text,
            position=text.lower().index(word) + at,
        )
    return checked_duration(timedelta(milliseconds=min(total, 10**16)), text)


def checked_duration(period: object, text: str = "") -> timedelta:
    """Return a duration of 1 ms to 100 years, or refuse it."""
    if not isinstance(period, timedelta):
        raise ScheduleError(f"{period!r} is no duration: write '5s', or timedelta(seconds=5)")
    if period < _SHORTEST:
        raise ScheduleError("A duration is at least 1ms", text=text or str(period))
    if period > _LONGEST:
        raise ScheduleError("A duration is at most 100 years", text=text or str(period))
    if period.microseconds % 1000:
        raise ScheduleError("A duration has whole milliseconds", text=text or str(period))
    return period


@lru_cache(maxsize=1024)
def format_duration(period: timedelta) -> str:
    """Return a duration as `parse_duration` reads it, such as `1h30m`."""
    return "".join(f"{many}{unit}" for many, unit in _parts(period)) or "0ms"


def duration_words(period: timedelta) -> str:
    """Return a duration in words, such as `1 hour 30 minutes`; a single unit stands without its number."""
    parts = _parts(period)
    if len(parts) == 1 and parts[0][0] == 1:
        return _NAMES[parts[0][1]]
    return " ".join(f"{many} {_NAMES[unit]}{'s' if many > 1 else ''}" for many, unit in parts)


def _parts(period: timedelta) -> list[tuple[int, str]]:
    rest = period // _SHORTEST
    parts = []
    for unit in _NAMES:
        many, rest = divmod(rest, _UNITS[unit])
        if many:
            parts.append((many, unit))
    return parts
