"""PostgreSQL's tables refuse what the laws forbid, and the suite runs every statement."""

import inspect
from collections.abc import Callable, Iterator

import psycopg
import pytest

from everytick.ledger import Ledger
from everytick.ledgers.postgres import PostgresLedger
from everytick.ledgers.postgres.connection import Connection
from everytick.ledgers.statements import statements
from everytick.testing.ledgers import LedgerSuite
from everytick.testing.ledgers.scene import Scene, due
from everytick.testing.servers import PgBouncer, PostgresServer
from everytick.tick import TRANSITIONS, State

Place = Callable[[PostgresServer | PgBouncer], str]
COLUMNS = {
    State.PLANNED: "ready_at = 10, holder = NULL, ended_at = NULL, proof = NULL, reason = NULL",
    State.QUEUED: "ready_at = NULL, holder = 1, ended_at = NULL, proof = NULL, reason = NULL",
    State.RUNNING: "ready_at = NULL, holder = 1, ended_at = NULL, proof = NULL, reason = NULL",
    State.SUCCEEDED: "ready_at = NULL, holder = NULL, ended_at = 20, proof = 1, reason = NULL",
    State.FAILED: "ready_at = NULL, holder = NULL, ended_at = 20, proof = 1, reason = 'error'",
    State.CANCELLED: "ready_at = NULL, holder = NULL, ended_at = 20, proof = 1, reason = NULL",
    State.SKIPPED: "ready_at = NULL, holder = NULL, ended_at = 20, proof = 1, reason = 'missed'",
}
ITSELF = {(State.PLANNED, State.PLANNED), (State.QUEUED, State.QUEUED)}


@pytest.fixture(params=["postgres15", "postgres18"])
def tables(request: pytest.FixtureRequest, place: Place) -> Iterator[psycopg.Connection]:
    """The tables of a ledger without the ledger, with one planned tick, in a transaction of its own."""
    url = place(request.getfixturevalue(request.param))
    PostgresLedger(url).close()
    place_of_url, _, schema = url.partition("?schema=")
    with psycopg.connect(place_of_url) as db:
        db.execute(f"SET search_path = {schema}".encode())
        db.execute(
            "INSERT INTO tick (task_id, due_at, version, state, queue, priority, ready_at)"
            " VALUES (1, 10, 1, 'planned', 'q', 1, 10)"
        )
        yield db
        db.rollback()


def refused(db: psycopg.Connection, *commands: str) -> bool:
    """Tell whether the last of these is refused; nothing of them stays."""
    db.execute("SAVEPOINT before")
    *first, last = commands
    for command in first:
        db.execute(command.encode())
    try:
        return db.execute(last.encode()).rowcount != 1
    except (psycopg.IntegrityError, psycopg.DataError):
        return True
    finally:
        db.execute("ROLLBACK TO before")


def test_they_make_the_moves_of_the_picture_and_no_others(tables: psycopg.Connection) -> None:
    made = {
        (old, new)
        for old in State
        for new in State
        if not refused(
            tables,
            "ALTER TABLE tick DISABLE TRIGGER tick_moves",
            f"UPDATE tick SET state = '{old}', {COLUMNS[old]}",
            "ALTER TABLE tick ENABLE TRIGGER tick_moves",
            f"UPDATE tick SET state = '{new}', {COLUMNS[new]}, attempt = attempt + 1",
        )
    }
    assert made == ITSELF | {(old, new) for old in State for new in TRANSITIONS[old]}


def test_a_running_tick_is_planned_again_only_under_a_higher_attempt(tables: psycopg.Connection) -> None:
    running = f"UPDATE tick SET state = 'running', {COLUMNS[State.RUNNING]}"
    again = f"UPDATE tick SET state = 'planned', {COLUMNS[State.PLANNED]}"
    assert refused(tables, running, again)
    assert not refused(tables, running, f"{again}, attempt = attempt + 1")


