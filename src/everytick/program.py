"""A program: a loop around step(), which does one round and says when to come back.

What a ledger cannot do now is not the end of a program: it says so once, and tries again.
"""

import gc
import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from everytick.clock import Clock
from everytick.errors import LedgerError, LedgerMoved
from everytick.life.presence import Presence
from everytick.when import Instant

log = logging.getLogger("everytick")

PATIENCE = 1_000_000
"""Microseconds until a program tries again after an error of the ledger."""

LAST_PATIENCE = 30_000_000
"""Microseconds that a program which is to end waits for a ledger that does not answer."""


class Program(Protocol):
    """One of the programs."""

    def step(self) -> Instant:
        """Do one round and return when to come back; earlier does no harm."""
        ...

    def files(self) -> Sequence[int]:
        """Return the files that end the wait when they can be read."""
        ...

    def finish(self) -> bool:
        """Do one round of ending, without taking on anything new; return whether it is done."""
        ...

    def close(self) -> None:
        """Let go of everything, at once."""
        ...


def run(programs: Sequence[Program], presence: Presence, clock: Clock, stopping: Callable[[], bool]) -> None:
    """Step programs until told to stop, let them finish, then write down that they ended well.

    Args:
        programs: Stepped in turn.
        presence: The row in the ledger that they share.
        clock: What they wait with.
        stopping: Asked before each round.

    Raises:
        LedgerMoved: The ledger was given up for its copy; what ran on it is ended.
    """
    quiet = _Quiet(presence)
    frozen = False
    try:
        while not stopping():
            back = min(quiet.step(program, clock) for program in programs)
            if not frozen and back > clock.now():
                _freeze()
                frozen = True
            clock.wait(back, [file for program in programs for file in program.files()])
        waiting = list(programs)
        while waiting := [program for program in waiting if not quiet.finished(program, clock)]:
            if quiet.hopeless(clock):
                log.error("the ledger still does not answer: ending; others will find this process silent")
                return
            soon = clock.now() + PATIENCE // 10
            clock.wait(soon, [file for program in waiting for file in program.files()])
        quiet.leave(presence)
    finally:
        for program in programs:
            program.close()


def _freeze() -> None:
    """Let the collector of garbage leave alone what was imported and read until the first rest: it stays.

    Else it looks through all of that now and then, most likely when much is started at once, and for as
    long nothing starts: ten milliseconds and more.
    """
    gc.collect()
    gc.freeze()


class _Quiet:
    """Tells each trouble of the ledger once, and when it is over for all programs."""

    def __init__(self, presence: Presence) -> None:
        self._presence = presence
        self._troubles: dict[Program, str] = {}
        self._since: Instant | None = None

    def step(self, program: Program, clock: Clock) -> Instant:
        try:
            back = program.step()
        except LedgerMoved:  # nobody goes on there
            raise
        except LedgerError as fault:
            self._tell(program, str(fault))
            self._presence.doubt()
            return clock.now() + PATIENCE
        self._forget(program)
        return back

    def finished(self, program: Program, clock: Clock) -> bool:
        try:
            done = program.finish()
        except LedgerMoved:  # nobody can write there how anything ended
            raise
        except LedgerError as fault:
            self._tell(program, str(fault))
            self._since = clock.boot() if self._since is None else self._since
            return False
        self._forget(program)
        self._since = None
        return done

    def hopeless(self, clock: Clock) -> bool:
        """Tell whether the ledger has refused to let a program end for longer than anybody waits."""
        return self._since is not None and clock.boot() - self._since > LAST_PATIENCE

    def leave(self, presence: Presence) -> None:
        try:
            presence.leave()
        except LedgerError as fault:
            log.warning("ended well, but could not write it down, so others will find it silent: %s", fault)

    def _tell(self, program: Program, trouble: str) -> None:
        if trouble not in self._troubles.values():
            log.error("the ledger does not answer, trying again: %s", trouble)
        self._troubles[program] = trouble

    def _forget(self, program: Program) -> None:
        if self._troubles.pop(program, None) and not self._troubles:
            log.warning("the ledger answers again")
