"""One version of a task is read on PostgreSQL without the others, whatever its statistics say."""

from collections.abc import Callable
from contextlib import closing

import pytest

from everytick.ledgers.postgres import PostgresLedger
from everytick.testing.ledgers.scene import Scene
from everytick.testing.servers import PgBouncer, PostgresServer

from .plans import Walk

Place = Callable[[PostgresServer | PgBouncer], str]
TASKS = 20
VERSIONS = 1000
FEW = 12
"""Pages: of two indexes and two tables, for each task."""


def test_the_other_versions_are_not_looked_through(
    postgres15: PostgresServer, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A unique key on task and since is there, too: with one version a task it looks just as good."""
    url = place(postgres15)
    schema = url.rpartition("=")[2]
    walk = Walk(url, monkeypatch)
    with PostgresLedger(url) as ledger, closing(postgres15.connect("somebodys")) as db:
        scene = Scene(ledger)
        tasks = [scene.task(f"t{number}") for number in range(TASKS)]
        db.execute(f"ALTER TABLE {schema}.task_version SET (autovacuum_enabled = off)".encode())
        db.execute(f"ANALYZE {schema}.task_version".encode())
        db.execute(
            f"INSERT INTO {schema}.task_version SELECT task_id, n, since + n, status, paused_until, anchor,"
            f" rules, definition, change_id FROM {schema}.task_version,"
            f" generate_series(2, {VERSIONS}) AS n".encode()
        )
        found = ledger.numbered(*((task, VERSIONS - 1) for task in tasks))
        assert [(one.task_id, one.version) for one in found] == [(task, VERSIONS - 1) for task in tasks]
        assert walk.pages(db, "select_numbered") < FEW * TASKS
