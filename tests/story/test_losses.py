"""Stories of what is lost: runners, their late results, the right time."""

import logging
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from everytick.errors import LedgerLocked, LedgerMoved
from everytick.executor import Job
from everytick.ledger import Change, Claim, ClaimDecision, Order
from everytick.ledgers.sqlite import SqliteLedger
from everytick.life.presence import LEASE
from everytick.policy import Overlap, Policies, Retry, Uncertain
from everytick.task import Inline
from everytick.testing.engine import Engine, task
from everytick.testing.executor import Act
from everytick.testing.ledgers.scene import Scene
from everytick.tick import rfc3339
from everytick.when import Instant

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOURLY = "0 * * * *"


def starts(engine: Engine) -> list[str]:
    """Return the minute, second and attempt of each start: ``00:00!1``."""
    return [f"{rfc3339(one.at)[14:19]}!{one.job.tick['attempt']}" for one in engine.played]


class TestLostRunners:
    def test_its_attempt_is_run_again_and_counted_as_a_rerun(self) -> None:
        engine = Engine(script=lambda _: Act(60))
        engine.apply(task("a", HOURLY))
        engine.run(hours=1, seconds=20)
        engine.crash_runner()
        engine.start_runner()
        engine.run(minutes=5)
        (row,) = engine.ticks("a")
        assert (row.state, row.attempt, row.reruns) == ("succeeded", 2, 1)
        assert [(one.attempt, one.outcome) for one in engine.ledger.attempts(row.key)] == [(1, "lost")]
        assert not engine.breaches()

    def test_it_is_declared_dead_within_a_lease_and_not_long_before(self) -> None:
        engine = Engine(script=lambda _: Act(600))
        engine.apply(task("a", HOURLY))
        engine.run(hours=1, seconds=20)
        engine.crash_runner()
        engine.run(seconds=7)
        assert engine.told("a") == ["2026-01-01T01:00:00Z running"]
        engine.run(seconds=3)
        assert engine.told("a") == ["2026-01-01T01:00:00Z planned"]
        assert not engine.breaches()

    @pytest.mark.parametrize("held", ["0 attempts", "1 attempt", "2 attempts"])
    def test_the_log_says_how_many_attempts_were_lost(
        self, held: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        engine = Engine(script=lambda _: Act(600))
        engine.apply(*(task(name, HOURLY) for name in "ab"[: int(held[0])]))
        engine.run(hours=1, seconds=20)
        engine.crash_runner()
        engine.run(seconds=15)
        (said,) = [message for message in caplog.messages if " is dead: " in message]
        assert said.endswith(f" is dead: {held} lost")

    @pytest.mark.parametrize("after", [0.0, 0.3, 0.6, 0.9, 1.2, 1.25])
    def test_what_it_held_is_started_again_within_a_lease_whenever_it_dies(self, after: float) -> None:
        engine = Engine(script=lambda _: Act(600))
        engine.apply(task("a", HOURLY))
        engine.run(hours=1, seconds=20)
        for _ in range(round(after / 0.05)):
            engine.run(seconds=0.05)
        crashed = engine.clock.now()
        engine.crash_runner()
        engine.start_runner()
        for _ in range(24):
            engine.run(seconds=0.5)
        _, second = engine.played
        assert second.job.key.endswith("!2")
        assert LEASE * 5 // 8 < second.at - crashed < LEASE

    def test_after_three_reruns_the_tick_has_failed(self) -> None:
        engine = Engine(script=lambda _: Act(600))
        engine.apply(task("a", HOURLY))
        engine.run(hours=1)
        for _ in range(4):
            engine.run(seconds=20)
            engine.crash_runner()
            engine.start_runner()
            engine.run(seconds=20)
        assert engine.told("a") == ["2026-01-01T01:00:00Z failed(lost)"]
        (row,) = engine.ticks("a")
        assert (row.attempt, row.reruns) == (4, 3)
        assert not engine.breaches()

    def test_a_task_that_must_not_run_twice_fails_instead(self) -> None:
        engine = Engine(script=lambda _: Act(600))
        engine.apply(task("a", HOURLY, policies=Policies(uncertain=Uncertain.SKIP)))
        engine.run(hours=1, seconds=20)
        engine.crash_runner()
        engine.start_runner()
        engine.run(minutes=5)
        assert engine.told("a") == ["2026-01-01T01:00:00Z failed(lost)"]
        assert len(engine.played) == 1
        assert not engine.breaches()

    def test_losses_and_failures_have_budgets_of_their_own(self) -> None:
        def script(job: Job) -> Act:
            return Act(600) if job.tick["attempt"] == 1 else Act(1, "error", "ValueError: no")

        engine = Engine(script=script)
        retry = Retry(attempts=2, backoff="fixed", delay=10 * SECOND, jitter=0)
        engine.apply(task("a", HOURLY, policies=Policies(retry=retry)))
        engine.run(hours=1, seconds=20)
        engine.crash_runner()
        engine.start_runner()
        engine.run(minutes=5)
        (row,) = engine.ticks("a")
        assert (row.state, row.attempt, row.reruns) == ("failed", 3, 1)
        assert not engine.breaches()


class TestFrozenRunners:
    def test_a_late_result_is_refused_and_recorded(self) -> None:
        engine = Engine(script=lambda job: Act(22 if job.tick["attempt"] == 1 else 300))
        engine.apply(task("a", HOURLY))
        engine.run(hours=1, seconds=20)
        frozen = engine.runner
        engine.start_runner()
        engine.run(minutes=1)
        assert [start[-1] for start in starts(engine)] == ["1", "2"]
        frozen.step()
        (row,) = engine.ticks("a")
        assert (row.state, row.attempt, row.reruns) == ("running", 2, 1)
        lost, refused = engine.ledger.attempts(row.key)
        assert (lost.attempt, lost.outcome, lost.refused_at) == (1, "lost", None)
        assert (refused.attempt, refused.outcome, refused.refused_at) == (1, "succeeded", engine.clock.now())
        engine.run(minutes=10)
        assert engine.told("a") == ["2026-01-01T01:00:00Z succeeded"]
        assert not engine.breaches()

    def test_that_its_attempt_was_killed_meanwhile_is_known_already(self) -> None:
        engine = Engine(script=lambda job: Act(30 if job.tick["attempt"] == 1 else 300))
        engine.apply(task("a", HOURLY))
        engine.run(hours=1, seconds=20)
        frozen = engine.runner
        engine.start_runner()
        engine.run(minutes=1)
        frozen.step()
        (row,) = engine.ticks("a")
        assert (row.state, row.attempt, row.reruns) == ("running", 2, 1)
        assert [one.outcome for one in engine.ledger.attempts(row.key)] == ["lost"]
        assert not engine.breaches()

    def test_one_that_comes_back_before_its_lease_ends_goes_on(self) -> None:
        engine = Engine(script=lambda _: Act(60))
        engine.apply(task("a", HOURLY))
        engine.run(hours=1, seconds=20)
        engine.running = False
        engine.run(seconds=6)
        engine.running = True
        engine.run(minutes=1)
        assert engine.told("a") == ["2026-01-01T01:00:00Z succeeded"]
        assert starts(engine) == ["00:00!1"]
        assert not engine.breaches()

    def test_a_machine_that_was_suspended_finds_its_attempts_dead_and_joins_anew(self) -> None:
        engine = Engine(script=lambda _: Act(60))
        engine.apply(task("a", HOURLY, policies=Policies(overlap=Overlap.allow())))
        engine.run(hours=1, seconds=20)
        engine.clock.advance(hours=5)
        engine.run(minutes=5)
        assert engine.told("a") == [
            "2026-01-01T01:00:00Z succeeded",
            *(f"2026-01-01T0{n}:00:00Z skipped(missed)" for n in (2, 3, 4, 5)),
            "2026-01-01T06:00:00Z succeeded",
        ]
        assert engine.ticks("a")[0].reruns == 1
        assert not engine.breaches()


class TestSteppedClocks:
    def test_planning_and_starting_stop_with_an_alarm_and_go_on_when_clocks_agree(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        engine = Engine()
        engine.apply(task("a", "* * * * *"))
        engine.run(minutes=2, seconds=30)
        engine.clock.wall_ahead = 60 * MINUTE
        with caplog.at_level(logging.ERROR):
            engine.run(minutes=3)
        assert len(engine.played) == 2
        assert [row.state for row in engine.ticks("a")] == ["succeeded", "succeeded", "planned"]
        assert sum("the wall clock has stepped" in record.message for record in caplog.records) == 2
        engine.clock.wall_ahead = 0
        engine.run(minutes=2)
        assert [told[14:] for told in engine.told("a")][2:] == [
            "03:00Z skipped(missed)",
            "04:00Z skipped(missed)",
            "05:00Z succeeded",
            "06:00Z succeeded",
            "07:00Z succeeded",
        ]
        assert not engine.breaches()

    def test_a_small_difference_is_no_step(self) -> None:
        engine = Engine()
        engine.apply(task("a", "* * * * *"))
        engine.clock.wall_ahead = 2 * SECOND
        engine.run(minutes=2)
        assert len(engine.played) == 2

    @pytest.mark.parametrize("hours", [1, -1])
    def test_what_runs_goes_on_and_is_settled_meanwhile(self, hours: int) -> None:
        engine = Engine(script=lambda _: Act(100))
        engine.apply(task("a", HOURLY))
        engine.run(hours=1, seconds=10)
        engine.clock.wall_ahead = hours * 60 * MINUTE
        engine.run(minutes=2)
        assert engine.told("a") == ["2026-01-01T01:00:00Z succeeded"]
        assert not engine.breaches()

    def test_a_person_may_vouch_for_a_clock_that_went_forward(self) -> None:
        engine = Engine()
        engine.apply(task("a", "*/10 * * * *"))
        engine.run(minutes=15)
        engine.clock.wall_ahead = 60 * MINUTE
        engine.run(minutes=1)
        vouch(engine)
        engine.run(minutes=10)
        assert [told[11:] for told in engine.told("a")] == [
            "00:10:00Z succeeded",
            *(f"00:{n}0:00Z skipped(missed)" for n in (2, 3, 4, 5)),
            "01:00:00Z skipped(missed)",
            "01:10:00Z succeeded",
            "01:20:00Z succeeded",
        ]
        assert not engine.breaches()

    def test_after_a_step_back_that_is_vouched_for_no_tick_comes_twice(self) -> None:
        engine = Engine()
        engine.apply(task("a", "*/10 * * * *"))
        engine.run(hours=2, minutes=5)
        before = len(engine.played)
        engine.clock.wall_ahead = -60 * MINUTE
        engine.run(minutes=1)
        vouch(engine)
        engine.run(minutes=65)
        assert len(engine.played) == before + 1
        assert engine.told("a")[-1] == "2026-01-01T02:10:00Z succeeded"
        assert not engine.breaches()


def vouch(engine: Engine) -> None:
    """Say that the wall clock is right."""
    change = Change(at=engine.clock.now(), actor="test", act="accept-clock")
    engine.ledger.edit(change, [], lambda known, numbers: [])  # noqa: ARG005 - it edits no task
    engine.step()


class StoppingLedger(SqliteLedger):
    """A ledger whose runner stands still right behind its next claim, while something happens."""

    def __init__(self) -> None:
        super().__init__(":memory:")
        self.meanwhile: list[Callable[[], object]] = []
        self.silent = False

    def claim(self, order: Order, now: Instant, decide: ClaimDecision) -> Claim:
        found = super().claim(order, now, decide)
        while found.attempts and self.meanwhile:
            self.meanwhile.pop()()
        return found

    def beat(self, process: int, beat: int, skew: int) -> bool:
        if self.silent:
            raise LedgerLocked("another program holds the ledger")
        return super().beat(process, beat, skew)


class TestInlineWorkOfARunnerThatStoodStill:
    """No executor can end it, so it is not begun where the runner's lease has ended since the claim."""

    def stopping(self) -> tuple[Engine, StoppingLedger]:
        """Return an engine whose runner stands still for a lease when it has claimed inline work."""
        ledger = StoppingLedger()
        engine = Engine(ledger=ledger)
        engine.apply(replace(task("a", HOURLY), work=Inline(call="story:a")))
        ledger.meanwhile.append(lambda: engine.clock.advance(microseconds=LEASE))
        return engine, ledger

    def test_it_is_not_begun_where_another_has_it_by_now(self) -> None:
        engine, ledger = self.stopping()

        def bury() -> None:
            holder, now = engine.presence, engine.clock.now()
            assert ledger.bury(holder.id, holder.beats, now, lambda held: Scene(ledger).rescued(held, now))

        ledger.meanwhile.insert(0, bury)
        engine.run(hours=1, seconds=30)
        assert [one.job.tick["attempt"] for one in engine.played] == [2]
        (row,) = engine.ticks("a")
        assert (row.state, row.attempt, row.reruns) == ("succeeded", 2, 1)
        assert not engine.breaches()

    def test_it_is_begun_where_the_lease_can_be_renewed(self) -> None:
        engine, _ = self.stopping()
        engine.run(hours=1, seconds=30)
        assert starts(engine) == ["00:10!1"]
        assert engine.told("a") == ["2026-01-01T01:00:00Z succeeded"]
        assert not engine.breaches()

    def test_it_is_begun_later_where_the_ledger_does_not_answer(self) -> None:
        engine, ledger = self.stopping()
        ledger.meanwhile.append(lambda: setattr(ledger, "silent", True))
        with pytest.raises(LedgerLocked):
            engine.run(hours=1, seconds=30)
        assert engine.played == []
        ledger.silent = False
        engine.run(seconds=30)
        assert starts(engine) == ["00:10!1"]
        assert engine.told("a") == ["2026-01-01T01:00:00Z succeeded"]
        assert not engine.breaches()

    def test_it_is_not_begun_where_the_ledger_was_given_up(self) -> None:
        engine, ledger = self.stopping()
        ledger.meanwhile.insert(0, lambda: ledger.move_to("sqlite:///new.db", ledger.tally()))
        with pytest.raises(LedgerMoved):
            engine.run(hours=1, seconds=30)
        assert engine.played == []
