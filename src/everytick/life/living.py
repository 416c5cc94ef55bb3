"""Who lives: told by beats that change while somebody watches, and by nothing else.

A row that says ``alive`` proves nothing, as nobody may have been there to call its process dead; nor does
the clock of another machine.
"""

from collections.abc import Callable

from everytick.clock import Clock
from everytick.ledger import Process, Reads

_GLANCE = 250_000

Progress = Callable[[float, float], None]
"""Told how long the watch has been, of how long, in microseconds."""


def living(
    ledger: Reads,
    clock: Clock,
    lease: int,
    concerned: Callable[[Process], bool] = lambda _: True,
    progress: Progress = lambda _done, _whole: None,
) -> Process | None:
    """Return a process that gives a sign of life; None where none does for a whole lease.

    Args:
        ledger: Where they are registered.
        clock: What to watch by.
        lease: In microseconds.
        concerned: Whom it is about; everybody by default.
        progress: Told how long the watch has been.
    """
    seen = {one.id: one.beat for one in ledger.processes() if concerned(one)}
    since = looked = clock.boot()
    while seen and looked - since < lease:
        progress(looked - since, lease)
        clock.wait(clock.now() + _GLANCE)
        moment = clock.boot()
        if moment - looked > lease // 2:  # we stood still ourselves, and perhaps they did, too
            since = moment
        looked = moment
        for one in ledger.processes():
            if concerned(one) and seen.get(one.id) != one.beat:
                return one
    return None
