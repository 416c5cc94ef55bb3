"""What claim() has to do with ticks that can start."""

from collections.abc import Mapping, Sequence

import pytest
from msgspec.structs import replace

from everytick.conclude import Attempt
from everytick.consider import Considered, Ready, Slot, Start
from everytick.errors import LedgerDamaged
from everytick.ledger import Claim, Head, Ledger, Order
from everytick.policy import Overlap, Policies, Priority
from everytick.testing.ledgers.scene import Scene, due
from everytick.tick import Key, State, proof


class Claiming:
    """The tests of claim() and next_ready(), but for those that wait."""

    def test_a_claim_starts_what_is_ready(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        task, runner = scene.task(), scene.runner()
        scene.plan(due(3))
        claim = scene.claim(runner, due(1) + 5)
        attempt = Attempt(
            key=Key(task, due(1)),
            attempt=1,
            holder=runner,
            reruns=0,
            version=1,
            prev_due=None,
            next_due=due(2),
            started_at=due(1) + 5,
        )
        assert claim == Claim(attempts=[attempt], considered=1)
        row = scene.tick(attempt.key)
        assert (row.state, row.holder, row.started_at) == (State.RUNNING, runner, due(1) + 5)
        assert (row.ready_at, row.ended_at, row.proof) == (None, None, None)
        assert ledger.slots(task) == [Slot(key=attempt.key, lane=0, attempt=1, holder=runner)]
        assert ledger.held(runner) == [attempt]
        assert scene.row().settled_through == due(1)

    def test_what_is_not_ready_is_not_considered(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        task, runner = scene.task(), scene.runner()
        assert ledger.next_ready(("default",), frozenset()) is None
        scene.plan(due(3))
        assert ledger.next_ready(("default",), frozenset()) == due(1)
        assert ledger.next_ready(("other",), frozenset()) is None
        assert ledger.next_ready(("default",), frozenset({task})) is None
        scene.task("urgent", Policies(priority=Priority.HIGH, jitter=0))
        scene.plan(due(3))
        assert ledger.next_ready(("default", "other"), frozenset({task})) == due(1)
        order = Order(holder=runner, queues=("default",), limit=5)
        assert ledger.claim(order, due(1) - 1, _unwanted) == Claim(attempts=[], considered=0)

    def test_a_process_that_was_declared_dead_claims_nothing(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        scene.task()
        runner = scene.runner()
        scene.plan(due(1))
        assert ledger.bury(runner, 0, due(1), lambda _: []) == 0
        assert scene.claim(runner, due(1)) == Claim(attempts=[], considered=0)
        assert scene.claim(scene.runner(), due(1)).considered == 1

    def test_a_process_of_which_the_ledger_knows_an_older_beat_claims_nothing(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        scene.task()
        runner = scene.runner()
        scene.plan(due(1))
        assert ledger.beat(runner, 1, 0)
        order = Order(holder=runner, queues=("default",), limit=5, beat=2)
        assert ledger.claim(order, due(1), _unwanted) == Claim(attempts=[], considered=0)
        assert scene.claim(runner, due(1)).considered == 1

    def test_a_claim_serves_its_queues_and_what_it_can_run(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        plain = scene.task("plain")
        slow = scene.task("slow", Policies(queue="slow"))
        runner = scene.runner()
        scene.plan(due(1))
        assert scene.claim(runner, due(1), without=frozenset({plain})).considered == 0
        assert [one.key.task_id for one in scene.claim(runner, due(1), queues=("slow",)).attempts] == [slow]
        both = scene.claim(runner, due(1), queues=("slow", "default"))
        assert [one.key.task_id for one in both.attempts] == [plain]

    def test_a_claim_takes_the_urgent_first_and_no_more_than_it_can_start(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        low = scene.task("low", Policies(priority=Priority.LOW))
        high = scene.task("high", Policies(priority=Priority.HIGH))
        normal = scene.task("normal")
        runner = scene.runner()
        scene.plan(due(1))
        order = [scene.claim(runner, due(1), limit=1) for _ in range(4)]
        assert [[one.key.task_id for one in claim.attempts] for claim in order] == [
            [high],
            [normal],
            [low],
            [],
        ]

    def test_each_queue_is_read_as_if_there_were_no_other(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        runner = scene.runner()
        low = Policies(queue="b", priority=Priority.LOW)
        names = {scene.task(f"a{number}"): f"a{number}" for number in range(5)}
        names |= {scene.task("b0", Policies(queue="b")): "b0", scene.task("b1", low): "b1"}
        names |= {scene.task("b2", low): "b2", scene.task("c", Policies(queue="c")): "c"}
        scene.plan(due(1))
        read: list[tuple[str, int, str]] = []

        def decide(batch: Sequence[Ready], _: Mapping[int, Sequence[Slot]]) -> Considered:
            read.extend((one.queue, one.priority, names[one.key.task_id]) for one in batch)
            return Considered()

        order = Order(holder=runner, queues=("b", "default"), limit=1, beyond=1)
        assert ledger.claim(order, due(1), decide) == Claim(attempts=[], considered=0)
        assert [one[:2] for one in read] == [("b", 1), ("b", 2), ("default", 1), ("default", 1)]
        assert [one[2] for one in read[:1]] == ["b0"]
        assert {one[2] for one in read[2:]} < {f"a{number}" for number in range(5)}

    def test_what_is_left_undecided_stays_as_it_is(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        task, runner = scene.task(), scene.runner()
        scene.plan(due(1))
        before = scene.facts(task)
        order = Order(holder=runner, queues=("default",), limit=5)
        assert ledger.claim(order, due(1), lambda *_: Considered()) == Claim(attempts=[], considered=0)
        assert scene.facts(task) == before
        assert len(scene.claim(runner, due(1)).attempts) == 1

    def test_the_heads_of_the_lines_are_told_by_queue_and_class(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        assert ledger.heads(("default", "b")) == []
        for name, priority in (("low", Priority.LOW), ("high", Priority.HIGH)):
            scene.task(name, Policies(priority=priority))
        scene.task("other", Policies(queue="b"))
        scene.plan(due(2))
        heads = [
            Head(queue="default", priority=0, ready_at=due(1), task="high"),
            Head(queue="default", priority=2, ready_at=due(1), task="low"),
        ]
        other = Head(queue="b", priority=1, ready_at=due(1), task="other")
        assert ledger.heads(("default",)) == heads
        assert ledger.heads(("b", "none", "default")) == [other, *heads]
        scene.claim(scene.runner(), due(1))
        assert [head.ready_at for head in ledger.heads(("default", "b"))] == [due(2), due(2), due(1)]

    def test_a_second_tick_of_a_busy_task_is_skipped(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        task, runner = scene.task(), scene.runner()
        scene.plan(due(2))
        scene.claim(runner, due(1))
        claim = scene.claim(runner, due(2))
        assert (claim.attempts, claim.considered) == ([], 1)
        assert scene.states(task) == [(1, "running"), (2, "skipped(overlap)")]
        row = scene.tick(Key(task, due(2)))
        ending = (None, 1, row.state, row.reason, 1, due(2))
        assert (row.ended_at, row.proof) == (due(2), proof(row.key, ending))
        assert len(ledger.slots(task)) == 1

    def test_lanes_are_taken_up_to_the_limit(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        task = scene.task(policies=Policies(overlap=Overlap.allow(2)))
        runner = scene.runner()
        scene.plan(due(3))
        for number in (1, 2, 3):
            scene.claim(runner, due(number))
        assert [slot.lane for slot in ledger.slots(task)] == [0, 1]
        assert scene.states(task) == [(1, "running"), (2, "running"), (3, "skipped(overlap)")]

    def test_an_error_of_the_decision_leaves_nothing(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        task, runner = scene.task(), scene.runner()
        scene.plan(due(1))
        before = scene.facts(task)
        with pytest.raises(ZeroDivisionError):
            ledger.claim(
                Order(holder=runner, queues=("default",), limit=5),
                due(1),
                lambda *_: Considered(starts=[][1 // 0 :]),
            )
        assert scene.facts(task) == before

    def test_what_is_not_planned_any_more_cannot_start(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        task, runner = scene.task(), scene.runner()
        scene.plan(due(1))
        before = scene.facts(task)

        def another(batch: Sequence[Ready], _: Mapping[int, Sequence[Slot]]) -> Considered:
            return Considered(starts=[Start(ready=replace(batch[0], attempt=2), lane=0, fresh=True)])

        with pytest.raises(LedgerDamaged):
            ledger.claim(Order(holder=runner, queues=("default",), limit=5), due(1), another)
        assert scene.facts(task) == before

    def test_a_lane_is_held_once(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        task = scene.task(policies=Policies(overlap=Overlap.allow()))
        runner = scene.runner()
        scene.plan(due(2))
        before = scene.facts(task)

        def crowded(batch: Sequence[Ready], _: Mapping[int, Sequence[Slot]]) -> Considered:
            return Considered(starts=[Start(ready=ready, lane=0, fresh=True) for ready in batch])

        with pytest.raises(LedgerDamaged):
            ledger.claim(Order(holder=runner, queues=("default",), limit=5), due(2), crowded)
        assert scene.facts(task) == before


def _unwanted(*_: object) -> Considered:
    raise AssertionError("there was nothing to decide")
