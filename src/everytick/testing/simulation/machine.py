"""The machine that a simulation runs on: its time since boot, and a wall clock that can step."""

from collections.abc import Sequence

from everytick.clock import STEP
from everytick.when import Instant

_SLEW = 100


class Machine:
    """Time as it truly is, and as the wall clock shows it.

    Args:
        start: The first moment.

    Attributes:
        boot: Microseconds since the machine started.
        wall_ahead: How far the wall clock is ahead of the truth, in microseconds.
    """

    def __init__(self, start: Instant) -> None:
        self.boot = 1_000_000_000
        self._started = start - self.boot
        self.wall_ahead = 0

    def truth(self) -> Instant:
        """Return the moment as it truly is."""
        return self._started + self.boot

    def wall(self) -> Instant:
        """Return what the wall clock shows."""
        return self.truth() + self.wall_ahead


class ProcessClock:
    """The clock of one process: what SystemClock does, on a machine whose time is virtual.

    Args:
        machine: Whose time it tells.
    """

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._offset = machine.wall() - machine.boot
        self._compared = machine.boot
        self._suspect = False

    def now(self) -> Instant:
        """Return the moment, as this process knows it."""
        return self._machine.boot + self._offset

    def boot(self) -> int:
        """Return microseconds since the machine started."""
        return self._machine.boot

    def skew(self) -> int:
        """Compare the wall clock with now(), slew towards it, and return how far ahead it is."""
        boot = self._machine.boot
        ahead = self._machine.wall() - self.now()
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
        self._offset = self._machine.wall() - self._machine.boot
        self._suspect = False

    def wait(self, until: Instant, files: Sequence[int] = ()) -> None:
        """Do nothing: the world moves time on."""

    def wake(self) -> None:
        """Do nothing: nobody waits."""
