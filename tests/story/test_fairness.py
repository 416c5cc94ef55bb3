"""Stories of one task that has far more ticks than its share, and of the others beside it."""

from collections.abc import Iterable

import pytest

from everytick.executor import Job
from everytick.policy import CatchingUp, CatchUp, Overlap, Overlapping, Policies, Priority
from everytick.testing.engine import AUTHOR, Engine, task
from everytick.testing.executor import Act, Played
from everytick.tick import parse_rfc3339

SECOND = 1_000_000
SLOW = 10
"""Seconds that a tick of the one task takes."""
KINDS = [Overlap(), Overlap(Overlapping.QUEUE_ALL), Overlap.allow(2), Overlap.allow()]


def script(job: Job) -> Act:
    return Act(SLOW if job.key.startswith("hog") else 1)


def of(engine: Engine, name: str) -> list[Played]:
    return [one for one in engine.played if one.job.tick["task"] == name]


def lateness(engine: Engine, name: str) -> float:
    """Return by how many seconds the latest start of a task was late; all its ticks must have run."""
    starts = of(engine, name)
    ticks = engine.ticks(name)
    assert [row.state for row in ticks] == ["succeeded"] * len(starts)
    return max((one.at - row.key.due_at) / SECOND for one, row in zip(starts, ticks, strict=True))


def turns(played: Iterable[Played]) -> str:
    """Return whose turn it was: ``abab``."""
    return "".join(one.job.key[0] for one in played)


@pytest.mark.parametrize("limit", [1, 2, 8])
@pytest.mark.parametrize("overlap", KINDS, ids=str)
def test_a_backfill_of_a_million_ticks_leaves_the_others_their_places(overlap: Overlap, limit: int) -> None:
    """Its ticks are of the lowest class; so is the other task, or there would be nothing to see."""
    engine = Engine("2026-02-01T00:00:30Z", script, limit=limit)
    low = Policies(priority=Priority.LOW)
    hog = task("hog", "* * * * * *", policies=Policies(overlap=overlap, priority=Priority.LOW))
    engine.apply(hog, task("other", "* * * * *", policies=low))
    engine.pause("hog")
    assert engine.backfill("hog", "2026-01-20T00:00:00Z", "2026-01-31T13:46:40Z") == 1_000_000
    engine.run(minutes=10, seconds=29)
    assert lateness(engine, "other") <= SLOW
    assert len(of(engine, "hog")) > 30
    assert not engine.breaches()


@pytest.mark.parametrize("overlap", KINDS, ids=str)
def test_a_million_missed_ticks_that_are_to_run_leave_the_others_their_places(overlap: Overlap) -> None:
    engine = Engine("2026-01-01T00:00:00Z", script, limit=2)
    catch_up = CatchUp(CatchingUp.ALL)
    engine.apply(
        task("hog", "* * * * * *", policies=Policies(overlap=overlap, catch_up=catch_up)),
        task("other", "30 * * * * *"),
    )
    engine.scheduling = engine.running = False
    engine.run_until("2026-01-12T14:00:00Z")
    engine.start_scheduler()
    engine.start_runner(limit=2)
    engine.run(minutes=3)
    assert len(of(engine, "hog")) > 15
    up = parse_rfc3339("2026-01-12T14:00:00Z")
    expected = [up, *(up + (30 + 60 * minute) * SECOND for minute in range(3))]
    late = [one.at - due for one, due in zip(of(engine, "other"), expected, strict=True)]
    assert 0 <= min(late) <= max(late) <= SLOW * SECOND


@pytest.mark.parametrize("overlap", KINDS, ids=str)
def test_what_is_asked_for_by_hand_without_end_leaves_the_others_their_places(overlap: Overlap) -> None:
    engine = Engine(script=script, limit=2)
    engine.apply(task("hog", "0 0 1 1 *", policies=Policies(overlap=overlap)), task("other", "* * * * *"))
    asked = [engine.ask("hog") for _ in range(5000)]
    engine.run(minutes=10, seconds=29)
    assert lateness(engine, "other") <= SLOW
    done = [one.job.tick["request"] for one in of(engine, "hog")]
    assert done == [key.request for key in asked[: len(done)]]
    assert len(done) >= 55
    assert len(engine.ledger.slots(asked[0].task_id)) <= 100
    assert not engine.breaches()


