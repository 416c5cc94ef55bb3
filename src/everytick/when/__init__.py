"""Schedules: pure rules that yield instants, without I/O and without a clock."""

from everytick.when.at import At
from everytick.when.cron import Cron
from everytick.when.duration import format_duration, parse_duration
from everytick.when.every import Every
from everytick.when.schedule import Instant, Minus, Schedule, Union, instant_of, moment_of
from everytick.when.text import schedule
from everytick.when.within import Within

__all__ = [
    "At",
    "Cron",
    "Every",
    "Instant",
    "Minus",
    "Schedule",
    "Union",
    "Within",
    "format_duration",
    "instant_of",
    "moment_of",
    "parse_duration",
    "schedule",
]
