"""What statements of a PostgreSQL ledger read, as PostgreSQL itself tells it."""

from collections.abc import Iterator, Mapping
from typing import Any

import psycopg
import pytest

from everytick.ledgers.postgres.connection import Connection, in_schema


class Walk:
    """What a statement of a ledger reads, by what PostgreSQL tells of it."""

    def __init__(self, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.values: dict[str, Mapping[str, Any]] = {}
        self._sql = in_schema(url.rpartition("=")[2])
        run = Connection._run

        def noting(db: Connection, statement: str, values: Mapping[str, Any]) -> psycopg.Cursor[Any]:
            self.values[statement] = values
            return run(db, statement, values)

        monkeypatch.setattr(Connection, "_run", noting)

    def pages(self, db: psycopg.Connection[Any], statement: str, **other: object) -> int:
        """Return how many pages a statement touches with the values it was run with last."""
        return int(self.explained(db, statement, **other)["Shared Hit Blocks"])

    def explained(self, db: psycopg.Connection[Any], statement: str, **other: object) -> Mapping[str, Any]:
        """Run a statement with the values it was run with last; return its plan."""
        return explained(db, self._sql[statement], {**self.values[statement], **other})


def explained(db: psycopg.Connection[Any], statement: bytes, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Run a statement, and return its plan and what came of each part."""
    with db.transaction(force_rollback=True):
        for name in ("seqscan", "hashjoin", "mergejoin"):
            db.execute(f"SET LOCAL enable_{name} = off".encode())
        row = db.execute(
            b"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) " + statement, values
        ).fetchone()
    assert row is not None
    found: Mapping[str, Any] = row[0][0]["Plan"]
    return found


def parts(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the parts of a plan, the whole first."""
    yield plan
    for one in plan.get("Plans", ()):
        yield from parts(one)
