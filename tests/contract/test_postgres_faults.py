"""What can be wrong with a PostgreSQL: each is one clear error, and nothing of a failed method stays."""

import socket
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from everytick.errors import LedgerDamaged, LedgerError, LedgerReadOnly, LedgerTooNew
from everytick.ledgers.postgres import PostgresLedger, editions
from everytick.ledgers.statements import Migration, migrations
from everytick.plan import Cursor, Plan
from everytick.testing.ledgers.scene import NOBODY, START, Scene, due
from everytick.testing.servers import PgBouncer, PostgresServer

PATIENCE = 60.0
"""Seconds until a test gives up on a thread."""

Place = Callable[[PostgresServer | PgBouncer], str]


@pytest.fixture(scope="module")
def server(servers: Path) -> Iterator[PostgresServer]:
    """A PostgreSQL that may be broken; it writes each commit down."""
    with PostgresServer(servers / "broken", durable=True) as made:
        made.database("somebodys")
        yield made


@pytest.fixture
def ledger(server: PostgresServer, place: Place) -> Iterator[PostgresLedger]:
    """A ledger with one task, and ticks that are planned."""
    with PostgresLedger(place(server)) as made:
        scene = Scene(made)
        scene.task()
        scene.plan(due(2))
        yield made


def schema(ledger: PostgresLedger) -> str:
    return ledger.path.rpartition("=")[2]


def cut(server: PostgresServer) -> None:
    """Cut the connections of the role that the ledgers have."""
    with server.connect() as db:
        db.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'everytick'")


