"""The password of a ledger on PostgreSQL: where it comes from, and that nobody is told."""

import logging
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from psycopg.sql import SQL, Literal

from everytick.errors import ConfigError, LedgerError
from everytick.ledgers.postgres import PostgresLedger
from everytick.ledgers.secrecy import tells_password, without_password
from everytick.testing.servers import PostgresServer

KERNEL = "k7Qx9Zt2"
"""What of the secret survives every way of writing it."""


@pytest.fixture
def url(guarded: PostgresServer) -> str:
    """A ledger on the guarded server."""
    return guarded.url("somebodys", "everytick")


@pytest.fixture
def password(tmp_path: Path, secret: str) -> Path:
    """A file that holds the password."""
    file = tmp_path / "password"
    file.write_text(secret + "\n", "utf-8")
    return file


class TestPasswords:
    def test_from_the_environment(self, secret: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PGPASSWORD", secret)
        with PostgresLedger(url) as ledger:
            assert ledger.processes() == []

    def test_from_a_password_file_of_libpq(
        self, secret: str, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = tmp_path / "pgpass"
        file.write_text(f"*:*:*:everytick:{secret.replace(chr(92), chr(92) * 2)}\n")
        file.chmod(0o600)
        monkeypatch.setenv("PGPASSFILE", str(file))
        with PostgresLedger(url) as ledger:
            assert ledger.processes() == []

    def test_from_a_file_that_holds_nothing_else(self, url: str, password: Path) -> None:
        with PostgresLedger(f"{url}?password_file={password}") as ledger:
            assert ledger.processes() == []

    def test_a_wrong_one_is_one_clear_error(
        self, secret: str, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PGPASSWORD", f"not {secret}")
        with pytest.raises(LedgerError, match="does not let this user in") as caught:
            PostgresLedger(url)
        assert KERNEL not in "".join(map(str, chain(caught.value)))

    def test_none_is_one_clear_error(self, url: str) -> None:
        with pytest.raises(LedgerError, match=r"does not let this user in.*no password supplied"):
            PostgresLedger(url)


def chain(fault: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and those it came from."""
    while fault is not None:
        yield fault
        fault = fault.__cause__ or fault.__context__


class TestSecrecy:
    def test_no_record_error_or_repr_tells_it(
        self, url: str, guarded: PostgresServer, password: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        told = []
        with PostgresLedger(f"{url}?password_file={password}") as ledger:
            told += [repr(ledger), str(ledger.path), repr(ledger._db), repr(ledger._db.address)]
            with guarded.connect() as db:
                db.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'everytick'"
                )
            with pytest.raises(LedgerError) as caught:
                ledger.processes()
            told += map(repr, chain(caught.value))
            assert ledger.processes() == []
        inside = url.replace("everytick@", f"everytick:{KERNEL}@")
        for broken in (inside, f"{inside}?schema=pg_x", f"{inside}?colour=blue", f"{url}?password={KERNEL}"):
            with pytest.raises((LedgerError, ConfigError)) as refused:
                PostgresLedger(broken)
            told += [*map(str, chain(refused.value)), *map(repr, chain(refused.value))]
        assert [words for words in (*told, caplog.text) if KERNEL in words] == []

    def test_neither_the_list_of_processes_nor_the_ledger_has_it(
        self, guarded: PostgresServer, tmp_path: Path, until: Callable[[Callable[[], object]], None]
    ) -> None:
        (tmp_path / "everytick.toml").write_text(
            'ledger = "env:THE_LEDGER"\n[task.t]\ncommand = ["true"]\nschedule = "every 1s"\n'
        )
        place = f"everytick:{KERNEL}@127.0.0.1:{guarded.port}/somebodys?schema=up"
        with guarded.connect() as db:
            db.execute(f"CREATE ROLE up LOGIN PASSWORD '{KERNEL}'".encode())
            db.execute("GRANT CREATE ON DATABASE somebodys TO up")
        surroundings = {**os.environ, "THE_LEDGER": f"postgresql://{place.replace('everytick', 'up', 1)}"}
        with subprocess.Popen(
            [sys.executable, "-m", "everytick", "up"],
            cwd=tmp_path, env=surroundings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        ) as program:  # fmt: skip
            assert program.stdout is not None
            said = program.stdout.readline()
            with guarded.connect("somebodys") as db:
                until(lambda: db.execute("SELECT FROM up.tick WHERE state = 'succeeded'").rowcount)
            listed = [words for words in commands() if KERNEL.encode() in words]
            program.terminate()
            said += program.communicate(timeout=60)[0]
        assert "Ctrl-C ends it" in said
        assert (program.returncode, listed) == (0, [])
        assert KERNEL not in said
        dump = subprocess.run(
            [guarded.programs / "pg_dump", "--schema=up", guarded.url("somebodys")],
            capture_output=True, text=True, check=True, timeout=60,
        ).stdout  # fmt: skip
        assert "every 1s" in dump
        assert KERNEL not in dump
        files = [file for file in tmp_path.rglob("*") if file.is_file()]
        assert [file for file in files if KERNEL.encode() in file.read_bytes()] == []

    @pytest.mark.parametrize("character", "/?#[]%@ &=:\\'\"+é")
    def test_one_with_a_character_that_means_something_in_a_url_is_not_taken_for_a_host(
        self, character: str
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        password = f"a{character}{KERNEL}"
        told = []
        for url in (
            f"postgresql://everytick:{password}@127.0.0.1:{port}/db",
            f"postgresql://everytick@127.0.0.1:{port}/db?password={password}",
            f"postgresql://everytick:1{character}x={password}@127.0.0.1:{port}/db",
        ):
            assert tells_password(url)
            with pytest.raises((LedgerError, ConfigError)) as refused:
                PostgresLedger(url)
            told += [*map(str, chain(refused.value)), *map(repr, chain(refused.value)), without_password(url)]
        assert [words for words in told if KERNEL in words] == []

    @pytest.mark.parametrize("place", ["h:port/db", "[::1/db", "h/db/x", "h/d b"])
    def test_a_url_that_cannot_be_read_and_holds_none_is_not_taken_for_one(self, place: str) -> None:
        assert not tells_password(f"postgresql://everytick@{place}")
        with pytest.raises(ConfigError, match="this is no URL of PostgreSQL; write postgresql://USER@HOST"):
            PostgresLedger(f"postgresql://everytick@{place}")

    def test_a_password_reaches_the_server_as_it_was_meant(self, guarded: PostgresServer) -> None:
        password = f"+ %40/?#[]&=:@'é{KERNEL}"
        with guarded.connect() as db:
            db.execute(SQL("CREATE ROLE quoted LOGIN PASSWORD {}").format(Literal(password)))
            db.execute("GRANT CREATE ON DATABASE somebodys TO quoted")
        place = f"127.0.0.1:{guarded.port}/somebodys?schema=quoted"
        for url in (
            f"postgresql://quoted:{quote(password, safe='')}@{place}",
            f"postgresql://quoted@{place}&password={quote(password, safe='+')}",
        ):
            with PostgresLedger(url) as ledger:
                assert KERNEL not in str(ledger.path)

    @pytest.mark.parametrize("written", ["everytick:{secret}@127.0.0.1/db", "127.0.0.1/db?password={secret}"])
    def test_on_the_command_line_it_is_refused(self, tmp_path: Path, written: str) -> None:
        url = f"postgresql://{written.format(secret=KERNEL)}"
        done = subprocess.run(
            [sys.executable, "-m", "everytick", "tasks", "--ledger", url],
            cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 2
        assert "can be read by all users of this machine" in " ".join(done.stderr.split())
        assert KERNEL not in done.stdout + done.stderr


def commands() -> Iterator[bytes]:
    """Yield the command of each process that there is."""
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield process.read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
