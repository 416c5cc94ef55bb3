"""Stories of many ticks that are due at once: all that has a place starts, then the ends are written."""

from collections.abc import Sequence

import pytest

from everytick.conclude import Settlement
from everytick.executor import Job
from everytick.ledger import Claim, ClaimDecision, Order
from everytick.ledgers.sqlite import SqliteLedger
from everytick.policy import Overlap, Overlapping, Policies
from everytick.testing.engine import Engine, task
from everytick.testing.executor import Act


class Diary(SqliteLedger):
    """A ledger that notes what its runner makes it write."""

    def __init__(self) -> None:
        super().__init__(":memory:")
        self.notes: list[str] = []

    def claim(self, order: Order, now: int, decide: ClaimDecision) -> Claim:
        found = super().claim(order, now, decide)
        self.notes.append(f"start {len(found.attempts)}")
        return found

    def settle(self, settlements: Sequence[Settlement], now: int) -> list[Settlement]:
        self.notes.append(f"settle {len(settlements)}")
        return super().settle(settlements, now)


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("everytick.runner._BATCH", 2)


def burst(limit: int) -> list[str]:
    """Return what is written when five ticks are due in one instant."""
    ledger = Diary()
    engine = Engine(ledger=ledger, limit=limit)
    engine.apply(*(task(f"t{n}", "0 * * * *") for n in range(5)))
    engine.run(hours=1, minutes=1)
    assert all(engine.told(f"t{n}") == ["2026-01-01T01:00:00Z succeeded"] for n in range(5))
    assert not engine.breaches()
    return ledger.notes


def test_a_burst_larger_than_a_batch_starts_before_it_is_settled() -> None:
    assert burst(limit=1000) == ["start 2", "start 2", "start 1", "settle 5"]


def test_what_has_ended_keeps_its_place_until_it_is_settled() -> None:
    assert burst(limit=3) == ["start 2", "start 1", "settle 3", "start 2", "settle 2"]


@pytest.mark.parametrize("kind", Overlapping)
def test_a_tick_that_comes_before_the_last_one_is_settled_finds_its_lane_free(kind: Overlapping) -> None:
    """A run takes the time until the next tick, within the runner's own step, as inline work may."""

    def slow(job: Job) -> Act:
        engine.clock.advance(seconds=1 if job.tick["due_at"] < "2026-01-01T00:00:03" else 0)
        return Act()

    ledger = Diary()
    engine = Engine(script=slow, ledger=ledger)
    engine.apply(task("report", "every 1s", policies=Policies(overlap=Overlap(kind))))
    engine.run(seconds=1)
    assert engine.told("report") == [f"2026-01-01T00:00:0{n}Z succeeded" for n in (1, 2, 3)]
    assert ledger.notes == ["start 1", "start 0", "settle 1"] * 2 + ["start 1", "settle 1"]
    assert not engine.breaches()


def test_what_waits_for_a_lane_of_a_burst_starts_in_the_same_step() -> None:
    engine = Engine()
    queued = Policies(overlap=Overlap(Overlapping.QUEUE_ALL))
    engine.apply(task("a", "0 * * * *", policies=queued))
    engine.run(minutes=30)
    for _ in range(3):
        engine.ask("a")
    before = engine.clock.now()
    engine.step()
    assert [one.at for one in engine.played] == [before] * 3
    assert not engine.breaches()
