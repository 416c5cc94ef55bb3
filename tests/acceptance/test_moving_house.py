"""A whole ledger moves from SQLite to PostgreSQL and back, by command, whatever happens on the way."""

import json
import re
import socket
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise

import psycopg
import pytest

from everytick.app import open_ledger
from everytick.testing.ledgers.copying import everything
from everytick.testing.ledgers.scene import STEP, Scene, due
from everytick.testing.ledgers.uneven import uneven
from everytick.testing.servers import PgBouncer, PostgresServer
from everytick.tick import Key, State, proof
from everytick.upkeep import KEYS, Row

from .marks import JOBS, Marks
from .reader import ROOT
from .shell import EVERYTICK, Answer, Screen, Shell, surroundings, until

Place = Callable[[PostgresServer | PgBouncer], str]
DOCUMENT = ROOT / "docs/how-to/put-the-ledger-on-postgresql.md"
OLD, BACK = "sqlite:///old.db", "sqlite:///back.db"
PROGRAMS: tuple[tuple[str, ...], ...] = (
    ("up", "jobs.toml", "--no-web"), ("scheduler",), ("runner",), ("apply", "jobs.toml", "--yes"),
    ("plan", "jobs.toml"), ("run", "mark"), ("ticks",), ("audit",), ("ledger", "migrate"),
)  # fmt: skip
LONG = 24_000
"""So many ticks has a ledger that is long enough to be interrupted; a page has 10,000."""


@pytest.fixture
def house(shell: Shell) -> Shell:
    """A folder with tasks, whose processes are soon known to be dead."""
    shell.write("jobs.toml", JOBS)
    return shell


@pytest.fixture
def new(postgres15: PostgresServer, place: Place) -> str:
    """The URL of a ledger on PostgreSQL that is not there yet."""
    return place(postgres15)


@pytest.fixture
def owner(postgres15: PostgresServer, new: str) -> Iterator[psycopg.Connection]:
    """The server's owner, at home in the schema of the new ledger."""
    with postgres15.connect("somebodys") as db:
        db.execute(f"SET search_path = {new.rpartition('=')[2]}".encode())
        yield db


def rows(house: Shell, url: str) -> dict[str, list[Row]]:
    """Return all that a ledger holds."""
    with open_ledger(url.replace("sqlite:///", f"sqlite:///{house.folder}/"), marked=True) as ledger:
        return everything(ledger)


def long(house: Shell, *, killed: bool = False) -> dict[str, list[Row]]:
    """Make a ledger in the middle of everything, with a task that has run for long; return its rows.

    Where its processes were killed, somebody has to watch for a lease before it is known.
    """
    file = house.folder / "old.db"
    with open_ledger(f"sqlite:///{file}") as ledger:
        uneven(ledger)
        task = Scene(ledger).task("long")
    with closing(sqlite3.connect(file)) as db, db:
        db.executemany(
            "INSERT INTO tick (task_id, due_at, prev_due, next_due, version, state, queue, priority,"
            " started_at, ended_at, summary, proof)"
            " VALUES (?, ?, ?, ?, 1, 'succeeded', 'default', 1, ?, ?, 'done', ?)",
            (ended(task, number) for number in range(1, LONG + 1)),
        )
        if not killed:
            db.execute("UPDATE process SET status = 'gone'")
        end = due(LONG)
        moved = "UPDATE cursor SET planned_through = ?, last_due = ?, next_due = ? WHERE task_id = ?"
        db.execute(moved, (end, end, end + STEP, task))
    return rows(house, OLD)


def ended(task: int, number: int) -> tuple[int | None, ...]:
    """Return the row of a tick that succeeded."""
    end = due(number) + 1
    proven = proof(Key(task, due(number)), (None, 1, State.SUCCEEDED, None, 1, end))
    before = due(number - 1) if number > 1 else None
    return task, due(number), before, due(number + 1), due(number), end, proven


