"""Presence: a process's life in the ledger, and how others notice its death.

A process bumps its beat eight times in a lease. A sweeper calls it dead when it has itself watched an
unchanged beat for seven eighths of a lease, without a gap in its own watching, and wins a compare-and-set on
that beat. No clock of two machines is ever compared. A process that cannot renew its beat has its attempts
killed five eighths of a lease after it began its last one; the executors see to that, even where the process
itself is stopped. So a quarter of a lease lies between the end of what it held and its next start, and an
eighth is left for looking, which makes a lease in all.

After any trouble with the ledger a process beats before it does anything else: a ledger that does not take
the beat is another one than before.
"""

import os
import socket
from dataclasses import dataclass, replace
from pathlib import Path

from everytick import release
from everytick.clock import Clock
from everytick.conclude import Attempt
from everytick.ledger import Ledger, Process
from everytick.life.elders import Elders
from everytick.life.losses import Losses
from everytick.life.trust import Trust

LEASE = 10_000_000
"""Microseconds within which what a dead process held is ready to be started by others."""


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

    Attributes:
        id: Its number in the ledger; 0 before it has joined.
        lives: How often it has joined.
        beats: Its last confirmed beat.
    """

    def __init__(self, ledger: Ledger, clock: Clock, kind: str, lease: int = LEASE) -> None:
        self._ledger = ledger
        self._clock = clock
        self._kind = kind
        self.lease = lease
        self.id = 0
        self.lives = 0
        self._own: Process | None = None
        self.beats = 0
        self._beaten: int | None = None
        self._doubt = False
        self._losses = Losses(ledger, clock)
        self._trust = Trust(ledger, clock)
        self._elders = Elders(ledger, clock, lease // 2)
        self._waiting = False
        self._watched: dict[int, _Watched] = {}
        self._looked = 0

    def join(self) -> None:
        """Register as a new process, with a number that nobody had before."""
        moment = self._clock.boot()
        own = Process(
            kind=self._kind,
            host=socket.gethostname(),
            pid=os.getpid(),
            boot=_boot(),
            release=release.VERSION,
            started_at=self._clock.now(),
        )
        self._trust.begin()
        self._losses.forget()
        here = (own.host, own.pid, own.boot)  # who had this process's number before is gone
        others = [one for one in self._ledger.processes() if (one.host, one.pid, one.boot) != here]
        self._elders.meet([one for one in others if not ended(one)])
        self._waiting = True
        self.id = self._ledger.register(own)  # last: a new number and an old beat would look like a loss
        self._own = replace(own, id=self.id)
        self.lives += 1
        self.beats = 0
        self._beaten = moment
        self._doubt = False

    def doubt(self) -> None:
        """Have trouble with the ledger: the next beat is due at once."""
        self._doubt = True

    def beat(self) -> bool:
        """Renew the beat if it is time; return False where the ledger does not know this process as alive.

        It was declared dead, or the ledger has lost commits. Then whatever it holds is another's: it must
        kill its attempts and join anew.
        """
        moment = self._clock.boot()
        skew = self._clock.skew()
        if not self._doubt and self._beaten is not None and moment - self._beaten < self.lease // 8:
            return True
        if not (self._recognised() and self._ledger.beat(self.id, self.beats + 1, skew)):
            self._notice(moment)
            return False
        self.beats += 1
        self._beaten = moment
        self._trust.compare()
        self._losses.look()
        self._doubt = False
        return True

    def _recognised(self) -> bool:
        """Tell whether the row is this process's own: in an older copy another may have its number."""
        return not self._doubt or self._own is None or self._losses.knows(self._own, self.beats)

    def _notice(self, moment: int) -> None:
        """Look why a beat was not taken."""
        if self._own is not None:
            since = moment if self._beaten is None else self._beaten
            self._losses.notice(self._own, self.beats, self._clock.now() - (moment - since))
        self._beaten = None

    def trusted(self) -> bool:
        """Tell whether to plan and claim by this clock; a person may have vouched for it meanwhile."""
        return self._trust.given()

    def whole(self) -> bool:
        """Tell whether the ledger has kept its commits for all anybody says, or a person took it as it is."""
        if self._waiting:
            self._waiting = self._elders.awaited()
            self._losses.look()
        return not (self._waiting or self._losses.pending())

    def uncertain(self, attempt: Attempt) -> bool:
        """Tell whether an attempt's tick may have run already, in a time whose commits were lost."""
        return self._losses.uncertain(attempt)

    def due(self) -> int:
        """Return how many microseconds remain until the next beat."""
        if self._beaten is None:
            return 0
        return max(0, self._beaten + self.lease // 8 - self._clock.boot())

    def lives_until(self) -> int:
        """Return until which microsecond of CLOCK_BOOTTIME attempts may live without another beat."""
        return 0 if self._beaten is None else self._beaten + self.lease * 5 // 8

    def leave(self) -> None:
        """Write down that this process ended well."""
        self._ledger.retire(self.id)

    def silent(self) -> list[Process]:
        """Look at the others, and return those whose beat has not changed for seven eighths of a lease."""
        moment = self._clock.boot()
        if moment - self._looked > self.lease // 2:
            self._watched.clear()
        self._looked = moment
        seen = [process for process in self._ledger.processes() if process.id != self.id]
        read = self._clock.boot()
        for process in seen:
            watched = self._watched.get(process.id)
            if watched is None or watched.beat != process.beat:
                self._watched[process.id] = _Watched(process.beat, read)
        for gone in self._watched.keys() - {process.id for process in seen}:
            del self._watched[gone]
        return [process for process in seen if moment - self._watched[process.id].since >= self._silence]

    def patience(self) -> int:
        """Return in how many microseconds somebody may have been silent for long enough; a lease at most."""
        now = self._clock.boot()
        left = (watched.since + self._silence - now for watched in self._watched.values())
        return min((each for each in left if each > 0), default=self.lease)

    @property
    def _silence(self) -> int:
        return self.lease * 7 // 8


def ended(process: Process) -> bool:
    """Tell whether a process is seen to have ended: its pid means something here, and it is there no more."""
    return (process.host, process.boot) == (socket.gethostname(), _boot()) and _is_over(process.pid)


def vanished(process: Process) -> bool:
    """Tell whether a process has ended, or ran on a machine of this name that has started anew since.

    That is for people to read: two machines may have one name. Only a sweeper, which watches beats, declares
    a process dead.
    """
    if process.host != socket.gethostname():
        return False
    return ended(process) or process.boot.partition(" ")[0] != _boot().partition(" ")[0]


def _is_over(pid: int) -> bool:
    """Tell whether a process is not there, or waits only for its parent to hear that it has ended."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        pass
    try:
        _, _, fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")
    except OSError:  # what others run may be hidden
        return False
    return fields.split()[0] in {"Z", "X"}


def _boot() -> str:
    """Return which start of which machine this is, and among which pids: a container has its own."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""
