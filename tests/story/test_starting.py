"""Stories of what starts when: pauses, priorities, limits, deadlines, manual runs, backfills."""

from collections import Counter

import pytest

from everytick.errors import UsageError
from everytick.executor import Job
from everytick.ledger import TickFilter
from everytick.policy import Overlap, Overlapping, Policies, Priority, Retry
from everytick.testing.engine import Engine, task
from everytick.testing.executor import Act
from everytick.tick import Reason, State, rfc3339

SECOND = 1_000_000
MINUTE = 60 * SECOND
FAIL = Act(1, "error", "ValueError: not today")


def starts(engine: Engine) -> list[str]:
    """Return when each attempt was started: ``00:01:00 a``."""
    return [f"{rfc3339(one.at)[11:19]} {one.job.tick['task']}" for one in engine.played]


def most_at_once(engine: Engine) -> int:
    """Return how many attempts ran at once at the most."""
    turns = [(one.at, 1) for one in engine.played] + [(one.ends, -1) for one in engine.played if one.ends]
    running = most = 0
    for _, turn in sorted(turns):
        running += turn
        most = max(most, running)
    return most


class TestPause:
    def test_due_ticks_are_skipped_and_one_row_stands_for_them(self) -> None:
        engine = Engine()
        engine.apply(task("a", "* * * * *"))
        engine.run(minutes=2, seconds=30)
        engine.pause("a")
        engine.run(hours=10)
        assert len(engine.ticks("a")) == 2
        engine.resume("a")
        engine.run(minutes=2)
        wide = engine.ticks("a")[2]
        assert (wide.count, wide.state, wide.reason) == (600, "skipped", "paused")
        assert engine.told("a")[3:] == ["2026-01-01T10:03:00Z succeeded", "2026-01-01T10:04:00Z succeeded"]
        assert not engine.breaches()

    def test_one_with_an_end_ends_by_itself(self) -> None:
        engine = Engine()
        engine.apply(task("a", "* * * * *"))
        engine.run(minutes=2, seconds=30)
        engine.pause("a", until="2026-01-01T00:05:30Z")
        engine.run(minutes=5)
        assert engine.told("a")[2:] == [
            "2026-01-01T00:03:00Z skipped(paused)",
            "2026-01-01T00:06:00Z succeeded",
            "2026-01-01T00:07:00Z succeeded",
        ]
        assert engine.ticks("a")[2].count == 3
        assert starts(engine)[2] == "00:06:00 a"
        assert not engine.breaches()

    def test_what_runs_goes_on_and_retries_wait_for_the_end(self) -> None:
        engine = Engine(script=lambda job: FAIL if job.tick["attempt"] == 1 else Act(1))
        retry = Retry(attempts=2, backoff="fixed", delay=20 * SECOND, jitter=0)
        engine.apply(task("a", "* * * * *", policies=Policies(retry=retry)))
        engine.run(minutes=1, seconds=10)
        engine.pause("a")
        engine.run(hours=2)
        assert len(engine.played) == 1
        engine.resume("a")
        engine.run(seconds=5)
        assert starts(engine)[1] == "02:01:10 a"
        assert engine.told("a")[0] == "2026-01-01T00:01:00Z succeeded"
        assert not engine.breaches()

    def test_retries_wait_for_the_end_of_a_pause_that_has_one(self) -> None:
        engine = Engine(script=lambda job: FAIL if job.tick["attempt"] == 1 else Act(1))
        retry = Retry(attempts=2, backoff="fixed", delay=20 * SECOND, jitter=0)
        engine.apply(task("a", "0 * * * *", policies=Policies(retry=retry)))
        engine.run(hours=1, seconds=10)
        engine.pause("a", until="2026-01-01T01:30:00Z")
        engine.run(hours=1)
        assert starts(engine)[:2] == ["01:00:00 a", "01:30:00 a"]
        assert not engine.breaches()

    def test_manual_runs_go(self) -> None:
        engine = Engine()
        engine.apply(task("a", "* * * * *"))
        engine.run(minutes=1, seconds=30)
        engine.pause("a")
        engine.run(minutes=5)
        key = engine.ask("a")
        engine.run(seconds=1)
        asked = engine.ledger.tick(key)
        assert asked is not None
        assert asked.state is State.SUCCEEDED
        assert not engine.breaches()

    def test_waiting_ticks_are_skipped_too(self) -> None:
        engine = Engine(script=lambda _: Act(90))
        engine.apply(task("a", "* * * * *", policies=Policies(overlap=Overlap(Overlapping.QUEUE_ALL))))
        engine.run(minutes=2, seconds=10)
        engine.pause("a")
        engine.run(minutes=3)
        assert engine.told("a") == [
            "2026-01-01T00:01:00Z succeeded",
            "2026-01-01T00:02:00Z skipped(paused)",
        ]
        assert not engine.breaches()

    def test_a_task_that_fails_again_and_again_is_paused_and_says_why(self) -> None:
        engine = Engine(script=lambda _: FAIL)
        engine.apply(task("a", "* * * * *", policies=Policies(pause_after=3)))
        engine.run(minutes=30)
        assert engine.told("a") == [f"2026-01-01T00:0{n}:00Z failed(error)" for n in (1, 2, 3)]
        change = engine.ledger.changes(act="pause")[-1]
        assert (change.actor, change.note) == (
            "everytick",
            "paused after 3 failed ticks in a row; resume it when the cause is mended",
        )
        assert not engine.breaches()

    def test_a_success_between_keeps_it_going(self) -> None:
        engine = Engine(script=lambda job: Act(1) if "3:00+" in job.tick["due_at"] else FAIL)
        engine.apply(task("a", "* * * * *", policies=Policies(pause_after=3)))
        engine.run(minutes=6, seconds=30)
        states = [row.state for row in engine.ticks("a")]
        assert states == [State.FAILED] * 2 + [State.SUCCEEDED] + [State.FAILED] * 3
        engine.run(minutes=10)
        assert len(engine.ticks("a")) == 6

    def test_pausing_twice_or_into_the_past_is_refused(self) -> None:
        engine = Engine()
        engine.apply(task("a", "* * * * *"))
        with pytest.raises(UsageError, match="end after it begins"):
            engine.pause("a", until="2025-12-31T00:00:00Z")
        engine.pause("a")
        with pytest.raises(UsageError, match="paused already"):
            engine.pause("a")
        engine.resume("a")
        with pytest.raises(UsageError, match="active already"):
            engine.resume("a")


