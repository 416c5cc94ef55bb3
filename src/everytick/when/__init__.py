"""Schedules: pure rules that yield instants, without I/O and without a clock."""

from everytick.when.cron import Cron
from everytick.when.duration import format_duration, parse_duration
from everytick.when.every import Every
from everytick.when.schedule import Instant, Minus, Schedule, Union, instant_of, moment_of
from everytick.when.text import schedule

__all__ = [
    "Cron",
    "Every",
    "Instant",
    "Minus",
    "Schedule",
    "Union",
    "format_duration",
    "instant_of",
    "moment_of",
    "parse_duration",
    "schedule",
]