def test_all_that_was_asked_for_by_hand_runs_in_the_end_whatever_ends_the_others() -> None:
    engine = Engine(script=lambda _: Act(0.01), limit=4)
    engine.apply(task("hog", "0 0 1 1 *", policies=Policies(overlap=Overlap(Overlapping.QUEUE_ALL))))
    asked = [engine.ask("hog") for _ in range(450)]
    for key in asked[:120] + asked[200:220]:
        engine.edits.cancel("hog", key, engine.clock.now(), AUTHOR)
    engine.run(minutes=1)
    asked += [engine.ask("hog") for _ in range(150)]
    engine.run(minutes=5)
    states = [engine.ledger.tick(key) for key in asked]
    assert [row and row.state for row in states] == (
        ["cancelled"] * 120 + ["succeeded"] * 80 + ["cancelled"] * 20 + ["succeeded"] * 380
    )
    assert not engine.breaches()


def test_the_requests_of_a_removed_task_are_cancelled_those_in_reserve_too() -> None:
    engine = Engine(script=script, limit=1)
    engine.apply(task("hog", "0 0 1 1 *"))
    asked = [engine.ask("hog") for _ in range(350)]
    engine.run(seconds=1)
    engine.apply()
    engine.run(minutes=5)
    states = [row.state for key in asked if (row := engine.ledger.tick(key))]
    assert states == ["succeeded"] + ["cancelled"] * 349


def test_tasks_with_a_backlog_take_turns_and_what_runs_already_counts() -> None:
    engine = Engine(script=lambda _: Act(1), limit=1)
    freely = Policies(overlap=Overlap.allow())
    engine.apply(*(task(name, "0 0 1 1 *", policies=freely) for name in "abc"))
    for name in "aaaaabbc":
        engine.ask(name)
    engine.run(seconds=20)
    assert turns(engine.played) == "abcabaaa"
    engine = Engine(script=lambda job: Act(100 if job.key[0] == "a" else 1), limit=3)
    engine.apply(*(task(name, "0 0 1 1 *", policies=freely) for name in "ab"))
    engine.ask("a")
    engine.ask("a")
    engine.run(seconds=1)
    for name in "aabbb":
        engine.ask(name)
    engine.run(seconds=10)
    assert turns(engine.played) == "aabbba"


@pytest.mark.parametrize("limit", [1, 4])
def test_queues_take_turns_however_long_the_first_of_them_is(limit: int) -> None:
    engine = Engine(script=lambda _: Act(1))
    engine.queues = ("one", "two")
    engine.start_runner(limit)
    freely = Overlap.allow()
    engine.apply(
        *(task(name, "0 0 1 1 *", policies=Policies(overlap=freely, queue="one")) for name in "abc"),
        task("x", "0 0 1 1 *", policies=Policies(overlap=freely, queue="two", priority=Priority.LOW)),
    )
    for name in "abc" * 10 + "x" * 5:
        engine.ask(name)
    engine.run(seconds=60)
    assert turns(engine.played)[:8] == "axbxcxax"
    assert len(engine.played) == 35


class TestClasses:
    def test_a_lower_class_waits_while_a_higher_one_is_ready(self) -> None:
        engine = Engine(script=lambda _: Act(1), limit=1)
        for name, priority in (("h", Priority.HIGH), ("n", Priority.NORMAL), ("l", Priority.LOW)):
            policies = Policies(overlap=Overlap.allow(), priority=priority)
            engine.edits.apply(
                engine.edits.compare([task(name, "0 0 1 1 *", policies=policies, origin=name)], name),
                engine.clock.now,
                AUTHOR,
            )
        for name in "llnnhh" * 2:
            engine.ask(name)
        engine.run(seconds=30)
        assert turns(engine.played) == "hhhhnnnnllll"

    def test_its_starving_is_told_once_and_its_end_too(self, caplog: pytest.LogCaptureFixture) -> None:
        engine = Engine(script=lambda _: Act(1), limit=1)
        low, high = (Policies(priority=one, overlap=Overlap.allow()) for one in (Priority.LOW, Priority.HIGH))
        engine.apply(task("h", "0 0 1 1 *", policies=high), task("l", "0 0 1 1 *", policies=low))
        for name in "l" + "h" * 40:
            engine.ask(name)
        engine.run(seconds=30)
        for _ in range(40):
            engine.ask("h")
        engine.run(seconds=30)
        assert not caplog.messages
        engine.run(minutes=2)
        told, over = caplog.messages
        assert told.startswith("ticks of queue default, low priority, are ready since 2026-01-01T00:00:00Z")
        assert "l waits longest" in told
        assert over == "what was ready of queue default, low priority, has been claimed"
        assert turns(engine.played[-2:]) == "hl"