@contextmanager
def copying(house: Shell, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """Let a copy go on while the block runs, and kill it then."""
    command = [str(EVERYTICK), "ledger", "copy", *words, "--app", "jobs.toml"]
    with subprocess.Popen(command, cwd=house.folder, env=surroundings(None)) as program:
        try:
            yield program
        finally:
            assert program.poll() is None, "it ended before it was killed"
            program.kill()


def squeezed(told: str) -> str:
    """Return what was told as one line."""
    return " ".join(told.split())


def live(house: Shell, url: str, *, ticks: int) -> None:
    """Let the programs run until so many ticks have left their marks."""
    marks = Marks(house.folder)
    with house.running("up", "jobs.toml", "--no-web", "--ledger", url):
        until(lambda: len(marks.all()) >= ticks)


def refused_by_all(house: Shell, url: str, *words: str) -> None:
    """See that no program and no command works on a ledger, and that each says why."""
    assert words[0] in squeezed(house("doctor", "--ledger", url, code=1).out)
    refused(house, url, *words, by=PROGRAMS)


def refused(
    house: Shell, url: str, *words: str, by: Sequence[tuple[str, ...]] = (("up", "jobs.toml"),)
) -> None:
    """See that programs do not work on a ledger, and say why."""
    for command in by:
        told = squeezed(house(*command, "--ledger", url, code=2).err)
        assert all(word in told for word in words), told


def copy(house: Shell, source: str, target: str, *words: str, code: int = 0) -> Answer:
    """Copy a ledger, to the end."""
    return house("ledger", "copy", source, target, "--app", "jobs.toml", *words, code=code)


def test_there_and_back_all_rows_and_numbers_are_the_same(house: Shell, new: str) -> None:
    before = long(house, killed=True)
    assert all(before[table] for table in KEYS if table != "seal")
    first = copy(house, OLD, new, "--json")
    assert "watching for 2 s whether a process that has not ended well" in squeezed(first.err)
    there = first.json
    assert there["resumed"] is False
    assert there["rows"] == {table: len(found) for table, found in before.items()}
    said = copy(house, new, BACK).out
    assert f"tick {len(before['tick']):,}" in " ".join(said.replace("│", " ").split())
    assert "two ledgers with the same tasks run every tick twice" in squeezed(said)
    assert rows(house, new) == rows(house, BACK) == rows(house, OLD) == before
    for table in ("task", "change", "process"):
        with open_ledger(f"sqlite:///{house.folder}/back.db") as back, open_ledger(new) as there:
            assert back.numbers()[table] == there.numbers()[table]


def test_a_copy_that_is_killed_goes_on_where_it_was(
    house: Shell, new: str, owner: psycopg.Connection, postgres15: PostgresServer
) -> None:
    before = long(house)
    with open_ledger(new):
        pass  # the tables are there
    owner.execute("""
        CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN PERFORM pg_advisory_xact_lock(4); RETURN new; END'
    """)
    arrived = 0
    for table, last in (("task", 2), ("tick", due(30)), ("tick", due(LONG - 30))):
        column = "id" if table == "task" else "due_at"
        with postgres15.connect("somebodys") as gate:
            gate.execute("SELECT pg_advisory_lock(4)")
            owner.execute(
                f"CREATE OR REPLACE TRIGGER stop BEFORE INSERT ON {table} FOR EACH ROW"
                f" WHEN (new.{column} = {last}) EXECUTE FUNCTION stop()".encode()
            )
            with copying(house, OLD, new):
                until(lambda: waits(owner, "advisory"))
        owner.execute(f"DROP TRIGGER stop ON {table}".encode())
        with open_ledger(new, marked=True) as half:
            now = sum(half.tally()[name] for name in KEYS)
        assert now > arrived or table == "task"
        arrived = now
    assert LONG * 3 // 4 < arrived < sum(map(len, before.values()))
    refused_by_all(house, new, "not whole yet", f"everytick ledger copy SOURCE {new}")
    with owner.transaction(), postgres15.connect("somebodys") as other:
        owner.execute("SELECT FROM copy")
        with copying(house, OLD, new, "--move"):
            until(lambda: waits(other, "relation"))
    refused(house, new, "not whole yet")
    refused(house, OLD, "went on at", new)
    there = copy(house, OLD, new, "--move", "--json").json
    assert there["resumed"]
    assert there["arrived_before"] == sum(map(len, before.values()))
    assert rows(house, new) == before
    owner.execute("DROP FUNCTION stop")


def waits(owner: psycopg.Connection, kind: str) -> bool:
    """Tell whether a copy waits for a lock of a kind."""
    asked = "SELECT FROM pg_stat_activity WHERE usename = 'everytick' AND wait_event_type = 'Lock'"
    return owner.execute(f"{asked} AND wait_event = '{kind}'".encode()).rowcount > 0


def test_a_copy_into_a_file_that_is_killed_goes_on_where_it_was(house: Shell) -> None:
    before = long(house)
    with open_ledger(f"sqlite:///{house.folder}/back.db"):
        pass
    file = house.folder / "back.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        arrived = 0
        for last, least in ((due(30), []), (due(LONG - 30), [due(LONG - 10_031)])):
            db.execute(stop_at(last))
            with copying(house, OLD, BACK):
                until(partial(has_reached, db, least))
            db.execute("DROP TRIGGER stop")
            (now,) = db.execute("SELECT count(*) FROM tick").fetchone()
            assert now >= arrived
            arrived = now
    assert arrived > LONG // 2
    refused(house, BACK, "not whole yet")
    there = copy(house, OLD, BACK, "--json").json
    assert there["resumed"]
    assert there["arrived_before"] > arrived
    assert rows(house, BACK) == before


def stop_at(moment: int) -> str:
    """Return a trigger that lets a copy of ticks come so far, and never ends."""
    return f"""
        CREATE TRIGGER stop BEFORE INSERT ON tick WHEN new.due_at = {moment} BEGIN
            WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
            SELECT sum(i) FROM n;
        END
    """


def test_a_person_sees_how_much_is_copied_and_how_quickly(house: Shell) -> None:
    long(house)
    with open_ledger(f"sqlite:///{house.folder}/back.db"):
        pass
    with closing(sqlite3.connect(house.folder / "back.db")) as db:
        db.execute(stop_at(due(LONG - 30)))
    with Screen([EVERYTICK, "ledger", "copy", OLD, BACK, "--app", "jobs.toml"], house.folder) as screen:
        screen.shows("copying", " rows, ", "/s")


def ended_well(row: Row) -> bool:
    """Tell whether a row is that of a tick that succeeded."""
    return State.SUCCEEDED in row


def reached(db: sqlite3.Connection, table: str) -> list[int]:
    """Return how far a table of a half copy is; nothing where it has no row yet."""
    if not db.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'copy'").fetchone()[0]:
        return []
    ((found,),) = db.execute("SELECT reach FROM copy WHERE part = ?", (table,))
    return json.loads(found) or []


def has_reached(db: sqlite3.Connection, least: list[int]) -> bool:
    """Tell whether a half copy has come to its ticks, and so far with them."""
    return bool(reached(db, "output")) and reached(db, "tick")[1:2] >= least


def test_what_was_altered_in_a_half_copy_is_found(
    house: Shell, new: str, owner: psycopg.Connection, postgres15: PostgresServer
) -> None:
    long(house)
    with open_ledger(new):
        pass
    with owner.transaction(), postgres15.connect("somebodys") as other:
        owner.execute("LOCK TABLE slot IN SHARE MODE")
        with copying(house, OLD, new):
            until(lambda: waits(other, "relation"))
    owner.execute("SET session_replication_role = replica")
    owner.execute("UPDATE change SET note = note || '.' WHERE id = 7")
    told = copy(house, OLD, new, code=2).err
    assert "the copy has another row than its source: change id 7. Delete it, and begin anew" in squeezed(
        told
    )
    refused(house, new, "not whole yet")


def test_a_source_at_which_somebody_works_is_refused_with_the_name(house: Shell, new: str) -> None:
    house("apply", "jobs.toml", "--yes", "--ledger", OLD)
    with house.running("up", "jobs.toml", "--no-web", "--ledger", OLD) as program:
        told = squeezed(copy(house, OLD, new, code=2).err)
        assert (
            f"up 1 (pid {program.pid} on {socket.gethostname()}) works on this ledger: end it first" in told
        )
    with open_ledger(new) as untouched:
        assert not any(untouched.tally()[table] for table in KEYS)


def test_a_target_that_holds_something_is_refused_and_left_alone(house: Shell, new: str) -> None:
    for url in (OLD, new, BACK):
        house("apply", "jobs.toml", "--yes", "--ledger", url)
    before = {url: rows(house, url) for url in (new, BACK)}
    for target in (new, BACK):
        told = squeezed(copy(house, OLD, target, code=2).err)
        assert "this ledger is not empty; name a new one to copy into" in told
    assert {url: rows(house, url) for url in (new, BACK)} == before
    assert "there is no ledger at" in copy(house, "sqlite:///gone.db", "sqlite:///other.db", code=2).err


def test_programs_go_on_at_the_new_place_and_nothing_runs_twice(house: Shell, new: str) -> None:
    live(house, OLD, ticks=2)
    first = rows(house, OLD)
    (told,) = re.findall(r"^\$ everytick ledger copy \S+ \S+ (.*)", DOCUMENT.read_text("utf-8"), re.MULTILINE)
    copy(house, OLD, new, told)
    refused_by_all(house, OLD, "went on at", new, "everytick ledger copy")
    live(house, new, ticks=4)
    second = rows(house, new)
    copy(house, new, BACK, "--move")
    refused(house, new, "went on at", f"{house.folder}/back.db")
    live(house, BACK, ticks=6)
    third = rows(house, BACK)
    marks = (house.folder / "ran").read_text().splitlines()
    assert Counter(marks) == Counter(set(marks))
    told = house("audit", "--ledger", BACK, "--json").json
    assert (told["missing"], told["doubled"], told["unexplained"], told["findings"]) == (0, 0, 0, [])
    instants = sorted(datetime.fromisoformat(mark.partition("@")[2]) for mark in marks)
    assert {young - old for old, young in pairwise(instants)} == {timedelta(seconds=1)}
    for old, young in pairwise((first, second, third)):
        for table in ("task", "change", "task_version"):
            assert old[table] == young[table]
        assert old["process"] == young["process"][:-1]
        assert {row[:3] for row in old["tick"]} <= {row[:3] for row in young["tick"]}
        assert {row for row in old["tick"] if ended_well(row)} < {
            row for row in young["tick"] if ended_well(row)
        }
    copy(house, OLD, "sqlite:///again.db")  # who insists can go on from what was given up
    assert rows(house, "sqlite:///again.db") == first
