"""What settle() has to do."""

from dataclasses import replace

from msgspec import structs

from everytick.conclude import Attempt
from everytick.consider import Slot
from everytick.ledger import AttemptRow, Ledger
from everytick.policy import Policies, Retry, Uncertain
from everytick.testing.ledgers.scene import SECOND, Scene, change, due
from everytick.tick import Reason, State, proof

_RETRY = Policies(retry=Retry(attempts=3, delay=5 * SECOND, jitter=0.0))


class Settling:
    """The tests of settle(), attempts() and output()."""

    def test_an_outcome_ends_the_tick_and_frees_its_lane(self, ledger: Ledger) -> None:
        scene, attempt = _running(ledger)
        scene.settle(attempt, due(1) + 7)
        row = scene.tick(attempt.key)
        assert (row.state, row.reason, row.holder) == (State.SUCCEEDED, None, None)
        assert (row.ended_at, row.summary) == (due(1) + 7, '"done"')
        assert row.proof == proof(row.key, (None, 1, State.SUCCEEDED, None, 1, due(1) + 7))
        assert ledger.slots(attempt.key.task_id) == []
        assert ledger.held(attempt.holder) == []
        assert ledger.output(attempt.key, 1) == (None, "said\n")
        assert ledger.attempts(attempt.key) == []

    def test_a_failure_has_its_reason_and_what_was_said_of_it(self, ledger: Ledger) -> None:
        scene, attempt = _running(ledger)
        scene.settle(attempt, due(1) + 7, "timeout", "stopped after 5 s")
        row = scene.tick(attempt.key)
        assert (row.state, row.reason) == (State.FAILED, Reason.TIMEOUT)
        assert ledger.output(attempt.key, 1) == ("stopped after 5 s", "said\n")

    def test_a_retry_keeps_its_lane(self, ledger: Ledger) -> None:
        scene, attempt = _running(ledger, _RETRY)
        at = due(1) + SECOND
        scene.settle(attempt, at, "error", "ValueError: no")
        row = scene.tick(attempt.key)
        assert (row.state, row.attempt, row.reruns) == (State.PLANNED, 2, 0)
        assert (row.ready_at, row.started_at, row.holder) == (at + 5 * SECOND, None, None)
        assert ledger.slots(attempt.key.task_id) == [Slot(key=row.key, lane=0, attempt=2, holder=None)]
        assert ledger.attempts(row.key) == [_kept(attempt, at, "error")]
        again = scene.started(attempt.holder, at + 5 * SECOND)
        assert again == structs.replace(attempt, attempt=2, started_at=at + 5 * SECOND)
        assert ledger.slots(attempt.key.task_id)[0].holder == attempt.holder
        scene.settle(again, at + 6 * SECOND)
        assert scene.tick(row.key).state is State.SUCCEEDED
        assert ledger.output(row.key, 1) == ("ValueError: no", "said\n")

    def test_only_the_holder_of_the_current_attempt_may_settle(self, ledger: Ledger) -> None:
        scene, attempt = _running(ledger, _RETRY)
        before = scene.tick(attempt.key), ledger.slots(attempt.key.task_id)
        for other in (
            structs.replace(attempt, holder=attempt.holder + 1),
            structs.replace(attempt, attempt=2),
        ):
            for outcome in ("succeeded", "error"):
                late = scene.concluded(other, due(2), outcome)
                assert ledger.settle([late], due(2)) == [late]
        assert (scene.tick(attempt.key), ledger.slots(attempt.key.task_id)) == before

    def test_a_late_result_is_refused_and_recorded(self, ledger: Ledger) -> None:
        scene, attempt = _running(ledger)
        at = due(1) + SECOND
        assert ledger.bury(attempt.holder, 0, at, lambda held: scene.rescued(held, at)) == 1
        second = scene.started(scene.runner(), at)
        assert (second.attempt, second.reruns) == (2, 1)
        late = scene.concluded(attempt, at + 1)
        assert ledger.settle([late], at + 1) == [late]
        assert ledger.settle([late], at + 2) == [late]
        assert ledger.attempts(attempt.key) == [
            _kept(attempt, at, "lost"),
            replace(_kept(attempt, at + 1, "succeeded"), refused_at=at + 1),
        ]
        assert ledger.held(second.holder) == [second]
        scene.settle(second, at + 3)
        row = scene.tick(second.key)
        assert (row.state, row.attempt, row.ended_at) == (State.SUCCEEDED, 2, at + 3)
        assert ledger.settle([late], at + 4) == [late]
        assert scene.tick(second.key) == row

    def test_a_loss_that_is_not_run_again_ends_the_tick(self, ledger: Ledger) -> None:
        scene, attempt = _running(ledger, Policies(uncertain=Uncertain.SKIP))
        assert ledger.bury(attempt.holder, 0, due(2), lambda held: scene.rescued(held, due(2))) == 1
        row = scene.tick(attempt.key)
        assert (row.state, row.reason) == (State.FAILED, Reason.LOST)
        late = scene.concluded(attempt, due(2))
        assert ledger.settle([late], due(2)) == [late]
        assert scene.tick(attempt.key) == row

    def test_what_is_settled_already_is_no_refusal(self, ledger: Ledger) -> None:
        scene, attempt = _running(ledger, _RETRY)
        retried = scene.settle(attempt, due(1) + 1, "error", "ValueError: no")
        before = scene.facts(attempt.key.task_id)
        assert ledger.settle([retried], due(1) + 2) == []
        assert scene.facts(attempt.key.task_id) == before
        second = scene.started(attempt.holder, due(2) - 1)
        ended = scene.settle(second, due(2))
        before = scene.facts(attempt.key.task_id)
        assert ledger.settle([ended, retried], due(3)) == []
        assert scene.facts(attempt.key.task_id) == before
        assert len(ledger.attempts(attempt.key)) == 1

    def test_another_outcome_of_an_attempt_that_ended_is_refused(self, ledger: Ledger) -> None:
        scene, attempt = _running(ledger)
        scene.settle(attempt, due(1), "timeout")
        row = scene.tick(attempt.key)
        for outcome in ("succeeded", "error"):
            other = scene.concluded(attempt, due(1), outcome)
            assert ledger.settle([other], due(1)) == [other]
        assert scene.tick(attempt.key) == row
        assert [one.refused_at for one in ledger.attempts(attempt.key)] == [due(1), due(1)]

    def test_a_success_is_not_cancelled_afterwards(self, ledger: Ledger) -> None:
        scene, attempt = _running(ledger)
        scene.settle(attempt, due(1))
        late = scene.concluded(attempt, due(2), "cancelled")
        assert ledger.settle([late], due(2)) == [late]
        assert scene.tick(attempt.key).state is State.SUCCEEDED

    def test_an_attempt_of_the_same_holder_does_not_stand_for_the_next(self, ledger: Ledger) -> None:
        scene, attempt = _running(ledger, _RETRY)
        scene.settle(attempt, due(1) + 1, "error", "ValueError: no")
        early = scene.concluded(structs.replace(attempt, attempt=2), due(1) + 1, "error", "ValueError: no")
        assert ledger.settle([early], due(1) + 1) == [early]
        second = scene.started(attempt.holder, due(2) - 1)
        third = scene.concluded(structs.replace(second, attempt=3), due(2), "error", "ValueError: no")
        assert ledger.settle([third], due(2)) == [third]
        stranger = scene.concluded(structs.replace(attempt, holder=99), due(2), "error", "ValueError: no")
        assert ledger.settle([stranger], due(2)) == [stranger]
        scene.settle(second, due(2), "error", "ValueError: no, again")
        assert ledger.output(attempt.key, 1) == ("ValueError: no", "said\n")
        assert ledger.output(attempt.key, 2) == ("ValueError: no, again", "said\n")

    def test_a_cancel_that_meets_a_retry_wins(self, ledger: Ledger) -> None:
        scene, attempt = _running(ledger, _RETRY)
        retry = scene.concluded(attempt, due(1) + 1, "error", "ValueError: no")
        assert retry.state is State.PLANNED
        assert ledger.cancel(change("cancel", due(1)), attempt.key) is State.RUNNING
        assert ledger.settle([retry], due(1) + 1) == []
        row = scene.tick(attempt.key)
        assert (row.state, row.reason, row.attempt) == (State.CANCELLED, None, 1)
        assert row.proof == proof(row.key, (None, 1, State.CANCELLED, None, 1, due(1) + 1))
        assert ledger.slots(attempt.key.task_id) == []
        assert ledger.settle([retry], due(1) + 2) == []
        assert scene.tick(attempt.key) == row

    def test_one_refusal_does_not_hold_up_the_others(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        tasks = [scene.task(name) for name in ("a", "b", "c")]
        runner = scene.runner()
        scene.plan(due(1))
        held = scene.claim(runner, due(1)).attempts
        assert [one.key.task_id for one in held] == tasks
        batch = [scene.concluded(one, due(1)) for one in held]
        batch[1] = structs.replace(batch[1], attempt=structs.replace(held[1], attempt=7))
        assert ledger.settle(batch, due(1)) == [batch[1]]
        assert [scene.tick(one.key).state for one in held] == ["succeeded", "running", "succeeded"]

    def test_nothing_to_settle_is_nothing_written(self, ledger: Ledger) -> None:
        assert ledger.settle([], due(1)) == []


def _running(ledger: Ledger, policies: Policies | None = None) -> tuple[Scene, Attempt]:
    scene = Scene(ledger)
    scene.task(policies=policies)
    runner = scene.runner()
    scene.plan(due(1))
    return scene, scene.started(runner, due(1))


def _kept(attempt: Attempt, ended_at: int, outcome: str) -> AttemptRow:
    return AttemptRow(
        key=attempt.key,
        attempt=attempt.attempt,
        holder=attempt.holder,
        started_at=attempt.started_at,
        ended_at=ended_at,
        outcome=outcome,
        refused_at=None,
    )