class TestPrioritiesAndLimits:
    def test_a_higher_class_is_always_claimed_first(self) -> None:
        engine = Engine(script=lambda _: Act(10), limit=1)
        classes = {"a": Priority.LOW, "b": Priority.NORMAL, "c": Priority.HIGH}
        engine.apply(
            *(task(name, "0 * * * *", policies=Policies(priority=one)) for name, one in classes.items())
        )
        engine.run(hours=1, minutes=1)
        assert starts(engine) == ["01:00:00 c", "01:00:10 b", "01:00:20 a"]

    def test_a_lower_class_waits_as_long_as_higher_ones_are_ready(self) -> None:
        engine = Engine(script=lambda _: Act(10), limit=1)
        high = Policies(priority=Priority.HIGH)
        engine.apply(task("busy", "every 10s", policies=high), task("idle", "at 2026-01-01T00:00:15Z"))
        engine.run(minutes=3)
        assert "idle" not in {one.job.tick["task"] for one in engine.played}
        assert not engine.breaches()

    def test_a_runner_runs_no_more_at_once_than_its_limit(self) -> None:
        engine = Engine(script=lambda _: Act(10), limit=2)
        engine.apply(*(task(f"t{n}", "0 * * * *") for n in range(5)))
        engine.run(hours=1, minutes=1)
        assert [start[:8] for start in starts(engine)] == ["01:00:00"] * 2 + ["01:00:10"] * 2 + ["01:00:20"]
        assert most_at_once(engine) == 2
        assert not engine.breaches()

    def test_a_task_runs_no_more_at_once_than_its_limit(self) -> None:
        engine = Engine(script=lambda _: Act(200))
        engine.apply(task("a", "* * * * *", policies=Policies(overlap=Overlap.allow(3))))
        engine.run(minutes=20)
        assert most_at_once(engine) == 3
        assert Counter(row.reason for row in engine.ticks("a"))[Reason.OVERLAP] == 5
        assert not engine.breaches()


