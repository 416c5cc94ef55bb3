"""What edit() has to do."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from everytick.errors import EditRefused
from everytick.ledger import EditDecision, Ledger, TaskRow
from everytick.plan import Status
from everytick.policy import Overlap, Overlapping, Policies, Priority, Retry
from everytick.revise import Revision, begin
from everytick.task import Command, Task
from everytick.testing.ledgers.scene import SECOND, START, Scene, change, due
from everytick.tick import NEVER, Key
from everytick.when import schedule


class Editing:
    """The tests of edit(), versions() and tasks()."""

    def test_a_new_task_has_a_version_and_a_cursor(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        task = scene.task()
        (version,) = ledger.versions(task)
        assert (version.name, version.origin, version.version) == ("report", "suite", 1)
        assert (version.since, version.anchor, version.status) == (START, START, Status.ACTIVE)
        assert version.definition == scene.versions.version(task, 1).task.definition
        (written,) = ledger.changes()
        assert (written.id, written.actor, written.act) == (version.change_id, "suite", "apply")
        row = scene.row()
        assert row.newest == version
        assert (row.planned_through, row.last_due, row.next_due) == (START, None, due(1))

    def test_the_versions_of_several_tasks_are_told_at_once(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        first, second = scene.task(), scene.task("other")
        scene.revise(START + SECOND)
        scene.task("third")
        rows = ledger.versions(second, 77, first, second)
        assert [(row.task_id, row.version) for row in rows] == [(first, 1), (first, 2), (second, 1)]
        assert rows == [*ledger.versions(first), *ledger.versions(second)]
        assert ledger.versions() == []
        assert ledger.numbered((second, 1), (77, 1), (first, 2), (first, 3), (first, 2)) == rows[1:]
        assert ledger.numbered() == []

    def test_names_are_told_with_their_numbers(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        task = scene.task()

        def decide(known: Mapping[str, TaskRow], numbers: Mapping[str, int]) -> list[Revision]:
            assert known == {"report": scene.row()}
            assert set(numbers) == {"report", "new"}
            assert numbers["report"] == task != numbers["new"]
            return []

        before = list(ledger.tasks())
        number = ledger.edit(change("edit"), ["report", "new"], decide)
        assert list(ledger.tasks()) == before
        assert [one.id for one in ledger.changes()][-1] == number
        assert scene.task("new")

    def test_an_edit_with_the_number_of_a_change_goes_on_with_it(self, ledger: Ledger) -> None:
        def made(name: str) -> EditDecision:
            task = Task(name=name, schedule=schedule("every 10s"), work=Command(command=("true",)))
            return lambda _, numbers: [begin(numbers[name], task, START)]

        number = ledger.edit(change("apply"), ["first"], made("first"))
        later = replace(change("apply", START + SECOND), id=number)
        assert ledger.edit(later, ["second"], made("second")) == number
        assert [one.id for one in ledger.changes()] == [number]
        assert [row.newest.change_id for row in ledger.tasks()] == [number, number]

    def test_a_new_version_replaces_what_was_planned_beyond_it(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        task, runner = scene.task(), scene.runner()
        scene.plan(due(5))
        scene.settle(scene.started(runner, due(1)), due(1))
        row = scene.revise(due(3) + SECOND, policies=Policies(priority=Priority.LOW))
        assert (row.newest.version, row.newest.since) == (2, due(3) + SECOND)
        assert (row.planned_through, row.last_due, row.next_due) == (due(3) + SECOND, due(3), due(4))
        assert row.newest.anchor == START
        assert [one.key.due_at for one in scene.recorded(task)] == [due(1), due(2), due(3)]
        scene.plan(due(5))
        rows = scene.recorded(task)
        assert [(one.version, one.priority) for one in rows] == [(1, 1)] * 3 + [(2, 2)] * 2
        assert rows[3].prev_due == due(3)

    def test_the_newest_tick_that_stays_learns_what_follows_it(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        task = scene.task()
        scene.plan(due(3))
        scene.revise(due(1), status=Status.PAUSED)
        (row,) = scene.recorded(task)
        assert (row.key.due_at, row.next_due) == (due(1), None)
        assert scene.row().next_due is None

    def test_an_edit_leaves_requests_alone(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        task, runner = scene.task(policies=Policies(overlap=Overlap.allow())), scene.runner()
        scene.plan(due(4))
        asked = [scene.request(task, at) for at in (due(2), due(2) + 1, due(4))]
        scene.claim(runner, due(2))
        scene.claim(runner, due(2) + 1)
        row = scene.revise(due(1))
        assert (row.newest.since, row.last_due, row.settled_through) == (due(2), due(2), due(2))
        assert scene.tick(asked[2]).state == "planned"
        assert [one.key for one in scene.recorded(task) if one.key.request] == asked
        scene.settle(ledger.held(runner)[0], due(3))
        assert [one.newest.name for one in ledger.tasks()] == ["report"]

    def test_what_is_due_by_the_edit_stays_and_goes_on_to_what_follows(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        task = scene.task()
        scene.plan(due(3))
        asked = [scene.request(task, due(2)), scene.request(task, due(2) + 1)]
        row = scene.revise(due(2) + 2)
        assert row.last_due == due(2)
        rows = scene.recorded(task)
        assert [(one.key, one.next_due) for one in rows] == [
            (Key(task, due(1)), due(2)),
            (Key(task, due(2)), due(3)),
            (asked[0], None),
            (asked[1], None),
        ]
        assert scene.revise(due(3), status=Status.PAUSED).last_due == due(2)

    def test_what_has_left_planned_stays_though_the_editor_s_clock_is_behind(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        task, runner = scene.task(), scene.runner()
        scene.plan(due(4))
        scene.started(runner, due(2))
        row = scene.revise(due(1))
        assert row.newest.since == due(2)
        assert row.next_due == due(3)
        scene.plan(due(3))
        assert [one.version for one in scene.recorded(task)] == [1, 1, 2]

    def test_what_waits_or_tries_again_stays_too(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        policies = Policies(
            overlap=Overlap(Overlapping.QUEUE_ALL), retry=Retry(attempts=2, delay=60 * SECOND)
        )
        task, runner = scene.task(policies=policies), scene.runner()
        scene.plan(due(4))
        scene.settle(scene.started(runner, due(1)), due(1), "error", "ValueError: no")
        assert scene.revise(START + 1, policies=policies).newest.since == due(1)
        scene.plan(due(4))
        scene.claim(runner, due(2))
        assert scene.revise(due(1) + 1, policies=policies).newest.since == due(2)
        scene.plan(due(4))
        assert [(one.key.due_at, one.version) for one in scene.recorded(task)] == [
            (due(1), 1),
            (due(2), 2),
            (due(3), 3),
            (due(4), 3),
        ]
        assert len(ledger.slots(task)) == 2

    def test_an_edit_that_is_refused_leaves_nothing(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        task = scene.task()
        before = scene.facts(task)

        def refuse(*_: object) -> list[Revision]:
            raise EditRefused("somebody was faster")

        with pytest.raises(EditRefused, match="somebody was faster"):
            ledger.edit(change("edit"), ["report", "new"], refuse)
        assert scene.facts(task) == before

    def test_who_edits_a_task_owns_it(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        scene.task()
        scene.task("other", origin="elsewhere")
        assert [one.newest.name for one in ledger.tasks()] == ["other", "report"]
        assert [one.newest.name for one in ledger.tasks("suite")] == ["report"]
        scene.revise(due(1), origin="elsewhere")
        assert [one.newest.name for one in ledger.tasks("elsewhere")] == ["other", "report"]
        assert list(ledger.tasks("suite", "report")) == []
        assert list(ledger.tasks(name="nobody")) == []

    def test_an_edit_stirs_what_waits_for_more_than_time(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        policies = Policies(overlap=Overlap(Overlapping.QUEUE_ALL))
        task, runner = scene.task(policies=policies), scene.runner()
        scene.plan(due(2))
        scene.started(runner, due(1))
        scene.claim(runner, due(2))
        assert scene.tick(Key(task, due(2))).ready_at == NEVER
        scene.revise(due(2) + SECOND, status=Status.REMOVED)
        assert scene.tick(Key(task, due(2))).ready_at == due(2) + SECOND
        scene.claim(runner, due(2) + SECOND)
        assert scene.states(task) == [(1, "running"), (2, "cancelled")]
        assert len(ledger.slots(task)) == 1

    def test_a_removed_task_still_owes_what_was_due_before(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        task = scene.task()
        row = scene.revise(due(2), status=Status.REMOVED)
        assert row.next_due == due(1)
        assert scene.plan(due(9), due(2)) == 1
        assert [one.key.due_at for one in scene.recorded(task)] == [due(1), due(2)]

    def test_a_removed_task_asks_for_nothing_more(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        task = scene.task()
        ledger.backfill(change("backfill"), task, START, due(9), due(1))
        assert len(ledger.backfills(task)) == 1
        scene.revise(START + 1, status=Status.REMOVED)
        assert ledger.backfills(task) == []
        assert [one.newest.name for one in ledger.tasks()] == ["report"]
        assert scene.row().next_due is None
        assert ledger.next_plan() is None
        assert scene.plan(due(9), due(1)) == 0
        assert [row.state for row in scene.recorded(task)] == []
