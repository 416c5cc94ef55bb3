"""Trust: whether a process may go by its clock.

There are three: CLOCK_BOOTTIME, which counts on from what the wall clock said at the start, the wall clock,
and the ledger's own where it has one. Two that agree are right; and so is a person who vouches for the wall
clock.
"""

import logging

from everytick.clock import STEP, Clock
from everytick.ledger import Change, Ledger
from everytick.life.losses import newest

log = logging.getLogger("everytick")

VOUCHED = "accept-clock"
"""The act of a change by which a person vouches for the wall clock."""


class Trust:
    """What a process thinks of its clock.

    Args:
        ledger: The ledger.
        clock: The process's clock.
    """

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock
        self._vouched: Change | None = None
        self._ahead: int | None = None
        self._proven = False
        self._alarmed = False

    def begin(self) -> None:
        """Begin anew: a new row in the ledger."""
        self._vouched = newest(self._ledger, VOUCHED)
        self.compare()

    def compare(self) -> None:
        """Compare with the ledger's clock; an answer that takes too long to come proves nothing."""
        before = self._clock.now()
        moment = self._ledger.moment()
        after = self._clock.now()
        if moment is not None and after - before < STEP:
            self._ahead = moment - (before + after) // 2

    def given(self) -> bool:
        """Tell whether to plan and claim by this clock."""
        if not self._agreed():
            self.compare()
        if self._agreed():
            self._alarmed = False
            return True
        if not self._alarmed:
            self._alarmed = True
            self._vouched = newest(self._ledger, VOUCHED, self._vouched)
            log.error(
                "%s: no ticks are planned or started until it is right again, "
                "or a person says that it is (everytick doctor --accept-clock)",
                "the wall clock has stepped"
                if self._clock.suspect()
                else "the wall clock is not the ledger's",
            )
        return self._is_vouched_for()

    def _is_vouched_for(self) -> bool:
        vouched = newest(self._ledger, VOUCHED, self._vouched)
        if vouched is self._vouched:
            return False
        self._vouched = vouched
        self._clock.accept()
        self._proven = True
        log.warning("a person vouched for the wall clock: planning and starting ticks again")
        return True

    def _agreed(self) -> bool:
        """Tell whether two clocks agree, and go by them."""
        stepped, ahead = self._clock.suspect(), self._ahead
        if ahead is None:
            return not stepped
        if abs(ahead) <= STEP:  # the ledger's clock and BOOTTIME
            self._proven = True
        elif stepped and abs(self._clock.skew() - ahead) <= STEP:  # the wall clock and the ledger's
            self._clock.accept()
            self._ahead = None
            self._proven = True
            log.warning("the wall clock and the ledger's agree: planning and starting ticks by them")
        else:  # the wall clock and BOOTTIME, if that was not set by it alone
            return self._proven and not stepped
        return True
