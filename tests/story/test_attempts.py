"""Stories of attempts: retries, timeouts, requests to stop."""

import pytest

from everytick.errors import UnknownName, UsageError
from everytick.executor import Job
from everytick.policy import Overlap, Overlapping, Policies, Retry
from everytick.testing.engine import Engine, task
from everytick.testing.executor import Act
from everytick.tick import State, rfc3339

SECOND = 1_000_000
STEADY = Retry(attempts=2, backoff="fixed", delay=90 * SECOND, jitter=0)
FAIL = Act(10, "error", "ValueError: not today")


def first_fails(job: Job) -> Act:
    return FAIL if job.tick["attempt"] == 1 and "00:01:00" in job.tick["due_at"] else Act(10)


def starts(engine: Engine) -> list[str]:
    """Return when each attempt was started: ``00:01:00 a@2026-01-01T00:01:00Z!1``."""
    return [f"{rfc3339(one.at)[11:19]} {one.job.key}" for one in engine.played]


class TestRetries:
    def test_a_tick_in_back_off_keeps_its_lane(self) -> None:
        engine = Engine(script=first_fails)
        engine.apply(task("a", "* * * * *", policies=Policies(retry=STEADY)))
        engine.run(minutes=3, seconds=30)
        assert engine.told("a") == [
            "2026-01-01T00:01:00Z succeeded",
            "2026-01-01T00:02:00Z skipped(overlap)",
            "2026-01-01T00:03:00Z succeeded",
        ]
        assert starts(engine)[1] == "00:02:40 a@2026-01-01T00:01:00Z!2"
        assert not engine.breaches()

    def test_exponential_waits_double_and_the_last_failure_is_the_outcome(self) -> None:
        engine = Engine(script=lambda _: FAIL)
        retry = Retry(attempts=4, delay=10 * SECOND, jitter=0)
        engine.apply(task("a", "0 * * * *", policies=Policies(retry=retry)))
        engine.run(hours=1, minutes=30)
        assert [start[:8] for start in starts(engine)] == ["01:00:00", "01:00:20", "01:00:50", "01:01:40"]
        assert engine.told("a") == ["2026-01-01T01:00:00Z failed(error)"]
        (row,) = engine.ticks("a")
        assert (row.attempt, row.reruns) == (4, 0)
        assert [one.outcome for one in engine.ledger.attempts(row.key)] == ["error"] * 3
        assert engine.ledger.output(row.key, 4)[0] == "ValueError: not today"
        assert not engine.breaches()

    def test_retries_until_next_end_before_the_next_tick(self) -> None:
        engine = Engine(script=lambda _: FAIL)
        retry = Retry(attempts=99, backoff="fixed", delay=15 * SECOND, jitter=0, until="next")
        engine.apply(task("a", "* * * * *", policies=Policies(retry=retry)))
        engine.run(minutes=2, seconds=59)
        assert [start[:8] for start in starts(engine)] == [
            "00:01:00", "00:01:25", "00:01:50", "00:02:00", "00:02:25", "00:02:50"]  # fmt: skip
        assert engine.told("a")[0] == "2026-01-01T00:01:00Z failed(error)"
        assert not engine.breaches()


class TestTimeouts:
    def test_an_attempt_that_takes_too_long_is_stopped_and_the_tick_has_failed(self) -> None:
        engine = Engine(script=lambda _: Act(3000))
        engine.apply(task("a", "* * * * *", policies=Policies(timeout=30 * SECOND)))
        engine.run(minutes=2, seconds=50)
        assert engine.told("a") == [
            "2026-01-01T00:01:00Z failed(timeout)",
            "2026-01-01T00:02:00Z failed(timeout)",
        ]
        assert [one.ended_at - one.key.due_at for one in engine.ticks("a") if one.ended_at] == [
            30 * SECOND
        ] * 2

    def test_one_that_does_not_heed_sigterm_is_killed_after_the_grace(self) -> None:
        engine = Engine(script=lambda _: Act(3000, obeys=False))
        policies = Policies(timeout=30 * SECOND, grace=5 * SECOND)
        engine.apply(task("a", "* * * * *", policies=policies))
        engine.run(minutes=1, seconds=50)
        (row,) = engine.ticks("a")
        assert row.ended_at == row.key.due_at + 35 * SECOND

    def test_a_timeout_is_tried_again_where_the_task_wants_that(self) -> None:
        engine = Engine(script=lambda job: Act(3000 if job.tick["attempt"] == 1 else 1))
        retry = Retry(attempts=2, delay=SECOND, jitter=0, on=("timeout",))
        engine.apply(task("a", "* * * * *", policies=Policies(timeout=30 * SECOND, retry=retry)))
        engine.run(minutes=1, seconds=50)
        assert engine.told("a") == ["2026-01-01T00:01:00Z succeeded"]
        assert not engine.breaches()


