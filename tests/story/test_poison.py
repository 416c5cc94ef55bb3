"""Stories of ticks that kill their runner, and of those that ran beside them."""

from everytick.executor import Job
from everytick.policy import Overlap, Policies
from everytick.testing.engine import Engine, task
from everytick.testing.executor import Act

HOURLY = "0 * * * *"
BESIDE = [f"beside-{number}" for number in range(7)]


def script(job: Job) -> Act:
    return Act(1000 if job.key.startswith("poison") else 20)


def live(engine: Engine, minutes: int, limit: int = 8) -> int:
    """Let time pass; whenever a poison tick has run for two seconds its runner dies. Return how often."""
    deaths = seen = 0
    for _ in range(minutes * 30):
        engine.run(seconds=2)
        fresh = engine.played[seen:]
        seen = len(engine.played)
        if any(one.job.key.startswith("poison") and one.ends is not None for one in fresh):
            deaths += 1
            engine.run(seconds=2)
            engine.crash_runner()
            engine.run(seconds=5)
            engine.start_runner(limit)
    return deaths


def test_a_poison_tick_spends_its_own_budget_and_not_that_of_those_beside_it() -> None:
    engine = Engine(script=script, limit=8)
    engine.apply(task("poison", HOURLY), *(task(name, HOURLY) for name in BESIDE))
    engine.run(minutes=59, seconds=58)
    assert live(engine, 10) == 4
    assert engine.told("poison") == ["2026-01-01T01:00:00Z failed(lost)"]
    (poison,) = engine.ticks("poison")
    error, _ = engine.ledger.output(poison.key, poison.attempt)
    assert error is not None
    assert error.endswith("stopped beating; it was lost 4 times, and is not run again")
    rows = [row for name in BESIDE for row in engine.ticks(name)]
    assert {row.state for row in rows} == {"succeeded"}
    assert max(row.reruns for row in rows) == 2
    first, _ = engine.ledger.output(rows[0].key, 1)
    assert first is not None
    assert first.endswith("stopped beating, and 7 others ran there")
    assert not engine.breaches()


def test_what_was_never_lost_runs_on_beside_a_suspect() -> None:
    engine = Engine(script=script, limit=8)
    engine.apply(task("poison", HOURLY), task("often", "*/2 * * * * *"))
    engine.run(minutes=59, seconds=58)
    assert live(engine, 10) == 4
    assert engine.told("poison") == ["2026-01-01T01:00:00Z failed(lost)"]
    states = {row.state for row in engine.ticks("often")}
    assert "failed" not in states
    assert max(row.reruns for row in engine.ticks("often")) <= 2
    suspect = next(one for one in engine.played if one.job.key.endswith("!4"))
    assert any(one.at > suspect.at and one.ends is None for one in engine.played)
    assert not engine.breaches()


def test_a_task_whose_every_tick_is_poison_drags_none_with_it() -> None:
    engine = Engine("2026-01-01T00:59:30Z", script, limit=8)
    engine.apply(task("poison", "*/2 * * * *"), *(task(name, HOURLY) for name in BESIDE))
    engine.run(seconds=28)
    assert live(engine, 20) > 8
    assert engine.told("poison")[:2] == [
        "2026-01-01T01:00:00Z failed(lost)",
        "2026-01-01T01:02:00Z skipped(overlap)",
    ]
    assert {row.state for name in BESIDE for row in engine.ticks(name)} == {"succeeded"}


def test_after_one_loss_all_run_again_at_once() -> None:
    """A machine that was switched off is no suspicion: its long work is not to be done one by one."""
    engine = Engine(script=lambda _: Act(3600), limit=8)
    engine.apply(*(task(name, HOURLY) for name in BESIDE))
    engine.run(hours=1, seconds=20)
    engine.crash_runner()
    engine.run(seconds=20)
    engine.start_runner(8)
    engine.run(seconds=5)
    assert [row.state for name in BESIDE for row in engine.ticks(name)] == ["running"] * 7
    assert {one.job.tick["attempt"] for one in engine.played[7:]} == {2}


def test_suspects_that_wait_do_not_make_their_runner_spin() -> None:
    engine = Engine(script=lambda _: Act(600), limit=8)
    engine.apply(*(task(name, HOURLY, policies=Policies(overlap=Overlap.allow())) for name in BESIDE))
    engine.run(hours=1)
    for _ in range(2):
        engine.run(seconds=5)
        engine.crash_runner()
        engine.run(seconds=20)
        engine.start_runner(8)
    engine.run(seconds=5)
    assert [str(row.state) for name in BESIDE for row in engine.ticks(name)].count("running") == 1
    assert engine.runner.step() > engine.clock.now()
    engine.run(minutes=70)
    assert {row.state for name in BESIDE for row in engine.ticks(name)[:1]} == {"succeeded"}
    assert not engine.breaches()
