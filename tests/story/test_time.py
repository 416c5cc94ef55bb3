"""Stories of long and strange times: a year of downtime, days of 23 and 25 hours, many programs at once."""

from collections import Counter
from pathlib import Path
from random import Random

from everytick.edits import Edits
from everytick.ledger import TickFilter
from everytick.ledgers.sqlite import SqliteLedger
from everytick.life.presence import Presence
from everytick.policy import CatchingUp, CatchUp, Overlap, Overlapping, Policies, Retry
from everytick.runner import Runner
from everytick.scheduler import Scheduler
from everytick.task import Call
from everytick.testing.clock import FakeClock
from everytick.testing.engine import AUTHOR, Engine, task
from everytick.testing.executor import Act, Played, ScriptedExecutor
from everytick.testing.laws import breaches
from everytick.tick import State
from everytick.versions import Versions

SECOND = 1_000_000
YEAR = 365 * 86_400


class TestDowntime:
    def test_a_year_without_anybody_leaves_one_row_that_counts_every_second(self) -> None:
        engine = Engine()
        engine.apply(task("a", "every 1s"))
        engine.run(seconds=10)
        engine.clock.advance(seconds=YEAR)
        engine.run(seconds=10)
        rows = engine.ticks("a")
        ran, ahead, (wide,), rest = rows[:10], rows[10:60], rows[60:61], rows[61:]
        assert {row.state for row in ran} == {State.SUCCEEDED}
        assert {row.reason for row in ahead} == {"missed"}
        assert (wide.count, wide.reason) == (YEAR - 150, "missed")
        assert (wide.key.due_at, wide.through) == (ahead[-1].key.due_at + SECOND, rest[0].key.due_at - SECOND)
        assert Counter(row.reason or row.state for row in rest) == {"missed": 99, "succeeded": 11}
        assert sum(row.count for row in rows) == YEAR + 20
        last = None
        for row in rows:
            assert row.prev_due == last
            last = row.through or row.key.due_at

    def test_ten_years_without_a_scheduler_leave_a_yearly_task_ten_rows(self) -> None:
        engine = Engine()
        engine.apply(task("a", "@yearly"))
        engine.run(hours=1)
        engine.clock.advance(days=3655)
        engine.run(hours=1)
        assert [told[:4] + told[20:] for told in engine.told("a")] == [
            *(f"{year} skipped(missed)" for year in range(2027, 2036)),
            "2036 succeeded",
        ]
        assert not engine.breaches()

    def test_whoever_wants_them_all_gets_them_all(self) -> None:
        engine = Engine(script=lambda _: Act(1))
        policies = Policies(catch_up=CatchUp(CatchingUp.ALL), overlap=Overlap(Overlapping.QUEUE_ALL))
        engine.apply(task("a", "0 * * * *", policies=policies))
        engine.run(minutes=30)
        engine.clock.advance(days=20)
        engine.run(hours=1)
        assert Counter(row.state for row in engine.ticks("a")) == {State.SUCCEEDED: 20 * 24 + 1}
        assert [one.job.tick["due_at"] for one in engine.played] == sorted(
            one.job.tick["due_at"] for one in engine.played
        )
        assert not engine.breaches()


