"""One story for each trap that other schedulers fell into, with the name of the rival and its issue."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from everytick.errors import LedgerFull
from everytick.ledger import VersionRow
from everytick.ledgers.sqlite import SqliteLedger
from everytick.life.presence import Presence
from everytick.policy import Overlap, Overlapping, Policies, Retry
from everytick.program import PATIENCE
from everytick.scheduler import Scheduler
from everytick.testing.engine import Engine, task
from everytick.testing.executor import Act
from everytick.versions import Versions

SECOND = 1_000_000


def started(engine: Engine) -> list[str]:
    """Return when each attempt was due: ``00:01:00``."""
    return [one.job.tick["due_at"][11:19] for one in engine.played]


class FailingLedger(SqliteLedger):
    """A ledger whose disk is full whenever a test says so, in the midst of a transaction."""

    full = ""

    def __init__(self) -> None:
        super().__init__(":memory:")
        inner = self._db.many

        def many(statement: str, /, rows: Sequence[Any]) -> int:
            if statement == self.full:
                raise LedgerFull("the disk is full")
            return inner(statement, rows)

        self._db.many = many  # type: ignore[method-assign]


class GarbledLedger(SqliteLedger):
    """A ledger in which one task's definition makes no sense to this release."""

    def numbered(self, *wanted: tuple[int, int]) -> list[VersionRow]:
        found = super().numbered(*wanted)
        return [replace(row, definition="{}") if row.name == "garbled" else row for row in found]


class TestLost:
    def test_a_failed_write_moves_nothing_on(self) -> None:
        """Celery Beat advances its state before it publishes; River its nextRunAt before it inserts.

        Both then only log the fault, and the tick is gone (celery beat.py; river periodic_job_enqueuer.go).
        """
        ledger = FailingLedger()
        engine = Engine(ledger=ledger)
        engine.apply(task("a", "* * * * *"))
        engine.clock.advance(seconds=35)
        ledger.full = "insert_tick"
        with pytest.raises(LedgerFull):
            engine.scheduler.step()
        engine.clock.advance(microseconds=PATIENCE)
        ledger.full = ""
        engine.run(minutes=3)
        assert started(engine) == ["00:01:00", "00:02:00", "00:03:00"]
        assert not engine.breaches()

    def test_a_scheduler_that_is_away_at_the_very_minute_loses_no_tick(self) -> None:
        """Oban looks whether it leads at the minute mark only: a leader dead then loses it (#630, #892)."""
        engine = Engine()
        engine.apply(task("a", "*/5 * * * *"))
        engine.run_until("2026-01-01T00:03:00Z")
        engine.scheduling = False
        engine.run_until("2026-01-01T00:05:30Z")
        engine.start_scheduler()
        engine.run(minutes=1)
        assert started(engine) == ["00:05:00"]
        assert not engine.breaches()

    def test_a_long_interval_comes_although_everything_restarts_more_often(self) -> None:
        """River #791 and django-celery-beat #634: the interval counts from the start of the process."""
        engine = Engine()
        for _ in range(12):
            engine.apply(task("a", "every 24h"))
            engine.run(hours=7)
            engine.crash_runner()
            engine.start_runner()
            engine.start_scheduler()
        assert engine.told("a") == [f"2026-01-0{day}T00:00:00Z succeeded" for day in (2, 3, 4)]
        assert not engine.breaches()

    def test_a_tick_that_is_two_seconds_late_runs(self) -> None:
        """APScheduler #182, #481, #292: what is later than one second is dropped in silence."""
        engine = Engine()
        engine.apply(task("a", "0 0 * * 0"))
        engine.run(days=2)
        engine.clock.advance(days=1, seconds=2)
        assert engine.told("a") == []
        engine.run(seconds=1)
        assert engine.told("a") == ["2026-01-04T00:00:00Z succeeded"]
        assert not engine.breaches()

    def test_a_busy_runner_skips_nothing_that_may_wait(self) -> None:
        """Procrastinate #292: a worker with long jobs skips periodic ticks."""
        engine = Engine(script=lambda job: Act(50 if job.tick["task"] == "long" else 1), limit=1)
        queue = Policies(overlap=Overlap(Overlapping.QUEUE_ALL))
        engine.apply(
            task("long", "* * * * *", policies=queue), task("short", "*/20 * * * * *", policies=queue)
        )
        engine.run(minutes=10)
        reasons = Counter(row.reason for row in engine.ticks())
        assert set(reasons) <= {None, "missed"}
        assert not engine.breaches()

    def test_more_than_a_hundred_missed_ticks_wedge_nothing(self) -> None:
        """Kubernetes #42649, #45825, #83642: a CronJob that missed 100 is never started again."""
        engine = Engine()
        engine.apply(task("a", "* * * * *"))
        engine.run(minutes=1)
        engine.clock.advance(days=3)
        engine.run(minutes=2)
        assert started(engine)[-3:] == ["00:01:00", "00:02:00", "00:03:00"]
        assert sum(row.count for row in engine.ticks("a")) == 3 * 24 * 60 + 3
        assert not engine.breaches()

    def test_a_skipped_tick_has_a_row_that_says_why(self) -> None:
        """Airflow #15036, #13910, #66791: with catch-up off, days are skipped and nothing tells of them."""
        engine = Engine()
        engine.apply(task("a", "@daily"))
        engine.run(hours=30)
        engine.clock.advance(days=3)
        engine.run(hours=1)
        assert engine.told("a")[1:] == [
            "2026-01-03T00:00:00Z skipped(missed)",
            "2026-01-04T00:00:00Z skipped(missed)",
            "2026-01-05T00:00:00Z succeeded",
        ]
        assert not engine.breaches()


