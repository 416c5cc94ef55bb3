"""Two clocks of three are right: the wall clock, the one that counts on since the start, the ledger's."""

from collections.abc import Iterator

import pytest

from everytick.ledger import Change
from everytick.ledgers.sqlite import SqliteLedger
from everytick.life.trust import VOUCHED, Trust
from everytick.testing.clock import FakeClock

HOUR = 3_600_000_000


class ClockedLedger(SqliteLedger):
    """A ledger with a clock of its own, that may be ahead of the process's, and slow to answer."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(":memory:")
        self.clock = clock
        self.start = clock.now() - clock.boot()
        self.ahead = 0
        self.slow = 0.0

    def moment(self) -> int:
        self.clock.advance(seconds=self.slow)
        return self.start + self.clock.boot() + self.ahead


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def ledger(clock: FakeClock) -> Iterator[ClockedLedger]:
    with ClockedLedger(clock) as opened:
        yield opened


@pytest.fixture
def trust(ledger: ClockedLedger, clock: FakeClock) -> Trust:
    begun = Trust(ledger, clock)
    begun.begin()
    return begun


def test_all_agree(trust: Trust) -> None:
    assert trust.given()


def test_the_wall_clock_steps_and_the_others_agree(trust: Trust, clock: FakeClock) -> None:
    clock.wall_ahead = HOUR
    before = clock.now()
    assert trust.given()
    assert clock.now() == before


def test_the_clock_of_the_ledger_steps_and_the_others_agree(
    trust: Trust, ledger: ClockedLedger, clock: FakeClock
) -> None:
    assert trust.given()
    ledger.ahead = -24 * HOUR
    trust.compare()
    before = clock.now()
    assert trust.given()
    assert clock.now() == before


def test_two_steps_at_once_leave_nothing_to_go_by(
    trust: Trust, ledger: ClockedLedger, clock: FakeClock
) -> None:
    assert trust.given()
    ledger.ahead, clock.wall_ahead = -HOUR, HOUR
    trust.compare()
    assert not trust.given()
    ledger.ahead = 0
    assert trust.given()


def test_a_start_by_a_wrong_wall_clock_waits_until_it_is_right(
    ledger: ClockedLedger, clock: FakeClock
) -> None:
    ledger.ahead = -HOUR
    trust = Trust(ledger, clock)
    trust.begin()
    assert not trust.given()
    clock.wall_ahead = -HOUR
    before = clock.now()
    assert trust.given()
    assert clock.now() == before - HOUR
    trust.compare()
    assert trust.given()


def test_a_start_beside_a_wrong_ledger_waits_for_a_person(ledger: ClockedLedger, clock: FakeClock) -> None:
    ledger.ahead = HOUR
    trust = Trust(ledger, clock)
    trust.begin()
    assert not trust.given()
    change = Change(at=clock.now(), actor="test", act=VOUCHED)
    ledger.edit(change, [], lambda _known, _numbers: [])
    before = clock.now()
    assert trust.given()
    assert trust.given()
    assert clock.now() == before


def test_an_answer_that_is_long_in_coming_proves_nothing(ledger: ClockedLedger, clock: FakeClock) -> None:
    ledger.ahead, ledger.slow = HOUR, 3.0
    trust = Trust(ledger, clock)
    trust.begin()
    assert trust.given()
