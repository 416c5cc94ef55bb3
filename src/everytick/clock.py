"""The clock: the only reader of real time.

now() = CLOCK_BOOTTIME + an offset. CLOCK_BOOTTIME goes on through a suspend and knows no steps, so
neither does now(). The offset follows the wall clock slowly, by 1 % at the most. A wall clock that
is more than 2 s off has stepped, and one clock against another does not say which is right: the
clock is then suspect, and who asks it must not plan or claim, until the two agree again or a person
vouches for the wall clock.
"""

import os
import select
import time
from collections.abc import Sequence
from typing import Protocol

from everytick.when import Instant

STEP = 2_000_000
"""A wall clock that is so many microseconds off has stepped."""

_SLEW = 100
_LONGEST = 3600.0


class Clock(Protocol):
    """What tells the time and waits for it."""

    def now(self) -> Instant:
        """Return the moment."""
        ...

    def boot(self) -> int:
        """Return microseconds since the machine started; they know no steps and no zone."""
        ...

    def skew(self) -> int:
        """Compare the wall clock with now(), slew towards it, and return how far ahead it is."""
        ...

    def suspect(self) -> bool:
        """Tell whether the wall clock has stepped and nobody has vouched for it."""
        ...

    def accept(self) -> None:
        """Take the wall clock for right: a person vouches for it."""
        ...

    def wait(self, until: Instant, files: Sequence[int] = ()) -> None:
        """Wait until a moment, until one of the files can be read, or until wake() is called."""
        ...

    def wake(self) -> None:
        """End a wait from another thread or a signal handler."""
        ...


class SystemClock:
    """The clock of this machine."""

    def __init__(self) -> None:
        self._offset = _wall() - _boot()
        self._compared = _boot()
        self._suspect = False
        self._ear, self._mouth = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def now(self) -> Instant:
        """Return the moment."""
        return _boot() + self._offset

    def boot(self) -> int:
        """Return microseconds of CLOCK_BOOTTIME."""
        return _boot()

    def skew(self) -> int:
        """Compare the wall clock with now(), slew towards it, and return how far ahead it is."""
        boot = _boot()
        ahead = _wall() - boot - self._offset
        self._suspect = abs(ahead) > STEP
        if not self._suspect:
            most = (boot - self._compared) // _SLEW
            self._offset += max(-most, min(ahead, most))
        self._compared = boot
        return ahead

    def suspect(self) -> bool:
        """Tell whether the wall clock has stepped and nobody has vouched for it."""
        return self._suspect

    def accept(self) -> None:
        """Take the wall clock for right."""
        self._offset = _wall() - _boot()
        self._suspect = False

    def wait(self, until: Instant, files: Sequence[int] = ()) -> None:
        """Wait until a moment, until one of the files can be read, or until wake() is called."""
        seconds = (until - self.now()) / 1e6
        heard, _, _ = select.select([self._ear, *files], [], [], max(0.0, min(seconds, _LONGEST)))
        if self._ear in heard:
            os.read(self._ear, 4096)

    def wake(self) -> None:
        """End a wait from another thread or a signal handler."""
        try:
            os.write(self._mouth, b"!")
        except BlockingIOError:
            return


def _wall() -> int:
    return time.time_ns() // 1000  # noqa: TID251 - this is the clock


def _boot() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000  # noqa: TID251 - this is the clock
