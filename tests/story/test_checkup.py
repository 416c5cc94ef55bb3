"""Health, read from a ledger while a story goes wrong and is mended again."""

from everytick.checkup import facts
from everytick.executor import Job
from everytick.health import Kind, health
from everytick.policy import Policies
from everytick.testing.engine import AUTHOR, Engine, task
from everytick.testing.executor import Act

HOUR = 3_600_000_000


def alarms(engine: Engine, silent: tuple[int, ...] = ()) -> list[tuple[Kind, str]]:
    now = engine.clock.now()
    told = facts(engine.ledger, engine.versions, now, silent)
    return [(alarm.kind, alarm.subject) for alarm in health(told, now) if alarm.kind is not Kind.DEAD]


def test_a_task_that_fails_becomes_late_then_paused_and_stale_and_well_again_when_it_is_mended() -> None:
    broken = True
    policies = Policies(finish_within=HOUR // 2, fresh_within=3 * HOUR, pause_after=4)

    def script(_: Job) -> Act:
        return Act(1, "error", "OSError: no") if broken else Act(1)

    engine = Engine("2026-01-01T00:30:00Z", script)
    engine.apply(task("prices", "0 * * * *", policies=policies))
    engine.run(minutes=40)
    assert alarms(engine) == []
    engine.run(minutes=25)
    assert alarms(engine) == [(Kind.LATE, "prices")]
    engine.run(hours=4)
    assert alarms(engine) == [(Kind.LATE, "prices"), (Kind.STALE, "prices"), (Kind.PAUSED, "prices")]
    broken = False
    engine.edits.resume("prices", engine.clock.now(), AUTHOR)
    engine.run(hours=2)
    assert alarms(engine) == []


def test_ticks_that_nobody_claims_starve_and_a_task_that_nobody_plans_falls_behind() -> None:
    engine = Engine("2026-01-01T00:00:00Z")
    engine.apply(task("often", "* * * * *"))
    engine.run(minutes=5)
    engine.running = False
    engine.run(minutes=3)
    assert alarms(engine) == [(Kind.DESERTED, "runner"), (Kind.STARVED, "default, normal priority")]
    engine.running, engine.scheduling = True, False
    engine.run(minutes=5)
    assert alarms(engine) == [(Kind.BEHIND, "often")]
    engine.scheduling = True
    engine.run(minutes=1)
    assert alarms(engine) == []
