"""Rescue: decide what becomes of attempts whose process is gone, without touching anything."""

from msgspec.structs import replace

from everytick.conclude import Attempt, Report, Settlement
from everytick.policy import RERUNS, Policies, Uncertain
from everytick.tick import Reason, State
from everytick.when import Instant


def rescue(attempt: Attempt, policies: Policies, now: Instant, why: str) -> Settlement:
    """Return what becomes of a tick whose attempt was lost.

    Nobody knows how far the attempt came. ``uncertain = rerun`` runs the tick again, as a rerun and
    counted as one; ``skip`` ends it failed(lost), as does a spent budget of reruns.

    Args:
        attempt: The lost attempt.
        policies: Of its task.
        now: The moment.
        why: What happened to the process that held it.
    """
    report = Report(outcome="lost", error=why)
    if attempt.cancel_requested:
        return Settlement(attempt=attempt, report=report, state=State.CANCELLED, reruns=attempt.reruns)
    if policies.uncertain is Uncertain.RERUN and attempt.reruns < RERUNS:
        return Settlement(
            attempt=attempt, report=report, state=State.PLANNED, ready_at=now, reruns=attempt.reruns + 1
        )
    if attempt.reruns:
        report = replace(report, error=f"{why}; it was lost {attempt.reruns + 1} times, and is not run again")
    return Settlement(
        attempt=attempt, report=report, state=State.FAILED, reason=Reason.LOST, reruns=attempt.reruns
    )
