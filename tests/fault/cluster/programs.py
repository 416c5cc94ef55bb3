"""The programs of a run: a scheduler and a runner on each node, as real processes."""

import os
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.fault.ground import EVERYTICK, family_of, ours
from tests.fault.pause import until

from everytick.clock import SystemClock

from .network import Node

MARK = "EVERYTICK_FAULT_TEST"
PATIENCE = 5.0
"""Seconds that the attempts of a program may take to die with it."""

_NO_LEDGER = 2
_AT_ONCE = 2.0
_TIMES = 10
"""How a program ends that finds no ledger, within how many seconds, and how often it is started anew."""


@dataclass(slots=True)
class Life:
    """One life of a program, from its start to its end; microseconds of CLOCK_BOOTTIME.

    Attributes:
        pid: Its process.
        began: When it was started.
        ended: When it was ended, and by what.
    """

    pid: int
    began: int
    ended: int | None = None


@dataclass(slots=True)
class Place:
    """Where a program lives, one life after the other.

    Args:
        kind: ``scheduler`` or ``runner``.
        node: Its node.
        ledger: The ledger's URL, as it is reached from there.
        environment: Variables of its own.
        folder: Where everytick.toml lies.
    """

    kind: str
    node: Node
    ledger: str
    environment: Mapping[str, str]
    folder: Path
    lives: list[Life] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    died: list[str] = field(default_factory=list)
    _process: subprocess.Popen[bytes] | None = None
    _clock: SystemClock = field(default_factory=SystemClock)

    @property
    def name(self) -> str:
        """What it is called in what is printed."""
        return f"{self.kind} on {self.node.name}"

    @property
    def pid(self) -> int:
        """Its process."""
        return self.lives[-1].pid

    @property
    def log(self) -> Path:
        """What all its lives have written to stderr."""
        return self.folder / f"{self.node.name}-{self.kind}.err"

    def start(self) -> None:
        """Start it."""
        life = len(self.lives)
        environment = ours() | dict(self.environment) | {MARK: f"{self.name}:{life}"}
        options = ["--ledger", self.ledger, "--app", "everytick.toml"]
        with self.log.open("ab") as errors:
            self._process = subprocess.Popen(
                [*self.node.prefix, EVERYTICK, self.kind, *options],
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
            )
        self.lives.append(Life(self._process.pid, self._clock.boot()))

    def insist(self) -> None:
        """Start it; again, while it ends at once because its ledger lets nobody in yet."""
        self.start()
        for _ in range(_TIMES):
            if not until(self._refused, _AT_ONCE):
                return
            self._bury()
            self.start()

    def _refused(self) -> bool:
        assert self._process is not None
        return self._process.poll() == _NO_LEDGER

    def look(self) -> None:
        """Note it where it has ended by itself, and start it anew, as whoever watches services would."""
        assert self._process is not None
        code = self._process.poll()
        if code is not None and self.lives[-1].ended is None:
            self.died.append(f"{self.name} ended by itself with {code}: {self.said()[-500:]}")
            self._bury()
            self.start()

    def kill(self) -> int:
        """Kill it with -9; return when. What it left behind is counted, and killed too."""
        killed = self._clock.boot()
        self._send(signal.SIGKILL)
        self._bury()
        return killed

    def stop(self) -> int:
        """Ask it to end with SIGTERM; return its exit code, and count what it leaves behind."""
        assert self._process is not None
        self._process.terminate()
        try:
            return self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()
        finally:
            self._bury()

    def stand_still(self) -> None:
        """Stop it with SIGSTOP."""
        self._send(signal.SIGSTOP)

    def freeze(self) -> set[int]:
        """Stop it with SIGSTOP, and everything that it has started; return what was stopped."""
        self.stand_still()
        stopped = {self.pid}
        while more := self.descendants() - stopped:
            for pid in more:
                send(pid, signal.SIGSTOP)
            stopped |= more
        return stopped

    def go_on(self) -> None:
        """Let it go on with SIGCONT."""
        self._send(signal.SIGCONT)

    def descendants(self) -> set[int]:
        """Return the processes that descend from it, of this life."""
        return family_of(f"{MARK}={self.name}:{len(self.lives) - 1}".encode()) - {self.pid}

    def said(self) -> str:
        """Return what it has written to stderr."""
        return self.log.read_text(errors="replace")

    def _send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _bury(self) -> None:
        assert self._process is not None
        self._process.wait(PATIENCE)
        self.lives[-1].ended = self._clock.boot()
        if not until(lambda: not self.descendants(), PATIENCE):
            for pid in self.descendants():
                self.orphans.append(f"{self.name} left {pid} behind: {_command(pid)}")
                shoot(pid)


def shoot(pid: int) -> None:
    """Kill a process that may be gone already."""
    send(pid, signal.SIGKILL)


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process that may be gone already."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()[:200]
    except OSError:
        return "gone by now"