@pytest.mark.parametrize(
    "command",
    [
        "UPDATE tick SET due_at = 11",
        "UPDATE tick SET task_id = 2",
        "UPDATE tick SET request = 2",
        "UPDATE tick SET attempt = 0",
        "UPDATE tick SET reruns = 1",
        "UPDATE tick SET ready_at = NULL",
        "UPDATE tick SET state = 'running', ready_at = NULL",
        "UPDATE tick SET holder = 1",
        "UPDATE tick SET state = 'done'",
        "UPDATE tick SET state = NULL",
        "UPDATE tick SET state = 'skipped', ready_at = NULL, ended_at = 20, proof = 1",
        "UPDATE tick SET state = 'skipped', reason = 'error', ready_at = NULL, ended_at = 20, proof = 1",
        "UPDATE tick SET state = 'skipped', reason = 'missed', ready_at = NULL, ended_at = 20",
        "UPDATE tick SET state = 'cancelled', reason = 'missed', ready_at = NULL, ended_at = 20, proof = 1",
        "UPDATE tick SET prev_due = 10",
        "UPDATE tick SET next_due = 10",
        "UPDATE tick SET count = 2",
        "UPDATE tick SET through = 20, count = 2",
        "INSERT INTO tick SELECT * FROM tick",
        "INSERT INTO cursor VALUES (1, 0, 1, 10, NULL, 10, NULL)",
        "INSERT INTO cursor VALUES (1, 0, 1, 10, NULL, 20, 30)",
        "INSERT INTO cursor VALUES (1, 5, 1, 10, NULL, 20, NULL)",
        "INSERT INTO slot VALUES (1, -1, 10, 0, 1, 7, false)",
        "INSERT INTO slot VALUES (1, 0, 10, 0, 1, 7, false), (1, 0, 11, 0, 1, 7, false)",
        "INSERT INTO slot VALUES (1, 0, 10, 0, 1, 7, false), (1, 1, 10, 0, 1, 7, false)",
        "INSERT INTO attempt VALUES (1, 10, 0, 1, 7, 10, 20, 'vanished', NULL)",
        "INSERT INTO task_version VALUES (1, 1, 0, 'active', 5, 0, '', '{}', 1)",
        "INSERT INTO process VALUES (1, 'runner', 'h', 1, 'b', 'r', 0, 0, 0, 'asleep')",
    ],
)
def test_they_refuse_what_the_laws_forbid(tables: psycopg.Connection, command: str) -> None:
    assert refused(tables, command)


def test_changes_and_versions_stand_as_they_were_written(tables: psycopg.Connection) -> None:
    change = "INSERT INTO change VALUES (1, 0, 'a', 'apply', '', '')"
    version = "INSERT INTO task_version VALUES (1, 1, 0, 'active', NULL, 0, '', '{}', 1)"
    assert not refused(tables, change)
    assert not refused(tables, version)
    assert refused(tables, change, "UPDATE change SET actor = 'b'")
    assert refused(tables, version, "UPDATE task_version SET since = 1")


def test_the_view_for_people_tells_names_and_times(postgres15: PostgresServer, place: Place) -> None:
    url = place(postgres15)
    with PostgresLedger(url) as ledger:
        scene = Scene(ledger)
        scene.task()
        scene.plan(due(1))
    with psycopg.connect(url.partition("?")[0]) as db:
        db.execute("SET timezone = 'UTC'")
        schema = url.rpartition("=")[2]
        row = db.execute(f"SELECT task, due_at::text, state FROM {schema}.ticks".encode()).fetchone()
    assert row == ("report", "2026-01-01 00:00:10+00", "planned")


class Noting(dict[str, bytes]):
    """Statements that note which of them is asked for."""

    def __init__(self, known: dict[str, bytes], asked: set[str]) -> None:
        super().__init__(known)
        self.asked = asked

    def __getitem__(self, name: str) -> bytes:
        self.asked.add(name)
        return super().__getitem__(name)


def test_the_suite_runs_every_statement(
    postgres15: PostgresServer, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: set[str] = set()
    made = Connection.__init__

    def noting(self: Connection, *arguments: object) -> None:
        made(self, *arguments)  # type: ignore[arg-type]
        self._sql = Noting(self._sql, asked)

    monkeypatch.setattr(Connection, "__init__", noting)
    suite = LedgerSuite()
    tests: list[Callable[[Ledger], None]] = [
        test for name, test in inspect.getmembers(suite) if name.startswith("test_")
    ]
    for test in tests:
        url = place(postgres15)
        if test is tests[0]:
            with postgres15.connect("somebodys") as db:
                db.execute(f"CREATE SCHEMA {url.rpartition('=')[2]} AUTHORIZATION everytick".encode())
        with PostgresLedger(url) as ledger:
            test(ledger)
    assert set(statements("postgres")) - asked == set()
