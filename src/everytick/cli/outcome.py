"""Waiting for a tick to end, as long as somebody lives who can run it."""

import sys

from everytick.cli.session import Session
from everytick.errors import UsageError
from everytick.life.presence import LEASE
from everytick.tick import SECOND, TERMINAL, Key, TickRow

_GLANCE = 100_000
_RUNNERS = {"runner", "up"}


def beats(here: Session) -> dict[int, int]:
    """Return the beats of the processes that run ticks, by the processes' numbers."""
    return {one.id: one.beat for one in here.ledger.processes() if one.kind in _RUNNERS}


def ended(here: Session, key: Key, name: str) -> TickRow:
    """Wait until a tick has ended; return its row.

    Raises:
        UsageError: No runner has given a sign of life for three leases.
    """
    if sys.stderr.isatty():
        sys.stderr.write(f"{name} is asked for; Ctrl-C ends the waiting, not the tick\n")
    seen, changed = beats(here), here.now()
    while True:
        row = here.ledger.tick(key)
        if row is not None and row.state in TERMINAL:
            return row
        here.clock.wait(here.now() + _GLANCE)
        living = beats(here)
        if living != seen:
            seen, changed = living, here.now()
        elif here.now() - changed > 3 * LEASE:
            raise UsageError(
                f"no runner has given a sign of life for {3 * LEASE // SECOND}s; {name} stays in the ledger, "
                f"and everytick why {name} tells more"
            )
