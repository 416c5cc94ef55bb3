"""Lanes are given back on PostgreSQL, whatever its statistics say and wherever a slot has moved to."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import partial
from typing import Any

import psycopg
import pytest

from everytick.ledgers.postgres import PostgresLedger
from everytick.ledgers.postgres.arrays import columns
from everytick.ledgers.postgres.connection import in_schema
from everytick.testing.ledgers.scene import due
from everytick.testing.servers import PgBouncer, PostgresServer

from .plans import explained, parts
from .two import PATIENCE, Two

Place = Callable[[PostgresServer | PgBouncer], str]
Believed = tuple[psycopg.Connection[Any], Mapping[str, bytes], Mapping[str, Any]]
RUNNING = 5000
BATCH = 500


def test_a_slot_that_was_asked_to_stop_while_its_end_is_written_goes_all_the_same(
    postgres15: PostgresServer, place: Place
) -> None:
    url = place(postgres15)
    with closing(Two(postgres15, url)) as two, closing(postgres15.connect("somebodys")) as third:
        task = two.one.task()
        two.one.plan(due(1))
        attempt = two.one.started(two.one.runner(), due(1))
        settlement = two.one.concluded(attempt, due(1))
        third.execute("BEGIN")
        third.execute(f"UPDATE {url.rpartition('=')[2]}.slot SET cancel_requested = true".encode())
        settling = two.begun(partial(two.one.ledger.settle, [settlement], due(1)))
        assert not settling.done()
        third.execute("COMMIT")
        assert settling.result(PATIENCE) == []
        assert two.other.tick(attempt.key).state == "succeeded"
        assert two.other.ledger.slots(task) == []


@pytest.fixture
def believed_empty(postgres15: PostgresServer, place: Place) -> Iterator[Believed]:
    """Yield many running ticks, and what finds their slots; the server believes that there are none."""
    url = place(postgres15)
    schema = url.rpartition("=")[2]
    fill = (
        f"INSERT INTO {schema}.slot (task_id, lane, due_at, request, attempt, holder)"
        f" SELECT n, 0, n, 0, 1, 1 FROM generate_series(1, {RUNNING}) AS n"
    ).encode()
    ticks = (
        f"INSERT INTO {schema}.tick (task_id, due_at, version, queue, priority, state, holder, started_at)"
        f" SELECT n, n, 1, 'default', 1, 'running', 1, n FROM generate_series(1, {RUNNING}) AS n"
    ).encode()
    slots = [
        {"task_id": n, "due_at": n, "request": 0, "lane": 0, "attempt": 1, "holder": 1}
        for n in range(1, BATCH + 1)
    ]
    with PostgresLedger(url), closing(postgres15.connect("somebodys")) as db:
        db.execute(f"ALTER TABLE {schema}.slot SET (autovacuum_enabled = false)".encode())
        db.execute(fill)
        db.execute(f"DELETE FROM {schema}.slot".encode())
        db.execute(f"ANALYZE {schema}.slot".encode())
        db.execute(fill)
        db.execute(ticks)
        statements = in_schema(schema)
        values: dict[str, Any] = dict(columns(slots))
        ((values["places"],),) = db.execute(statements["lock_places"], values).fetchall()
        yield db, statements, values


@pytest.mark.parametrize(
    "statement",
    ["lock_places", "delete_slots", "ask_to_stop", "take_slots", "lock_attempts", "idle_slots"],
)
def test_each_is_sought_by_its_key_where_statistics_say_that_nothing_runs(
    believed_empty: Believed, statement: str
) -> None:
    db, statements, values = believed_empty
    plan = explained(db, statements[statement], values)
    for part in parts(plan):
        assert part["Actual Loops"] <= BATCH
        assert part["Actual Rows"] * part["Actual Loops"] <= BATCH
        assert not part.get("Rows Removed by Filter")
        assert not part.get("Rows Removed by Join Filter")
    assert any(part["Actual Rows"] * part["Actual Loops"] == BATCH for part in parts(plan))
