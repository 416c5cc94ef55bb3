"""Stillness: attempts that stood still with their whole node, and what may be said of them."""

from collections.abc import Sequence

from tests.fault.proof import Line

from everytick.tick import SECOND

from .evidence import Frozen

_AT_ONCE = SECOND
"""How long a warden may take to end what is to be ended, when it goes on itself."""


class Stillness:
    """The attempts of one task that stood still, at work, while their process was called dead.

    Args:
        frozen: The nodes that stood still.
        lines: What the task's attempts have written, in order.
    """

    def __init__(self, frozen: Sequence[Frozen], lines: Sequence[Line]) -> None:
        self._frozen = frozen
        self._still: dict[tuple[str, int], Frozen] = {}
        for one in frozen:
            begun = [line for line in lines if line.pid in one.pids and line.boot < one.since]
            for line in begun:
                if line.word == "end":
                    self._still.pop((line.tick, line.attempt), None)
                else:
                    self._still[line.tick, line.attempt] = one

    def excuses(self, line: Line) -> bool:
        """Tell whether one that began beside another did so where one of them stood still."""
        held = any(one.since <= line.boot <= one.until + _AT_ONCE for one in self._still.values())
        return held or self.last_words(line)

    def last_words(self, line: Line) -> bool:
        """Tell whether a line was written by who stood still, in the moment before it was ended."""
        return any(line.pid in one.pids and 0 <= line.boot - one.until <= _AT_ONCE for one in self._frozen)

    def lived_on(self, line: Line) -> bool:
        """Tell whether an attempt that had to be ended was not."""
        one = self._still.get((line.tick, line.attempt))
        return one is not None and line.boot > one.until + _AT_ONCE
