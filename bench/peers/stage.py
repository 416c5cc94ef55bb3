"""The stage: one cell's own database, Redis database and folder, and the programs that play on it."""

import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg

from everytick.app import open_ledger
from family import cpu, family
from peers.arrivals import Jobs, Messages, Notes, Reader, Rows
from peers.cell import PERIOD, Cell, cron, first_instant, now
from peers.environments import HERE, python
from peers.redis import Redis
from peers.roster import Row

_PROCRASTINATE = """
    SELECT j.args->>'task', (j.args->>'timestamp')::bigint * 1000000,
        (extract(epoch FROM e.at) * 1000000)::bigint
    FROM procrastinate_jobs j JOIN procrastinate_events e ON e.job_id = j.id AND e.type = 'deferred'
"""
_DBOS = """
    SELECT split_part(workflow_uuid, '-', 2), substring(workflow_uuid FROM 'sched-[0-9]+-(.*)'),
        created_at * 1000
    FROM dbos.workflow_status
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """The servers that all rows share.

    Attributes:
        postgres: The URL of a database on the PostgreSQL server, without its name: ``postgresql://..:5432/``.
        redis: The port of Redis.
    """

    postgres: str
    redis: int


class Failed(Exception):
    """A program of a row has ended by itself, or said why it cannot play."""


class Stage:
    """A place of its own for one cell.

    Args:
        servers: The servers.
        lane: Which of the cells that play at once this is; names the databases.
        row: Who plays.
        tasks: How many schedules.
        ticks: How many ticks of each.
    """

    def __init__(self, servers: Servers, lane: int, row: Row, tasks: int, ticks: int) -> None:
        self._servers = servers
        self._database = f"lane_{lane}"
        self._lane = lane
        self._row = row
        self._folder = tempfile.TemporaryDirectory(prefix="peers-", ignore_cleanup_errors=True)
        self._programs: list[subprocess.Popen[bytes]] = []
        self._anew()
        begin = first_instant(row, tasks, ticks, now())
        self.cell = Cell(
            step="register",
            tasks=tasks,
            period=PERIOD,
            begin=begin,
            cron=cron(begin, ticks),
            folder=self._folder.name,
            postgres=servers.postgres + self._database,
            redis=f"redis://127.0.0.1:{servers.redis}/{lane}",
            options=dict(row.options),
        )
        self.reader: Reader | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        if self.reader:
            self.reader.close()
        with psycopg.connect(self._servers.postgres + "postgres", autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {self._database} WITH (FORCE)".encode())
        self._folder.cleanup()

    def register(self, seconds: float) -> None:
        """Let the row write its schedules where it keeps them, and begin to watch for arrivals.

        Args:
            seconds: How long it may take.

        Raises:
            Failed: It can't, or not within that time.
        """
        for words in self._register():
            program = self._start(words, "register")
            try:
                code = program.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
                raise Failed(f"registers longer than {seconds:.0f} s") from None
            if code:
                raise Failed(self._said("register"))
        self._programs.clear()
        self.reader = self._watch()

    def start(self) -> None:
        """Start its programs, those of them that do not run."""
        running = len(self._programs)
        for number, words in enumerate(self._run()[: len(self._run()) - running]):
            self._programs.insert(number, self._start(words, f"run-{number}"))

    def kill(self) -> None:
        """Kill with -9 whatever the row's crash kills, with all their children."""
        self._kill(len(self._programs))

    def crash(self) -> None:
        """Kill with -9 what a crash of this row kills."""
        self._kill(int(self._row.options.get("killed", len(self._programs))))

    def expect_ready(self) -> None:
        """Look whether its program knows all schedules and waits for time alone.

        Raises:
            Failed: It does not.
        """
        if self._row.environment and not Path(self.cell.folder, "ready").exists():
            raise Failed("is not ready in time")

    def expect_alive(self) -> None:
        """Look whether all its programs live.

        Raises:
            Failed: One has ended by itself.
        """
        for number, program in enumerate(self._programs):
            if program.poll() is not None:
                raise Failed(self._said(f"run-{number}"))

    def cpu(self) -> float:
        """Return the CPU seconds that its programs have taken."""
        return sum(cpu(one) for program in self._programs for one in family(program.pid))

    def skipped(self) -> int:
        """Return how many ticks the row itself records as skipped; nobody but Everytick records any."""
        if self._row.environment:
            return 0
        with open_ledger(self._ledger()) as ledger:
            counts = [ledger.counts(row.newest.task_id, 0) for row in ledger.tasks()]
        return sum(count.get("skipped", 0) for count in counts)

    def _kill(self, count: int) -> None:
        for program in self._programs[:count]:
            for one in family(program.pid):
                try:
                    os.kill(one, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            program.wait()
        del self._programs[:count]

    def _anew(self) -> None:
        with psycopg.connect(self._servers.postgres + "postgres", autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {self._database} WITH (FORCE)".encode())
            connection.execute(f"CREATE DATABASE {self._database}".encode())
        with Redis(self._servers.redis, self._lane) as redis:
            redis.ask("FLUSHDB")

    def _register(self) -> list[list[str]]:
        if self._row.environment:
            return [self._foreign("register")]
        return (
            [self._own("apply", str(HERE / "own_tasks.py"), "--yes")] if self._row.keeps != "SQLite" else []
        )

    def _run(self) -> list[list[str]]:
        if self._row.environment:
            return [self._foreign("run")]
        if self._row.program == "up":
            return [self._own("up", str(HERE / "own_tasks.py"), "--limit", "10000", "--quiet")]
        runners = int(self._row.options.get("runners", 1))
        return [self._own("scheduler"), *([self._own("runner", "--limit", "10000")] * runners)]

    def _foreign(self, step: str) -> list[str]:
        program = str(HERE / "programs" / self._row.program)
        return [str(python(self._row.environment)), program, replace(self.cell, step=step).json()]

    def _own(self, command: str, *words: str) -> list[str]:
        return [sys.executable, "-m", "everytick", command, "--ledger", self._ledger(), *words]

    def _ledger(self) -> str:
        sqlite = f"sqlite:///{self.cell.folder}/ledger.db"
        return self.cell.postgres if self._row.keeps == "PostgreSQL" else sqlite

    def _start(self, words: list[str], log: str) -> subprocess.Popen[bytes]:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": self.cell.folder,
            "TZ": "UTC",
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(HERE.parents[1] / "src"),
            "EVERYTICK_PEERS_FOLDER": self.cell.folder,
            "EVERYTICK_PEERS_CELL": self.cell.json(),
        }
        with Path(self.cell.folder, log).open("ab") as file:
            return subprocess.Popen(
                words,
                cwd=self.cell.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )

    def _watch(self) -> Reader:
        match self._row.environment:
            case "procrastinate":
                return Rows(self.cell.postgres, _PROCRASTINATE, "procrastinate_jobs")
            case "dbos":
                return Rows(self.cell.postgres, _DBOS, "dbos.workflow_status")
            case "rq":
                return Jobs(self._servers.redis, self._lane, "rq:queue:handed-over")
            case "celery" | "django-celery-beat" | "redbeat":
                return Messages(self._servers.redis, self._lane, "celery")
            case _:
                return Notes(Path(self.cell.folder))

    def _said(self, log: str) -> str:
        lines = Path(self.cell.folder, log).read_text("utf-8", "replace").strip().splitlines()
        return lines[-1][:120] if lines else "ended without a word"
