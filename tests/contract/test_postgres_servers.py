"""The servers that tests start: private, without privileges, and gone when they have to be."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from everytick.executors.warden import kin
from everytick.testing.servers import PgBouncer, PostgresServer, RedisServer, Server, ServerFailed
from everytick.testing.servers.server import PORTS

Until = Callable[[Callable[[], object]], None]


def each(servers: Path, postgres15: PostgresServer) -> list[Server]:
    return [
        PostgresServer(servers / "own"),
        PgBouncer(servers / "bouncer", postgres15),
        RedisServer(servers / "redis", durable=True),
    ]


class TestServers:
    @pytest.mark.parametrize("number", range(3), ids=["postgres", "pgbouncer", "redis"])
    def test_each_is_private_and_comes_back_where_it_was(
        self, servers: Path, postgres15: PostgresServer, number: int
    ) -> None:
        server = each(servers, postgres15)[number]
        assert server.port in PORTS
        with server:
            first = server.pid
            family = kin.family({first})
            if os.geteuid() == 0:
                assert {Path(f"/proc/{pid}").stat().st_uid for pid in family} != {0}
            assert listening(server.port) == {"127.0.0.1"}
            server.kill()
            assert not kin.family(family)
            server.start()
            assert server.pid != first
            server.restart()
            assert server.ready()
            last = server.pid
        assert not server.ready()
        assert not kin.family({last})

    def test_postgres_keeps_what_it_confirmed_if_it_is_to(self, servers: Path) -> None:
        with PostgresServer(servers / "durable", durable=True) as server:
            with server.connect() as db:
                db.execute("CREATE TABLE word AS SELECT 'kept' AS text")
            server.kill()
            server.start()
            with server.connect() as db:
                assert db.execute("SELECT text FROM word").fetchall() == [("kept",)]
                assert db.execute("SHOW fsync").fetchone() == ("on",)

    def test_a_database_is_somebody_else_s(self, postgres15: PostgresServer) -> None:
        url = postgres15.database("theirs", user="visitor")
        with psycopg.connect(url, autocommit=True) as db:
            db.execute("CREATE SCHEMA own")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                db.execute("CREATE TABLE public.mine (id bigint)")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                db.execute("CREATE DATABASE more")

    def test_pgbouncer_lends_few_connections_to_many(
        self, pgbouncer: PgBouncer, postgres15: PostgresServer
    ) -> None:
        url = pgbouncer.url("somebodys", "everytick")
        clients = [psycopg.connect(url, autocommit=True) for _ in range(3 * pgbouncer.size)]
        lent = {client.execute("SELECT pg_backend_pid()").fetchone() for client in clients}
        for client in clients:
            client.close()
        assert len(lent) <= pgbouncer.size
        assert pgbouncer.port != postgres15.port

    def test_none_outlives_the_tests_that_started_it(self, servers: Path, until: Until) -> None:
        code = (
            "import sys, pathlib; from everytick.testing.servers import PostgresServer\n"
            "server = PostgresServer(pathlib.Path(sys.argv[1])); server.start()\n"
            "print(server.pid, flush=True); sys.stdin.read()"
        )
        with subprocess.Popen(
            [sys.executable, "-c", code, servers / "orphan"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as tests:
            assert tests.stdout is not None
            pid = int(tests.stdout.readline())
            assert kin.family({pid})
            tests.send_signal(signal.SIGKILL)
        until(lambda: not kin.family({pid}))


class TestRefusals:
    def test_a_version_that_is_not_there(self, servers: Path) -> None:
        with pytest.raises(ServerFailed, match=r"PostgreSQL 9 is not .* apt-get install postgresql"):
            PostgresServer(servers / "old", version=9).start()

    def test_a_program_that_is_not_there(
        self, servers: Path, postgres15: PostgresServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("shutil.which", lambda *_, **__: None)
        with pytest.raises(ServerFailed, match="redis-server is not installed; on Debian: apt-get install"):
            RedisServer(servers / "none").start()
        with pytest.raises(ServerFailed, match="pgbouncer is not installed; on Debian: apt-get install"):
            PgBouncer(servers / "none", postgres15).start()

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root gives its rights up")
    def test_a_folder_that_others_may_not_enter(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o700)
        with pytest.raises(ServerFailed, match=r"its user cannot enter .* of open_folder\(\)"):
            PostgresServer(tmp_path / "closed").start()

    def test_what_it_says_itself(self, servers: Path) -> None:
        server = PostgresServer(servers / "odd", settings={"no_such_setting": "1"})
        with pytest.raises(ServerFailed, match='unrecognized configuration parameter "no_such_setting"'):
            server.start()
        with pytest.raises(ServerFailed, match="postgres does not run"):
            _ = server.pid


def listening(port: int) -> set[str]:
    """Return the addresses of this machine at which somebody listens on a port."""
    found = set()
    for table, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *_ = line.split()
            address, _, number = local.partition(":")
            if state == "0A" and int(number, 16) == port:
                packed = b"".join(bytes.fromhex(address[i : i + 8])[::-1] for i in range(0, len(address), 8))
                found.add(socket.inet_ntop(family, packed))
    return found
