"""What can be asked of a ledger, and what it has to answer."""

from collections.abc import Iterable

import pytest

from everytick.errors import LedgerError
from everytick.ledger import Ledger, TickFilter
from everytick.testing.ledgers.scene import START, Scene, change, due
from everytick.tick import NEVER, Key, State, TickRow


class Reading:
    """The tests of the reads."""

    def test_ticks_are_listed_newest_first(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        report, other = scene.task(), scene.task("other")
        scene.plan(due(3))
        listed = [row.key for row in ledger.ticks(TickFilter())]
        assert listed == [Key(task, due(n)) for n in (3, 2, 1) for task in (other, report)]
        assert [row.key for row in ledger.ticks(TickFilter(limit=2))] == listed[:2]
        mine = [row.key.due_at for row in ledger.ticks(TickFilter(task="report"))]
        assert mine == [due(3), due(2), due(1)]
        assert ledger.ticks(TickFilter(task="nobody")) == []
        asked = scene.request(report, due(3))
        assert [row.key for row in ledger.ticks(TickFilter(limit=3))] == [listed[0], asked, listed[1]]
        assert ledger.ticks(TickFilter(task="report", limit=1))[0].key == asked

    def test_ticks_are_filtered_by_state_and_time(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        scene.task()
        runner = scene.runner()
        scene.plan(due(4))
        scene.settle(scene.started(runner, due(1)), due(1))
        scene.started(runner, due(2))

        def found(which: TickFilter) -> list[int]:
            return [(row.key.due_at - START) // (due(1) - START) for row in ledger.ticks(which)]

        for task in (None, "report"):
            assert found(TickFilter(task=task, since=due(2), until=due(3))) == [3, 2]
            assert found(TickFilter(task=task, states=(State.SUCCEEDED, State.RUNNING))) == [2, 1]
            assert found(TickFilter(task=task, states=(State.FAILED,))) == []
            assert found(TickFilter(task=task, states=(State.PLANNED,), limit=1)) == [4]

    def test_the_last_tick_that_ended_is_told_of_many_tasks(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        report, other = scene.task(), scene.task("other")
        scene.task("new")
        runner = scene.runner()
        scene.plan(due(4))
        for attempt in scene.claim(runner, due(2)).attempts:
            scene.settle(attempt, due(2))
        asked = scene.request(other, due(2))
        (again,) = scene.claim(runner, due(2)).attempts
        assert again.key == asked
        scene.settle(again, due(2))
        ended = ledger.last([other, report, 99], due(4))
        assert {task: row.key for task, row in ended.items()} == {report: Key(report, due(2)), other: asked}
        for row in ended.values():
            assert row == ledger.tick(row.key)
            which = TickFilter(task=row.task, states=(State.SUCCEEDED, State.SKIPPED), until=due(4), limit=1)
            assert ledger.ticks(which) == [row]
        assert {row.key.due_at for row in ledger.last([report, other], due(1)).values()} == {due(1)}
        assert ledger.last([report], START) == {}
        assert ledger.last([], due(4)) == {}

    def test_the_record_is_whole_however_long_it_is(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        task = scene.task()
        scene.task("other")
        scene.plan(due(100))
        asked = [scene.request(task, due(50)) for _ in range(1100)]
        rows = scene.recorded(task)
        assert [row.key for row in rows] == sorted([Key(task, due(n)) for n in range(1, 101)] + asked)
        inside = [row.key for row in ledger.recorded(task, due(10), due(12))]
        assert inside == [Key(task, due(11)), Key(task, due(12))]
        assert len(list(ledger.recorded(task, -NEVER, NEVER))) == 1200

    def test_the_record_of_several_tasks_comes_task_by_task_or_by_time(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        first, second, third = (scene.task(name) for name in ("c", "a", "b"))
        scene.plan(due(3))
        asked = scene.request(second, due(2))
        keys = [Key(task, due(n)) for task in (first, second, third) for n in (1, 2, 3)]

        def found(rows: Iterable[TickRow]) -> list[Key]:
            return [row.key for row in rows]

        assert found(ledger.recorded(first, -NEVER, NEVER, last=third)) == sorted([*keys, asked])
        assert found(ledger.recorded(first, due(1), due(2), last=second)) == [keys[1], keys[4], asked]
        assert found(ledger.recorded(first, -NEVER, NEVER, last=second, behind=keys[4])) == [asked, keys[5]]
        by_time = sorted([*keys, asked], key=lambda key: (key.due_at, key.task_id, key.request))
        assert found(ledger.recorded_by_time(-NEVER, NEVER)) == by_time
        assert found(ledger.recorded_by_time(due(1), due(2))) == by_time[3:7]
        assert found(ledger.recorded_by_time(-NEVER, due(2), behind=by_time[5])) == by_time[6:7]

    def test_a_history_tells_what_is_known_of_a_task_beside_its_rows(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        tasks = [scene.task(name) for name in ("c", "a", "b")]
        scene.plan(due(3))
        scene.revise(due(4), "a")
        number = ledger.backfill(change("backfill"), tasks[2], START - 9, START, START)
        assert ledger.task_count() == 3
        found = ledger.histories(None)
        assert [(one.task_id, one.name, one.before) for one in found] == [
            (task, name, None) for task, name in zip(tasks, ("c", "a", "b"), strict=True)
        ]
        assert [row.version for row in found[1].versions] == [1, 2]
        assert [[one.change.id for one in each.backfills] for each in found] == [[], [], [number]]
        assert found[0].planned_through == scene.row("c").planned_through
        assert [one.task_id for one in ledger.histories(None, behind=tasks[0], limit=1)] == [tasks[1]]
        assert [one.name for one in ledger.histories(None, names=["b", "nobody", "c"])] == ["c", "b"]
        before = [one.before and one.before.key for one in ledger.histories(due(2))]
        assert before == [Key(task, due(2)) for task in tasks]
        assert [one.before for one in ledger.histories(START)] == [None] * 3

    def test_what_stands_among_ticks_is_told(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        task = scene.task()
        scene.plan(due(2))
        asked = scene.request(task, due(1))
        keys = {Key(task, due(1)), Key(task, due(2)), asked}
        others = {Key(task, due(3)), Key(task + 1, due(1)), Key(task, due(2), asked.request)}
        assert ledger.standing(keys | others) == keys
        assert ledger.standing(set()) == set()

    def test_the_newest_row_before_a_moment_is_of_one_chain(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        task = scene.task()
        scene.plan(due(3))
        asked = scene.request(task, due(2))

        def found(request: int, moment: int) -> Key | None:
            row = ledger.recorded_before(task, request, moment)
            return None if row is None else row.key

        assert found(0, due(2)) == Key(task, due(2))
        assert found(0, due(3) - 1) == Key(task, due(2))
        assert found(asked.request, due(3)) == asked
        assert found(0, due(1) - 1) is None

    def test_the_record_can_be_read_while_it_grows(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        task = scene.task()
        scene.plan(due(2))
        record = ledger.recorded(task, START, due(9))
        first = next(record)
        scene.plan(due(3))
        assert first.key == Key(task, due(1))
        assert {row.key.due_at for row in record} >= {due(2)}

    def test_what_is_not_there_is_nothing(self, ledger: Ledger) -> None:
        nobody = Key(77, due(1))
        assert ledger.tick(nobody) is None
        assert ledger.attempts(nobody) == []
        assert ledger.output(nobody, 1) == (None, "")
        assert ledger.slots(77) == []
        assert ledger.versions(77) == []
        assert ledger.backfills(77) == []
        assert ledger.counts(77, 0) == {}
        assert ledger.held(77) == []
        assert ledger.stop_requests(77) == []
        assert list(ledger.recorded(77, 0, NEVER)) == []
        assert list(ledger.tasks()) == []
        assert ledger.processes() == []
        assert ledger.changes() == []
        assert ledger.ticks(TickFilter()) == []

    def test_a_tick_counts_in_one_state(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        task, runner = scene.task(), scene.runner()
        scene.plan(due(4))
        scene.settle(scene.started(runner, due(1)), due(1))
        scene.started(runner, due(2))
        assert ledger.counts(task, START) == {"succeeded": 1, "running": 1, "planned": 2}
        assert ledger.counts(task, due(3)) == {"planned": 2}

    def test_where_nobody_writes_the_hint_stays(self, ledger: Ledger) -> None:
        Scene(ledger).task()
        before = ledger.hint()
        assert len(list(ledger.tasks())) == 1
        assert ledger.hint() == before

    def test_a_closed_ledger_says_so(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        ledger.close()
        with pytest.raises(LedgerError):
            ledger.processes()
        with pytest.raises(LedgerError):
            scene.task()
        ledger.close()