class TestCancel:
    QUEUE = Policies(overlap=Overlap(Overlapping.QUEUE_ALL))

    def test_a_planned_tick_never_starts_and_stays_cancelled(self) -> None:
        engine = Engine()
        engine.apply(task("a", "* * * * *"))
        engine.run(seconds=40)
        assert engine.cancel("a@2026-01-01T00:01:00Z") is State.PLANNED
        engine.run(minutes=2)
        assert engine.told("a") == ["2026-01-01T00:01:00Z cancelled", "2026-01-01T00:02:00Z succeeded"]
        assert len(engine.played) == 1
        assert not engine.breaches()

    def test_a_waiting_tick_leaves_the_queue_and_the_next_one_comes(self) -> None:
        engine = Engine(script=lambda _: Act(150))
        engine.apply(task("a", "* * * * *", policies=self.QUEUE))
        engine.run(minutes=3, seconds=10)
        assert engine.cancel("a@2026-01-01T00:02:00Z") is State.PLANNED
        engine.run(minutes=1)
        assert engine.told("a")[:3] == [
            "2026-01-01T00:01:00Z succeeded",
            "2026-01-01T00:02:00Z cancelled",
            "2026-01-01T00:03:00Z running",
        ]
        assert not engine.breaches()

    @pytest.mark.parametrize(("obeys", "ends"), [(True, 20), (False, 25)])
    def test_a_running_attempt_is_stopped_and_killed_after_its_grace(self, *, obeys: bool, ends: int) -> None:
        engine = Engine(script=lambda _: Act(3000, obeys=obeys))
        engine.apply(task("a", "0 * * * *", policies=Policies(grace=5 * SECOND)))
        engine.run(hours=1, seconds=20)
        assert engine.cancel("a@2026-01-01T01:00:00Z") is State.RUNNING
        engine.run(minutes=1)
        assert engine.told("a") == ["2026-01-01T01:00:00Z cancelled"]
        (row,) = engine.ticks("a")
        assert row.ended_at is not None
        assert ends * SECOND <= row.ended_at - row.key.due_at <= (ends + 3) * SECOND
        assert not engine.breaches()

    def test_a_tick_in_back_off_frees_its_lane(self) -> None:
        engine = Engine(script=first_fails)
        engine.apply(task("a", "* * * * *", policies=Policies(retry=STEADY)))
        engine.run(minutes=1, seconds=30)
        assert engine.cancel("a@2026-01-01T00:01:00Z") is State.PLANNED
        engine.run(minutes=1)
        assert engine.told("a") == ["2026-01-01T00:01:00Z cancelled", "2026-01-01T00:02:00Z succeeded"]
        assert not engine.breaches()

    def test_an_attempt_that_fails_before_it_hears_of_the_request_is_not_tried_again(self) -> None:
        engine = Engine(script=lambda _: FAIL)
        engine.apply(task("a", "0 * * * *", policies=Policies(retry=STEADY)))
        engine.run(hours=1, seconds=9)
        engine.cancel("a@2026-01-01T01:00:00Z")
        engine.clock.advance(seconds=1)
        engine.run(minutes=5)
        assert engine.told("a") == ["2026-01-01T01:00:00Z cancelled"]
        assert len(engine.played) == 1
        assert not engine.breaches()

    def test_what_has_ended_stays_and_what_never_was_is_named(self) -> None:
        engine = Engine()
        engine.apply(task("a", "* * * * *"))
        engine.run(minutes=1)
        with pytest.raises(UsageError, match="it succeeded"):
            engine.cancel("a@2026-01-01T00:01:00Z")
        with pytest.raises(UnknownName, match="no tick a@2026-01-01T00:00:30Z"):
            engine.cancel("a@2026-01-01T00:00:30Z")
        assert not engine.breaches()
