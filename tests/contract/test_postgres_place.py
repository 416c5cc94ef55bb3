"""A ledger in somebody's PostgreSQL: its schema, its role, TLS, passwords."""

import logging
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from everytick.app import open_ledger
from everytick.errors import ConfigError, LedgerDamaged, LedgerError
from everytick.ledgers.postgres import PostgresLedger
from everytick.testing.ledgers.scene import Scene, due
from everytick.testing.servers import PgBouncer, PostgresServer
from everytick.testing.servers.server import hand_over

Place = Callable[[PostgresServer | PgBouncer], str]
SECRET = "grün & 'gut' %40 \\ k7Qx9Zt2"
KERNEL = "k7Qx9Zt2"
"""What of it survives every way of writing it."""


def live(ledger: PostgresLedger) -> None:
    """Let the ledger write into each of its tables."""
    scene = Scene(ledger)
    task = scene.task()
    runner = scene.runner()
    scene.plan(due(3))
    attempt = scene.started(runner, due(1))
    scene.settle(attempt, due(1), "error", "said no")
    scene.request(task, due(2))
    assert scene.states(task) == [(1, "failed(error)")]


def everything(server: PostgresServer, database: str, schema: str) -> set[tuple[object, ...]]:
    """Return whatever a database holds outside a schema, and what the server holds."""
    with server.connect(database) as db:
        found = db.execute(
            """
            WITH theirs AS (SELECT oid, nspname FROM pg_namespace
                WHERE nspname <> %s AND nspname !~ '^(pg_|information_schema)')
            SELECT 'schema', nspname, nspname FROM theirs
            UNION ALL SELECT 'relation', nspname, relname FROM pg_class JOIN theirs ON theirs.oid=relnamespace
            UNION ALL SELECT 'routine', nspname, proname FROM pg_proc JOIN theirs ON theirs.oid = pronamespace
            UNION ALL SELECT 'type', nspname, typname FROM pg_type JOIN theirs ON theirs.oid = typnamespace
            UNION ALL SELECT 'temporary', relname, '' FROM pg_class WHERE relpersistence = 't'
            UNION ALL SELECT 'role', rolname, '' FROM pg_roles
            UNION ALL SELECT 'setting', setdatabase::text, setrole::text FROM pg_db_role_setting
            UNION ALL SELECT 'extension', extname, '' FROM pg_extension
            UNION ALL SELECT 'lock', objid::text, '' FROM pg_locks WHERE locktype = 'advisory'
            UNION ALL SELECT 'large object', oid::text, '' FROM pg_largeobject_metadata
            UNION ALL SELECT 'trigger on events', evtname, '' FROM pg_event_trigger
            """,
            [schema],
        )
        return set(found.fetchall())


