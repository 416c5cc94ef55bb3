"""What an audit finds while others write: what is wrong, and nothing that only looks so."""

from collections.abc import Callable
from dataclasses import replace
from typing import cast

import msgspec

from everytick.audit.auditor import AGAIN, Audit, audit
from everytick.conclude import Attempt
from everytick.ledger import Change, Ledger, Reads
from everytick.policy import CatchingUp, CatchUp, Overlap, Policies, Retry
from everytick.proof.finding import Kind
from everytick.testing.ledgers.scene import Scene, due
from everytick.when import Instant

_ALL = Policies(overlap=Overlap.allow(), catch_up=CatchUp(CatchingUp.ALL))
_RETRIES = replace(_ALL, retry=Retry(50, jitter=0.0))

_ATTEMPTS = frozenset({"attempts"})
_ROWS = frozenset({"recorded", "recorded_by_time"})


class Auditing:
    """The tests of audits beside writes."""

    def test_an_attempt_that_fails_beside_an_audit_was_not_started_twice(self, ledger: Ledger) -> None:
        retries = _Retries(ledger)
        found = _audited(ledger, _ATTEMPTS, retries.fail)
        assert retries.failed == 1
        assert _told(found) == []
        assert (found.counts.doubled, found.counts.recorded) == (0, 1)

    def test_attempts_that_fail_each_time_it_looks_were_not_started_twice(self, ledger: Ledger) -> None:
        retries = _Retries(ledger)
        found = _audited(ledger, _ATTEMPTS, retries.fail, times=40)
        assert retries.failed == 1 + 1 + AGAIN
        assert _told(found) == []
        assert (found.counts.doubled, found.counts.recorded) == (0, 1)

    def test_an_edit_that_ends_beside_an_audit_is_no_fault(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        scene.task(policies=_ALL)
        scene.plan(due(6), now=due(3))
        found = _audited(ledger, _ROWS, lambda: scene.revise(due(4) + 1, policies=Policies()))
        assert _told(found) == []
        assert found.counts.missing == found.counts.unexplained == 0
        assert found.counts.expected == found.counts.recorded + found.counts.behind

    def test_a_backfill_asked_for_beside_an_audit_is_no_fault(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        task = scene.task(policies=_ALL)
        scene.plan(due(6), now=due(5))

        def ask() -> None:
            detail = msgspec.json.encode({"task": "report", "after": due(0), "through": due(2)}).decode()
            asked = Change(at=due(5) - 1, actor="suite", act="backfill", detail=detail)
            ledger.backfill(asked, task, due(0), due(2), due(1))
            scene.plan(due(6), now=due(5))

        found = _audited(ledger, _ROWS, ask)
        assert _told(found) == []
        assert (found.counts.unexplained, found.counts.recorded) == (0, 7)

    def test_a_fault_is_found_while_everything_about_it_moves(self, ledger: Ledger) -> None:
        retries = _Retries(ledger)
        scene = retries.scene
        asked = scene.request(scene.row().newest.task_id, due(1))  # does not say for which task
        found = _audited(ledger, _ATTEMPTS, retries.fail, times=40)
        assert _told(found) == [(Kind.UNEXPECTED, asked.request)]
        assert (found.counts.doubled, found.counts.unexplained) == (0, 1)

    def test_only_tasks_in_which_something_is_found_are_read_again(self, ledger: Ledger) -> None:
        scene = Scene(ledger)
        tasks = [scene.task(name, _ALL) for name in ("one", "other", "third")]
        scene.plan(due(6), now=due(5))
        listening = _Beside(ledger, frozenset(), lambda: None, 0)
        assert audit(cast("Reads", listening), due(5)).clean
        assert listening.asked("histories", *_ROWS) == ["histories", "recorded_by_time", "histories"]
        scene.request(tasks[1], due(1))
        listening = _Beside(ledger, frozenset(), lambda: None, 0)
        found = audit(cast("Reads", listening), due(5))
        assert [(one.kind, one.task) for one in found.findings] == [(Kind.UNEXPECTED, "other")]
        assert listening.asked(*_ROWS) == ["recorded_by_time", "recorded"]
        assert found.counts.recorded == 3 * 5 + 1


class _Retries:
    """A tick that fails again and again, and is under way when nobody looks.

    Attributes:
        failed: So often it has failed.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.scene = Scene(ledger)
        self.scene.task(policies=_RETRIES)
        self.scene.plan(due(1), now=due(1))
        self._runner = self.scene.runner()
        self._attempt = self.scene.started(self._runner, due(1))
        self.failed = 0
        self.fail()
        self.failed = 0

    def fail(self) -> None:
        """Let the attempt fail, and the next one start."""
        self.scene.settle(self._attempt, due(1) + self.failed, "error")
        ready_at = self.scene.tick(self._attempt.key).ready_at
        assert ready_at is not None
        self._attempt = self._of(ready_at)
        self.failed += 1

    def _of(self, now: Instant) -> Attempt:
        started = self.scene.claim(self._runner, now).attempts
        return next(one for one in started if one.key == self._attempt.key)


class _Beside:
    """A ledger in which something happens right before it is asked certain questions.

    Args:
        ledger: The ledger.
        questions: Their names.
        happen: What happens.
        times: So often.
    """

    def __init__(
        self, ledger: Ledger, questions: frozenset[str], happen: Callable[[], object], times: int
    ) -> None:
        self._ledger = ledger
        self._questions = questions
        self._happen = happen
        self._times = times
        self._heard: list[str] = []

    def __getattr__(self, name: str) -> object:
        self._heard.append(name)
        if name in self._questions and self._times:
            self._times -= 1
            self._happen()
        return getattr(self._ledger, name)

    def asked(self, *names: str) -> list[str]:
        """Return which of these questions it was asked, in their order."""
        return [name for name in self._heard if name in names]


def _audited(
    ledger: Ledger, questions: frozenset[str], happen: Callable[[], object], times: int = 1
) -> Audit:
    """Audit a ledger in which something happens meanwhile."""
    return audit(cast("Reads", _Beside(ledger, questions, happen, times)), due(5))


def _told(found: Audit) -> list[tuple[Kind, int]]:
    """Return what was found, and of which request."""
    return [(one.kind, one.request) for one in found.findings]
