"""Every ledger passes the public conformance suite, and SQLite's tables refuse what the laws forbid."""

import inspect
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from everytick.ledger import Ledger, Reads, Writes
from everytick.ledgers.sqlite import SqliteLedger, connection
from everytick.ledgers.statements import migrations, statements
from everytick.proof.seal import Prunes
from everytick.testing.ledgers import LedgerSuite
from everytick.testing.ledgers.scene import Scene, due
from everytick.tick import TRANSITIONS, State
from everytick.upkeep import Copies, Editions


class TestSqliteFile(LedgerSuite):
    @pytest.fixture
    def ledger(self, tmp_path: Path) -> Iterator[Ledger]:
        with SqliteLedger(str(tmp_path / "ledger.db")) as made:
            yield made


class TestSqliteMemory(LedgerSuite):
    @pytest.fixture
    def ledger(self) -> Iterator[Ledger]:
        with SqliteLedger(":memory:") as made:
            yield made


def whole_suite() -> Iterator[Callable[[Ledger], None]]:
    """Every test of the suite, as a function of a ledger."""
    suite = LedgerSuite()
    return (test for name, test in inspect.getmembers(suite) if name.startswith("test_"))


class Noting(dict[str, str]):
    """Statements that note which of them were asked for."""

    def __init__(self, known: dict[str, str]) -> None:
        super().__init__(known)
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return super().__getitem__(name)


def test_the_suite_runs_every_statement_of_the_dialect(monkeypatch: pytest.MonkeyPatch) -> None:
    noting = Noting(dict(statements("sqlite")))
    monkeypatch.setattr(connection, "_SQL", noting)
    for test in whole_suite():
        with SqliteLedger(":memory:") as ledger:
            test(ledger)
    assert set(noting) - noting.asked == set()


def test_the_suite_calls_every_method_of_the_contract() -> None:
    called: set[str] = set()

    class Listening(SqliteLedger):
        def __getattribute__(self, name: str) -> object:
            called.add(name)
            return super().__getattribute__(name)

    for test in whole_suite():
        with Listening(":memory:") as ledger:
            test(ledger)
    contract = {
        name
        for part in (Reads, Writes, Copies, Editions, Prunes)
        for name in vars(part)
        if not name.startswith("_")
    }
    assert contract - called == set()


def bare(*, guarded: bool = True) -> sqlite3.Connection:
    """Return the tables of a ledger without the ledger, with one planned tick."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    for migration in migrations("sqlite").values():
        db.executescript(migration.script)
    if not guarded:
        db.execute("DROP TRIGGER tick_moves")
    db.execute(
        "INSERT INTO tick (task_id, due_at, version, state, queue, priority, ready_at)"
        " VALUES (1, 10, 1, 'planned', 'q', 1, 10)"
    )
    return db


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


@pytest.mark.parametrize("old", State)
@pytest.mark.parametrize("new", State)
def test_the_table_makes_the_moves_of_the_picture_and_no_others(old: State, new: State) -> None:
    db = bare(guarded=False)
    db.execute(f"UPDATE tick SET state = '{old}', {COLUMNS[old]}")
    script = migrations("sqlite")[1].script
    begin = script.index("CREATE TRIGGER tick_moves")
    db.executescript(script[begin : script.index("END;", script.index("BEGIN", begin)) + 4])
    move = f"UPDATE tick SET state = '{new}', {COLUMNS[new]}, attempt = attempt + 1"
    if new in TRANSITIONS[old] or (old, new) in ITSELF:
        assert db.execute(move).rowcount == 1
    else:
        with pytest.raises(sqlite3.IntegrityError, match="table of transitions"):
            db.execute(move)


@pytest.mark.parametrize(
    "statement",
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
        "UPDATE tick SET state = 'skipped', ready_at = NULL, ended_at = 20, proof = 1",
        "UPDATE tick SET state = 'skipped', reason = 'error', ready_at = NULL, ended_at = 20, proof = 1",
        "UPDATE tick SET state = 'skipped', reason = 'missed', ready_at = NULL, ended_at = 20",
        "UPDATE tick SET state = 'cancelled', reason = 'missed', ready_at = NULL, ended_at = 20, proof = 1",
        "UPDATE tick SET prev_due = 10",
        "UPDATE tick SET next_due = 10",
        "UPDATE tick SET count = 2",
        "UPDATE tick SET through = 20, count = 2",
        "UPDATE tick SET due_at = 'soon'",
        "INSERT INTO tick SELECT * FROM tick",
        "INSERT INTO cursor VALUES (1, 0, 1, 10, NULL, 10, NULL)",
        "INSERT INTO cursor VALUES (1, 0, 1, 10, NULL, 20, 30)",
        "INSERT INTO cursor VALUES (1, 5, 1, 10, NULL, 20, NULL)",
        "INSERT INTO slot VALUES (1, -1, 10, 0, 1, 7, 0)",
        "INSERT INTO slot VALUES (1, 0, 10, 0, 1, 7, 2)",
        "INSERT INTO slot VALUES (1, 0, 10, 0, 1, 7, 0), (1, 0, 11, 0, 1, 7, 0)",
        "INSERT INTO slot VALUES (1, 0, 10, 0, 1, 7, 0), (1, 1, 10, 0, 1, 7, 0)",
        "INSERT INTO attempt VALUES (1, 10, 0, 1, 7, 10, 20, 'vanished', NULL)",
        "INSERT INTO task_version VALUES (1, 1, 0, 'active', 5, 0, '', '{}', 1)",
        "INSERT INTO process VALUES (1, 'runner', 'h', 1, 'b', 'r', 0, 0, 0, 'asleep')",
    ],
)
def test_the_tables_refuse_what_the_laws_forbid(statement: str) -> None:
    db = bare()
    before = list(db.iterdump())
    with pytest.raises(sqlite3.IntegrityError):
        db.execute(statement)
    assert list(db.iterdump()) == before


def test_a_running_tick_is_planned_again_only_under_a_higher_attempt() -> None:
    db = bare()
    db.execute(f"UPDATE tick SET state = 'running', {COLUMNS[State.RUNNING]}")
    with pytest.raises(sqlite3.IntegrityError, match="table of transitions"):
        db.execute(f"UPDATE tick SET state = 'planned', {COLUMNS[State.PLANNED]}")


def test_changes_and_versions_stand_as_they_were_written() -> None:
    db = bare()
    db.execute("INSERT INTO change VALUES (1, 0, 'a', 'apply', '', '')")
    db.execute("INSERT INTO task_version VALUES (1, 1, 0, 'active', NULL, 0, '', '{}', 1)")
    for statement in ("UPDATE change SET actor = 'b'", "UPDATE task_version SET since = 1"):
        with pytest.raises(sqlite3.IntegrityError, match="stands"):
            db.execute(statement)


HOT = {
    "select_cursors": "cursor_next_due",
    "next_plan": "cursor_next_due",
    "next_ready": "tick_ready",
    "select_ready": "tick_ready",
    "select_slots": "PRIMARY KEY",
    "select_awaited": "PRIMARY KEY",
    "first_waiting": "PRIMARY KEY",
    "move_cursor": "PRIMARY KEY",
    "start_tick": "PRIMARY KEY",
    "end_attempt": "PRIMARY KEY",
    "try_again": "PRIMARY KEY",
    "end_tick": "PRIMARY KEY",
    "delay_tick": "PRIMARY KEY",
    "select_held": "slot_holder",
    "select_stops": "slot_holder",
    "select_task": "sqlite_autoindex_task_1",
    "select_task_ticks": "tick_task",
    "select_recorded": "tick_task",
    "select_recorded_by_time": "PRIMARY KEY",
    "select_histories_named": "sqlite_autoindex_task_1",
    "delete_planned": "tick_task",
    "newest_row": "tick_task",
    "select_ticks": "PRIMARY KEY",
}
WHOLE = {"select_tasks", "select_processes", "table_count", "has_migrations", "copy_table"} | {
    "select_migrations", "count_tasks", "tally", "select_numbers", "delete_number", "select_copy",
    "select_successor", "delete_successor",
}  # fmt: skip


def explained(name: str) -> list[str]:
    """Return SQLite's plan of a statement, line by line."""
    text = statements("sqlite")[name]
    if not text.startswith(("SELECT", "UPDATE", "DELETE")):
        return []
    with SqliteLedger(":memory:") as ledger:
        ledger.begin_copy(ledger.tally())
        ledger.move_to("sqlite:///successor.db", ledger.tally())
        db = ledger._db._db
        names = db.execute(f"EXPLAIN QUERY PLAN {text}", dict.fromkeys(_parameters(text))).fetchall()
    return [str(row[3]) for row in names]