class TestSchema:
    @pytest.mark.parametrize("version", ["postgres15", "postgres18"])
    def test_a_role_that_owns_nothing_else_leaves_nothing_outside(
        self, version: str, request: pytest.FixtureRequest, place: Place
    ) -> None:
        server: PostgresServer = request.getfixturevalue(version)
        url = place(server)
        schema = url.rpartition("=")[2]
        before = everything(server, "somebodys", schema)
        with PostgresLedger(url) as ledger:
            live(ledger)
        assert everything(server, "somebodys", schema) == before
        with server.connect("somebodys") as db:
            owned = db.execute(
                "SELECT DISTINCT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                " WHERE c.relowner = 'everytick'::regrole AND n.nspname = %s",
                [schema],
            ).fetchall()
        assert owned == [(schema,)]

    def test_a_schema_that_was_made_for_the_role_is_enough(self, postgres15: PostgresServer) -> None:
        postgres15.database("strict", user="guest")
        with postgres15.connect("strict") as db:
            db.execute("REVOKE CREATE ON DATABASE strict FROM guest")
            db.execute("CREATE SCHEMA everytick AUTHORIZATION guest")
            db.execute("CREATE SCHEMA theirs")
            db.execute("CREATE TABLE theirs.secret (word text)")
        url = postgres15.url("strict", "guest")
        with PostgresLedger(url) as ledger:
            live(ledger)
        with PostgresLedger(url) as again:
            assert [row.newest.name for row in again.tasks()] == ["report"]
        with psycopg.connect(url) as db, pytest.raises(psycopg.errors.InsufficientPrivilege):
            db.execute("SELECT * FROM theirs.secret")

    def test_without_the_right_to_make_one_the_error_says_how(self, postgres15: PostgresServer) -> None:
        postgres15.database("closed", user="nobody")
        with postgres15.connect() as db:
            db.execute("REVOKE CREATE ON DATABASE closed FROM nobody")
        with pytest.raises(LedgerError, match="CREATE SCHEMA everytick AUTHORIZATION"):
            PostgresLedger(postgres15.url("closed", "nobody"))

    def test_the_schema_of_another_program_is_left_alone(self, postgres15: PostgresServer) -> None:
        with postgres15.connect("somebodys") as db:
            db.execute("CREATE SCHEMA shop AUTHORIZATION everytick")
            db.execute("CREATE TABLE shop.orders (id bigint)")
        with pytest.raises(LedgerDamaged, match="the schema 'shop' belongs to another program"):
            PostgresLedger(f"{postgres15.url('somebodys', 'everytick')}?schema=shop")
        with postgres15.connect("somebodys") as db:
            tables = db.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'shop'").fetchall()
        assert tables == [("orders",)]

    def test_two_ledgers_in_one_database_know_nothing_of_each_other(
        self, postgres15: PostgresServer, place: Place
    ) -> None:
        with PostgresLedger(place(postgres15)) as one, PostgresLedger(place(postgres15)) as other:
            live(one)
            assert list(other.tasks()) == []
            live(other)
            assert [row.newest.task_id for row in other.tasks()] == [1]

    @pytest.mark.parametrize("schema", ["Mixed Case", 'a"quote', "select", "an.dot", "ünïcode", "%s", "a'b"])
    def test_a_schema_may_have_any_name(self, postgres15: PostgresServer, schema: str) -> None:
        url = f"{postgres15.url('somebodys', 'everytick')}?schema={schema.replace('%', '%25')}"
        with PostgresLedger(url) as ledger:
            live(ledger)
        with PostgresLedger(url) as again:
            assert len(list(again.tasks())) == 1
        with postgres15.connect("somebodys") as db:
            assert db.execute("SELECT FROM pg_namespace WHERE nspname = %s", [schema]).rowcount == 1

    def test_tables_of_the_same_name_on_the_search_path_are_not_taken_for_its_own(
        self, postgres15: PostgresServer, place: Place
    ) -> None:
        url = place(postgres15)
        with postgres15.connect("somebodys") as db:
            db.execute("CREATE SCHEMA decoy")
            for table in ("tick", "task", "slot", "cursor", "change", "process", "migration"):
                db.execute(f"CREATE TABLE decoy.{table} (id bigint)".encode())
            db.execute("GRANT ALL ON SCHEMA decoy TO everytick")
            db.execute("ALTER ROLE everytick IN DATABASE somebodys SET search_path = decoy")
        try:
            with PostgresLedger(url) as ledger:
                live(ledger)
        finally:
            with postgres15.connect("somebodys") as db:
                db.execute("ALTER ROLE everytick IN DATABASE somebodys RESET search_path")

    def test_several_that_open_a_new_ledger_at_once_make_it_once(
        self, postgres15: PostgresServer, place: Place
    ) -> None:
        code = "import sys; from everytick.app import open_ledger; open_ledger(sys.argv[1])"
        url = place(postgres15)
        several = [
            subprocess.Popen([sys.executable, "-c", code, url], stderr=subprocess.PIPE, text=True)
            for _ in range(6)
        ]
        assert [one.communicate(timeout=60)[1] for one in several] == [""] * 6
        with PostgresLedger(url) as ledger:
            live(ledger)

    @pytest.mark.parametrize(
        ("url", "words"),
        [
            ("postgresql://everytick@127.0.0.1", "it names no database"),
            ("postgresql://everytick@127.0.0.1/db?schema=pg_own", "is no name of a schema"),
            ("postgresql://everytick@127.0.0.1/db?schema=", "is no name of a schema"),
            ("postgresql://everytick@127.0.0.1/db?colour=blue", "colour"),
            ("postgresql://everytick@127.0.0.1/db?password_file=/no/such", "cannot be read from /no/such"),
        ],
    )
    def test_a_url_that_says_nothing_sensible_is_refused(self, url: str, words: str) -> None:
        with pytest.raises(ConfigError, match=re.escape(words)):
            open_ledger(url)


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
def guarded(servers: Path, certificates: Path) -> Iterator[PostgresServer]:
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
        server.database("somebodys", password=SECRET)
        yield server


