"""Spread: say how a task that starts together with others gives way to them."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from everytick.policy import MINUTE, SECOND
from everytick.task import Task
from everytick.when import Cron, Instant, format_duration
from everytick.when.cron import NAMED

_LONGEST = 10 * MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """What to write in a task's definition.

    Attributes:
        key: Which word of the configuration.
        value: Its new value.
    """

    key: Literal["schedule", "jitter"]
    value: str


def spread(task: Task, moment: Instant) -> Spread | None:
    """Return how a task may be spread: by `H` where it is a plain cron line, else by jitter.

    Args:
        task: The task as it is written, its schedule not bound.
        moment: The period that holds after this instant decides how much jitter there is room for.

    Returns:
        None for a task that is spread already, or so dense that there is no room.
    """
    if task.policies.jitter:
        return None
    line = _hashed(task.schedule.text) if isinstance(task.schedule, Cron) else None
    if line is not None:
        return Spread(key="schedule", value=line)
    schedule = task.schedule.bound(name=task.name, anchor=moment)
    first = schedule.instant_after(moment - 1)
    second = None if first is None else schedule.instant_after(first)
    room = _LONGEST if first is None or second is None else min(_LONGEST, (second - first) // 2)
    room -= room % (MINUTE if room >= MINUTE else SECOND)
    return Spread(key="jitter", value=format_duration(timedelta(microseconds=room))) if room else None


def _hashed(line: str) -> str | None:
    """Return a cron line with `H` for its minute, or for its second where it comes every minute."""
    words = NAMED.get(line, line).split()
    seconds, minute = words[:-5], words[-5]
    if seconds not in ([], ["0"]):
        return None
    if minute == "*":
        return " ".join(["H", *words[-5:]])
    if minute.isdigit():
        return " ".join(["H", *words[-4:]])
    if minute.startswith("*/"):
        return " ".join([f"H{minute[1:]}", *words[-4:]])
    return None
