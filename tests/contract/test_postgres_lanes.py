"""Lanes are given back on PostgreSQL, whatever its statistics say and wherever a slot has moved to."""

from collections.abc import Callable
from contextlib import closing
from functools import partial

from everytick.ledgers.postgres import PostgresLedger
from everytick.ledgers.postgres.arrays import columns
from everytick.ledgers.postgres.connection import in_schema
from everytick.testing.ledgers.scene import due
from everytick.testing.servers import PgBouncer, PostgresServer

from .plans import explained, parts
from .two import PATIENCE, Two

Place = Callable[[PostgresServer | PgBouncer], str]
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


def test_each_is_sought_by_its_key_where_statistics_say_that_nothing_runs(
    postgres15: PostgresServer, place: Place
) -> None:
    url = place(postgres15)
    schema = url.rpartition("=")[2]
    fill = (
        f"INSERT INTO {schema}.slot (task_id, lane, due_at, request, attempt)"
        f" SELECT n, 0, n, 0, 1 FROM generate_series(1, {RUNNING}) AS n"
    ).encode()
    keys = columns([{"task_id": n, "due_at": n, "request": 0} for n in range(1, BATCH + 1)])
    with PostgresLedger(url), closing(postgres15.connect("somebodys")) as db:
        db.execute(f"ALTER TABLE {schema}.slot SET (autovacuum_enabled = false)".encode())
        db.execute(fill)
        db.execute(f"DELETE FROM {schema}.slot".encode())
        db.execute(f"ANALYZE {schema}.slot".encode())
        db.execute(fill)
        statements = in_schema(schema)
        (places,) = db.execute(statements["lock_places"], keys).fetchall()
        for statement, values in (("lock_places", keys), ("delete_slots", {"places": places[0]})):
            plan = explained(db, statements[statement], values)
            for part in parts(plan):
                assert part["Actual Loops"] <= BATCH
                assert part["Actual Rows"] * part["Actual Loops"] <= BATCH
                assert not part.get("Rows Removed by Filter")
            assert any(part["Actual Rows"] * part["Actual Loops"] == BATCH for part in parts(plan))
