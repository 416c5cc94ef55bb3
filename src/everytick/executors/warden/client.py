"""The runner's side of the warden."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from everytick.executor import Job, Result
from everytick.executors.warden import kin
from everytick.executors.warden.frames import Frame, Frames

OUTPUT_LIMIT = 64 * 1024
"""How many bytes of an attempt's output are kept, unless told otherwise."""

_PATIENCE = 5  # seconds; a warden that takes or says nothing for so long is as good as dead
_MARK = "EVERYTICK_WARDEN"
"""Every process that a warden's attempts start inherits this; it finds those that lost all their parents."""

_ROOT = str(Path(__file__).parents[3])
_PROGRAM = (
    "import sys; sys.path[0] = {root!r}; from everytick.executors.warden.program import main; main({end})"
)


class Warden:
    """Starts a warden when there is something to do, and a new one when it dies.

    Executors share one. When it dies, what it had in flight is reported as lost, and killed.

    Args:
        output_limit: How many bytes of an attempt's output are kept.
        keep: For how many seconds an unused worker is kept; by default a task of every minute finds it warm.
    """

    def __init__(self, *, output_limit: int = OUTPUT_LIMIT, keep: float = 90.0) -> None:
        self._output_limit = output_limit
        self._keep = keep
        self._until: int | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._link: Frames | None = None
        self._ended: dict[str, Callable[[Result], None]] = {}
        self._pids: dict[str, int] = {}
        self._mark = uuid4().hex

    @property
    def pid(self) -> int | None:
        """The warden's process, while there is one."""
        return None if self._process is None else self._process.pid

    def fileno(self) -> int | None:
        """Return a descriptor that is readable when there is something to `listen` to."""
        return None if self._link is None else self._link.fileno()

    def start(self, job: Job, work: Frame, ended: Callable[[Result], None]) -> None:
        """Start an attempt.

        Args:
            job: The attempt.
            work: What is to run, as the warden understands it.
            ended: Is given the result, by a later call of `listen` or any other method here.

        Raises:
            ValueError: A job with this key is in flight.
        """
        if job.key in self._ended:
            raise ValueError(f"'{job.key}' is in flight")
        frame = {
            "start": job.key,
            "timeout": job.timeout,
            "grace": job.grace,
            "directory": job.directory,
            "environment": dict(job.environment),
            **work,
        }
        try:
            link = self._link or self._launch()
        except OSError as fault:
            error = f"cannot start a process: {fault.strerror}"
            ended(Result(key=job.key, outcome="error", error=error))
            return
        self._ended[job.key] = ended
        try:
            self._say(frame, link)
        except (TypeError, ValueError) as fault:
            del self._ended[job.key]
            error = f"its arguments cannot be passed on: {fault}"
            ended(Result(key=job.key, outcome="error", error=error))

    def stop(self, key: str, *, grace: float) -> None:
        """Ask an attempt to end; killed after ``grace`` seconds."""
        if self._link is not None and key in self._ended:
            self._say({"stop": key, "grace": grace}, self._link)

    def extend(self, until: int) -> None:
        """Let attempts live until this moment of CLOCK_BOOTTIME, microseconds."""
        if until != self._until:
            self._until = until
            if self._link is not None:
                self._say({"until": until}, self._link)

    def listen(self) -> None:
        """Pass on the results that have come; never waits."""
        while self._link is not None and self._hear(self._link, wait=False):
            pass

    def close(self) -> None:
        """Kill all attempts, pass on all results, and wait for the warden's end."""
        if self._link is not None:
            self._link.end()
        while self._link is not None:
            self._hear(self._link, wait=True)

    def _launch(self) -> Frames:
        ours, theirs = socket.socketpair()
        with theirs:
            program = _PROGRAM.format(root=_ROOT, end=theirs.fileno())
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter, our own words
                [sys.executable, "-c", program],
                pass_fds=[theirs.fileno()],
                env={**os.environ, _MARK: self._mark},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._link = Frames(ours)
        self._link.limit(_PATIENCE)
        path = [entry or str(Path.cwd()) for entry in sys.path]
        self._say({"path": path, "output_limit": self._output_limit, "keep": self._keep}, self._link)
        self._say({"until": self._until}, self._link)
        return self._link

    def _say(self, frame: Frame, link: Frames) -> None:
        try:
            link.send(frame)
        except OSError:
            self._bury(link)

    def _hear(self, link: Frames, *, wait: bool) -> bool:
        """Pass on what has come; tell whether there was anything."""
        try:
            frames = link.receive(wait=wait)
        except (EOFError, TimeoutError):
            self._bury(link)
            return False
        for frame in frames:
            if "started" in frame:
                self._pids[frame["started"]] = frame["pid"]
            else:
                key = frame.pop("ended")
                self._pids.pop(key, None)
                self._ended.pop(key)(Result(key=key, **frame))
        return bool(frames)

    def _bury(self, link: Frames) -> None:
        """Let go of a warden that is dead, or as good as dead, and end what it left."""
        link.close()
        self._link = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        kin.kill(set(self._pids.values()) | kin.marked(f"{_MARK}={self._mark}"))
        orphaned, self._ended = self._ended, {}
        pids, self._pids = self._pids, {}
        for key, ended in orphaned.items():
            error = "lost: the process that watched it died"
            ended(Result(key=key, outcome="lost", error=error, pid=pids.get(key)))
