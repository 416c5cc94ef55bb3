"""What claim() and settle() have to do with ticks that wait for a lane."""

from everytick.consider import Slot
from everytick.ledger import Ledger
from everytick.policy import Overlap, Overlapping, Policies, Retry
from everytick.testing.ledgers.scene import SECOND, Scene, change, due
from everytick.tick import NEVER, Key

_QUEUE_ALL = Policies(overlap=Overlap(Overlapping.QUEUE_ALL))
_QUEUE_ONE = Policies(overlap=Overlap(Overlapping.QUEUE_ONE))
_TWO_LANES = Policies(overlap=Overlap.allow(2))
_CANCEL = Policies(overlap=Overlap(Overlapping.CANCEL_RUNNING))
_SLOWLY = Retry(attempts=5, delay=60 * SECOND)


class Waiting:
    """The tests of slots below 0, of waking and of taking over."""

    def test_a_tick_that_waits_is_woken_by_the_end_before_it_and_takes_the_lane(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        task, runner = scene.task(policies=_QUEUE_ALL), scene.runner()
        scene.plan(due(2))
        first = scene.started(runner, due(1))
        assert scene.claim(runner, due(2)).attempts == []
        waiting = Key(task, due(2))
        assert ledger.slots(task) == [
            Slot(key=waiting, lane=-1, attempt=1, holder=None),
            Slot(key=first.key, lane=0, attempt=1, holder=runner),
        ]
        assert scene.tick(waiting).ready_at == NEVER
        assert ledger.next_ready(("default",), frozenset()) == NEVER
        assert scene.row().settled_through == due(2)
        scene.settle(first, due(2) + 5)
        assert ledger.next_ready(("default",), frozenset()) == due(2) + 5
        second = scene.started(runner, due(2) + 5)
        assert second.key == waiting
        assert ledger.slots(task) == [Slot(key=waiting, lane=0, attempt=1, holder=runner)]

    def test_one_starts_and_another_begins_to_wait_in_the_same_claim(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        task, runner = scene.task(policies=_QUEUE_ALL), scene.runner()
        scene.plan(due(3))
        first = scene.started(runner, due(1))
        scene.claim(runner, due(2))
        scene.settle(first, due(3))
        second = scene.started(runner, due(3))
        assert second.key == Key(task, due(2))
        assert [(slot.key.due_at, slot.lane) for slot in ledger.slots(task)] == [(due(3), -1), (due(2), 0)]

    def test_they_wait_in_the_order_they_were_due(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        task, runner = scene.task(policies=_QUEUE_ALL), scene.runner()
        scene.plan(due(4))
        held = scene.started(runner, due(1))
        for number in (2, 3, 4):
            assert scene.claim(runner, due(number)).attempts == []
        for number in (2, 3, 4):
            scene.settle(held, due(4))
            held = scene.started(runner, due(4))
            assert held.key == Key(task, due(number))

    def test_each_lane_that_is_given_back_wakes_one_more(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        task, runner = scene.task(policies=_TWO_LANES), scene.runner()
        scene.plan(due(2))
        running = [scene.started(runner, due(1)), scene.started(runner, due(2))]
        waiting = [scene.request(task, due(2)) for _ in range(3)]
        assert scene.claim(runner, due(2)).attempts == []
        for number, one in enumerate(running, 1):
            scene.settle(one, due(2))
            woken = [scene.tick(key).ready_at == due(2) for key in waiting]
            assert woken == [True] * number + [False] * (3 - number)
        assert [one.key for one in scene.claim(runner, due(2)).attempts] == waiting[:2]

    def test_a_newer_tick_takes_the_place_of_the_one_that_waits(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        task, runner = scene.task(policies=_QUEUE_ONE), scene.runner()
        scene.plan(due(3))
        for number in (1, 2, 3):
            scene.claim(runner, due(number))
        assert scene.states(task) == [(1, "running"), (2, "skipped(superseded)")]
        assert [(slot.key.due_at, slot.lane) for slot in ledger.slots(task)] == [(due(3), -1), (due(1), 0)]

    def test_a_running_tick_is_asked_to_stop(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        task, runner = scene.task(policies=_CANCEL), scene.runner()
        scene.plan(due(2))
        first = scene.started(runner, due(1))
        assert ledger.stop_requests(runner) == []
        scene.claim(runner, due(2))
        assert ledger.stop_requests(runner) == [first.key]
        assert ledger.held(runner)[0].cancel_requested
        scene.settle(first, due(2), "cancelled")
        assert ledger.stop_requests(runner) == []
        assert scene.started(runner, due(2)).key == Key(task, due(2))
        assert scene.states(task) == [(1, "cancelled"), (2, "running")]

    def test_a_tick_in_back_off_gives_its_lane_to_one_that_cancels_it(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        policies = Policies(overlap=_CANCEL.overlap, retry=_SLOWLY)
        task, runner = scene.task(policies=policies), scene.runner()
        scene.plan(due(2))
        scene.settle(scene.started(runner, due(1)), due(1), "error", "ValueError: no")
        second = scene.started(runner, due(2))
        assert scene.states(task) == [(1, "cancelled"), (2, "running")]
        assert ledger.slots(task) == [Slot(key=second.key, lane=0, attempt=1, holder=runner)]

    def test_as_many_are_woken_as_lanes_were_freed(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        task = scene.task(policies=Policies(overlap=Overlap.allow(2)))
        runner = scene.runner()
        scene.plan(due(2))
        held = scene.claim(runner, due(1)).attempts + scene.claim(runner, due(2)).attempts
        asked = [scene.request(task, due(2) + number) for number in (1, 2, 3)]
        assert scene.claim(runner, due(3)).attempts == []
        assert len(ledger.slots(task)) == 5
        ledger.settle([scene.concluded(attempt, due(3)) for attempt in held], due(3))
        assert [one.key for one in scene.claim(runner, due(3)).attempts] == asked[:2]
        assert [slot.key for slot in ledger.slots(task) if slot.lane < 0] == asked[2:]

    def test_what_still_runs_keeps_nobody_asleep(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        task = scene.task(policies=Policies(overlap=Overlap.allow(2)))
        runner = scene.runner()
        scene.plan(due(2))
        scene.started(runner, due(1))
        second = scene.started(runner, due(2))
        asked = scene.request(task, due(2) + 1)
        assert scene.claim(runner, due(3)).attempts == []
        scene.settle(second, due(3))
        assert scene.started(runner, due(3)).key == asked

    def test_the_cancel_of_a_tick_in_back_off_wakes_the_one_behind_it(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        policies = Policies(overlap=_QUEUE_ALL.overlap, retry=_SLOWLY)
        task, runner = scene.task(policies=policies), scene.runner()
        scene.plan(due(2))
        first = scene.started(runner, due(1))
        scene.settle(first, due(1), "error", "ValueError: no")
        scene.claim(runner, due(2))
        assert ledger.held(runner) == []
        assert [slot.lane for slot in ledger.slots(task)] == [-1, 0]
        assert ledger.cancel(change("cancel", due(2)), first.key) == "planned"
        assert scene.started(runner, due(2)).key == Key(task, due(2))