class TestTwice:
    def test_any_number_of_schedulers_and_runners_run_a_tick_once(self, tmp_path: Path) -> None:
        """APScheduler #160, #655: each web worker fires its own; oban #1488: a stale leader doubles all.

        Celery #1495: two beats send everything twice.
        """
        path = str(tmp_path / "ledger.db")
        crew = [Engine(ledger=SqliteLedger(path)) for _ in range(4)]
        crew[0].apply(task("a", "every 1s"))
        for turn in range(20):
            for engine in crew[turn % 4 :] + crew[: turn % 4]:
                engine.step()
                engine.clock.advance(milliseconds=500)
        for engine in crew:
            engine.step()
        played = [one for engine in crew for one in engine.played]
        assert len(played) == len({one.job.key for one in played}) == len(crew[0].told("a"))
        assert sum(bool(engine.played) for engine in crew) > 1
        for engine in crew:
            engine.ledger.close()

    def test_a_scheduler_that_was_frozen_for_an_hour_plans_nothing_again(self) -> None:
        """Procrastinate forgets older deferrals, so that a worker that was suspended defers them anew.

        (schema.sql:194-204 with periodic.py)
        """
        engine = Engine()
        engine.apply(task("a", "* * * * *"))
        engine.run(minutes=2)
        frozen = engine.scheduler
        engine.start_scheduler()
        engine.run(hours=1)
        frozen.step()
        engine.run(minutes=2)
        frozen.step()
        assert len(engine.played) == len(set(started(engine))) == 64
        assert not engine.breaches()

    def test_a_new_zone_runs_nothing_that_ran_already(self) -> None:
        """Celery Beat forgets every last_run_at when its time zone setting changes (setup_schedule)."""
        engine = Engine("2026-01-01T12:00:00Z")
        engine.apply(task("a", "0 6 * * *", zone="Europe/Berlin"))
        engine.run(hours=20)
        engine.apply(task("a", "0 6 * * *", zone="UTC"))
        engine.run(hours=23)
        assert engine.told("a") == ["2026-01-02T05:00:00Z succeeded", "2026-01-03T06:00:00Z succeeded"]
        assert not engine.breaches()

    def test_two_runners_at_the_same_instant_do_not_both_start_a_task_that_must_not_overlap(
        self, tmp_path: Path
    ) -> None:
        """Dkron's "forbid" is a race by its own FAQ; Kubernetes' Forbid counts before it creates."""
        path = str(tmp_path / "ledger.db")
        one, two = (Engine(ledger=SqliteLedger(path), script=lambda _: Act(100)) for _ in range(2))
        one.apply(task("a", "*/10 * * * * *"))
        for _ in range(30):
            for engine in (one, two, one):
                engine.step()
            for engine in (one, two):
                engine.clock.advance(seconds=2)
        assert len(one.played) + len(two.played) == 1
        one.ledger.close()
        two.ledger.close()


