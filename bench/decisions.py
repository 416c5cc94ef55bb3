"""What becomes of the lives that a bench plays, on any ledger: decided for nothing, or as the programs do."""

from collections.abc import Mapping, Sequence

from everytick.conclude import Attempt, Report, Settlement, conclude
from everytick.consider import Considered, Ready, Slot, Start, consider
from everytick.plan import Cursor, Plan, PlannedTick, plan
from everytick.policy import Policies
from everytick.tick import State
from everytick.versions import Versions

SECOND = 1_000_000
PERIOD = 10 * SECOND
POLICIES = Policies()
DONE = Report(outcome="succeeded")


class Free:
    """Decisions that cost next to nothing."""

    def plans(self, cursors: Sequence[Cursor], due: int) -> Sequence[Plan]:
        """Plan the one tick of each."""
        return [
            Plan(
                cursor=cursor,
                ticks=(
                    PlannedTick(
                        due_at=due,
                        version=1,
                        prev_due=cursor.last_due,
                        next_due=due + PERIOD,
                        ready_at=due,
                        policies=POLICIES,
                    ),
                ),
                planned_through=due,
                last_due=due,
                next_due=due + PERIOD,
            )
            for cursor in cursors
        ]

    def considered(self, batch: Sequence[Ready], slots: Mapping[int, Sequence[Slot]], due: int) -> Considered:
        """Start all."""
        assert due
        assert not any(slots.values())
        return Considered(starts=[Start(ready=ready, lane=0, fresh=True) for ready in batch])

    def ended(self, attempt: Attempt, due: int) -> Settlement:
        """Let it succeed."""
        assert due
        return Settlement(attempt=attempt, report=DONE, state=State.SUCCEEDED)


class Real(Free):
    """The decisions of the scheduler and the runner."""

    versions: Versions

    def plans(self, cursors: Sequence[Cursor], due: int) -> Sequence[Plan]:
        """Plan as the scheduler does."""
        return [
            plan(cursor, self.versions.since(cursor.task_id, 1, cursor.planned_through), due, due)
            for cursor in cursors
        ]

    def considered(self, batch: Sequence[Ready], slots: Mapping[int, Sequence[Slot]], due: int) -> Considered:
        """Consider as the runner does."""
        return consider(batch, slots, self.versions.version, due)

    def ended(self, attempt: Attempt, due: int) -> Settlement:
        """Conclude as the runner does."""
        return conclude(attempt, DONE, self.versions.policies(attempt.key.task_id, attempt.version), due)
