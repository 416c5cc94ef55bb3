"""The auditor: reads a ledger for an audit, task by task, and gathers what was found.

No transaction is long, and memory grows neither with the ticks nor with the tasks; the programs go on
meanwhile. What is written after it began is left for the next audit; what is written between two of its
reads can look like a fault, so a task in which something is found is audited again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from everytick.audit.evidence import Evidence
from everytick.audit.known import Known
from everytick.audit.reading import Part, Progress, Reading
from everytick.errors import UnknownName, UnreadableRow
from everytick.ledger import Reads
from everytick.proof.finding import Counts, Finding, Kind
from everytick.proof.walk import Span, Walk, broken, never_ran, unreadable
from everytick.record import History
from everytick.tick import NEVER, State, rfc3339
from everytick.when import Instant

LISTED = 1000
"""So many findings are kept; the others are only counted."""

AGAIN = 3
"""So often more a task is audited where what is found of it is never the same twice running."""


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

    def add(self, finding: Finding, *, listed: bool) -> None:
        """Take a finding that is counted already."""
        if finding.kind is Kind.SHIFTED and finding.request:
            self.moved.add(finding.request)
        if listed:
            self.findings.append(finding)
        else:
            self.unlisted += 1

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

    def new_since(self, before: "_Gathered") -> list[Finding]:
        """Return what was not found before; nothing where there is more than is listed."""
        known = set(before.findings)
        return [] if self.unlisted else [one for one in self.findings if one not in known]

    def drop(self, findings: Sequence[Finding]) -> None:
        """Forget findings that turn out to be none."""
        for one in findings:
            self.findings.remove(one)
            self.counts.charge(one, -1)
            self.moved.discard(one.request)


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
        """Audit the tasks of a part."""
        first = self._read(part)
        for one in part.histories:
            found = first[one.task_id]
            doubtful = (found.findings or found.unlisted) and len(self.found.findings) < LISTED
            self.found.take(self._sure(part, one, found) if doubtful else found)

    def manual_runs(self, only: str | None) -> None:
        """Look for the tick of each manual run that was asked for in the span.

        Args:
            only: Of this task alone.
        """
        for wanted, standing in self._evidence.manual_runs(self._span, only):
            self.found.counts.expected += len(wanted)
            for key in sorted(wanted.keys() - standing):
                if key.request not in self.found.moved:
                    finding = never_ran(wanted[key], key.request, key.due_at)
                    self.found.counts.charge(finding)
                    self.found.add(finding, listed=len(self.found.findings) < LISTED)

    def _sure(self, part: Part, task: History, found: _Gathered) -> _Gathered:
        """Audit a task again until it finds nothing that it did not find right before.

        Its versions, rows and attempts are not read at one moment. What others write in between can look
        like a fault once, but not twice: a fault is what is found two times running, in the same words.
        """
        before, found = found, self._again(part, task)
        for _ in range(AGAIN):
            if not found.new_since(before):
                break
            before, found = found, self._again(part, task)
        found.drop(found.new_since(before))
        return found

    def _again(self, part: Part, task: History) -> _Gathered:
        return self._read(self._reading.again(part, task.name))[task.task_id]

    def _read(self, part: Part) -> dict[int, _Gathered]:
        return _PartAudit(self._reading, self._evidence, self._span, part).found


class _PartAudit:
    """Audits the tasks of one part.

    Attributes:
        found: What is found of each; the first LISTED of all.
    """

    def __init__(self, reading: Reading, evidence: Evidence, span: Span, part: Part) -> None:
        self._reading = reading
        self._evidence = evidence
        self._span = span
        self._listed = 0
        self.found = {one.task_id: _Gathered() for one in part.histories}
        self._audit(part)

    def _audit(self, part: Part) -> None:
        known = {one.task_id: Known.of(one, self._span) for one in part.histories}
        walks = {task_id: self._walk(one) for task_id, one in known.items()}
        sure = {task_id: max(one.span.after, one.asked.after) for task_id, one in known.items()}
        for page in self._reading.pages(part, min(one.after for one in known.values())):
            self._evidence.read(page)
            for row in page:
                if isinstance(row, UnreadableRow):
                    if walks.pop(row.task_id, None) is not None:
                        self._charge(row.task_id, unreadable(known[row.task_id].history.name, row))
                    continue
                task_id, due_at = row.key.task_id, row.key.due_at
                if task_id in walks and (due_at > sure[task_id] or known[task_id].wants(row.key)):
                    walks[task_id].feed(row)
        for walk in walks.values():
            walk.finish()
        self._seals(part)

    def _walk(self, known: Known) -> Walk:
        task_id = known.history.task_id
        found = self.found[task_id]
        lines = self._evidence.lines(known)
        found.note(known.notes(lines))
        return Walk(lines, self._evidence.facts, found.counts, partial(self._add, task_id))

    def _seals(self, part: Part) -> None:
        for one in part.histories:
            if one.seal is None or one.seal.through <= self._span.after:
                continue
            self.found[one.task_id].counts.pruned += one.seal.count
            if not one.seal.sound:
                self._charge(one.task_id, broken(one.name, one.seal.through))

    def _charge(self, task_id: int, finding: Finding) -> None:
        """Take a finding that nobody has counted yet."""
        self.found[task_id].counts.charge(finding)
        self._add(task_id, finding)

    def _add(self, task_id: int, finding: Finding) -> None:
        self.found[task_id].add(finding, listed=self._listed < LISTED)
        self._listed += 1