class TestClockChanges:
    BERLIN = "Europe/Berlin"

    def test_half_past_two_comes_once_on_the_day_that_lacks_it(self) -> None:
        engine = Engine("2026-03-27T12:00:00Z")
        engine.apply(task("daily", "30 2 * * *", zone=self.BERLIN))
        engine.run(days=4)
        assert engine.told("daily") == [
            "2026-03-28T01:30:00Z succeeded",
            "2026-03-29T01:00:00Z succeeded",
            "2026-03-30T00:30:00Z succeeded",
            "2026-03-31T00:30:00Z succeeded",
        ]
        assert not engine.breaches()

    def test_half_past_two_comes_once_on_the_day_that_has_it_twice(self) -> None:
        engine = Engine("2026-10-23T12:00:00Z")
        engine.apply(task("daily", "30 2 * * *", zone=self.BERLIN))
        engine.run(days=4)
        assert engine.told("daily") == [
            "2026-10-24T00:30:00Z succeeded",
            "2026-10-25T00:30:00Z succeeded",
            "2026-10-26T01:30:00Z succeeded",
            "2026-10-27T01:30:00Z succeeded",
        ]
        assert not engine.breaches()

    def test_an_hourly_task_comes_every_hour_of_a_day_of_23_and_of_25_hours(self) -> None:
        for day, hours in (("2026-03-28T23:00:00Z", 23), ("2026-10-24T22:00:00Z", 25)):
            engine = Engine(day)
            engine.apply(task("hourly", "0 * * * *", zone=self.BERLIN))
            engine.run(hours=hours)
            ticks = engine.ticks("hourly")
            assert len(ticks) == hours
            assert {row.key.due_at - (row.prev_due or 0) for row in ticks[1:]} == {3600 * SECOND}
            assert {row.state for row in ticks} == {State.SUCCEEDED}
            assert not engine.breaches()

    def test_a_scheduler_that_was_down_over_the_change_accounts_for_it_all_the_same(self) -> None:
        engine = Engine("2026-10-24T20:00:00Z")
        engine.apply(
            task("daily", "30 2 * * *", zone=self.BERLIN), task("hourly", "0 * * * *", zone=self.BERLIN)
        )
        engine.run(hours=1)
        engine.clock.advance(hours=30)
        engine.run(hours=1)
        assert sum(row.count for row in engine.ticks("hourly")) == 32
        assert engine.told("daily")[:1] == ["2026-10-25T00:30:00Z skipped(missed)"]
        assert not engine.breaches()


def test_two_schedulers_and_three_runners_share_one_file_and_one_of_each_dies(tmp_path: Path) -> None:
    path = str(tmp_path / "ledger.db")
    clock, random, played = FakeClock(), Random(7), list[Played]()
    kinds = list(Overlapping)

    def script(job: object) -> Act:
        del job
        return random.choice([Act(), Act(3), Act(25), Act(1, "error", "ValueError: no")])

    def scheduler() -> Scheduler:
        ledger = SqliteLedger(path)
        return Scheduler(ledger, clock, Presence(ledger, clock, "scheduler"), Versions(ledger))

    def runner() -> tuple[Runner, ScriptedExecutor]:
        ledger, executor = SqliteLedger(path), ScriptedExecutor(clock, script, played)
        presence = Presence(ledger, clock, "runner")
        return Runner(ledger, clock, presence, Versions(ledger), {Call: executor}, limit=4), executor

    with SqliteLedger(path) as ledger:
        edits = Edits(ledger, Versions(ledger))
        retry = Retry(attempts=3, delay=2 * SECOND)
        tasks = [
            task(
                f"t{n}",
                f"every {5 + n}s",
                policies=Policies(
                    retry=retry, overlap=Overlap(kinds[n % 5], 2 if kinds[n % 5] is Overlapping.ALLOW else 1)
                ),
            )
            for n in range(10)
        ]
        edits.apply(edits.compare(tasks, "story"), clock.now, AUTHOR)
        schedulers, runners = [scheduler() for _ in range(2)], [runner() for _ in range(3)]
        for second in range(240):
            if second == 60:
                runners.pop()[1].vanish()
                schedulers.pop()
            if second == 120:
                runners.append(runner())
                schedulers.append(scheduler())
            turn: list[Scheduler | Runner] = [*schedulers, *(one for one, _ in runners)]
            random.shuffle(turn)
            for program in turn:
                program.step()
            clock.advance(milliseconds=random.randrange(200, 1000))
        rows = ledger.ticks(TickFilter(until=clock.now() - 60 * SECOND, limit=10_000))
        assert len(rows) > 80
        assert {"succeeded", "cancelled", "skipped"} <= {row.state.value for row in rows}
        assert sum(row.reruns for row in rows) > 0
        assert not breaches(ledger, played)
    left: list[Scheduler | Runner] = [*schedulers, *(one for one, _ in runners)]
    for program in left:
        program._ledger.close()