class TestMoments:
    def test_jitter_delays_the_start_within_the_period_and_the_same_each_time(self) -> None:
        def run() -> list[tuple[int, str]]:
            engine = Engine()
            engine.apply(task("a", "* * * * *", policies=Policies(jitter=10 * MINUTE)))
            engine.run(minutes=30)
            assert not engine.breaches()
            return [(one.at, one.job.tick["due_at"]) for one in engine.played]

        first = run()
        offsets = [at % MINUTE for at, _ in first]
        assert [at // MINUTE for at, _ in first] == sorted({at // MINUTE for at, _ in first})
        assert len(set(offsets)) > 20
        assert run() == first

    def test_what_has_not_started_by_its_deadline_expires(self) -> None:
        engine = Engine()
        engine.apply(task("a", "0 * * * *", policies=Policies(start_within=30 * SECOND)))
        engine.run(minutes=50)
        engine.running = False
        engine.run(minutes=10, seconds=31)
        engine.running = True
        engine.run(hours=1)
        assert engine.told("a") == ["2026-01-01T01:00:00Z skipped(expired)", "2026-01-01T02:00:00Z succeeded"]
        assert not engine.breaches()

    def test_a_waiting_tick_expires_at_its_deadline_and_not_when_the_lane_is_free(self) -> None:
        engine = Engine(script=lambda _: Act(3000))
        policies = Policies(start_within=30 * SECOND, overlap=Overlap(Overlapping.QUEUE_ALL))
        engine.apply(task("a", "* * * * *", policies=policies))
        engine.run(minutes=2, seconds=40)
        waited = engine.ticks("a")[1]
        assert (waited.reason, waited.ended_at) == ("expired", waited.key.due_at + 30 * SECOND + 1000)
        assert not engine.breaches()


class TestManualRuns:
    def test_one_waits_its_turn_while_the_task_is_active(self) -> None:
        engine = Engine(script=lambda _: Act(30))
        engine.apply(task("a", "0 * * * *"))
        engine.run(hours=1, seconds=10)
        key = engine.ask("a")
        engine.run(minutes=2)
        assert starts(engine) == ["01:00:00 a", "01:00:30 a"]
        assert engine.played[1].job.key == f"a@2026-01-01T01:00:10Z#{key.request}!1"
        assert not engine.breaches()

    def test_each_request_is_a_tick_of_its_own(self) -> None:
        engine = Engine(script=lambda _: Act(10))
        engine.apply(task("a", "0 0 1 1 *"))
        engine.run(minutes=1)
        keys = {engine.ask("a") for _ in range(3)}
        engine.run(minutes=1)
        assert len(keys) == 3
        assert starts(engine) == ["00:01:00 a", "00:01:10 a", "00:01:20 a"]
        assert not engine.breaches()

    def test_it_does_not_disturb_the_schedule(self) -> None:
        engine = Engine()
        engine.apply(task("a", "every 10m"))
        engine.run(minutes=7)
        engine.ask("a")
        engine.run(minutes=24)
        assert starts(engine) == ["00:07:00 a", "00:10:00 a", "00:20:00 a", "00:30:00 a"]
        assert not engine.breaches()


class TestBackfill:
    def test_ten_thousand_ticks_delay_nobody_and_never_are_more_than_a_hundred(self) -> None:
        def script(job: Job) -> Act:
            return Act(0.5 if job.tick["request"] else 0.1)

        engine = Engine(script=script, limit=50)
        engine.apply(
            task("old", "* * * * *", policies=Policies(overlap=Overlap.allow())), task("other", "every 2s")
        )
        assert engine.backfill("old", "2025-12-20T00:00:00Z", "2025-12-26T22:40:00Z") == 10_000
        while len(engine.played) < 10_000:
            engine.run(seconds=3)
            unstarted = engine.ledger.ticks(TickFilter(task="old", states=(State.PLANNED,), limit=1000))
            assert sum(row.key.request > 0 for row in unstarted) <= 100
        engine.run(seconds=30)
        others = [one for one in engine.played if one.job.tick["task"] == "other"]
        late = [(one.at - epoch) for one in others if (epoch := one.at // (2 * SECOND) * 2 * SECOND)]
        assert len(others) > 50
        assert max(late) <= SECOND // 2
        rows = [row for row in engine.ticks("old") if row.key.request]
        assert len(rows) == 10_000
        assert {row.state for row in rows} == {State.SUCCEEDED}
        assert not engine.breaches()

    def test_it_takes_its_turns_under_the_tasks_own_overlap_policy(self) -> None:
        engine = Engine(script=lambda _: Act(10))
        engine.apply(task("a", "0 * * * *"))
        engine.run(minutes=1)
        assert engine.backfill("a", "2025-12-31T00:00:00Z", "2025-12-31T05:00:00Z") == 5
        engine.run(minutes=5)
        assert most_at_once(engine) == 1
        assert [one.job.tick["due_at"][11:13] for one in engine.played] == ["01", "02", "03", "04", "05"]
        assert not engine.breaches()

    def test_a_pause_does_not_stop_it_and_a_removal_does(self) -> None:
        engine = Engine(script=lambda _: Act(60))
        engine.apply(task("a", "0 * * * *"))
        engine.run(minutes=1)
        engine.pause("a")
        engine.backfill("a", "2025-12-01T00:00:00Z", "2025-12-31T00:00:00Z")
        engine.run(minutes=5, seconds=30)
        assert len(engine.played) == 6
        engine.apply()
        engine.run(minutes=30)
        assert len(engine.played) == 6
        states = Counter(row.state for row in engine.ticks("a"))
        assert states == {State.SUCCEEDED: 6, State.CANCELLED: 100}
        assert not engine.breaches()

    def test_nothing_to_backfill_is_said(self) -> None:
        engine = Engine()
        engine.apply(task("a", "0 * * * *"))
        with pytest.raises(UsageError, match="nothing to backfill"):
            engine.backfill("a", "2025-12-01T00:10:00Z", "2025-12-01T00:20:00Z")
