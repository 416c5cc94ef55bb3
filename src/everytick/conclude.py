"""Conclude: decide what an attempt's end means for its tick, without touching anything."""

from typing import Literal

import msgspec

from everytick.policy import Policies
from everytick.tick import Key, Reason, State
from everytick.when import Instant

Outcome = Literal["succeeded", "error", "timeout", "cancelled", "lost"]
"""How an attempt can end."""


class Attempt(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An attempt that was started.

    Attributes:
        key: Its tick.
        attempt: Its number, the fencing token.
        holder: The process that holds it.
        reruns: How many earlier attempts were lost.
        version: The version of the task that planned the tick.
        prev_due: Where the tick's data interval begins.
        next_due: When the next tick of the task is due.
        started_at: When it was started.
        cancel_requested: Somebody asked it to stop.
    """

    key: Key
    attempt: int
    holder: int
    reruns: int
    version: int
    prev_due: Instant | None
    next_due: Instant | None
    started_at: Instant
    cancel_requested: bool = False


class Report(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What an executor says of an attempt that ended.

    Attributes:
        outcome: How it ended.
        summary: What it returned, as JSON text.
        error: One line on what went wrong.
        output: What it printed, bounded.
    """

    outcome: Outcome
    summary: str | None = None
    error: str | None = None
    output: str = ""


class Settlement(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What to write about an attempt that ended.

    Attributes:
        attempt: Which attempt.
        report: What its executor said.
        state: A terminal state, or planned where another attempt follows.
        reason: Why it failed.
        ready_at: When the next attempt may start.
        reruns: The count of lost attempts from here on.
    """

    attempt: Attempt
    report: Report
    state: State
    reason: Reason | None = None
    ready_at: Instant | None = None
    reruns: int = 0


def conclude(attempt: Attempt, report: Report, policies: Policies, now: Instant) -> Settlement:
    """Return what becomes of the tick whose attempt ended with a report of its executor.

    An attempt that was asked to stop and failed is cancelled; one that succeeded all the same has
    succeeded. A lost attempt is for rescue() to judge.
    """
    if report.outcome == "succeeded":
        return _ended(attempt, report, State.SUCCEEDED, None)
    if report.outcome == "cancelled" or attempt.cancel_requested:
        return _ended(attempt, report, State.CANCELLED, None)
    ready_at = _retry_at(attempt, report, policies, now)
    if ready_at is None:
        return _ended(attempt, report, State.FAILED, Reason(report.outcome))
    return Settlement(
        attempt=attempt, report=report, state=State.PLANNED, ready_at=ready_at, reruns=attempt.reruns
    )


def _ended(attempt: Attempt, report: Report, state: State, reason: Reason | None) -> Settlement:
    return Settlement(attempt=attempt, report=report, state=state, reason=reason, reruns=attempt.reruns)


def _retry_at(attempt: Attempt, report: Report, policies: Policies, now: Instant) -> Instant | None:
    """Return when to try again, or None where the tick has failed for good."""
    retry = policies.retry
    failures = attempt.attempt - attempt.reruns
    exception = (report.error or "").partition(":")[0].rpartition(".")[2]
    if failures >= retry.attempts or not {report.outcome, exception} & set(retry.on):
        return None
    ready_at = now + retry.wait(failures, (attempt.key, attempt.attempt))
    if retry.until == "next" and attempt.next_due is not None and ready_at >= attempt.next_due:
        return None
    return ready_at
