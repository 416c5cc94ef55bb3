"""What a ledger does to one tick, it does to no other: not to one of the same instant, request or task."""

from collections.abc import Callable
from dataclasses import replace

from msgspec import structs

from everytick.conclude import Attempt, Outcome
from everytick.ledger import Ledger
from everytick.policy import CatchingUp, CatchUp, Overlap, Overlapping, Policies, Retry
from everytick.testing.ledgers.scene import SECOND, Scene, change, due
from everytick.tick import Key, proof

_BESIDE = Policies(
    overlap=Overlap.allow(),
    catch_up=CatchUp(CatchingUp.ALL),
    retry=Retry(attempts=3, delay=SECOND, jitter=0.0),
)
_BEHIND = replace(_BESIDE, overlap=Overlap(Overlapping.QUEUE_ALL))

_Act = Callable[[Scene, Attempt], object]


class Neighbours:
    """The tests that every statement names its tick by the whole key."""

    def test_a_success_is_one_tick_s(self, ledger: Ledger) -> None:
        _alone(ledger, lambda scene, attempt: scene.settle(attempt, due(2)))

    def test_a_retry_is_one_tick_s(self, ledger: Ledger) -> None:
        _alone(ledger, lambda scene, attempt: scene.settle(attempt, due(2), "error", "ValueError: no"))

    def test_a_cancel_is_one_tick_s(self, ledger: Ledger) -> None:
        _alone(ledger, lambda scene, attempt: scene.ledger.cancel(change("cancel"), attempt.key))

    def test_a_cancel_hinders_no_other_s_retry(self, ledger: Ledger) -> None:
        scene, held = _running(ledger)
        for asked in held[1:]:
            ledger.cancel(change("cancel"), asked.key)
        scene.settle(held[0], due(2), "error", "ValueError: no")
        assert scene.tick(held[0].key).state == "planned"

    def test_a_refusal_is_one_tick_s(self, ledger: Ledger) -> None:
        def refused(scene: Scene, attempt: Attempt) -> None:
            late = scene.concluded(structs.replace(attempt, holder=99), due(2))
            assert scene.ledger.settle([late], due(2)) == [late]

        _alone(ledger, refused)

    def test_another_s_settlement_does_not_stand_for_one_s_own(self, ledger: Ledger) -> None:
        scene, held = _running(ledger)
        for number, one in enumerate(held):
            outcome: Outcome = "error" if number % 4 in {1, 2} else "succeeded"
            scene.settle(one, due(2), outcome, "ValueError: no")
            for other in held[number + 1 :]:
                late = scene.concluded(structs.replace(other, attempt=1, holder=99), due(2), outcome, "no")
                assert ledger.settle([late], due(2)) == [late]
                own = scene.concluded(structs.replace(other, attempt=7), due(2), outcome, "no")
                assert ledger.settle([own], due(2)) == [own]
        for one in held[::4]:
            assert scene.tick(one.key).state == "succeeded"
            late = scene.concluded(one, due(2), "error", "ValueError: no")
            assert ledger.settle([late], due(2)) == [late]

    def test_what_is_planned_is_cancelled_alone(self, ledger: Ledger) -> None:
        scene, keys = _planned(ledger, _BESIDE)
        for number, key in enumerate(keys):
            others = [_facts(scene, other) for other in keys[number + 1 :]]
            assert ledger.cancel(change("cancel", due(2)), key) == "planned"
            assert scene.tick(key).state == "cancelled"
            assert [_facts(scene, other) for other in keys[number + 1 :]] == others

    def test_the_proof_of_a_cancel_is_of_its_own_row(self, ledger: Ledger) -> None:
        scene, held = _running(ledger)
        for one in reversed(held):
            scene.settle(one, due(2), "error", "ValueError: no")
            ledger.cancel(change("cancel", due(3)), one.key)
            row = scene.tick(one.key)
            assert row.proof == proof(row.key, (None, 1, row.state, None, 2, due(3)))

    def test_what_waits_starts_alone(self, ledger: Ledger) -> None:
        scene, keys = _planned(ledger, _BEHIND)
        runner = scene.runner()
        for _ in keys:
            before = {key: scene.tick(key).state for key in keys}
            started = scene.claim(runner, due(2), limit=100).attempts
            assert len({one.key.task_id for one in started}) == len(started)
            for one in started:
                scene.settle(one, due(2))
            changed = {key for key in keys if scene.tick(key).state != before[key]}
            assert changed == {one.key for one in started}
        assert {scene.tick(key).state for key in keys} == {"succeeded"}


def _planned(ledger: Ledger, policies: Policies) -> tuple[Scene, list[Key]]:
    """Plan ticks that share two parts of their keys with each other."""
    scene = Scene(ledger)
    tasks = [scene.task(name, policies) for name in ("a", "b")]
    scene.plan(due(2))
    numbers = [ledger.backfill(change("backfill"), task, due(0), due(2), due(1)) for task in tasks]
    scene.plan(due(2))
    return scene, [
        Key(task, due(number), request)
        for task, asked in zip(tasks, numbers, strict=True)
        for number in (1, 2)
        for request in (0, asked)
    ]


def _running(ledger: Ledger) -> tuple[Scene, list[Attempt]]:
    scene, keys = _planned(ledger, _BESIDE)
    held = scene.claim(scene.runner(), due(2), limit=100).attempts
    assert {one.key for one in held} == set(keys)
    return scene, sorted(held, key=lambda one: one.key)


def _facts(scene: Scene, key: Key) -> tuple[object, ...]:
    slots = [slot for slot in scene.ledger.slots(key.task_id) if slot.key == key]
    return scene.tick(key), slots, scene.ledger.attempts(key), scene.ledger.output(key, 1)


def _alone(ledger: Ledger, act: _Act) -> None:
    """Do something to each running tick in turn; all the others stay as they are."""
    scene, held = _running(ledger)
    for one in held:
        others = [other.key for other in held if other != one]
        before = [_facts(scene, key) for key in others], _facts(scene, one.key)
        act(scene, one)
        assert [_facts(scene, key) for key in others] == before[0]
        assert _facts(scene, one.key) != before[1]