def _parameters(text: str) -> list[str]:
    words = text.replace("(", " ").replace(")", " ").replace(",", " ").replace(";", " ").split()
    return [word[1:] for word in words if word.startswith(":")]


@pytest.mark.parametrize("name", HOT)
def test_a_hot_statement_uses_its_index(name: str) -> None:
    assert any(HOT[name] in line for line in explained(name))


@pytest.mark.parametrize("name", sorted(set(statements("sqlite")) - WHOLE))
def test_no_statement_reads_a_whole_table(name: str) -> None:
    scans = [line for line in explained(name) if line.startswith("SCAN")]
    assert [
        line
        for line in scans
        if not any(word in line for word in ("VIRTUAL TABLE", "json_each", "pragma", "CONSTANT"))
    ] == []


@pytest.mark.parametrize("name", ["select_recorded", "select_recorded_by_time", "select_histories"])
def test_what_is_read_in_pages_is_not_sorted_first(name: str) -> None:
    assert [line for line in explained(name) if "TEMP B-TREE" in line] == []


def test_the_count_of_unstarted_ticks_reads_its_index_alone() -> None:
    assert sum("COVERING INDEX tick_unstarted" in line for line in explained("select_cursors")) > 0


def test_every_statement_says_what_it_is_for() -> None:
    for file in Path(connection.__file__).parents[1].joinpath("sql", "sqlite").glob("*.sql"):
        for part in file.read_text().split("-- name: ")[1:]:
            name, about, *_ = part.splitlines()
            assert about.startswith("-- ") or name in {"commit", "rollback", "undo", "release"}, name


def test_the_view_for_people_tells_names_and_times() -> None:
    with SqliteLedger(":memory:") as ledger:
        scene = Scene(ledger)
        scene.task()
        scene.plan(due(1))
        row = ledger._db._db.execute("SELECT task, due_at, state FROM ticks").fetchone()
    assert row == ("report", "2026-01-01T00:00:10.000Z", "planned")


def test_the_reference_tells_of_every_table_and_column() -> None:
    text = Path(__file__).parents[2].joinpath("docs", "reference", "ledger.md").read_text()
    db = bare()
    tables = db.execute(
        "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite%'"
    )
    for (table,) in tables.fetchall():
        told = text.partition(f"\n## {table}\n")[2].partition("\n## ")[0]
        columns = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
        words = set(told.replace(",", " ").replace("`", " ").replace("|", " ").split())
        assert set(columns) - words == set(), table
