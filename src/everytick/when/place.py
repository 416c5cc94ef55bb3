"""Where in a longer text a fault lies."""

from collections.abc import Iterator
from contextlib import contextmanager

from everytick.errors import ScheduleError


@contextmanager
def part_of(text: str, start: int) -> Iterator[None]:
    """Let errors about a part of `text` that begins at `start` point into the whole text."""
    try:
        yield
    except ScheduleError as error:
        raise ScheduleError(error.args[0], text=text, position=start + (error.position or 0)) from None
