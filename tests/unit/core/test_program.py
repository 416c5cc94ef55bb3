"""The loop around step(): it outlives a ledger that does not answer, and ends all the same."""

import gc
from collections.abc import Iterator, Sequence

import pytest

from everytick.errors import LedgerFull, LedgerMoved
from everytick.ledgers.sqlite import SqliteLedger
from everytick.life.presence import Presence
from everytick.program import LAST_PATIENCE, run
from everytick.testing.clock import FakeClock
from everytick.when import Instant


class Stuck:
    """A program whose ledger has no room, for so many calls."""

    def __init__(self, clock: FakeClock, refusals: int) -> None:
        self.clock = clock
        self.refusals = refusals
        self.steps = self.finishes = 0
        self.closed = False

    def step(self) -> Instant:
        self.steps += 1
        self._refuse()
        return self.clock.now() + 1_000_000

    def files(self) -> Sequence[int]:
        return ()

    def finish(self) -> bool:
        self.finishes += 1
        self._refuse()
        return True

    def close(self) -> None:
        self.closed = True

    def _refuse(self) -> None:
        if self.refusals:
            self.refusals -= 1
            raise LedgerFull("no room")


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    """Leave the collector of garbage as it was."""
    yield
    gc.unfreeze()


def play(refusals: int, steps: int) -> tuple[Stuck, FakeClock]:
    clock = FakeClock()
    program = Stuck(clock, refusals)
    with SqliteLedger(":memory:") as ledger:
        presence = Presence(ledger, clock, "runner")
        presence.join()
        run([program], presence, clock, lambda: program.steps >= steps)
    return program, clock


def test_it_goes_on_when_the_ledger_answers_again() -> None:
    program, _ = play(refusals=3, steps=5)
    assert (program.steps, program.finishes, program.closed) == (5, 1, True)


def test_it_waits_a_while_for_the_ledger_to_let_it_end() -> None:
    program, _ = play(refusals=10, steps=5)
    assert (program.finishes, program.closed) == (6, True)


def test_it_ends_at_last_where_the_ledger_never_answers() -> None:
    program, clock = play(refusals=10**9, steps=1)
    assert program.closed
    assert clock.boot() - 1_000_000_000 > LAST_PATIENCE


def test_it_ends_where_the_ledger_was_given_up() -> None:
    with SqliteLedger(":memory:") as ledger:
        clock, program = FakeClock(), Stuck(FakeClock(), 0)
        presence = Presence(ledger, clock, "runner")
        ledger.move_to("sqlite:///new.db", ledger.tally())
        program.step = lambda: presence.join() or clock.now()  # type: ignore[method-assign,func-returns-value]
        with pytest.raises(LedgerMoved, match="given up while it was open"):
            run([program], presence, clock, lambda: False)
    assert program.closed


def test_it_waits_for_nothing_where_the_ledger_was_given_up_while_it_ends() -> None:
    with SqliteLedger(":memory:") as ledger:
        clock, program = FakeClock(), Stuck(FakeClock(), 0)
        presence = Presence(ledger, clock, "runner")
        ledger.move_to("sqlite:///new.db", ledger.tally())
        program.finish = lambda: bool(presence.join())  # type: ignore[method-assign,func-returns-value]
        with pytest.raises(LedgerMoved, match="given up while it was open"):
            run([program], presence, clock, lambda: True)
    assert program.closed


def test_what_is_there_at_the_first_rest_is_left_alone_by_the_collector_of_garbage() -> None:
    gc.unfreeze()
    play(refusals=0, steps=1)
    assert gc.get_freeze_count() > 0
