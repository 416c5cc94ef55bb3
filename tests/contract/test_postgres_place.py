"""A ledger in somebody's PostgreSQL: its schema, its role, TLS, passwords."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from everytick.app import open_ledger
from everytick.errors import ConfigError, LedgerDamaged, LedgerError
from everytick.ledgers.postgres import PostgresLedger
from everytick.ledgers.postgres.connection import Connection, Row
from everytick.testing.ledgers.scene import Scene, due
from everytick.testing.servers import PgBouncer, PostgresServer

Place = Callable[[PostgresServer | PgBouncer], str]


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
        with pytest.raises(LedgerError, match='CREATE SCHEMA "everytick" AUTHORIZATION "nobody"'):
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

    @pytest.mark.parametrize(
        "schema", ["Mixed Case", 'a"quote', "select", "an.dot", "ünïcode", "%s", "a'b", "50%", "a&b", "#1"]
    )
    def test_a_schema_may_have_any_name(self, postgres15: PostgresServer, schema: str) -> None:
        url = f"{postgres15.url('somebodys', 'everytick')}?schema={quote(schema)}"
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

    def test_who_looks_while_another_fills_an_empty_schema_takes_it_for_no_other_program_s(
        self, postgres15: PostgresServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with postgres15.connect("somebodys") as db:
            db.execute("CREATE SCHEMA early AUTHORIZATION everytick")
        url = f"{postgres15.url('somebodys', 'everytick')}?schema=early"
        others: list[PostgresLedger] = []
        asked = Connection.rows

        def rows(self: Connection, statement: str, /, **values: object) -> list[Row]:
            found = asked(self, statement, **values)
            if not others:
                monkeypatch.undo()
                others.append(PostgresLedger(url))
            return found

        monkeypatch.setattr(Connection, "rows", rows)
        with PostgresLedger(url) as ledger, others[0]:
            assert (ledger.migrated, others[0].migrated) == ([], [one.name for one in ledger.migrations()])
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


@pytest.fixture
def url(guarded: PostgresServer) -> str:
    """A ledger on the guarded server."""
    return guarded.url("somebodys", "everytick")


class TestEncryption:
    @pytest.fixture(autouse=True)
    def known(self, secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PGPASSWORD", secret)

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
