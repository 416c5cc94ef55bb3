"""What the servers share: an ordinary user, a free port, a start that is waited for, an end by number."""

import contextlib
import os
import pwd
import select
import shutil
import signal
import socket
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import SystemRandom
from threading import Event
from typing import ClassVar, Self

from everytick.errors import EverytickError
from everytick.executors.warden import kin

PATIENCE = 60.0
"""Seconds until a server counts as one that does not start, or does not end."""

PORTS = range(20_000, 32_000)
"""Below those that Linux gives to clients, so that a server can have its port again after a kill."""


class ServerFailed(EverytickError):
    """A server is not installed, or does not start."""


class Server(ABC):
    """A server in a folder of its own.

    It dies with the thread that started it: a test run that is killed leaves no server behind.

    Args:
        folder: Where its files go; made if need be. As root, one that an ordinary user can reach.
        host: The address it listens at.
        before: A command to run it under, such as ``("ip", "netns", "exec", "one")``; it must exec.

    Attributes:
        folder: The same.
        host: The same.
        port: Its port; the same after each restart.
    """

    name: ClassVar[str]
    """What it is called in errors, and its log."""

    gentle: ClassVar[signal.Signals] = signal.SIGTERM
    """The signal on which it ends at once, in order."""

    def __init__(self, folder: Path, *, host: str = "127.0.0.1", before: Sequence[str] = ()) -> None:
        self.folder = folder
        self.host = host
        self.before = tuple(before)
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its process; the ancestor of all its others.

        Raises:
            ServerFailed: It does not run.
        """
        return self._running().pid

    @property
    def log(self) -> Path:
        """What it says."""
        return self.folder / f"{self.name}.log"

    def start(self) -> None:
        """Start it, and wait until it answers.

        Raises:
            ServerFailed: It is not installed, or ended instead; with the last lines of its log.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        hand_over(self.folder)
        self._check_reach()
        command = self.command()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                [*self.before, *_ordinary(), f"--pdeathsig={self.gentle.name[3:]}", *command],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        pause = Event()
        for _ in range(int(PATIENCE / 0.01)):
            if self.ready():
                return
            if self._process.poll() is not None:
                break
            pause.wait(0.01)
        self.kill()
        said = "\n".join(self.log.read_text(errors="replace").splitlines()[-10:])
        raise ServerFailed(f"{self.name} did not start in {self.folder}; it said:\n{said}")

    def stop(self) -> None:
        """End it in order, if it runs."""
        if self._process is not None:
            self._process.send_signal(self.gentle)
            self._end()

    def kill(self) -> None:
        """End it with SIGKILL, all its processes, if it runs."""
        if self._process is not None:
            with _ends(kin.family({self._process.pid})):
                kin.kill({self._process.pid})
            self._end()

    def restart(self) -> None:
        """Stop it if it runs, and start it on the same port and folder."""
        self.stop()
        self.start()

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it; its folder stays."""
        self.stop()

    @abstractmethod
    def command(self) -> Sequence[str]:
        """Write its files and return the command that runs it."""

    def ready(self) -> bool:
        """Tell whether it answers."""
        try:
            with socket.create_connection((self.host, self.port), timeout=1):
                return True
        except OSError:
            return False

    def run(self, *command: str) -> None:
        """Run a program of the server as its user, to the end.

        Raises:
            ServerFailed: It failed; with what it said.
        """
        done = subprocess.run(  # noqa: S603 - our own command
            [*_ordinary(), *command], cwd=self.folder, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise ServerFailed(f"{command[0]} failed with {done.returncode}:\n{done.stderr}{done.stdout}")

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise ServerFailed(f"{self.name} does not run")
        return self._process

    def _end(self) -> None:
        process, self._process = self._running(), None
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            kin.kill({process.pid})
            process.wait()
            raise ServerFailed(f"{self.name} did not end; see {self.log}") from None

    def _check_reach(self) -> None:
        if not reaches(self.folder):
            raise ServerFailed(
                f"{self.name} does not run as root, and its user cannot enter {self.folder};"
                " give it a folder of open_folder()"
            )


def open_folder() -> Path:
    """Return a new folder that servers can reach, also where root's other temporary folders are closed."""
    folder = Path(tempfile.mkdtemp(prefix="everytick-"))
    folder.chmod(0o711)
    return folder


def hand_over(path: Path) -> None:
    """Give a file, or a folder with the files in it, to the user whom servers run as; nothing if not root."""
    if os.geteuid() == 0:
        user = _user()
        for one in (path, *path.iterdir()) if path.is_dir() else (path,):
            os.chown(one, user.pw_uid, user.pw_gid)


def reaches(path: Path) -> bool:
    """Tell whether servers can enter a folder, or read and run a file."""
    asked = [*_ordinary(), "test", "-x", str(path)]
    return subprocess.run(asked, check=False).returncode == 0  # noqa: S603 - our own command


def found(program: str, package: str) -> str:
    """Return where a program is.

    Raises:
        ServerFailed: It is not installed.
    """
    where = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if where is None:
        raise ServerFailed(f"{program} is not installed; on Debian: apt-get install {package}")
    return where


def _ordinary() -> list[str]:
    """Return what runs a command as an ordinary user."""
    if os.geteuid():
        return ["setpriv"]
    user = _user()
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


def _user() -> pwd.struct_passwd:
    """Return whom servers run as where the tests run as root."""
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


@contextlib.contextmanager
def _ends(processes: set[int]) -> Iterator[None]:
    """Wait at the end until all these processes have ended."""
    with contextlib.ExitStack() as stack:
        watched = []
        for pid in processes:
            with contextlib.suppress(ProcessLookupError):
                watched.append(os.pidfd_open(pid))
                stack.callback(os.close, watched[-1])
        yield
        for one in watched:
            select.select([one], [], [], PATIENCE)


def _free_port() -> int:
    draw = SystemRandom()
    while True:
        port = draw.choice(PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("", port))
            return port