class TestNoWayIn:
    def test_nobody_listens(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        with pytest.raises(LedgerError, match=f"cannot be reached.*port {port} failed: Connection refused"):
            PostgresLedger(f"postgresql://everytick@127.0.0.1:{port}/somebodys")

    def test_no_such_host(self) -> None:
        with pytest.raises(LedgerError, match=r"cannot be reached.*resolve host 'no-such-host\.invalid'"):
            PostgresLedger("postgresql://everytick@no-such-host.invalid/somebodys")

    def test_no_such_database(self, server: PostgresServer) -> None:
        with pytest.raises(LedgerError, match=r'CREATE DATABASE "nowhere" \(.*"nowhere" does not exist'):
            PostgresLedger(server.url("nowhere", "everytick"))

    def test_no_such_role(self, server: PostgresServer) -> None:
        with pytest.raises(LedgerError, match='role "stranger" does not exist'):
            PostgresLedger(server.url("somebodys", "stranger"))

    def test_no_connection_left(self, server: PostgresServer) -> None:
        server.database("crowded", user="many")
        with server.connect() as db:
            db.execute("ALTER ROLE many CONNECTION LIMIT 0")
        with pytest.raises(LedgerError, match=r'max_connections.*too many connections for role "many"'):
            PostgresLedger(server.url("crowded", "many"))

    def test_a_pooler_that_gives_each_statement_another_connection(
        self, servers: Path, server: PostgresServer
    ) -> None:
        with PgBouncer(servers / "statements", server, mode="statement") as pooler:
            url = f"{pooler.url('somebodys', 'everytick')}?schema=pooled"
            with pytest.raises(LedgerError, match=r"Let it say pool_mode = transaction.*statement pooling"):
                PostgresLedger(url)

    def test_text_that_cannot_hold_every_character(self, server: PostgresServer) -> None:
        with server.connect() as db:
            db.execute("CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0")
        with pytest.raises(LedgerError, match="keeps its text as SQL_ASCII; the ledger needs UTF8"):
            PostgresLedger(server.url("ascii"))

    def test_a_server_that_is_older_than_the_oldest(
        self, postgres14: PostgresServer, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(editions, "OLDEST", 150_000)
        with pytest.raises(LedgerError, match="PostgreSQL 14 is too old; the ledger needs 15 or newer"):
            PostgresLedger(place(postgres14))

    def test_a_server_that_is_starting_up(self, servers: Path) -> None:
        class Slow(PostgresServer):
            def ready(self) -> bool:
                return "the database system is starting up" in self.refusal()

            def refusal(self) -> str:
                with pytest.raises(LedgerError) as refused:
                    PostgresLedger(self.url())
                return str(refused.value)

        PostgresServer(servers / "slow").__enter__().stop()
        (servers / "slow" / "data" / "recovery.signal").touch()
        with Slow(servers / "slow", settings={"restore_command": "sleep 60; false"}) as slow:
            assert "the server is stopping or starting" in slow.refusal()
            slow.kill()


class TestLost:
    def test_a_connection_that_was_cut_is_made_again(
        self, server: PostgresServer, ledger: PostgresLedger
    ) -> None:
        cut(server)
        with pytest.raises(LedgerError, match="terminating connection"):
            ledger.processes()
        assert ledger.processes() == []

    def test_one_that_is_cut_within_a_transaction_leaves_nothing(
        self, server: PostgresServer, ledger: PostgresLedger
    ) -> None:
        scene = Scene(ledger)
        task = scene.row().newest.task_id
        before = scene.facts(task)

        def decide(cursors: Sequence[Cursor]) -> list[Plan]:
            cut(server)
            return [scene.planned(cursor, START, due(9)) for cursor in cursors]

        with pytest.raises(LedgerError):
            ledger.plan(due(9), START, 10, NOBODY, decide)
        assert scene.facts(task) == before
        assert scene.plan(due(9)) == 1

    def test_a_server_that_was_killed_has_what_it_confirmed(
        self, server: PostgresServer, ledger: PostgresLedger
    ) -> None:
        scene = Scene(ledger)
        runner = scene.runner()
        attempt = scene.started(runner, due(2))
        before = scene.facts(attempt.key.task_id)
        server.kill()
        with pytest.raises(LedgerError):
            ledger.processes()
        with pytest.raises(LedgerError, match="Connection refused"):
            ledger.processes()
        server.start()
        assert scene.facts(attempt.key.task_id) == before
        assert ledger.held(runner) == [attempt]
        scene.settle(attempt, due(2))

    def test_a_closed_ledger_says_so(self, ledger: PostgresLedger) -> None:
        ledger.close()
        with pytest.raises(LedgerError, match="this ledger was closed"):
            ledger.processes()

    def test_a_decision_that_fails_leaves_nothing_and_the_ledger_goes_on(
        self, ledger: PostgresLedger
    ) -> None:
        scene = Scene(ledger)
        task = scene.row().newest.task_id
        before = scene.facts(task)

        def decide(_: Sequence[Cursor]) -> list[Plan]:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            ledger.plan(due(9), START, 10, NOBODY, decide)
        assert scene.facts(task) == before
        assert scene.plan(due(9)) == 1


class TestRights:
    def test_a_server_that_only_reads(self, server: PostgresServer, ledger: PostgresLedger) -> None:
        with server.connect() as db:
            db.execute("ALTER DATABASE somebodys SET default_transaction_read_only = on")
        try:
            with PostgresLedger(ledger.path) as reading:
                assert [row.newest.name for row in reading.tasks()] == ["report"]
                with pytest.raises(LedgerReadOnly, match="the server only reads, as a standby does"):
                    Scene(reading).runner()
            with pytest.raises(LedgerReadOnly, match="the server only reads"):
                PostgresLedger(server.url("somebodys", "everytick") + "?schema=not_there")
        finally:
            with server.connect() as db:
                db.execute("ALTER DATABASE somebodys RESET default_transaction_read_only")

    def test_a_role_that_may_not(self, server: PostgresServer, ledger: PostgresLedger) -> None:
        server.database("elsewhere", user="guest")
        url = f"{server.url('somebodys', 'guest')}?schema={schema(ledger)}"
        mend = f'CREATE SCHEMA "{schema(ledger)}" AUTHORIZATION "guest"'
        with pytest.raises(LedgerReadOnly, match=f"this user may not do it.*{mend}"):
            PostgresLedger(url)

    def test_a_trigger_of_somebody_else_that_refuses_is_told_in_its_words(
        self, server: PostgresServer, ledger: PostgresLedger
    ) -> None:
        with server.connect("somebodys") as db:
            db.execute(f"SET search_path = {schema(ledger)}".encode())
            db.execute("""
                CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE EXCEPTION 'no edits on Fridays'; END $$
            """)
            db.execute("CREATE TRIGGER guard BEFORE INSERT ON change EXECUTE FUNCTION guard()")
        with pytest.raises(LedgerError, match="no edits on Fridays") as refused:
            Scene(ledger).task("another")
        assert type(refused.value) is LedgerError


class TestSchema:
    def test_one_of_a_newer_release_is_refused(self, server: PostgresServer, ledger: PostgresLedger) -> None:
        with server.connect("somebodys") as db:
            db.execute(f"INSERT INTO {schema(ledger)}.migration VALUES ('0099-after-slots', '9.0')".encode())
        with pytest.raises(LedgerTooNew, match=r"a newer Everytick took away .* \(0099-after-slots\)"):
            PostgresLedger(ledger.path)

    def test_what_a_newer_release_added_is_no_hindrance(
        self, server: PostgresServer, ledger: PostgresLedger
    ) -> None:
        with server.connect("somebodys") as db:
            place = schema(ledger)
            db.execute(f"INSERT INTO {place}.migration VALUES ('0099-before-colours', '9.0')".encode())
            db.execute(f"ALTER TABLE {place}.tick ADD COLUMN colour text".encode())
        with PostgresLedger(ledger.path) as again:
            scene = Scene(again)
            scene.plan(due(4))
            scene.settle(scene.started(scene.runner(), due(2)), due(2))

    def test_one_that_was_dropped_is_missed(self, server: PostgresServer, ledger: PostgresLedger) -> None:
        with server.connect("somebodys") as db:
            db.execute(f"DROP SCHEMA {schema(ledger)} CASCADE".encode())
        with pytest.raises(LedgerDamaged, match="tables of the ledger are missing"):
            ledger.processes()
        with pytest.raises(LedgerDamaged, match="tables of the ledger are missing"):
            Scene(ledger).runner()

    def test_a_task_whose_rows_contradict_its_cursor_is_left_alone_and_the_others_go_on(
        self, server: PostgresServer, ledger: PostgresLedger, caplog: pytest.LogCaptureFixture
    ) -> None:
        scene = Scene(ledger)
        broken = scene.row().newest.task_id
        scene.task("sound")
        with server.connect("somebodys") as db:
            db.execute(
                f"UPDATE {schema(ledger)}.cursor SET planned_through = {START}, next_due = {due(1)}"
                f" WHERE task_id = {broken}".encode()
            )
        assert scene.plan(due(2)) == 1
        assert scene.plan(due(2)) == 0
        assert len(scene.recorded(scene.row("sound").newest.task_id)) == 2
        (told,) = (record.getMessage() for record in caplog.records)
        assert told.startswith(f"task number {broken} cannot be planned, its rows contradict its cursor")


class TestMigrations:
    @pytest.fixture
    def later(self, monkeypatch: pytest.MonkeyPatch) -> str:
        """Be a release that has one migration more; return its name."""
        known = migrations("postgres")
        script = "ALTER TABLE everytick.tick ADD COLUMN later text;"
        one = Migration(name="0099-before-later", after=False, script=script)
        monkeypatch.setattr(editions, "migrations", lambda _: {**known, 99: one})
        return one.name

    def test_who_may_not_bring_it_up_to_date_is_told_who_does(
        self, server: PostgresServer, ledger: PostgresLedger, later: str
    ) -> None:
        server.database("reading", user="reader")
        with server.connect("somebodys") as db:
            place = schema(ledger)
            db.execute(f"GRANT USAGE ON SCHEMA {place} TO reader".encode())
            db.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {place} TO reader".encode())
        url = f"{server.url('somebodys', 'reader')}?schema={schema(ledger)}"
        with pytest.raises(LedgerReadOnly, match=f"lacks {later}: let somebody .* everytick ledger migrate"):
            PostgresLedger(url)
        with PostgresLedger(ledger.path) as writer:
            assert writer.migrated == [later]
        with PostgresLedger(url) as reader:
            assert reader.migrated == []
            assert [row.newest.name for row in reader.tasks()] == ["report"]

    def test_one_that_waits_for_a_table_lets_others_pass(
        self,
        server: PostgresServer,
        ledger: PostgresLedger,
        later: str,
        until: Callable[[Callable[[], object]], None],
    ) -> None:
        scene = Scene(ledger)
        with server.connect("somebodys") as holds, server.connect() as looks, ThreadPoolExecutor() as beside:
            holds.execute("BEGIN")
            holds.execute(f"LOCK TABLE {schema(ledger)}.tick IN ACCESS SHARE MODE".encode())
            upgrading = beside.submit(PostgresLedger, ledger.path)
            waits = "SELECT FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'"
            until(lambda: looks.execute(waits).rowcount)
            assert scene.plan(due(4)) == 1
            assert not upgrading.done()
            holds.execute("COMMIT")
            with upgrading.result(PATIENCE) as upgraded:
                assert upgraded.migrated == [later]
