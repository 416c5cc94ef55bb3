"""The auditor: reads a ledger for an audit, task by task, and gathers what was found.

No transaction is long, and memory grows neither with the ticks nor with the tasks; the programs go on
meanwhile. What is written after it began is left for the next audit.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from everytick.audit.evidence import Evidence
from everytick.audit.known import Known
from everytick.audit.reading import Part, Progress, Reading
from everytick.errors import UnknownName, UnreadableRow
from everytick.ledger import Reads
from everytick.proof.finding import Counts, Finding, Kind
from everytick.proof.walk import Span, Walk, broken, never_ran, unreadable
from everytick.tick import NEVER, State, rfc3339
from everytick.when import Instant

LISTED = 1000
"""So many findings are kept; the others are only counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What an audit found.

    Attributes:
        since: What is due later was audited; None from the beginning.
        until: What is due by then was audited.
        tasks: How many tasks were audited.
        counts: What was counted.
        findings: What is wrong, the first LISTED of it.
        unlisted: How many more findings there are.
        notes: What could be proved in part only, and why; no fault.
    """

    since: Instant | None
    until: Instant
    tasks: int
    counts: Counts
    findings: tuple[Finding, ...]
    unlisted: int
    notes: tuple[str, ...]

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    def as_json(self) -> dict[str, object]:
        """Return it for machines; instants as RFC 3339 in UTC."""
        counts = self.counts
        states = counts.states
        return {
            "since": None if self.since is None else rfc3339(self.since),
            "until": rfc3339(self.until),
            "tasks": self.tasks,
            "expected": counts.expected,
            "recorded": counts.recorded,
            "missing": counts.missing,
            "doubled": counts.doubled,
            "unexplained": counts.unexplained,
            "behind": counts.behind,
            "succeeded": states[State.SUCCEEDED],
            "failed": states[State.FAILED],
            "cancelled": states[State.CANCELLED],
            "skipped": states[State.SKIPPED],
            "open": states[State.PLANNED] + states[State.QUEUED] + states[State.RUNNING],
            "reruns": counts.reruns,
            "pruned": counts.pruned,
            "findings": [finding.as_json() for finding in self.findings],
            "unlisted": self.unlisted,
            "notes": list(self.notes),
        }


def audit(
    ledger: Reads,
    now: Instant,
    *,
    since: Instant | None = None,
    until: Instant | None = None,
    task: str | None = None,
    progress: Progress | None = None,
) -> Audit:
    """Audit what is due in (since, until], all of it by default.

    Args:
        ledger: What is audited; it is only read.
        now: The moment; nothing later is audited.
        since: Only what is due later. A range row that reaches beyond is audited whole.
        until: Only what is due by then.
        task: Only this task.
        progress: Told how far the audit is.

    Raises:
        UnknownName: There is no such task.
    """
    span = Span(
        after=-NEVER if since is None else since, through=now if until is None else min(now, until), now=now
    )
    reading = Reading(ledger, span, progress or (lambda _done, _total: None))
    auditor = _Auditor(ledger, span, reading)
    tasks = 0
    for part in reading.parts(since, task):
        auditor.tasks(part)
        tasks += len(part.histories)
    if task is not None and not tasks:
        raise UnknownName(f"there is no task '{task}'; everytick tasks lists them")
    auditor.manual_runs(task)
    found = auditor.found
    return Audit(
        since=since,
        until=span.through,
        tasks=tasks,
        counts=found.counts,
        findings=tuple(sorted(found.findings, key=lambda one: one.task)),
        unlisted=found.unlisted,
        notes=tuple(found.notes),
    )


@dataclass(slots=True)
class _Gathered:
    """What was found so far.

    Attributes:
        moved: Manual runs that were found elsewhere than they were asked for.
    """

    counts: Counts = field(default_factory=Counts)
    findings: list[Finding] = field(default_factory=list)
    unlisted: int = 0
    notes: list[str] = field(default_factory=list)
    moved: set[int] = field(default_factory=set)

    def add(self, finding: Finding) -> None:
        if finding.kind is Kind.SHIFTED and finding.request:
            self.moved.add(finding.request)
        if len(self.findings) < LISTED:
            self.findings.append(finding)
        else:
            self.unlisted += 1

    def add_uncounted(self, finding: Finding) -> None:
        """Take a finding that nobody has counted yet."""
        self.counts.charge(finding)
        self.add(finding)

    def note(self, notes: Sequence[str]) -> None:
        self.notes += notes[: LISTED - len(self.notes)]

    def take(self, other: "_Gathered") -> None:
        """Add what was found apart."""
        self.counts.add(other.counts)
        room = LISTED - len(self.findings)
        self.findings += other.findings[:room]
        self.unlisted += other.unlisted + len(other.findings[room:])
        self.note(other.notes)
        self.moved |= other.moved


class _Auditor:
    """Reads one ledger, and gathers what is found.

    Attributes:
        found: What was found.
    """

    def __init__(self, ledger: Reads, span: Span, reading: Reading) -> None:
        self._span = span
        self._reading = reading
        self._evidence = Evidence(ledger, span.now)
        self.found = _Gathered()

    def tasks(self, part: Part) -> None:
        """Audit tasks; once more where rows of theirs were pruned meanwhile, and are missed."""
        current: Part | None = part
        while current is not None:
            found = _PartAudit(self._reading, self._evidence, self._span).of(current)
            current = self._reading.again(current) if found.findings else None
        self.found.take(found)

    def manual_runs(self, only: str | None) -> None:
        """Look for the tick of each manual run that was asked for in the span.

        Args:
            only: Of this task alone.
        """
        for wanted, standing in self._evidence.manual_runs(self._span, only):
            self.found.counts.expected += len(wanted)
            for key in sorted(wanted.keys() - standing):
                if key.request not in self.found.moved:
                    self.found.counts.missing += 1
                    self.found.add(never_ran(wanted[key], key.request, key.due_at))


class _PartAudit:
    """Audits the tasks of one part.

    Attributes:
        found: What was found.
    """

    def __init__(self, reading: Reading, evidence: Evidence, span: Span) -> None:
        self._reading = reading
        self._evidence = evidence
        self._span = span
        self.found = _Gathered()

    def of(self, part: Part) -> _Gathered:
        """Return what is found of a part."""
        known = {one.task_id: Known.of(one, self._span) for one in part.histories}
        walks = {task_id: self._walk(one) for task_id, one in known.items()}
        sure = {task_id: max(one.span.after, one.asked.after) for task_id, one in known.items()}
        for page in self._reading.pages(part, min(one.after for one in known.values())):
            self._evidence.read(page)
            for row in page:
                if isinstance(row, UnreadableRow):
                    if walks.pop(row.task_id, None) is not None:
                        self.found.add_uncounted(unreadable(known[row.task_id].history.name, row))
                    continue
                task_id, due_at = row.key.task_id, row.key.due_at
                if task_id in walks and (due_at > sure[task_id] or known[task_id].wants(row.key)):
                    walks[task_id].feed(row)
        for walk in walks.values():
            walk.finish()
        self._seals(part)
        return self.found

    def _walk(self, known: Known) -> Walk:
        lines = self._evidence.lines(known)
        self.found.note(known.notes(lines))
        return Walk(lines, self._evidence.facts, self.found.counts, self.found.add)

    def _seals(self, part: Part) -> None:
        for one in part.histories:
            if one.seal is None or one.seal.through <= self._span.after:
                continue
            self.found.counts.pruned += one.seal.count
            if not one.seal.sound:
                self.found.add_uncounted(broken(one.name, one.seal.through))
