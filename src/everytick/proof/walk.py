"""Audit: prove from the rows that every instant has exactly one tick, without touching anything.

The rows of a task are walked in order of time beside the instants that its versions yield, computed
anew. Each line of rows, its schedule's and each backfill's, must agree with them and with itself:

    computed    ●     ●     ●     ●     ●     ●
    rows        ●◀────●◀────●◀────────────────●      each row names the one before it
                                  ▲     ▲
                                  missing: an instant, and no row

Where a version was written under other time zone data than today's, nobody can compute the same
instants; then the chain alone is followed. Memory does not grow with the rows. No counter that the
programs keep is believed; a cursor only tells what is behind from what is missing, and only where
no row says otherwise.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from everytick.errors import UnreadableRow
from everytick.plan import Version, stretches
from everytick.proof.finding import Counts, Finding, Kind, PastAttempt, altered, miscounted, ran_side_by_side
from everytick.proof.line import Line, LineWalk, Rule
from everytick.tick import NEVER, Key, TickRow, rfc3339, tick_name
from everytick.when import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A change that asked for ticks.

    Attributes:
        at: When; a manual run is due then.
        act: ``run`` or ``backfill``, or something that asks for none.
        task: The name of the task it asks of.
        late: It was written after the audit began, which does not look at it then.
    """

    at: Instant
    act: str
    task: str
    late: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What an audit asks for while it walks.

    Attributes:
        asked: From a request's number to the change; None where there is none.
        past: From a tick to its attempts that did not end it, refused ones left out, in order.
    """

    asked: Callable[[int], Asked | None]
    past: Callable[[Key], Sequence[PastAttempt]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What is audited: what is due in (after, through], seen at ``now``."""

    after: Instant
    through: Instant
    now: Instant


def rules_of(versions: Sequence[Version], changed: Collection[int], span: Span) -> list[Rule]:
    """Return what decides when, over a span.

    A pause that has not ended yet yields nothing: its one range row is written when it ends.

    Args:
        versions: Of one task, by number.
        changed: The numbers of those written under other time zone data than today's.
        span: What is audited.
    """
    found = []
    for stretch in stretches(versions, -NEVER):
        if stretch.paused and stretch.through > span.now:
            break
        number = stretch.version.version
        rule = Rule(
            after=max(stretch.after, span.after),
            through=min(stretch.through, span.through),
            version=number,
            schedule=None if number in changed else stretch.version.schedule,
            paused=stretch.paused,
        )
        if rule.after < rule.through:
            found.append(rule)
    return found


class Walk:
    """The walk along the rows of one task.

    Args:
        lines: Its schedule's line, and one for each backfill.
        facts: What is asked for on the way.
        counts: What is counted on the way; the counts are right when the walk is over.
        report: Takes each finding.
    """

    def __init__(
        self, lines: Sequence[Line], facts: Facts, counts: Counts, report: Callable[[Finding], None]
    ) -> None:
        self._lines = {line.request: LineWalk(line, counts, report) for line in lines}
        self._facts = facts
        self._counts = counts
        self._report = report

    def feed(self, row: TickRow) -> None:
        """Take the next row of the task due in the span, by due_at and request."""
        fault = altered(row)
        if row.attempt > 1:
            fault = _tried_again(row, self._facts, self._counts, self._report) or fault
        line = self._lines.get(row.key.request)
        if line is None:
            _requested(row, fault, self._facts, self._counts, self._report)
        else:
            self._counts.states[row.state] += row.count
            line.feed(row, fault)

    def finish(self) -> None:
        """Account for what is due behind the last row."""
        for line in self._lines.values():
            line.finish()


def never_ran(task: str, number: int, at: Instant) -> Finding:
    """Return the finding that a manual run has no row."""
    name = tick_name(task, at, number)
    return Finding(
        kind=Kind.MISSING,
        task=task,
        due_at=at,
        request=number,
        through=at,
        missing=1,
        sentence=f"{name}: change {number} asked for it, and it has no row",
    )


def unreadable(task: str, fault: UnreadableRow) -> Finding:
    """Return the finding that a row cannot be read, and that its task was audited no further."""
    return _at(
        Kind.UNREADABLE,
        task,
        fault.due_at,
        f"this row cannot be read, for {fault}; its task was audited no further",
    )


def broken(task: str, through: Instant) -> Finding:
    """Return the finding that a seal does not say what was written."""
    return _at(Kind.ALTERED, task, through, "the seal of what was pruned until then is not as it was written")


def _at(kind: Kind, task: str, due_at: Instant, why: str) -> Finding:
    sentence = f"{tick_name(task, due_at)}: {why}"
    return Finding(kind=kind, task=task, due_at=due_at, through=due_at, sentence=sentence)


def _tried_again(row: TickRow, facts: Facts, counts: Counts, report: Callable[[Finding], None]) -> str | None:
    """Look at the earlier attempts of a tick; return how they do not add up."""
    counts.reruns += row.reruns
    past = [one for one in facts.past(row.key) if one.attempt <= row.attempt]
    twice = ran_side_by_side(row, past) if past else None
    if twice is None:
        return miscounted(row, past)
    finding = Finding.of(row, Kind.DOUBLED, twice)
    counts.charge(finding)
    report(finding)
    return None


def _requested(
    row: TickRow, fault: str | None, facts: Facts, counts: Counts, report: Callable[[Finding], None]
) -> None:
    """Look at a row that a change asked for, other than a backfill that the audit knows."""
    asked = facts.asked(row.key.request)
    if asked is not None and asked.late:
        return
    counts.recorded += row.count
    counts.states[row.state] += row.count
    if asked is None or asked.task != row.task or asked.act != "run":
        finding = Finding.of(row, Kind.UNEXPECTED, f"no change {row.key.request} asked for it")
    elif row.key.due_at != asked.at:
        why = f"it was asked for at {rfc3339(asked.at)}, and nothing stands there"
        finding = Finding.of(row, Kind.SHIFTED, why, missing=1, expected=asked.at)
    elif fault is not None:
        finding = Finding.of(row, Kind.ALTERED, fault)
    else:
        return
    counts.charge(finding)
    report(finding)
