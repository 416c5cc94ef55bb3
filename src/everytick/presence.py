"""Presence: a process's life in the ledger, and how others notice its death.

A process bumps its beat. A sweeper calls it dead when it has itself watched an unchanged beat for a
whole lease, without a gap in its own watching, and wins a compare-and-set on that beat. No clock of
two machines is ever compared. A process that cannot renew its beat has its attempts killed before
the lease ends; the executors see to that, even where the process itself is stopped.
"""

import logging
import os
import socket
from dataclasses import dataclass
from pathlib import Path

from everytick import release
from everytick.clock import Clock
from everytick.ledger import Ledger, Process

log = logging.getLogger("everytick")

LEASE = 10_000_000
"""Microseconds without a beat after which a process may be called dead."""


@dataclass(slots=True)
class _Watched:
    beat: int
    since: int


class Presence:
    """The row of this process, and its view of the others.

    Args:
        ledger: Where it is present.
        clock: Its clock.
        kind: ``scheduler``, ``runner`` or ``up``.
        lease: In microseconds; the same for all processes of a ledger.
    """

    def __init__(self, ledger: Ledger, clock: Clock, kind: str, lease: int = LEASE) -> None:
        self._ledger = ledger
        self._clock = clock
        self._kind = kind
        self.lease = lease
        self.id = 0
        self.lives = 0
        self._beat = 0
        self._beaten: int | None = None
        self._watched: dict[int, _Watched] = {}
        self._looked = 0
        self._accepted = 0
        self._alarmed = False

    def join(self) -> None:
        """Register as a new process, with a number that nobody had before."""
        moment = self._clock.boot()
        self.id = self._ledger.register(
            Process(
                kind=self._kind,
                host=socket.gethostname(),
                pid=os.getpid(),
                boot=_boot_id(),
                release=release.VERSION,
                started_at=self._clock.now(),
            )
        )
        self.lives += 1
        self._accepted = self._vouched()
        self._beat = 0
        self._beaten = moment

    def beat(self) -> bool:
        """Renew the beat if it is time; return False where this process was declared dead.

        Then whatever it holds is another's: it must kill its attempts and join anew.
        """
        moment = self._clock.boot()
        skew = self._clock.skew()
        if self._beaten is not None and moment - self._beaten < self.lease // 4:
            return True
        if not self._ledger.beat(self.id, self._beat + 1, skew):
            self._beaten = None
            return False
        self._beat += 1
        self._beaten = moment
        return True

    def trusted(self) -> bool:
        """Tell whether to plan and claim by this clock; a person may have vouched for it meanwhile."""
        if not self._clock.suspect():
            self._alarmed = False
            return True
        if not self._alarmed:
            self._accepted = self._vouched()
            log.error(
                "the wall clock has stepped: no ticks are planned or started until it is right again, "
                "or a person says that it is (everytick doctor --accept-clock)"
            )
            self._alarmed = True
        vouched = self._vouched()
        if vouched == self._accepted:
            return False
        self._accepted = vouched
        self._clock.accept()
        log.warning("a person vouched for the wall clock: planning and starting ticks again")
        return True

    def _vouched(self) -> int:
        changes = self._ledger.changes(after=self._accepted, act="accept-clock")
        return changes[-1].id if changes else self._accepted

    def due(self) -> int:
        """Return how many microseconds remain until the next beat."""
        if self._beaten is None:
            return 0
        return max(0, self._beaten + self.lease // 4 - self._clock.boot())

    def lives_until(self) -> int:
        """Return until which microsecond of CLOCK_BOOTTIME attempts may live without another beat."""
        return 0 if self._beaten is None else self._beaten + self.lease * 3 // 4

    def leave(self) -> None:
        """Write down that this process ended well."""
        self._ledger.retire(self.id)

    def silent(self) -> list[Process]:
        """Look at the others, and return those whose beat has not changed for a whole lease."""
        moment = self._clock.boot()
        if moment - self._looked > self.lease // 2:
            self._watched.clear()
        self._looked = moment
        seen = [process for process in self._ledger.processes() if process.id != self.id]
        for process in seen:
            watched = self._watched.get(process.id)
            if watched is None or watched.beat != process.beat:
                self._watched[process.id] = _Watched(process.beat, moment)
        for gone in self._watched.keys() - {process.id for process in seen}:
            del self._watched[gone]
        return [process for process in seen if moment - self._watched[process.id].since >= self.lease]


def vanished(process: Process) -> bool:
    """Tell whether a process is seen to have ended: it ran on this machine, and is not here any more.

    That is for people to read. Only a sweeper, which watches beats, declares a process dead.
    """
    if process.host != socket.gethostname():
        return False
    return process.boot != _boot_id() or not Path(f"/proc/{process.pid}").exists()


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""
