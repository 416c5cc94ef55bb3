"""Findings: what an audit can find wrong, and what one row says that cannot be.

The row is examined alone here: its state, its reason, its proof and its attempts. Whether it stands
where it should is for walk.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum

from everytick.tick import FAILURES, SKIPS, State, TickRow, proof, rfc3339, tick_name
from everytick.when import Instant


class Kind(StrEnum):
    """What is wrong."""

    MISSING = "missing"  # instants that the schedule yields, or a change asked for, have no row
    DOUBLED = "doubled"  # two rows stand for one instant, or two attempts ran side by side
    SHIFTED = "shifted"  # a row stands at another instant than its own, which has none
    RANGE = "range"  # a range row does not stand for the instants that it was written for
    ALTERED = "altered"  # a row says something that it did not say when it was written
    CHAIN = "chain"  # a row does not name the one before it
    UNEXPECTED = "unexpected"  # neither a schedule nor a change explains a row
    UNREADABLE = "unreadable"  # a row holds what no release has ever written


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        kind: See Kind.
        task: The task's name.
        due_at: The instant it is about, the first where there are several.
        request: As in the tick's key.
        through: The last instant; ``due_at`` where there is only one.
        count: How many instants it is about.
        missing: So many due instants have no row because of it.
        expected: Where a shifted row should stand.
        sentence: What is wrong, in plain English.
    """

    kind: Kind
    task: str
    due_at: Instant
    request: int = 0
    through: Instant
    count: int = 1
    missing: int = 0
    expected: Instant | None = None
    sentence: str

    @classmethod
    def of(
        cls,
        row: TickRow,
        kind: Kind,
        why: str,
        *,
        count: int = 1,
        missing: int = 0,
        expected: Instant | None = None,
    ) -> "Finding":
        """Return the finding that something is wrong with a row."""
        due, request = row.key.due_at, row.key.request
        return cls(
            kind=kind,
            task=row.task,
            due_at=due,
            request=request,
            through=max(due, row.through or due),
            count=count,
            missing=missing,
            expected=expected,
            sentence=f"{tick_name(row.task, due, request)}: {why}",
        )

    @property
    def tick(self) -> str:
        """The name of the tick, the first where there are several."""
        return tick_name(self.task, self.due_at, self.request)

    def as_json(self) -> dict[str, object]:
        """Return it for machines; instants as RFC 3339 in UTC."""
        return {
            "kind": self.kind.value,
            "task": self.task,
            "tick": self.tick,
            "due_at": rfc3339(self.due_at),
            "through": rfc3339(self.through),
            "count": self.count,
            "expected": None if self.expected is None else rfc3339(self.expected),
            "sentence": self.sentence,
        }


_NONE = dict.fromkeys(State, 0)


@dataclass(slots=True)
class Counts:
    """What an audit counts as it goes.

    Attributes:
        expected: Instants that the schedules yield in the span, and ticks that changes asked for.
        recorded: Instants that rows stand for.
        missing: Expected, and no row stands for them.
        doubled: Instants that more than one row stands for, and attempts that ran side by side.
        unexplained: Rows that nothing explains, or that say what they cannot.
        behind: Expected, and not yet planned: their cursor has not come so far.
        reruns: Attempts that were lost and followed by another.
        pruned: Instants that seals stand for; no other number counts them.
        states: Instants by the state of their row.
    """

    expected: int = 0
    recorded: int = 0
    missing: int = 0
    doubled: int = 0
    unexplained: int = 0
    behind: int = 0
    reruns: int = 0
    pruned: int = 0
    states: dict[State, int] = field(default_factory=_NONE.copy)

    def add(self, other: "Counts") -> None:
        """Add what another has counted."""
        for name in _ADDED:
            if count := getattr(other, name):
                setattr(self, name, getattr(self, name) + count)
        for state, count in other.states.items():
            if count:
                self.states[state] += count

    def charge(self, finding: Finding, times: int = 1) -> None:
        """Count a finding; -1 times where it turns out to be none."""
        self.missing += finding.missing * times
        if finding.kind is Kind.DOUBLED:
            self.doubled += finding.count * times
        elif finding.kind is not Kind.MISSING:
            self.unexplained += times


_ADDED = [each.name for each in fields(Counts)][:-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class PastAttempt:
    """An attempt that did not end its tick."""

    attempt: int
    started_at: Instant
    ended_at: Instant
    outcome: str


def altered(row: TickRow) -> str | None:
    """Return what a row says that it cannot, looked at alone; None where all is in order."""
    reason = row.reason
    state = row.state
    if reason is None:
        legal = state is not State.FAILED and state is not State.SKIPPED
    else:
        legal = (state is State.FAILED and reason in FAILURES) or (state is State.SKIPPED and reason in SKIPS)
    if not legal:
        return f"it is {state} for the reason {reason}, which the table of transitions does not have"
    if row.ended_at is None:
        return _open(row)
    if state is State.PLANNED or state is State.RUNNING or state is State.QUEUED:
        return f"it is {state}, and yet it has ended"
    if proof(row.key, (row.through, row.count, state, reason, row.attempt, row.ended_at)) != row.proof:
        return f"it says {_outcome(row)}, which is not what was written when it ended: its proof differs"
    if row.reruns >= row.attempt:
        return f"it counts {row.reruns} reruns in {row.attempt} attempts"
    return None


def ran_side_by_side(row: TickRow, past: Sequence[PastAttempt]) -> str | None:
    """Return which attempts of a tick were under way at once; None where each began after the one before."""
    starts = [(one.attempt, one.started_at) for one in past[1:]]
    starts.append((row.attempt, past[-1].ended_at if row.started_at is None else row.started_at))
    for before, (number, started_at) in zip(past, starts, strict=True):
        if number == before.attempt:
            return f"attempt {number} was started twice"
        if started_at < before.ended_at:
            return (
                f"attempt {number} was started at {rfc3339(started_at)}, "
                f"before attempt {before.attempt} had ended at {rfc3339(before.ended_at)}"
            )
    return None


def miscounted(row: TickRow, past: Sequence[PastAttempt]) -> str | None:
    """Return how a row's attempts do not add up; None where they do.

    What is wrong is told in the same words when the tick is at its next attempt.
    """
    if odd := {one.attempt for one in past} ^ set(range(1, row.attempt)):
        return f"its earlier attempts are not numbered from 1 without a hole: look at {min(odd)}"
    lost = sum(one.outcome == "lost" for one in past)
    if lost != row.reruns:
        return f"it counts {row.reruns} reruns, and {lost} of its attempts were lost"
    return None


def _open(row: TickRow) -> str | None:
    if row.state in {State.SUCCEEDED, State.FAILED, State.CANCELLED, State.SKIPPED}:
        return f"it is {row.state}, and nothing says when it ended"
    if row.proof is not None:
        return f"it is {row.state}, and yet it has the proof of an ending"
    if (row.state is State.PLANNED) != (row.holder is None):
        return f"it is {row.state}, and its holder is {row.holder or 'nobody'}"
    if row.through is not None or row.count != 1:
        return f"it is {row.state}, and yet it stands for {row.count} instants"
    return None


def _outcome(row: TickRow) -> str:
    reason = f"({row.reason})" if row.reason else ""
    return f"{row.state}{reason} at {rfc3339(row.ended_at or 0)}"
