"""The database of a run: PostgreSQL on a small disk of its own, whose node has a wall clock of its own."""

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.fault.wall import Wall

from everytick.testing.servers import PgBouncer, PostgresServer

from .network import HERE

_NAME = "somebodys"
_RESTORED = "restored"
_POOLED = "pgbouncer, "
KINDS = ("15", "18", f"{_POOLED}15")
"""The kinds of servers: versions of PostgreSQL, one of them behind pgbouncer in transaction mode."""

_MEMORY = Path("/dev/shm/pooler")
_BALLAST = 1 << 20
_PAGE = 4096

_CUT = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = %s AND pid <> pg_backend_pid()
"""


class _Server(PostgresServer):
    """A PostgreSQL that goes by a wall clock of its own."""

    wall: Wall

    def command(self) -> Sequence[str]:
        """Return the command, under its clock; as root that would make semaphores which it could not open."""
        clock = [f"{name}={value}" for name, value in self.wall.environment.items()]
        return ["env", *clock, *super().command()]


class _Pooler(PgBouncer):
    """A pgbouncer that looks each second whether its server is there again, not every fifteen."""

    def command(self) -> Sequence[str]:
        """Return the command; a client waits no longer for a server than its lease allows."""
        command = super().command()
        with Path(command[-1]).open("a") as config:
            config.write("server_login_retry = 1\nquery_wait_timeout = 5\n")
        return command


class Database:
    """A durable PostgreSQL, and what can befall it.

    Args:
        disk: Where its disk is mounted.
        clocks: Where the file of its wall clock goes.
        kind: One of `KINDS`.

    Attributes:
        wall: Its wall clock.
        ledger: The ledger's URL, for who looks from outside.
        entrance: At which port the programs reach it.
    """

    def __init__(self, disk: Path, clocks: Path, kind: str) -> None:
        self._disk = disk
        self.wall = Wall(clocks, "database")
        settings = {"max_wal_size": "64MB", "min_wal_size": "32MB", "wal_keep_size": "0"}
        version = int(kind.removeprefix(_POOLED))
        self._server = _Server(disk / "server", version=version, settings=settings, durable=True, host=HERE)
        self._server.wall = self.wall
        self._server.start()
        self.ledger = self._server.database(_NAME)
        self.entrance = self._server.port
        if kind.startswith(_POOLED):
            self._pooler = _Pooler(_MEMORY, self._server)
            self._pooler.start()
            self.entrance = self._pooler.port

    def keep(self, folder: Path) -> None:
        """Copy into a folder what it said, and a dump of the ledger: its disk is gone with the stage."""
        self.dump()
        shutil.copy(self._server.log, folder)
        shutil.copy(self._dump, folder)

    def through(self, port: int) -> str:
        """Return the ledger's URL for who reaches it by another port."""
        return self.ledger.replace(f":{self._server.port}/", f":{port}/")

    def kill(self) -> None:
        """Kill all its processes with -9."""
        self._server.kill()

    def start(self) -> None:
        """Start it again; what was committed is there."""
        self._server.start()

    def backends(self) -> list[int]:
        """Return the processes that serve the programs."""
        query = "SELECT pid FROM pg_stat_activity WHERE application_name = 'everytick' ORDER BY pid"
        with self._server.connect() as db:
            return [pid for (pid,) in db.execute(query)]

    def cut(self) -> int:
        """Cut all connections to the ledger; return how many there were."""
        with self._server.connect() as db:
            (count,) = db.execute(_CUT, [_NAME]).fetchone() or (0,)
        return int(count)

    @contextmanager
    def full(self) -> Iterator[None]:
        """Fill its disk to the last byte; in the end make room, and start it where it gave up."""
        ballast = self._disk / "ballast"
        try:
            with ballast.open("wb", buffering=0) as file:
                for size in (_BALLAST, _PAGE):
                    with suppress(OSError):
                        while file.write(bytes(size)) == size:
                            pass
            yield
        finally:
            ballast.unlink()
            self._revive()

    def dump(self) -> None:
        """Dump the ledger; a dump made before is forgotten."""
        self._tool("pg_dump", "--format=custom", f"--file={self._dump}", f"--dbname={self._url(_NAME)}")

    def restore(self) -> None:
        """Put the ledger of the dump in the place of the present one, which is lost."""
        with self._server.connect() as db:
            db.execute(f"CREATE DATABASE {_RESTORED}")
        self._tool("pg_restore", f"--dbname={self._url(_RESTORED)}", str(self._dump))
        with self._server.connect() as db:
            db.execute(f"GRANT CREATE ON DATABASE {_RESTORED} TO everytick")
            db.execute(f"DROP DATABASE {_NAME} WITH (FORCE)")
            db.execute(f"ALTER DATABASE {_RESTORED} RENAME TO {_NAME}")

    @property
    def _dump(self) -> Path:
        return self._disk / "dump"

    def _url(self, name: str) -> str:
        return self._server.url(name)

    def _tool(self, name: str, *words: str) -> None:
        subprocess.run([self._server.programs / name, *words], check=True, capture_output=True)

    def _revive(self) -> None:
        """Start it where it gave up for want of room."""
        if not self._server.ready():
            self._server.kill()
            self._server.start()