@pytest.fixture
def url(guarded: PostgresServer) -> str:
    """A ledger on the guarded server."""
    return guarded.url("somebodys", "everytick")


@pytest.fixture
def password(tmp_path: Path) -> Path:
    """A file that holds the password."""
    file = tmp_path / "password"
    file.write_text(SECRET + "\n", "utf-8")
    return file


class TestEncryption:
    @pytest.fixture(autouse=True)
    def known(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PGPASSWORD", SECRET)

    @pytest.mark.parametrize(
        "words", ["require", "verify-ca&sslrootcert={root}", "verify-full&sslrootcert={root}"]
    )
    def test_it_is_used(self, guarded: PostgresServer, url: str, certificates: Path, words: str) -> None:
        mode = words.format(root=certificates / "root.crt")
        with PostgresLedger(f"{url}?sslmode={mode}") as ledger, guarded.connect() as db:
            assert list(ledger.tasks(name="nobody")) == []
            used = db.execute(
                "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'everytick'"
            ).fetchall()
        assert used == [(True,)]

    def test_a_server_that_others_vouch_for_is_refused(self, url: str, certificates: Path) -> None:
        with pytest.raises(LedgerError, match=r"Look at sslmode.*certificate verify failed"):
            PostgresLedger(f"{url}?sslmode=verify-full&sslrootcert={certificates / 'stranger.crt'}")

    def test_a_server_under_another_name_is_refused(self, url: str, certificates: Path) -> None:
        elsewhere = url.replace("127.0.0.1", "localhost")
        with pytest.raises(LedgerError, match="does not match host name"):
            PostgresLedger(f"{elsewhere}?sslmode=verify-full&sslrootcert={certificates / 'root.crt'}")

    def test_a_server_that_wants_it_is_not_asked_without(self, url: str) -> None:
        with pytest.raises(LedgerError, match="no encryption"):
            PostgresLedger(f"{url}?sslmode=disable")

    def test_a_server_without_it_is_refused_where_it_is_required(
        self, postgres15: PostgresServer, place: Place
    ) -> None:
        with pytest.raises(LedgerError, match="does not support SSL"):
            PostgresLedger(f"{place(postgres15)}&sslmode=require")


class TestPasswords:
    def test_from_the_environment(self, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PGPASSWORD", SECRET)
        with PostgresLedger(url) as ledger:
            assert ledger.processes() == []

    def test_from_a_password_file_of_libpq(
        self, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = tmp_path / "pgpass"
        file.write_text(f"*:*:*:everytick:{SECRET.replace(chr(92), chr(92) * 2)}\n")
        file.chmod(0o600)
        monkeypatch.setenv("PGPASSFILE", str(file))
        with PostgresLedger(url) as ledger:
            assert ledger.processes() == []

    def test_from_a_file_that_holds_nothing_else(self, url: str, password: Path) -> None:
        with PostgresLedger(f"{url}?password_file={password}") as ledger:
            assert ledger.processes() == []

    def test_a_wrong_one_is_one_clear_error(self, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PGPASSWORD", f"not {SECRET}")
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
