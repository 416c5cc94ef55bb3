"""What plan() has to do."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from everytick.ledger import Ledger
from everytick.plan import UNSTARTED, Cursor, Plan
from everytick.testing.ledgers.scene import NOBODY, START, Scene, due
from everytick.tick import NEVER, Key, Reason, State, proof


class Planning:
    """The tests of plan() and next_plan()."""

    def test_a_plan_writes_ticks_and_moves_the_cursor(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        task = scene.task()
        assert ledger.next_plan() == due(1)
        assert scene.plan(due(3)) == 1
        rows = scene.recorded(task)
        assert [row.key for row in rows] == [Key(task, due(n)) for n in (1, 2, 3)]
        assert [row.prev_due for row in rows] == [None, due(1), due(2)]
        assert [row.next_due for row in rows] == [due(2), due(3), due(4)]
        assert {(row.state, row.task, row.version, row.attempt) for row in rows} == {
            (State.PLANNED, "report", 1, 1)
        }
        row = scene.row()
        assert (row.planned_through, row.last_due, row.next_due) == (due(3), due(3), due(4))
        assert row.settled_through is None
        assert ledger.next_plan() == due(4)

    def test_a_planned_task_is_not_looked_at_again(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        scene.task()
        scene.plan(due(3))
        assert ledger.plan(due(3), START, 10, NOBODY, _unwanted) == 0

    def test_the_chain_goes_on_where_it_ended(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        task = scene.task()
        scene.plan(due(1))
        scene.plan(due(2))
        assert [row.prev_due for row in scene.recorded(task)] == [None, due(1)]

    def test_a_cursor_that_moved_meanwhile_is_left_alone(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        task = scene.task()
        before = scene.facts(task)

        def stale(cursors: Sequence[Cursor]) -> list[Plan]:
            (cursor,) = cursors
            real = scene.planned(cursor, START, due(2))
            older = replace(cursor, planned_through=cursor.planned_through - 1)
            other = replace(cursor, version=cursor.version + 1)
            return [replace(real, cursor=older), replace(real, cursor=other)]

        assert ledger.plan(due(2), START, 10, NOBODY, stale) == 0
        assert scene.facts(task) == before

    def test_a_cursor_never_moves_back(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        task = scene.task()
        scene.plan(due(2))
        before = scene.facts(task)

        def back(cursors: Sequence[Cursor]) -> list[Plan]:
            (cursor,) = cursors
            return [Plan(cursor=cursor, ticks=(), planned_through=START, last_due=None, next_due=due(1))]

        assert ledger.plan(due(3), START, 10, NOBODY, back) == 0
        assert scene.facts(task) == before

    def test_a_tick_that_is_there_already_is_refused_and_other_tasks_go_on(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        good, bad = scene.task("good"), scene.task("bad")
        before = scene.facts(bad)[:2], scene.row("bad")

        def twice(cursors: Sequence[Cursor]) -> list[Plan]:
            plans = [scene.planned(cursor, START, due(2)) for cursor in cursors]
            return [replace(one, ticks=one.ticks * 2) if one.cursor.task_id == bad else one for one in plans]

        assert ledger.plan(due(2), START, 10, NOBODY, twice) == 1
        assert len(scene.recorded(good)) == 2
        assert (scene.facts(bad)[:2], scene.row("bad")) == before

    def test_an_error_of_the_decision_leaves_nothing(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        task = scene.task()
        before = scene.facts(task)
        with pytest.raises(ZeroDivisionError):
            ledger.plan(due(2), START, 10, NOBODY, lambda _: [][1 // 0 :])
        assert scene.facts(task) == before

    def test_a_task_with_its_fill_of_unstarted_ticks_waits_behind_its_cursor(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        task = scene.task()
        assert scene.plan(due(500)) == 1
        assert len(scene.recorded(task)) == UNSTARTED
        assert scene.row().next_due == due(UNSTARTED + 1)
        assert ledger.plan(due(500), START, 10, NOBODY, _unwanted) == 0
        scene.claim(scene.runner(), due(1))
        assert scene.plan(due(500)) == 1
        assert len(scene.recorded(task)) == UNSTARTED + 1

    def test_the_most_pressing_come_first_and_some_are_left_out(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        tasks = [scene.task(name) for name in ("a", "b", "c")]
        scene.plan(due(1), without=frozenset(tasks[1:]))
        assert [len(scene.recorded(task)) for task in tasks] == [1, 0, 0]
        assert scene.plan(due(2), limit=2) == 2
        assert [len(scene.recorded(task)) for task in tasks] == [1, 2, 2]

    def test_what_was_missed_long_ago_is_one_row_that_has_ended(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        task = scene.task()
        now = due(1000) + 1
        scene.plan(now, now)
        first, *others = scene.recorded(task)
        assert (first.key, first.through, first.count) == (Key(task, due(1)), due(900), 900)
        assert (first.state, first.reason, first.ended_at) == (State.SKIPPED, Reason.MISSED, now)
        assert first.proof == proof(first.key, (due(900), 900, State.SKIPPED, Reason.MISSED, 1, now))
        assert [row.key.due_at for row in others] == [due(n) for n in range(901, 1001)]
        assert others[0].prev_due == due(900)
        assert scene.row().settled_through == due(900)
        assert ledger.counts(task, START) == {"skipped": 900, "planned": 100}
        assert ledger.counts(task, due(901)) == {"planned": 100}

    def test_without_tasks_there_is_nothing_to_plan(self, ledger: Ledger) -> None:
        assert ledger.next_plan() is None
        assert ledger.plan(NEVER, START, 10, NOBODY, _unwanted) == 0


def _unwanted(_: Sequence[Cursor]) -> list[Plan]:
    raise AssertionError("there was nothing to decide")
