"""Stories of edits: what is planned already, what was missed meanwhile, who edits at the same time."""

import pytest

from everytick import edits
from everytick.errors import EditRefused, UsageError
from everytick.policy import Policies, Retry
from everytick.testing.engine import AUTHOR, Engine, task
from everytick.testing.executor import Act
from everytick.tick import State

SECOND = 1_000_000


def rows(engine: Engine, name: str = "a") -> list[str]:
    """Return minute, version and state of each tick: ``04:00 v1 succeeded``."""
    return [
        f"{told[14:19]} v{row.version}{told[20:]}"
        for told, row in zip(engine.told(name), engine.ticks(name), strict=True)
    ]


def test_ticks_planned_ahead_give_way_to_the_new_schedule() -> None:
    engine = Engine()
    engine.apply(task("a", "* * * * *"))
    engine.run(seconds=40)
    engine.apply(task("a", "30 * * * * *"))
    engine.run(minutes=2)
    assert rows(engine) == ["01:30 v2 succeeded", "02:30 v2 succeeded"]
    assert not engine.breaches()


def test_a_tick_that_was_cancelled_ahead_of_its_time_stays_and_the_edit_begins_behind_it() -> None:
    engine = Engine()
    engine.apply(task("a", "*/10 * * * * *"))
    engine.run(seconds=2)
    engine.cancel("a@2026-01-01T00:00:30Z")
    engine.apply(task("a", "*/5 * * * * *"))
    engine.run(seconds=43)
    assert rows(engine) == [
        "00:10 v1 succeeded", "00:20 v1 succeeded", "00:30 v1 cancelled",
        "00:35 v2 succeeded", "00:40 v2 succeeded", "00:45 v2 succeeded"]  # fmt: skip
    assert not engine.breaches()


def test_the_running_attempt_and_its_retry_keep_the_version_they_began_with() -> None:
    engine = Engine(script=lambda job: Act(30, "error" if job.tick["attempt"] == 1 else "succeeded"))
    retry = Retry(attempts=2, backoff="fixed", delay=30 * SECOND, jitter=0)
    engine.apply(task("a", "* * * * *", policies=Policies(retry=retry)))
    engine.run(minutes=1, seconds=10)
    engine.apply(task("a", "0 * * * *"))
    engine.run(minutes=5)
    assert rows(engine) == ["01:00 v1 succeeded"]
    assert len(engine.played) == 2
    assert not engine.breaches()


def test_an_edit_during_an_outage_leaves_what_was_due_before_it_to_the_old_version() -> None:
    engine = Engine()
    engine.apply(task("a", "* * * * *"))
    engine.run(minutes=1, seconds=30)
    engine.scheduling = engine.running = False
    engine.run_until("2026-01-01T00:05:10Z")
    engine.apply(task("a", "*/4 * * * *"))
    engine.run_until("2026-01-01T00:13:30Z")
    engine.scheduling = engine.running = True
    engine.run(minutes=3)
    assert rows(engine) == [
        "01:00 v1 succeeded",
        *(f"0{n}:00 v1 skipped(missed)" for n in (2, 3, 4, 5)),
        "08:00 v2 skipped(missed)",
        "12:00 v2 succeeded",
        "16:00 v2 succeeded",
    ]
    assert not engine.breaches()


def test_the_tick_before_an_edit_is_not_missed_until_the_new_schedule_says_so() -> None:
    engine = Engine()
    engine.apply(task("a", "* * * * *"))
    engine.run(seconds=40)
    engine.running = False
    engine.run_until("2026-01-01T00:01:10Z")
    engine.apply(task("a", "0 * * * *"))
    engine.run_until("2026-01-01T00:30:00Z")
    engine.running = True
    engine.run(seconds=1)
    assert rows(engine) == ["01:00 v1 succeeded"]
    assert not engine.breaches()


