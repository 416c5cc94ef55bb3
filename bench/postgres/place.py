"""Where it is measured: a server of one's own, its settings, and ledgers with many tasks."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import psycopg

from everytick.ledger import Change, Process
from everytick.ledgers.postgres import PostgresLedger
from everytick.revise import begin
from everytick.task import Inline, Task
from everytick.testing.servers import PostgresServer, open_folder
from everytick.when import schedule

SECOND = 1_000_000
START = 1_767_225_600 * SECOND
PERIOD = 10 * SECOND
PART = 50_000
"""So many tasks are made by one change: what a bench prepares needs little memory."""

SETTINGS = {"shared_buffers": "1GB", "max_wal_size": "4GB"}
"""Lines of postgresql.conf that differ from PostgreSQL's own, which are for a machine of 512 MB; fsync and
full_page_writes stay on."""

Row = tuple[object, ...]


@contextmanager
def server(version: int = 15) -> Iterator[PostgresServer]:
    """Yield a server that keeps its word: fsync is on, and little is set but where it lies."""
    folder = open_folder()
    found = PostgresServer(folder, version=version, settings=SETTINGS, durable=True)
    try:
        found.start()
        yield found
    finally:
        found.stop()
        shutil.rmtree(folder, ignore_errors=True)


def connected(server: PostgresServer) -> psycopg.Connection[Row]:
    """Return a connection that commits each statement, unless told otherwise."""
    return psycopg.connect(server.url(), autocommit=True, prepare_threshold=None)


def ledger(server: PostgresServer, schema: str) -> PostgresLedger:
    """Return a ledger in a schema of its own."""
    return PostgresLedger(f"{server.url()}?schema={schema}")


def with_tasks(
    made: PostgresLedger,
    count: int,
    text: Callable[[int], str],
    now: int = START,
    call: str = "none:none",
    *,
    known: int = 0,
) -> None:
    """Put tasks into a ledger, each with the schedule that a text gives it.

    Args:
        made: The ledger.
        count: How many.
        text: The schedule of each, by its number from 0 on.
        now: When that happens.
        call: What they run, inside the runner.
        known: So many of them are there already.
    """
    for first in range(known, count, PART):
        tasks = {
            f"t{n:07}": Task(name=f"t{n:07}", schedule=schedule(text(n)), work=Inline(call=call))
            for n in range(first, min(first + PART, count))
        }
        made.edit(
            Change(at=now, actor="bench", act="apply"),
            list(tasks),
            lambda _, numbers, tasks=tasks: [  # type: ignore[misc]
                begin(numbers[name], task, now) for name, task in tasks.items()
            ],
        )


def process(made: PostgresLedger) -> int:
    """Return the number of a process that may hold attempts."""
    return made.register(Process(kind="up", host="here", pid=1, boot="", release="0", started_at=START))


def settled(db: psycopg.Connection[Row], schemas: Sequence[str]) -> None:
    """Let PostgreSQL know what its tables hold, as it does by itself within a minute, and write all out."""
    for schema in schemas:
        for table in ("task", "task_version", "cursor", "tick", "slot"):
            db.execute(f"VACUUM (ANALYZE) {schema}.{table}")
    db.execute("CHECKPOINT")
