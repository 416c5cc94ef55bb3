"""What request(), backfill() and cancel() have to do."""

from everytick.ledger import Ledger
from everytick.policy import Overlap, Overlapping, Policies
from everytick.testing.ledgers.scene import START, Scene, change, due
from everytick.tick import Key, State, proof


class Requesting:
    """The tests of what people ask for."""

    def test_a_request_is_a_tick_of_its_own(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        task, runner = scene.task(), scene.runner()
        scene.plan(due(2))
        key = scene.request(task, due(2))
        assert key == Key(task, due(2), ledger.changes()[-1].id)
        row = scene.tick(key)
        assert (row.state, row.ready_at, row.prev_due) == (State.PLANNED, due(2), None)
        beside = scene.request(task, due(2) + 1)
        assert scene.tick(beside).prev_due == due(2)
        assert [one.key for one in scene.recorded(task)] == [
            Key(task, due(1)),
            Key(task, due(2)),
            key,
            beside,
        ]
        assert len(scene.claim(runner, due(1)).attempts) == 1
        assert scene.row().settled_through == due(1)

    def test_a_backfill_has_a_cursor_of_its_own(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        task = scene.task(policies=Policies(overlap=Overlap(Overlapping.QUEUE_ALL)))
        runner = scene.runner()
        request = ledger.backfill(change("backfill"), task, START, due(3), due(1))
        assert ledger.changes()[-1].id == request
        (cursor,) = ledger.backfills(task)
        assert (cursor.request, cursor.version, cursor.through) == (request, 1, due(3))
        assert (cursor.planned_through, cursor.last_due, cursor.unstarted) == (START, None, 0)
        assert scene.plan(due(3)) == 2
        assert ledger.backfills(task) == []
        (asked,) = ledger.backfills_asked(task)
        assert asked.change == ledger.changes()[-1]
        assert (asked.cursor.request, asked.cursor.planned_through) == (request, due(3))
        rows = [row for row in scene.recorded(task) if row.key.request]
        assert [row.key for row in rows] == [Key(task, due(n), request) for n in (1, 2, 3)]
        assert [row.prev_due for row in rows] == [None, due(1), due(2)]
        held = [scene.started(runner, due(1))]
        scene.settle(held[0], due(1))
        held.append(scene.started(runner, due(1)))
        assert {one.key for one in held} == {Key(task, due(1)), Key(task, due(1), request)}

    def test_a_backfill_takes_no_room_from_the_schedule(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        task = scene.task()
        ledger.backfill(change("backfill"), task, START, due(1000), due(1))
        scene.plan(due(100))
        scene.plan(due(101))
        assert [row.newest.name for row in ledger.tasks()] == ["report"]
        assert len(scene.recorded(task)) == 200
        scene.claim(scene.runner(), due(1), limit=1)
        assert scene.plan(due(102)) == 1
        scheduled = [row for row in scene.recorded(task) if not row.key.request]
        assert len(scheduled) == 101
        asked = scene.request(task, due(300))
        assert scene.tick(asked).prev_due == due(101)
        assert len(ledger.backfills_asked(task)) == 1

    def test_a_long_backfill_waits_behind_its_cursor(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        task = scene.task()
        request = ledger.backfill(change("backfill"), task, START, due(1_000_000), due(1))
        scene.plan(due(1_000_000))
        rows = scene.recorded(task)
        assert [row.key.request for row in rows] == [0, request] * 100
        (cursor,) = ledger.backfills(task)
        assert cursor.planned_through == due(100)

    def test_what_has_not_started_is_cancelled(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        task = scene.task()
        scene.plan(due(1))
        key = Key(task, due(1))
        assert ledger.cancel(change("cancel", due(1)), key) is State.PLANNED
        row = scene.tick(key)
        assert (row.state, row.reason, row.ended_at) == (State.CANCELLED, None, due(1))
        assert row.proof == proof(key, (None, 1, State.CANCELLED, None, 1, due(1)))
        assert [one.act for one in ledger.changes()] == ["apply", "cancel"]

    def test_what_runs_is_asked_to_stop(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        scene.task()
        runner = scene.runner()
        scene.plan(due(1))
        attempt = scene.started(runner, due(1))
        assert ledger.cancel(change("cancel", due(1)), attempt.key) is State.RUNNING
        assert ledger.stop_requests(runner) == [attempt.key]
        assert ledger.stop_requests(runner + 1) == []
        assert scene.tick(attempt.key).state is State.RUNNING

    def test_what_has_ended_stays_as_it_is(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        task, runner = scene.task(), scene.runner()
        scene.plan(due(1))
        attempt = scene.started(runner, due(1))
        scene.settle(attempt, due(1))
        before = scene.facts(task)
        assert ledger.cancel(change("cancel", due(2)), attempt.key) is State.SUCCEEDED
        assert ledger.cancel(change("cancel", due(2)), Key(task, due(1), 99)) is None
        assert ledger.cancel(change("cancel", due(2)), Key(task, due(7))) is None
        assert scene.facts(task) == before

    def test_a_cancelled_tick_that_waited_leaves_the_queue(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        task = scene.task(policies=Policies(overlap=Overlap(Overlapping.QUEUE_ALL)))
        runner = scene.runner()
        scene.plan(due(2))
        scene.started(runner, due(1))
        scene.claim(runner, due(2))
        assert ledger.cancel(change("cancel", due(2)), Key(task, due(2))) is State.PLANNED
        assert [slot.key.due_at for slot in ledger.slots(task)] == [due(1)]

    def test_changes_are_read_in_order(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        task = scene.task()
        for number in range(3):
            scene.request(task, due(number), act="run" if number % 2 else "backfill")
        numbers = [one.id for one in ledger.changes()]
        assert numbers == sorted(set(numbers))
        assert [one.act for one in ledger.changes()] == ["apply", "backfill", "run", "backfill"]
        assert [one.id for one in ledger.changes(after=numbers[1])] == numbers[2:]
        assert [one.id for one in ledger.changes(limit=2)] == numbers[:2]
        assert [one.id for one in ledger.changes(act="run")] == [numbers[2]]
        first = ledger.changes()[0]
        assert (first.at, first.actor, first.note, first.detail) == (
            START,
            "suite",
            "to see what happens",
            "",
        )
