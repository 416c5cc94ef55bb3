"""What a runner tells of ticks that nobody claims, and what it had no time to claim."""

import pytest

from everytick.policy import Overlap, Policies
from everytick.testing.engine import Engine, task


@pytest.fixture
def engine() -> Engine:
    """Return an engine whose runner has worked for five minutes."""
    engine = Engine("2026-01-01T00:00:00Z")
    engine.apply(task("often", "* * * * *", policies=Policies(overlap=Overlap.allow())))
    engine.run(minutes=5)
    return engine


def down_for_ten_minutes(engine: Engine) -> None:
    engine.crash_runner()
    engine.run(minutes=10)
    engine.start_runner()


def assert_all_claimed_and_nobody_alarmed(engine: Engine, said: list[str]) -> None:
    assert not [one for one in said if "unclaimed" in one or "has been claimed" in one]
    assert not [told for told in engine.told("often") if told.endswith("planned")]


def test_a_runner_that_starts_claims_what_has_waited_and_alarms_nobody(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    down_for_ten_minutes(engine)
    engine.run(minutes=5)
    assert_all_claimed_and_nobody_alarmed(engine, caplog.messages)


def test_nor_does_one_that_was_frozen(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    engine.running = False
    engine.run(minutes=10)
    engine.running = True
    engine.run(minutes=5)
    assert_all_claimed_and_nobody_alarmed(engine, caplog.messages)


def test_one_that_cannot_run_what_has_waited_tells_it_after_a_minute(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    down_for_ten_minutes(engine)
    engine.executor.lacking.add("story:often")
    engine.run(seconds=50)
    assert not [said for said in caplog.messages if "unclaimed" in said]
    engine.run(seconds=20)
    (told,) = [said for said in caplog.messages if "unclaimed" in said]
    assert told.startswith("ticks of queue default, normal priority, are ready since 2026-01-01T00:06:00Z")
