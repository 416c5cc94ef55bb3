"""A ledger in the middle of everything: each table has rows, and each state a tick."""

from msgspec.structs import replace

from everytick.ledger import Ledger, Process
from everytick.plan import Status
from everytick.policy import Overlap, Overlapping, Policies, Retry, Uncertain
from everytick.testing.ledgers.scene import SECOND, START, Scene, change, due

MOMENT = due(150)
"""When that is."""


def uneven(ledger: Ledger) -> None:
    """Bring a new ledger into the middle of everything.

    Ticks wait for a lane and for their back-off, run in processes that are gone or were told to stop, stand
    in reserve; range rows stand for a long outage, backfills are planned in half, tasks paused and removed,
    late results refused.
    """
    scene = Scene(ledger)
    runner = scene.runner()
    _outage(scene)
    _waiting(scene, runner)
    _backing_off(scene, runner)
    _refused(scene, runner)
    _asked_for(scene, runner)
    _edited(scene)
    gone = ledger.register(
        Process(kind="scheduler", host='hôte "d\'ici"', pid=2, boot="b", release="0", started_at=START)
    )
    ledger.beat(gone, 1, -7)
    ledger.retire(gone)


def _outage(scene: Scene) -> None:
    scene.task("outage")
    scene.plan(MOMENT, now=MOMENT)
    scene.plan(MOMENT + 1, now=MOMENT + 1)


def _waiting(scene: Scene, runner: int) -> None:
    task = scene.task("waiting", Policies(overlap=Overlap(Overlapping.QUEUE_ALL), queue="slow"))
    scene.plan(due(5))
    for number in range(1, 5):
        scene.claim(runner, due(number), queues=("slow",))
    (held,) = [one for one in scene.ledger.held(runner) if one.key.task_id == task]
    scene.ledger.cancel(change("cancel"), held.key)


def _backing_off(scene: Scene, runner: int) -> None:
    policies = Policies(retry=Retry(attempts=5, delay=600 * SECOND), queue="flaky")
    scene.task("flaky", policies)
    scene.plan(due(3))
    for outcome, error in (("error", "ValueError: \\N \t \"'\n ünïcode"), ("timeout", "it took too long")):
        for attempt in scene.claim(runner, due(2) + 700 * SECOND, queues=("flaky",)).attempts:
            scene.settle(attempt, due(3) + 700 * SECOND, outcome, error)  # type: ignore[arg-type] # of Outcome
    policies = Policies(uncertain=Uncertain.SKIP, queue="once")
    scene.task("once", policies)
    scene.plan(due(2))
    buried = scene.runner()
    scene.claim(buried, due(1), queues=("once",))
    scene.ledger.bury(buried, 0, due(3), lambda held: scene.rescued(held, due(3)))


def _refused(scene: Scene, runner: int) -> None:
    scene.task("late", Policies(queue="late"))
    scene.plan(due(2))
    (attempt,) = scene.claim(runner, due(2), queues=("late",)).attempts
    late = scene.concluded(replace(attempt, attempt=attempt.attempt + 1), due(2))
    assert scene.ledger.settle([late], due(2)) == [late]
    scene.settle(attempt, due(2) + SECOND)


def _asked_for(scene: Scene, runner: int) -> None:
    task = scene.task("asked", Policies(queue="asked"))
    for number in range(110):
        scene.request(task, due(number))
    cancelled = scene.request(task, due(200))
    scene.ledger.cancel(change("cancel"), cancelled)
    scene.ledger.backfill(change("backfill"), task, START, due(500), due(1))
    scene.ledger.backfill(change("backfill"), task, START, due(2), due(1))
    scene.plan(due(3))
    scene.claim(runner, due(3), limit=1, queues=("asked",))


def _edited(scene: Scene) -> None:
    for name, status in (("paused", Status.PAUSED), ("removed", Status.REMOVED)):
        scene.task(name, Policies(queue="nobody"))
        scene.plan(due(2))
        scene.revise(due(1), name, status)
