"""Faults: a ledger and an executor that crash, refuse, hesitate, and commit without saying so."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from importlib.resources import files
from random import Random
from types import MappingProxyType
from typing import Any

from everytick.errors import LedgerError
from everytick.ledgers.sqlite import SqliteLedger
from everytick.ledgers.sqlite.changes import SqliteChanges
from everytick.ledgers.sqlite.connection import Connection
from everytick.ledgers.sqlite.reads import SqliteReads
from everytick.ledgers.sqlite.writes import SqliteWrites

RATES: Mapping[str, float] = MappingProxyType(
    {
        "plan": 0.04,
        "claim": 0.03,
        "settle": 0.06,
        "register": 0.04,
        "beat": 0.04,
        "retire": 0.25,
        "bury": 0.15,
        "edit": 0.08,
        "request": 0.15,
        "backfill": 0.3,
        "cancel": 0.2,
        "start": 0.05,
        "stop": 0.5,
        "extend": 0.006,
        "results": 0.006,
        "close": 0.1,
    }
)
"""How often a crash falls on each side of each call, before a world's own temper multiplies it."""

LEDGER_CALLS = tuple(RATES)[:11]
"""The methods of a ledger that write."""

EXECUTOR_CALLS = tuple(RATES)[11:]
"""The methods of an executor."""

_WITNESS = files(__package__).joinpath("witness.sql").read_text("utf-8")


class Crash(BaseException):
    """A process is gone, here and now."""


class Faults:
    """Throws the dice at each call, and counts what fell.

    Args:
        random: The dice.
        pause: Stops the process that is calling for so many microseconds, while the others go on.

    Attributes:
        on: Whether anything falls at all.
        crashes: How many times as often as usual processes crash.
        troubles: How many times as often as usual the ledger refuses, or leaves in doubt.
        pauses: How many times as often as usual processes are stopped for a while.
        counts: How often each kind of fault fell on each call.
    """

    def __init__(self, random: Random, pause: Callable[[int], None]) -> None:
        self._random = random
        self._pause = pause
        self.on = False
        self.crashes = self.troubles = self.pauses = 1.0
        self.counts: Counter[tuple[str, str]] = Counter()

    def _falls(self, call: str, kind: str, temper: float) -> bool:
        fell = self.on and self._random.random() < RATES[call] * temper
        if fell:
            self.counts[call, kind] += 1
        return fell

    def crash(self, call: str, side: str) -> None:
        """Perhaps end the process that is calling."""
        if self._falls(call, f"crash {side}", self.crashes):
            raise Crash(f"{side} {call}")

    def refuse(self, call: str) -> None:
        """Perhaps fail a call whose work is not committed then."""
        if self._falls(call, "refused", self.troubles):
            raise LedgerError(f"{call} refused, nothing written")

    def doubt(self, call: str) -> None:
        """Perhaps fail a call whose work is committed all the same."""
        if self._falls(call, "in doubt", self.troubles):
            raise LedgerError(f"{call} in doubt, but written")

    def hesitate(self, call: str) -> None:
        """Perhaps stop the process for a while: mostly for a moment, sometimes for longer than a lease."""
        if self._falls(call, "paused", self.pauses):
            shortest, longest = self._random.choice(((2, 6), (2, 6), (2, 6), (6.9, 7.6)))
            self._pause(round(10 ** self._random.uniform(shortest, longest)))

    def before(self, call: str) -> None:
        """Meet whatever falls before a call of an executor."""
        self.hesitate(call)
        self.crash(call, "before")

    def after(self, call: str) -> None:
        """Meet whatever falls after a call of an executor."""
        self.crash(call, "after")
        self.hesitate(call)


Moves = list[tuple[Any, ...]]
"""What one transaction wrote, row by row; see witness.sql."""


class _FaultyConnection(Connection):
    """A connection on whose commits faults fall, and which tells what it wrote."""

    def __init__(self, path: str, faults: Faults, committed: Callable[[str, Moves], None]) -> None:
        self._faults = faults
        self._committed = committed
        self._moves: Moves = []
        self.call = ""
        super().__init__(path, patience=0.0)

    def _opened(self) -> sqlite3.Connection:
        db = super()._opened()
        db.create_function("witness", -1, lambda *row: self._moves.append(row))
        db.executescript(_WITNESS)
        return db

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        mark = len(self._moves)
        try:
            with super().savepoint():
                yield
        except sqlite3.IntegrityError:
            del self._moves[mark:]
            raise

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._moves = []
        with super().transaction():
            yield
            if self._moves:
                self._faults.refuse(self.call)
                self._faults.crash(self.call, "before")
        if self._moves:
            self._committed(self.call, self._moves)
            self._faults.crash(self.call, "after")
            self._faults.doubt(self.call)


class FaultyLedger(SqliteLedger):
    """A connection of its own to the one ledger of a world, as a process would have it.

    Args:
        path: The file, migrated.
        faults: What falls on its calls.
        committed: Told the method and its rows after each commit that wrote any.
    """

    def __init__(self, path: str, faults: Faults, committed: Callable[[str, Moves], None]) -> None:
        connection = _FaultyConnection(path, faults, committed)
        SqliteWrites.__init__(self, connection)
        SqliteChanges.__init__(self, connection)
        SqliteReads.__init__(self, connection)
        self.path = path
        self.faults = faults
        self.connection = connection


def _faulty(call: str) -> Callable[..., Any]:
    method = getattr(SqliteLedger, call)

    @wraps(method)
    def called(self: FaultyLedger, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - whatever the method takes
        self.faults.hesitate(call)
        self.connection.call = call
        result = getattr(super(FaultyLedger, self), call)(*args, **options)
        self.faults.hesitate(call)
        return result

    return called


for _call in LEDGER_CALLS:
    setattr(FaultyLedger, _call, _faulty(_call))