def test_five_edits_while_nobody_was_up_give_each_instant_the_version_it_had() -> None:
    engine = Engine()
    engine.apply(task("a", "*/10 * * * * *"))
    engine.scheduling = engine.running = False
    for seconds in (15, 20, 30, 12, 60):
        engine.run(minutes=1)
        engine.apply(task("a", f"every {seconds}s"))
    engine.run(minutes=1)
    engine.scheduling = engine.running = True
    engine.run(minutes=2)
    assert {row.version for row in engine.ticks("a")} == {1, 2, 3, 4, 5, 6}
    assert not engine.breaches()


def test_an_interval_that_is_edited_more_often_than_it_is_due_still_comes() -> None:
    engine = Engine()
    engine.apply(task("a", "every 1h"))
    for edit in range(12):
        engine.run(minutes=20)
        engine.apply(task("a", "every 1h", policies=Policies(timeout=(edit + 1) * SECOND)))
    assert [told[11:19] for told in engine.told("a")] == ["01:00:00", "02:00:00", "03:00:00", "04:00:00"]
    assert not engine.breaches()


def test_applying_what_is_there_already_writes_nothing() -> None:
    engine = Engine()
    engine.apply(task("a", "every 1h"), task("b", "@daily", zone="Europe/Berlin"))
    engine.run(minutes=90)
    before = [*engine.ledger.changes(), *engine.ledger.tasks(), *engine.ticks()]
    assert engine.apply(task("b", "@daily", zone="Europe/Berlin"), task("a", "every 1h")) == 0
    assert [*engine.ledger.changes(), *engine.ledger.tasks(), *engine.ticks()] == before


def test_an_edit_made_meanwhile_refuses_the_whole_apply() -> None:
    engine = Engine()
    engine.apply(task("a", "every 1h"), task("b", "every 1h"))
    seen = engine.edits.compare(
        [task("a", "every 2h"), task("b", "every 2h"), task("c", "every 2h")], "story"
    )
    engine.pause("b")
    changes = len(engine.ledger.changes())
    with pytest.raises(EditRefused, match="task 'b' was edited meanwhile"):
        engine.edits.apply(seen, engine.clock.now, AUTHOR)
    assert len(engine.ledger.changes()) == changes
    assert {row.newest.name: row.newest.version for row in engine.ledger.tasks()} == {"a": 1, "b": 2}
    assert engine.apply(task("a", "every 2h"), task("b", "every 2h"), task("c", "every 2h"))
    assert not engine.breaches()


def test_a_large_apply_is_one_change_in_parts_that_begin_each_at_its_own_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(edits, "PART", 2)
    engine = Engine()
    engine.apply(task("e", "every 1h"))
    seen = engine.edits.compare([task(name, "every 10m") for name in "dbca"], "story")
    assert seen.counts() == {"add": 4, "change": 0, "remove": 1}
    heard: list[tuple[float, float]] = []
    moments = iter([engine.clock.now() + n * SECOND for n in range(3)])
    number = engine.edits.apply(seen, lambda: next(moments), AUTHOR, lambda *done: heard.append(done))
    assert heard == [(2, 5), (4, 5), (5, 5)]
    (change,) = engine.ledger.changes(after=number - 1)
    assert change.detail == '{"add":4,"change":0,"remove":1}'
    newest = [row.newest for row in engine.ledger.tasks()]
    assert {row.change_id for row in newest} == {number}
    begun = [row.since - change.at for row in newest]
    assert begun == [0, 0, SECOND, SECOND, 2 * SECOND]
    engine.run(minutes=25)
    assert [len(engine.ticks(name)) for name in "abcde"] == [2, 2, 2, 2, 0]
    assert not engine.breaches()


