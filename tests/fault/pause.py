"""Letting time go by, in tests that wait for real processes."""

from collections.abc import Callable
from threading import Event

_NEVER = Event()


def pause(seconds: float) -> None:
    """Let time go by."""
    _NEVER.wait(seconds)


def until(fact: Callable[[], object], patience: float) -> bool:
    """Wait until something is so; tell whether it came true within so many seconds."""
    for _ in range(max(1, int(patience / 0.05))):
        if fact():
            return True
        pause(0.05)
    return bool(fact())
