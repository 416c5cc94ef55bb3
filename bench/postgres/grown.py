"""A ledger that has grown: the ticks of weeks, each with its proof and its link to the one before.

Its tasks are made as any are; their ticks are written as a scheduler and a runner would have left them, in
order of time. An audit of it finds nothing.
"""

from collections.abc import Iterator
from multiprocessing import get_context

import psycopg

from everytick.testing.servers import PostgresServer
from everytick.tick import Key, State, proof
from postgres.place import SECOND, START, connected, ledger, settled, with_tasks

HOUR = 3600 * SECOND
"""Its tasks are due so often, all at the same instants."""

_COLUMNS = "task_id, due_at, version, prev_due, next_due, state, queue, priority, started_at, ended_at, proof"


def grown(server: PostgresServer, schema: str, tasks: int, each: int) -> int:
    """Make a ledger of tasks that have each run so often; return the last instant at which they did."""
    with ledger(server, schema) as made:
        with_tasks(made, tasks, lambda _: "every 1h")
    end = START + each * HOUR
    with connected(server) as db:
        db.execute(f"ALTER TABLE {schema}.tick DROP CONSTRAINT tick_pkey")
        db.execute(f"DROP INDEX {schema}.tick_due")
        half = each // 2
        parts = [(server.url(), schema, tasks, 1, half), (server.url(), schema, tasks, half + 1, each)]
        with get_context("spawn").Pool(len(parts)) as pool:
            pool.starmap(_written, parts)
        db.execute("SET maintenance_work_mem = '512MB'")
        db.execute(f"ALTER TABLE {schema}.tick ADD PRIMARY KEY (task_id, due_at, request)")
        db.execute(f"CREATE INDEX tick_due ON {schema}.tick (due_at)")
        db.execute(
            f"UPDATE {schema}.cursor SET planned_through = {end}, last_due = {end}, next_due = {end + HOUR}"
        )
        settled(db, [schema])
    return end


def _written(url: str, schema: str, tasks: int, first: int, last: int) -> None:
    with (
        psycopg.connect(url, autocommit=True) as db,
        db.cursor().copy(f"COPY {schema}.tick ({_COLUMNS}) FROM STDIN") as into,
    ):
        for number in range(first, last + 1):
            into.write("".join(_rows(tasks, number)))


def _rows(tasks: int, number: int) -> Iterator[str]:
    """Yield the rows of one instant, as COPY takes them."""
    due = START + number * HOUR
    ended = due + SECOND
    before = due - HOUR if number > 1 else r"\N"
    ending = (None, 1, State.SUCCEEDED, None, 1, ended)
    for task in range(1, tasks + 1):
        said = proof(Key(task, due), ending)
        yield (f"{task}\t{due}\t1\t{before}\t{due + HOUR}\tsucceeded\tdefault\t1\t{due}\t{ended}\t{said}\n")
