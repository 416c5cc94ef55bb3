"""What all tests share: the values of what failed in a suite that others run too, and real servers."""

import os
import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from everytick.testing.servers import PgBouncer, PostgresServer, open_folder
from everytick.testing.servers.postgres import versions

pytest.register_assert_rewrite("everytick.testing.ledgers")

NUMBERS = count(1)


@pytest.fixture(scope="session")
def servers() -> Iterator[Path]:
    """A folder for servers; pytest's own are closed to the user whom they run as."""
    folder = open_folder()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres15(servers: Path) -> Iterator[PostgresServer]:
    """The distribution's PostgreSQL, 15 on Debian 12, with somebody's database ``somebodys``."""
    known = versions()
    there = 15 in known or os.environ.get("CI") == "true"
    yield from _postgres(servers, 15 if there else min(known, default=15))


@pytest.fixture(scope="session")
def postgres14(servers: Path) -> Iterator[PostgresServer]:
    """PostgreSQL 14, the oldest that is supported, with somebody's database ``somebodys``."""
    if 14 not in versions() and os.environ.get("CI") != "true":
        pytest.skip("PostgreSQL 14 is not installed; make tools does it")
    yield from _postgres(servers, 14)


@pytest.fixture(scope="session")
def postgres18(servers: Path) -> Iterator[PostgresServer]:
    """PostgreSQL 18, with somebody's database ``somebodys``."""
    yield from _postgres(servers, 18)


@pytest.fixture(scope="session")
def pgbouncer(servers: Path, postgres15: PostgresServer) -> Iterator[PgBouncer]:
    """A pgbouncer before the distribution's PostgreSQL, in transaction mode."""
    with PgBouncer(servers / "pgbouncer", postgres15) as server:
        yield server


@pytest.fixture
def place() -> Callable[[PostgresServer | PgBouncer], str]:
    """Return a maker of URLs of ledgers that are not there yet, for a role that owns nothing."""

    def make(server: PostgresServer | PgBouncer) -> str:
        return f"{server.url('somebodys', 'everytick')}?schema=t{next(NUMBERS)}"

    return make


def _postgres(servers: Path, version: int) -> Iterator[PostgresServer]:
    with PostgresServer(servers / f"postgres{version}", version=version) as server:
        server.database("somebodys")
        yield server
        server.kill()  # to end in order would write down what is deleted next