def test_what_a_large_apply_left_undone_is_done_by_applying_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edits, "PART", 2)
    engine = Engine()
    wanted = [task(name, "every 10m") for name in "abcde"]
    engine.apply(task("c", "every 1h"))
    seen = engine.edits.compare(wanted, "story")
    engine.pause("c")
    with pytest.raises(EditRefused, match=r"'c' was edited .*; 2 of 5 tasks are written, as change 3; apply"):
        engine.edits.apply(seen, engine.clock.now, AUTHOR)
    assert [row.newest.name for row in engine.ledger.tasks()] == ["a", "b", "c"]
    engine.run(minutes=15)
    assert engine.apply(*wanted) == 4
    engine.run(minutes=15)
    assert {row.newest.name: row.newest.version for row in engine.ledger.tasks()} == {
        "a": 1, "b": 1, "c": 3, "d": 1, "e": 1}  # fmt: skip
    assert [len(engine.ticks(name)) for name in "ade"] == [3, 1, 1]
    assert not engine.breaches()


def test_an_edit_keeps_a_pause() -> None:
    engine = Engine()
    engine.apply(task("a", "* * * * *"))
    engine.pause("a", until="2026-01-01T00:10:30Z")
    engine.run(minutes=3)
    engine.apply(task("a", "*/2 * * * *"))
    engine.run(minutes=10)
    assert rows(engine) == ["01:00 v2 skipped(paused)", "04:00 v3 skipped(paused)", "12:00 v3 succeeded"]
    assert [row.count for row in engine.ticks("a")] == [3, 4, 1]
    assert not engine.breaches()


def test_a_task_that_is_removed_and_comes_back_has_no_ticks_between_and_begins_anew() -> None:
    engine = Engine()
    engine.apply(task("a", "every 10m"))
    engine.run(minutes=25)
    engine.apply()
    engine.run(minutes=62)
    engine.apply(task("a", "every 10m"))
    engine.run(minutes=25)
    assert rows(engine) == [
        "10:00 v1 succeeded",
        "20:00 v1 succeeded",
        "37:00 v3 succeeded",
        "47:00 v3 succeeded",
    ]
    assert engine.ticks("a")[2].prev_due == engine.ticks("a")[1].key.due_at
    assert not engine.breaches()


def test_removing_a_task_cancels_what_waits_and_lets_the_running_attempt_end() -> None:
    engine = Engine(script=lambda _: Act(100))
    engine.apply(task("a", "0 * * * *"))
    engine.run(hours=1, seconds=10)
    asked = engine.ask("a")
    engine.run(seconds=1)
    engine.apply()
    engine.run(minutes=5)
    assert rows(engine)[0] == "00:00 v1 succeeded"
    row = engine.ledger.tick(asked)
    assert row is not None
    assert row.state is State.CANCELLED
    assert not engine.breaches()


def test_apply_removes_only_tasks_of_its_own_origin_and_takes_none_of_another() -> None:
    engine = Engine()
    theirs = task("theirs", "every 1h", origin="elsewhere")
    engine.edits.apply(engine.edits.compare([theirs], "elsewhere"), engine.clock.now, AUTHOR)
    engine.apply(task("mine", "every 1h"))
    engine.apply()
    status = {row.newest.name: row.newest.status for row in engine.ledger.tasks()}
    assert status == {"mine": "removed", "theirs": "active"}
    with pytest.raises(UsageError, match="belongs to elsewhere"):
        engine.apply(task("theirs", "every 1h"))
    with pytest.raises(UsageError, match="two tasks are named 'twin'"):
        engine.apply(task("twin", "every 1h"), task("twin", "every 2h"))


def test_every_change_says_who_made_it_and_why() -> None:
    engine = Engine()
    engine.apply(task("a", "every 1h"))
    engine.pause("a")
    engine.resume("a")
    engine.ask("a")
    engine.backfill("a", "2026-01-01T00:30:00Z", "2026-01-01T02:00:00Z")
    found = [(change.actor, change.act, change.note) for change in engine.ledger.changes()]
    assert found == [("test", act, "a story") for act in ("apply", "pause", "resume", "run", "backfill")]
