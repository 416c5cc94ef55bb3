"""How the warden makes a process: a fork of its small, single-threaded self.

Every process begins a session of its own, so that a terminal's Ctrl-C does not reach it, and is killed
by the kernel when the warden dies. Its stdin is empty; its stdout and stderr are one pipe.
"""

import contextlib
import ctypes
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from everytick.executors.warden.attempt import Attempt
from everytick.executors.warden.frames import Frames

IGNORED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""The warden ends when its runner does, and for no other reason."""

_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of prctl(2)
_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)
_STANDARD = (0, 1, 2)
_EXPENDABLE = 500
"""The oom_score_adj of an attempt, of 1000: as if it used half of the machine's memory more than it does."""

_prctl = ctypes.CDLL(None, use_errno=True).prctl


class Child:
    """A process of ours.

    Attributes:
        pid: Its id, and the id of its session.
        attempt: What it works on.
        roots: Its family as `kin` knows it.
        output: Where to read what it writes.
        trouble: Of a command: where it says why it could not start.
        link: Of a worker: the conversation with it.
        served: How many calls it has run.
        idle_since: When its last call ended, microseconds of CLOCK_BOOTTIME.
    """

    __slots__ = ("attempt", "idle_since", "link", "output", "pid", "roots", "served", "trouble")

    def __init__(
        self, pid: int, output: int, *, trouble: int | None = None, link: Frames | None = None
    ) -> None:
        for descriptor in (output, trouble):
            if descriptor is not None:
                os.set_blocking(descriptor, False)
        self.pid = pid
        self.attempt: Attempt | None = None
        self.roots = {pid}
        self.output = output
        self.trouble = trouble
        self.link = link
        self.served = 0
        self.idle_since = 0

    def complaint(self) -> str | None:
        """Return why a command could not start; to be asked when it has ended."""
        said = None if self.trouble is None else read(self.trouble)
        return " ".join(said.decode(errors="replace").split()) if said else None

    def close(self) -> None:
        """Close all descriptors."""
        os.close(self.output)
        if self.trouble is not None:
            os.close(self.trouble)
        if self.link is not None:
            self.link.close()


def read(descriptor: int) -> bytes | None:
    """Return what is there; None if there is nothing now, nothing if there will never be."""
    try:
        return os.read(descriptor, 1 << 16)
    except BlockingIOError:
        return None


def adopt_orphans() -> None:
    """Let this process, and not init, become the parent of orphans among its descendants."""
    _prctl(_SUBREAPER, 1, 0, 0, 0)


def command(words: list[str], directory: str | None, environment: Mapping[str, str]) -> Child:
    """Start a program.

    Raises:
        OSError: This machine has no process or descriptor left. A program that cannot be started is no
            error here; its child says so and ends.
    """
    with contextlib.ExitStack() as ours, contextlib.ExitStack() as theirs:
        output, written = _pipe(ours, theirs)
        trouble, complain = _pipe(ours, theirs)
        pid = _fork(written, lambda: _run(words, directory, environment, complain))
        ours.pop_all()
    return Child(pid, output, trouble=trouble)


def worker(path: list[str]) -> Child:
    """Start a worker: a process that runs Python callables, one after another.

    Args:
        path: Its ``sys.path``: that of the runner.

    Raises:
        OSError: This machine has no process or descriptor left.
    """
    with contextlib.ExitStack() as ours, contextlib.ExitStack() as theirs:
        output, written = _pipe(ours, theirs)
        near, far = socket.socketpair()
        ours.enter_context(near)
        theirs.enter_context(far)
        pid = _fork(written, lambda: _work(path, far))
        ours.pop_all()
    return Child(pid, output, link=Frames(near))


def _pipe(ours: contextlib.ExitStack, theirs: contextlib.ExitStack) -> tuple[int, int]:
    """Return both ends of a pipe: ours to read from, theirs to write to."""
    reading, writing = os.pipe()
    ours.callback(os.close, reading)
    theirs.callback(os.close, writing)
    return reading, writing


def _fork(output: int, body: Callable[[], None]) -> int:
    """Fork a process that runs ``body``; it never returns from here."""
    warden = os.getpid()
    # A signal that comes before the child has let go of our "ignore" must wait, not vanish.
    signal.pthread_sigmask(signal.SIG_BLOCK, IGNORED)
    try:
        pid = os.fork()
        if pid == 0:
            _become(warden, output, body)
        return pid
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, IGNORED)


def _become(warden: int, output: int, body: Callable[[], None]) -> None:
    try:
        os.setsid()
        _prctl(_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != warden:  # it died before the line above
            return
        signal.set_wakeup_fd(-1)
        _go_first()
        for number in (*IGNORED, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in zip((nothing, output, output), _STANDARD, strict=True):
            os.dup2(source, target)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        body()
    except BaseException:  # noqa: BLE001 - whatever it is, this process must not go on as a second warden
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(70)  # EX_SOFTWARE; a body that came to its end has left already


def _go_first() -> None:
    """Let the kernel end this process, and not the runner or the warden, where memory runs out."""
    score = Path("/proc/self/oom_score_adj")
    with contextlib.suppress(OSError, ValueError):
        if int(score.read_text("ascii")) < _EXPENDABLE:
            score.write_text(str(_EXPENDABLE), "ascii")


def _run(words: list[str], directory: str | None, environment: Mapping[str, str], complain: int) -> None:
    # Python ignores these two; a program expects them as POSIX left them.
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    doing = f"enter the directory '{directory}'"
    try:
        if directory is not None:
            os.chdir(directory)
        doing = f"start '{words[0]}'"
        os.execvpe(words[0], words, {**os.environ, **environment})  # noqa: S606 - no shell is what we want
    except OSError as fault:
        os.write(complain, f"cannot {doing}: {fault.strerror}".encode(errors="replace"))
    except ValueError as fault:
        os.write(complain, f"cannot {doing}: {fault}".encode(errors="replace"))


def _work(path: list[str], connection: socket.socket) -> None:
    keep = {*_STANDARD, connection.fileno()}
    with os.scandir("/proc/self/fd") as entries:
        descriptors = {int(entry.name) for entry in entries}
    for descriptor in descriptors - keep:
        with contextlib.suppress(OSError):  # the one that scandir itself had open
            os.close(descriptor)
    sys.path[:] = path
    from everytick.executors.warden import worker as program  # noqa: PLC0415 - keeps the warden small

    program.serve(Frames(connection))
    os._exit(0)
