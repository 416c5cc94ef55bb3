"""Where a fault test takes place: a folder with tasks and a ledger, and real processes of its own."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from everytick.clock import SystemClock

EVERYTICK = str(Path(sys.executable).with_name("everytick"))
PATIENCE = 60.0
"""Seconds until a test gives up; none of them waits for so long when all is well."""

_WORK = Path(__file__).with_name("work.py")
_MARK = "EVERYTICK_FAULT_TEST"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A task of a fault test.

    Attributes:
        name: Its name, and that of its file.
        schedule: When it is due.
        seconds: How long it works; a later attempt takes a tenth of it.
        kind: ``call`` or ``command``.
        policies: The rest of its table, in TOML.
        alone: Its overlap policy lets no two of its ticks run at once.
        child: Whether it leaves a process behind.
    """

    name: str
    schedule: str = "every 1s"
    seconds: float = 0.1
    kind: str = "call"
    policies: str = ""
    alone: bool = True
    child: bool = False

    def table(self, file: Path) -> str:
        """Return its table in everytick.toml."""
        given = [self.seconds, int(self.alone), int(self.child)]
        if self.kind == "call":
            words = dict(zip(("seconds", "lane", "child"), given, strict=True))
            arguments = ", ".join(f"{name} = {value}" for name, value in words.items())
            work = f'call = "{_WORK}:run"\narguments = {{ file = "{file}", {arguments} }}'
        else:
            # No site, no user's settings: 15 ms to start.
            program = [sys.executable, "-I", "-S", str(_WORK), str(file), *map(str, given)]
            work = f"command = {json.dumps(program)}"
        return f'[task.{self.name}]\nschedule = "{self.schedule}"\n{work}\n{self.policies}\n'


class Ground:
    """A folder with tasks and a ledger, and the programs that were started on it.

    Args:
        folder: An empty folder.

    Attributes:
        ledger: The ledger's file.
        jobs: The tasks.
        clock: The true one.
        offsets: What has to be added to CLOCK_BOOTTIME for the ledger's time; several where a person
            accepted another clock meanwhile.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ledger = folder / "everytick.db"
        self.jobs: Sequence[Job] = ()
        self.clock = SystemClock()
        self.offsets = [self.clock.now() - self.clock.boot()]
        self._started: list[Program] = []
        self._pause = Event()

    def define(self, *jobs: Job, grace: str = "5s", lease: str = "3s") -> None:
        """Write everytick.toml."""
        self.jobs = jobs
        runner = f'[runner]\nlimit = 32\ngrace = "{grace}"\nlease = "{lease}"\n'
        settings = f'ledger = "sqlite:///{self.ledger}"\n{runner}'
        tables = [job.table(self.file(job)) for job in jobs]
        (self.folder / "everytick.toml").write_text("\n".join([settings, *tables]))

    def apply(self) -> tuple[int, int]:
        """Let the ledger hold the tasks; return between which moments that was."""
        before = self.clock.now()
        self.ask("apply", "everytick.toml", "--yes")
        return before, self.clock.now()

    def file(self, job: Job) -> Path:
        """Return the file of a task."""
        return self.folder / f"{job.name}.log"

    def start(
        self, *words: str, prefix: Sequence[str] = (), environment: dict[str, str] | None = None
    ) -> "Program":
        """Start a program of Everytick.

        Args:
            words: ``up``, ``scheduler`` or ``runner``, and its options.
            prefix: A program to start it by.
            environment: Variables beside our own.
        """
        known = {"up": ["--quiet", "everytick.toml"]}.get(words[0], ["--app", "everytick.toml"])
        mark = f"{self.folder}:{len(self._started)}"
        log = self.folder / f"{len(self._started)}-{words[0]}.err"
        with log.open("wb") as errors:
            process = subprocess.Popen(
                [*prefix, EVERYTICK, *words, *known],
                cwd=self.folder,
                env=ours() | (environment or {}) | {_MARK: mark},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
            )
        self._started.append(Program(process, log, mark))
        return self._started[-1]

    def ask(
        self, *words: str, code: int | None = 0, environment: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of Everytick on the ledger, and insist on its exit code unless that is None."""
        done = subprocess.run(
            [EVERYTICK, *words, "--ledger", f"sqlite:///{self.ledger}"],
            cwd=self.folder,
            env=ours() | (environment or {}),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert code in {done.returncode, None}, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """Ask the ledger's file itself."""
        with closing(sqlite3.connect(f"file:{self.ledger}?mode=ro", uri=True, timeout=30)) as db:
            db.row_factory = sqlite3.Row
            return [dict(row) for row in db.execute(query, values)]

    def wait(self, seconds: float) -> None:
        """Let time go by."""
        self._pause.wait(seconds)

    def until(self, fact: Callable[[], object], patience: float = PATIENCE) -> None:
        """Wait until something is so."""
        for _ in range(int(patience / 0.02)):
            if fact():
                return
            self._pause.wait(0.02)
        raise AssertionError(f"it did not come true in {patience:g} s\n{self.logs()}")

    def logs(self) -> str:
        """Return the end of what each program has said."""
        return "\n".join(f"{program.log.name}: {program.said()[-3000:]}" for program in self._started)

    def close(self) -> None:
        """End whatever was started here and still lives."""
        for program in self._started:
            program.end()


class Program:
    """A program of Everytick that was started.

    Args:
        process: Its process; that of the program it was started by, where there is one.
        log: What it writes to stderr.
        mark: What its environment, and so that of all its descendants, is marked with.
    """

    def __init__(self, process: subprocess.Popen[bytes], log: Path, mark: str) -> None:
        self.process = process
        self.log = log
        self.mark = f"{_MARK}={mark}".encode()

    def said(self) -> str:
        """Return what it has written to stderr."""
        return self.log.read_text(errors="replace")

    def joined(self, ground: Ground) -> bool:
        """Tell whether it is up and running: it has a row of its own in the ledger."""
        return bool(ground.rows("SELECT 1 FROM process WHERE pid = ?", self.process.pid))

    def family(self) -> set[int]:
        """Return the living processes that carry its mark: itself and all that descends from it."""
        return family_of(self.mark)

    def kill(self) -> None:
        """Kill it, and it alone, with -9."""
        self.process.kill()
        self.process.wait(PATIENCE)

    def stop(self) -> int:
        """Ask it to end with SIGTERM; return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def end(self) -> None:
        """Kill it with all that descends from it."""
        if self.process.poll() is None:
            self.kill()
        while family := self.family():
            for pid in family:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue


def family_of(mark: bytes) -> set[int]:
    """Return the living processes whose environment has this variable, given as NAME=VALUE."""
    processes = (entry for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return {int(process.name) for process in processes if mark in _environment(process)}


def ours() -> dict[str, str]:
    """Return our environment without what it tells Everytick."""
    return {name: value for name, value in os.environ.items() if not name.startswith("EVERYTICK_")}


def _environment(process: Path) -> list[bytes]:
    """Return the variables of a process; none of a dead one."""
    try:
        return (process / "environ").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return []