class TestStuck:
    def test_an_attempt_that_never_ends_leaves_a_row_for_each_tick_it_keeps_out(self) -> None:
        """Kubernetes #58748: Forbid and a stuck job; nothing tells what was left out."""
        engine = Engine(script=lambda job: Act(10**6 if "00:01:00" in job.tick["due_at"] else 1))
        engine.apply(task("a", "* * * * *"))
        engine.run(minutes=10)
        assert Counter(row.reason for row in engine.ticks("a")) == {None: 1, "overlap": 9}
        engine.cancel("a@2026-01-01T00:01:00Z")
        engine.run(minutes=2, seconds=10)
        assert engine.told("a")[-1] == "2026-01-01T00:12:00Z succeeded"
        assert not engine.breaches()

    def test_retries_and_a_queue_do_not_lock_each_other_out(self) -> None:
        """Procrastinate #1543: a queueing lock and a retry wedge the task for good."""
        engine = Engine(script=lambda job: Act(5, "error") if job.tick["attempt"] < 3 else Act(5))
        retry = Retry(attempts=3, backoff="fixed", delay=40 * SECOND, jitter=0)
        policies = Policies(retry=retry, overlap=Overlap(Overlapping.QUEUE_ONE))
        engine.apply(task("a", "* * * * *", policies=policies))
        engine.run(minutes=10)
        states = Counter(told.split()[1] for told in engine.told("a")[:7])
        assert states == {"succeeded": 5, "skipped(superseded)": 2}
        assert not engine.breaches()

    def test_a_task_that_cannot_be_read_is_left_alone_and_the_others_go_on(self) -> None:
        """APScheduler 4 removes a schedule whose trigger cannot be serialised (release_schedules)."""
        engine = Engine(ledger=GarbledLedger(":memory:"))
        engine.apply(task("garbled", "* * * * *"), task("sound", "* * * * *"))
        engine.run(minutes=5)
        assert started(engine) == [f"00:0{n}:00" for n in (1, 2, 3, 4, 5)]
        assert {one.job.tick["task"] for one in engine.played} == {"sound"}
        names = [row.newest.name for row in engine.ledger.tasks()]
        assert names == ["garbled", "sound"]

    def test_a_scheduler_that_was_declared_dead_goes_on_under_a_new_number(self) -> None:
        """RedBeat #230, #218: a beat that lost its lock dies; 430 restarts in two weeks were seen."""
        engine = Engine()
        engine.apply(task("a", "* * * * *"))
        engine.run(minutes=1)
        other = Scheduler(
            engine.ledger,
            engine.clock,
            Presence(engine.ledger, engine.clock, "scheduler"),
            Versions(engine.ledger),
        )
        for _ in range(12):
            other.step()
            engine.clock.advance(seconds=2)
        assert [one.kind for one in engine.ledger.processes()] == ["scheduler"]
        engine.run(minutes=3)
        assert started(engine) == ["00:01:00", "00:02:00", "00:03:00", "00:04:00"]
        assert not engine.breaches()


class TestBothAtOnce:
    def test_a_fast_clock_starts_nothing_early(self) -> None:
        """Temporal says itself that a fast clock makes ticks run early and then stall (workflow.go now())."""
        engine = Engine()
        engine.apply(task("a", "* * * * *"))
        engine.run(seconds=30)
        engine.clock.wall_ahead = 40 * SECOND
        engine.run(seconds=20)
        assert engine.played == []
        engine.clock.wall_ahead = 0
        engine.run(seconds=20)
        assert [one.at - engine.ticks("a")[0].key.due_at for one in engine.played] == [0]
        assert not engine.breaches()
