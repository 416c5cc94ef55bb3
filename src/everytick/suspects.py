"""Suspects: what may run beside a tick that was lost before, without touching anything.

When a process dies, everything it ran is lost with it, and nobody knows which tick was to blame, if
any. So all are run again. One that was lost for a second time is a suspect: it runs beside no other
tick that was ever lost. What kills its process then is lost alone among the suspects, and spends its
budget; those that were only beside it have done with their reruns meanwhile.

::

    lost    may run beside
    never   anything
    once    anything but a suspect
    twice+  what was never lost
"""

from collections.abc import Iterable, Sequence

from everytick.consider import Ready

SUSPECT = 2
"""A tick that was lost so often is a suspect."""


def apart(batch: Sequence[Ready], running: Iterable[int]) -> list[Ready]:
    """Return the ticks of a batch that may be started now; the others are left for later.

    Args:
        batch: Ready ticks, those that are to have the places first.
        running: How often each tick that this process runs was lost before.
    """
    lost = [reruns for reruns in running if reruns]
    found = []
    for ready in batch:
        if ready.reruns:
            if lost and max(*lost, ready.reruns) >= SUSPECT:
                continue
            lost.append(ready.reruns)
        found.append(ready)
    return found
