"""Losses: commits that the ledger has lost, as its processes notice it, and what a person says of it.

A process remembers its last confirmed beat. A ledger that shows an older one, or none, has lost commits: it
was restored from a dump, or an older replica took its place. Whoever notices starts nothing more, and writes
an alarm into the ledger, which all others read at their next beat at the latest; then nobody starts anything,
until a person says that this is the ledger now. Who comes anew first hears those who were there (elders.py).
What was due by the alarm may have run, and nobody knows: it is uncertain, and its policy decides.

A restore while no process is alive is noticed by nobody: then a person has to say so.
"""

import json
import logging

from everytick.clock import STEP, Clock
from everytick.conclude import Attempt
from everytick.ledger import Change, Ledger, Process, Reads
from everytick.when import Instant

log = logging.getLogger("everytick")

LOST = "lost-commits"
ACCEPTED = "accept-restore"
"""The acts of changes that tell of it."""

UNCERTAIN = "the ledger has lost commits since this was due: nobody knows whether it ran already"
"""Why an attempt is given up that was just claimed."""

_PAGE = 100


class Losses:
    """What a process knows of commits that were lost.

    Args:
        ledger: The ledger.
        clock: The process's clock.
    """

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock
        self._lost: Change | None = None
        self._accepted: Change | None = None
        self._through: Instant = 0
        self._told = False

    def forget(self) -> None:
        """Read all anew: changes that a ledger has lost have their numbers no more."""
        self._lost = self._accepted = None
        self._through = 0
        self.look()

    def look(self) -> None:
        """Read what was written since."""
        self._lost = newest(self._ledger, LOST, self._lost)
        accepted = newest(self._ledger, ACCEPTED, self._accepted)
        if accepted is not None and accepted is not self._accepted:
            self._accepted, self._through = accepted, json.loads(accepted.detail)["through"]

    def pending(self) -> bool:
        """Tell whether commits were lost, and nobody has said yet that this is the ledger now."""
        if self._unaccepted():
            self.look()
        if self._unaccepted() and not self._told:
            log.error(
                "the ledger has lost commits: nothing is started until a person says that this is the "
                "ledger now (everytick doctor --accept-restore)"
            )
        elif self._told and not self._unaccepted():
            log.warning("a person said that this is the ledger now: starting ticks again")
        self._told = self._unaccepted()
        return self._told

    def _unaccepted(self) -> bool:
        return self._lost is not None and (self._accepted is None or self._accepted.id < self._lost.id)

    def uncertain(self, attempt: Attempt) -> bool:
        """Tell whether an attempt's tick may have run in the time that was lost, uncounted so far.

        What was asked for since is certain: its number is higher.
        """
        key = attempt.key
        known = self._accepted is not None and key.request < self._accepted.id
        return known and key.due_at <= self._through and not attempt.reruns

    def knows(self, own: Process, beat: int) -> bool:
        """Tell whether the ledger has this process's row with its last confirmed beat, or a later one."""
        return self._shown(own) >= beat

    def notice(self, own: Process, beat: int, beaten: Instant) -> None:
        """Look why the ledger did not take a beat, and raise the alarm where it has lost commits.

        Args:
            own: How this process registered.
            beat: Its last confirmed beat.
            beaten: When that was.
        """
        shown = self._shown(own)
        if shown >= beat:
            return
        self.forget()
        if self._lost is not None and self._lost.at > beaten - STEP:
            return
        had = "did not know it" if shown < 0 else f"had beat {shown}"
        note = f"{own.kind} {own.id} (pid {own.pid} on {own.host}) was at beat {beat}, and the ledger {had}"
        now = self._clock.now()
        change = Change(at=now, actor="everytick", act=LOST, note=note, detail=json.dumps({"beaten": beaten}))
        self._ledger.edit(change, [], lambda _known, _numbers: [])
        self.look()

    def _shown(self, own: Process) -> int:
        """Return the beat that the ledger shows of a process; -1 where its number is another's."""
        row = self._ledger.process(own.id)
        same = row is not None and (row.pid, row.started_at, row.boot) == (own.pid, own.started_at, own.boot)
        return row.beat if row is not None and same else -1


def newest(ledger: Reads, act: str, known: Change | None = None) -> Change | None:
    """Return the newest change of a kind, from a known one on."""
    while found := ledger.changes(after=known.id if known else 0, act=act, limit=_PAGE):
        known = found[-1]
        if len(found) < _PAGE:
            break
    return known


def quiet_from(ledger: Reads, lease: int) -> Instant:
    """Return from when on nothing runs that only the lost commits told of: a lease after the alarm."""
    raised = alarm(ledger)
    return 0 if raised is None else raised.at + lease


def through(ledger: Reads, now: Instant) -> Instant:
    """Return until which moment ticks that were due are uncertain, if a restore is accepted now.

    That is when the alarm was raised, and a little more, for clocks that differ; now, where nobody raised
    one: then a person restored it while no process was alive.
    """
    raised = alarm(ledger)
    return now if raised is None else min(now, raised.at + STEP)


def alarm(ledger: Reads) -> Change | None:
    """Return the newest alarm that commits were lost, unless a person has taken the ledger as it is since."""
    lost, accepted = newest(ledger, LOST), newest(ledger, ACCEPTED)
    answered = lost is not None and accepted is not None and accepted.id > lost.id
    return None if answered else lost
