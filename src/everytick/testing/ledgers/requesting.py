"""What request(), backfill() and cancel() have to do."""

from collections.abc import Sequence

from msgspec.structs import replace

from everytick.conclude import Attempt, Settlement
from everytick.consider import Considered, End
from everytick.ledger import Ledger, Order
from everytick.plan import UNSTARTED
from everytick.policy import Overlap, Overlapping, Policies
from everytick.testing.ledgers.scene import START, Scene, change, due
from everytick.tick import RESERVE, Key, Reason, State, proof


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

    def test_beyond_a_hundred_what_is_asked_for_by_hand_stands_in_reserve(self, ledger: Ledger) -> None:
        scene, keys = _asked(ledger, UNSTARTED + 5)
        task = keys[0].task_id
        first = [scene.tick(key).ready_at for key in keys]
        assert first == [due(1) + number for number in range(UNSTARTED)] + [RESERVE] * 5
        assert {scene.tick(key).state for key in keys} == {State.PLANNED}
        assert ledger.slots(task) == []
        held = scene.claim(scene.runner(), due(50), limit=UNSTARTED + 5).attempts
        assert {one.key for one in held} == set(keys[:UNSTARTED])
        assert scene.tick(keys[UNSTARTED]).ready_at == RESERVE

    def test_who_ends_lets_the_oldest_in_reserve_into_the_line(self, ledger: Ledger) -> None:
        scene, keys = _asked(ledger, UNSTARTED + 5)
        runner = scene.runner()
        for held in scene.claim(runner, due(50), limit=2).attempts:
            scene.settle(held, due(50) + 1)
        assert [scene.tick(key).ready_at for key in keys[UNSTARTED:]] == [due(50) + 1] * 2 + [RESERVE] * 3
        assert ledger.cancel(change("cancel", due(51)), keys[50]) is State.PLANNED
        assert ledger.cancel(change("cancel", due(51)), keys[-1]) is State.PLANNED
        assert [scene.tick(key).ready_at for key in keys[-3:]] == [due(51), RESERVE, None]
        lost = scene.claim(runner, due(52), limit=3).attempts
        assert ledger.bury(runner, 0, due(53), lambda held: _given_up(scene, held)) == len(lost)
        assert scene.tick(keys[-2]).ready_at == due(53)

    def test_what_is_skipped_lets_one_into_the_line_too(self, ledger: Ledger) -> None:
        scene, keys = _asked(ledger, UNSTARTED + 2)
        runner = scene.runner()
        decided = Considered(ends=[End(key=keys[0], reason=None)])
        order = Order(holder=runner, queues=("default",), limit=1)
        assert ledger.claim(order, due(50), lambda *_: decided).considered == 1
        assert [scene.tick(key).ready_at for key in keys[-2:]] == [due(50), RESERVE]

    def test_what_is_asked_for_later_does_not_overtake_the_reserve(self, ledger: Ledger) -> None:
        scene, keys = _asked(ledger, UNSTARTED + 2)
        held = scene.claim(scene.runner(), due(50), limit=3).attempts
        assert scene.tick(keys[-2]).ready_at == RESERVE
        later = scene.request(keys[0].task_id, due(51))
        assert len(held) == 3
        assert [scene.tick(key).ready_at for key in [*keys[-2:], later]] == [due(51), due(51), due(51)]

    def test_the_reserve_is_a_task_s_own_and_no_backfill_s(self, ledger: Ledger) -> None:
        scene, keys = _asked(ledger, UNSTARTED)
        other = scene.task("other")
        assert scene.tick(scene.request(other, due(1))).ready_at == due(1)
        backfill = ledger.backfill(change("backfill"), other, due(0), due(500), due(1))
        scene.plan(due(500))
        assert len([row for row in scene.recorded(other) if row.key.request == backfill]) == UNSTARTED
        assert scene.tick(scene.request(other, due(2))).ready_at == due(2)
        assert scene.tick(scene.request(keys[0].task_id, due(2))).ready_at == RESERVE


def _asked(ledger: Ledger, count: int) -> tuple[Scene, list[Key]]:
    """Ask for so many ticks of a task that lets them run side by side."""
    scene = Scene(ledger)
    task = scene.task(policies=Policies(overlap=Overlap.allow()))
    return scene, [scene.request(task, due(1) + number) for number in range(count)]


def _given_up(scene: Scene, held: Sequence[Attempt]) -> list[Settlement]:
    return [replace(one, state=State.FAILED, reason=Reason.LOST) for one in scene.rescued(held, due(53))]
