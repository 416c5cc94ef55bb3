"""PostgreSQL passes the public conformance suite: the oldest, the usual, the newest, and behind pgbouncer."""

from collections.abc import Callable, Iterator

import pytest

from everytick.ledger import Ledger
from everytick.ledgers.postgres import PostgresLedger
from everytick.testing.ledgers import LedgerSuite
from everytick.testing.servers import PgBouncer, PostgresServer

Place = Callable[[PostgresServer | PgBouncer], str]


class TestPostgres14(LedgerSuite):
    @pytest.fixture
    def ledger(self, postgres14: PostgresServer, place: Place) -> Iterator[Ledger]:
        with PostgresLedger(place(postgres14)) as made:
            yield made


class TestPostgres15(LedgerSuite):
    @pytest.fixture
    def ledger(self, postgres15: PostgresServer, place: Place) -> Iterator[Ledger]:
        with PostgresLedger(place(postgres15)) as made:
            yield made


class TestPostgres18(LedgerSuite):
    @pytest.fixture
    def ledger(self, postgres18: PostgresServer, place: Place) -> Iterator[Ledger]:
        with PostgresLedger(place(postgres18)) as made:
            yield made


class TestPgBouncer(LedgerSuite):
    @pytest.fixture
    def ledger(self, pgbouncer: PgBouncer, place: Place) -> Iterator[Ledger]:
        with PostgresLedger(place(pgbouncer)) as made:
            yield made
