"""Stories of tasks whose code is not where a runner is."""

import logging

import pytest
from msgspec.structs import replace

from everytick.checkup import facts
from everytick.health import Kind, health
from everytick.policy import Overlap, Policies
from everytick.task import Call
from everytick.testing.engine import Engine, task
from everytick.tick import State


def lacking(*calls: str, policies: Policies | None = None) -> Engine:
    """Return an engine whose runner lacks some code, with the tasks a and b of every minute."""
    engine = Engine()
    engine.executor.lacking.update(calls)
    engine.apply(task("a", "* * * * *", policies=policies), task("b", "* * * * *", policies=policies))
    return engine


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.levelno >= logging.ERROR]


def test_its_ticks_stay_planned_it_is_told_once_and_the_others_run(caplog: pytest.LogCaptureFixture) -> None:
    engine = lacking("story:a")
    engine.run(minutes=1, seconds=50)
    assert engine.told("a") == ["2026-01-01T00:01:00Z planned"]
    assert engine.told("b") == ["2026-01-01T00:01:00Z succeeded"]
    assert errors(caplog) == [
        "task 'a' is left to other runners, this one lacks its code: there is no such module"
    ]
    assert engine.ledger.attempts(engine.ticks("a")[0].key) == []
    assert not engine.breaches()


def test_a_runner_that_has_the_code_takes_them_meanwhile() -> None:
    engine = lacking("story:a")
    engine.run(minutes=1, seconds=5)
    old, presence = engine.runner, engine.presence
    engine.start_runner()
    engine.run(seconds=1)
    old.step()
    assert presence.id != engine.presence.id
    assert engine.told("a") == ["2026-01-01T00:01:00Z succeeded"]


def test_it_is_looked_for_again_and_found_after_a_deployment(caplog: pytest.LogCaptureFixture) -> None:
    engine = lacking("story:a")
    engine.run(minutes=1, seconds=5)
    engine.executor.lacking.clear()
    engine.run(seconds=15)
    assert engine.told("a") == ["2026-01-01T00:01:00Z succeeded"]
    assert caplog.messages[-1] == "task 'a' can be run here now"


def test_what_is_known_of_a_million_tasks_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("everytick.ability._KNOWN", 3)
    engine = Engine()
    engine.apply(*(task(f"t{n}", "* * * * *") for n in range(10)))
    engine.run(minutes=1, seconds=5)
    assert {row.state for n in range(10) for row in engine.ticks(f"t{n}")} == {State.SUCCEEDED}
    ability = engine.runner._ability
    assert len(ability._had) <= 3
    assert len(ability._calls) <= 3


def test_when_nobody_has_it_somebody_is_told(caplog: pytest.LogCaptureFixture) -> None:
    engine = lacking("story:a", policies=Policies(overlap=Overlap.allow()))
    engine.run(minutes=2, seconds=30)
    now = engine.clock.now()
    (alarm,) = health(facts(engine.ledger, engine.versions, now), now)
    assert alarm.kind is Kind.STARVED
    assert alarm.sentence.endswith("unclaimed; a waits longest")
    assert "has the code of its tasks" in alarm.mend
    assert any("a waits longest" in message for message in caplog.messages)


def test_a_runner_that_lacks_all_code_does_not_spin() -> None:
    engine = lacking("story:a", "story:b")
    engine.run(minutes=1, seconds=5)
    assert engine.runner.step() > engine.clock.now()
    assert not engine.played


def test_a_thousand_tasks_without_code_keep_nobody_waiting() -> None:
    engine = Engine(limit=4)
    engine.executor.lacking.update(f"story:t{number}" for number in range(1000))
    engine.apply(*(task(f"t{number}", "* * * * *") for number in range(1000)), task("z", "* * * * *"))
    engine.run(minutes=2)
    assert engine.told("z") == ["2026-01-01T00:01:00Z succeeded", "2026-01-01T00:02:00Z succeeded"]


def test_what_an_older_version_wanted_and_nobody_will_have_again_is_started_and_fails_there() -> None:
    """The newest version's code is here, so this runner is up to date: its own has gone for good."""
    engine = Engine()
    old = replace(task("a", "* * * * *"), work=Call(call="story:old"))
    engine.apply(old)
    engine.running = False
    engine.run(minutes=1, seconds=5)
    engine.apply(task("a", "* * * * *"))
    engine.start_runner()
    engine.executor.lacking.add("story:old")
    engine.run(seconds=10)
    assert [one.job.call for one in engine.played] == ["story:old"]


def test_what_an_older_version_wanted_runs_where_the_newest_cannot() -> None:
    engine = Engine()
    engine.apply(replace(task("a", "* * * * *"), work=Call(call="story:old")))
    engine.running = False
    engine.run(minutes=1, seconds=5)
    engine.apply(task("a", "* * * * *"))
    engine.start_runner()
    engine.executor.lacking.add("story:a")
    engine.run(seconds=70)
    assert [one.job.call for one in engine.played] == ["story:old"]
    assert engine.told("a")[-1] == "2026-01-01T00:02:00Z planned"
