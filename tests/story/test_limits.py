from everytick.plan import Status
from everytick.policy import Overlap, Overlapping, Policies
from everytick.testing.engine import AUTHOR, Engine, task
from everytick.testing.executor import Act


class TestARunnerAtItsLimit:
    def test_still_hears_that_a_newer_tick_wants_the_running_one_stopped(self) -> None:
        engine = Engine(script=lambda _: Act(seconds=1000))
        engine.start_runner(limit=1)
        overlap = Overlap(Overlapping.CANCEL_RUNNING)
        engine.apply(task("report", "*/5 * * * *", policies=Policies(overlap=overlap)))
        engine.run(minutes=12)
        assert engine.told("report")[:2] == [
            "2026-01-01T00:05:00Z cancelled",
            "2026-01-01T00:10:00Z running",
        ]

    def test_still_skips_what_must_not_run_beside_it(self) -> None:
        engine = Engine(script=lambda _: Act(seconds=1000))
        engine.start_runner(limit=1)
        engine.apply(task("report", "*/5 * * * *"))
        engine.run(minutes=12)
        assert engine.told("report")[1] == "2026-01-01T00:10:00Z skipped(overlap)"


class TestPauseAfterFailures:
    def test_what_failed_before_a_resume_does_not_count(self) -> None:
        engine = Engine(script=lambda _: Act(outcome="error", error="no"))
        engine.apply(task("report", "*/5 * * * *", policies=Policies(pause_after=2)))
        engine.run(minutes=21)
        assert engine.told("report")[2:] == []
        engine.edits.resume("report", engine.clock.now(), AUTHOR)
        engine.run(minutes=6)
        assert engine.edits.task("report").newest.status is Status.ACTIVE
        engine.run(minutes=5)
        assert engine.edits.task("report").newest.status is Status.PAUSED
