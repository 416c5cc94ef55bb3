"""What the tests of contracts share."""

import os
import select
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from everytick.executor import Executor, Result
from everytick.executors.warden import kin
from everytick.executors.warden.client import Warden
from everytick.ledgers.sqlite import SqliteLedger
from everytick.testing.ledgers.scene import Scene
from everytick.testing.servers import PostgresServer
from everytick.testing.servers.server import hand_over

PATIENCE = 15.0
"""Seconds until a test gives up; none of them waits for so long when all is well."""


@pytest.fixture
def until() -> Callable[[Callable[[], object]], None]:
    """Wait until something is so."""
    pause = threading.Event()

    def wait(fact: Callable[[], object]) -> None:
        for _ in range(int(PATIENCE / 0.005)):
            if fact():
                return
            pause.wait(0.005)
        pytest.fail("it did not come true")

    return wait


@pytest.fixture
def wait() -> Callable[..., list[Result]]:
    """Wait for so many results."""

    def results(executor: Executor, count: int = 1) -> list[Result]:
        found = executor.results()
        while len(found) < count:
            descriptor = executor.fileno()
            assert descriptor is not None
            assert select.select([descriptor], [], [], PATIENCE)[0], f"{len(found)} of {count} came"
            found += executor.results()
        assert len(found) == count
        return found

    return results


@pytest.fixture
def alive() -> Callable[[int], bool]:
    """Tell whether a process lives."""

    def tell(pid: int) -> bool:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return False
        return state not in "ZX"

    return tell


@pytest.fixture
def warden(alive: Callable[[int], bool]) -> Iterator[Warden]:
    """A warden that leaves no process behind."""
    made = Warden()
    yield made
    family = set() if made.pid is None else kin.family({made.pid})
    made.close()
    assert not [pid for pid in family if alive(pid)]


@pytest.fixture
def jobs() -> str:
    """The file with the callables to run."""
    return str(Path(__file__).with_name("jobs.py"))


@pytest.fixture
def needs() -> Callable[[object, str], None]:
    """Go on only where the machine has what a test needs; a CI run that lacks it fails."""

    def check(there: object, what: str) -> None:
        if not there:
            if os.environ.get("CI") == "true":
                pytest.fail(f"this test needs {what}")
            pytest.skip(f"needs {what}")

    return check


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of a ledger with one task."""
    file = tmp_path / "ledger.db"
    with SqliteLedger(str(file)) as ledger:
        Scene(ledger).task()
    return file


@pytest.fixture
def sound() -> Callable[[Path], set[int]]:
    """Return the numbers of the requests in a file that is whole: each with its change and its tick."""

    def check(path: Path) -> set[int]:
        with closing(sqlite3.connect(path)) as db:
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            changes = {number for (number,) in db.execute("SELECT id FROM change WHERE act = 'run'")}
            ticks = {number for (number,) in db.execute("SELECT request FROM tick WHERE request <> 0")}
        assert ticks == changes
        return changes

    return check


@pytest.fixture(scope="session")
def certificates(servers: Path) -> Path:
    """A folder with an authority, a certificate of it for 127.0.0.1, and an authority that nobody asked."""
    folder = servers / "certificates"
    folder.mkdir()
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-batch", "-days", "2"]
    for name in ("root", "stranger"):
        openssl(folder, "req", "-x509", *curve, "-subj", f"/CN={name}", "-keyout", f"{name}.key",
                "-out", f"{name}.crt")  # fmt: skip
    openssl(folder, "req", *curve, "-subj", "/CN=ledger", "-keyout", "server.key", "-out", "server.csr")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1")
    openssl(folder, "x509", "-req", "-in", "server.csr", "-CA", "root.crt", "-CAkey", "root.key",
            "-CAcreateserial", "-days", "2", "-extfile", "names", "-out", "server.crt")  # fmt: skip
    hand_over(folder)
    (folder / "server.key").chmod(0o600)
    return folder


def openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True, timeout=60)


@pytest.fixture(scope="session")
def secret() -> str:
    """The password of the guarded server's role."""
    return "grün & 'gut' %40 \\ k7Qx9Zt2"


@pytest.fixture(scope="session")
def guarded(servers: Path, certificates: Path, secret: str) -> Iterator[PostgresServer]:
    """A PostgreSQL that lets nobody in without TLS and a password."""
    server = PostgresServer(
        servers / "guarded",
        settings={
            "ssl": "on",
            "ssl_cert_file": str(certificates / "server.crt"),
            "ssl_key_file": str(certificates / "server.key"),
            "log_statement": "all",
        },
        access=["hostssl all all samenet scram-sha-256"],
    )
    with server:
        server.database("somebodys", password=secret)
        yield server
