"""The auditor: reads a ledger for an audit, task by task, and gathers what was found.

It reads in pages, so that no transaction is long and memory does not grow with the ticks; the
programs go on meanwhile. What is written after it began is left for the next audit.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from everytick.audit import Asked, Facts, Span, never_ran, rules_of, walk
from everytick.errors import UnknownName, UsageError
from everytick.finding import Counts, Finding, Kind, PastAttempt
from everytick.ledger import Backfill, Change, Reads, TaskRow, VersionRow
from everytick.line import Line, Rule
from everytick.plan import Status, Version
from everytick.tick import NEVER, Key, State, TickRow, rfc3339
from everytick.versions import revived
from everytick.when import Instant

LISTED = 1000
"""So many findings are kept; the others are only counted."""

Progress = Callable[[float, float], None]
"""Told how many tasks are done, as a fraction, and how many there are."""

_GLANCE = 5000
_PAGE = 1000


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
    auditor = _Auditor(ledger, span)
    tasks = list(ledger.tasks(name=task))
    if task is not None and not tasks:
        raise UnknownName(f"there is no task '{task}'; everytick tasks lists them")
    for done, row in enumerate(tasks):
        auditor.task(row, _told(progress, done, len(tasks)))
    auditor.manual_runs({row.newest.name: row.newest.task_id for row in tasks})
    found = auditor.found
    return Audit(
        since=since,
        until=span.through,
        tasks=len(tasks),
        counts=found.counts,
        findings=tuple(found.findings),
        unlisted=found.unlisted,
        notes=tuple(found.notes),
    )


def _told(progress: Progress | None, done: int, total: int) -> Callable[[float], None]:
    """Return who is to be told how far one task is."""
    if progress is None:
        return lambda _: None
    return lambda part: progress(done + part, total)


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

    def note(self, note: str) -> None:
        if len(self.notes) < LISTED:
            self.notes.append(note)


class _Unreadable(Exception):
    """A row holds what no release has written."""


@dataclass(slots=True)
class _Reached:
    """How far the rows of a task have been read."""

    due_at: Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """The versions of a task, as far as this release can read them.

    Attributes:
        rows: As they were written.
        versions: As values; none where one of them cannot be read.
        changed: The numbers of those written under other time zone data than today's.
        fault: Why they cannot be read.
    """

    rows: Sequence[VersionRow]
    versions: Sequence[Version]
    changed: frozenset[int]
    fault: str = ""

    def rules(self, span: Span) -> list[Rule]:
        """Return what decides when over the span."""
        if self.fault:
            return [Rule(after=span.after, through=span.through, version=None, schedule=None)]
        return rules_of(self.versions, self.changed, span)

    def backfill_rules(self, number: int, after: Instant, through: Instant, span: Span) -> list[Rule]:
        """Return what decides over a backfill, which goes by one version."""
        after, through = max(after, span.after), min(through, span.through)
        if after >= through:
            return []
        version = next((version for version in self.versions if version.version == number), None)
        blind = version is None or number in self.changed
        schedule = None if version is None or blind else version.schedule
        return [Rule(after=after, through=through, version=number, schedule=schedule)]

    def removed_after(self, change: int) -> bool:
        """Tell whether the task was removed after a change: that ends its backfills."""
        return any(row.status is Status.REMOVED and row.change_id > change for row in self.rows)


class _Detail(msgspec.Struct, frozen=True):
    """What a change that asks for ticks says of them."""

    task: str = ""
    after: Instant = 0
    through: Instant = 0


class _Auditor:
    """Reads one ledger, and gathers what is found."""

    def __init__(self, ledger: Reads, span: Span) -> None:
        self._ledger = ledger
        self._span = span
        self._facts = Facts(asked=self._asked, past=self._past)
        self.found = _Gathered()

    def task(self, row: TaskRow, told: Callable[[float], None]) -> None:
        """Audit one task."""
        task_id, name = row.newest.task_id, row.newest.name
        backfills = self._ledger.backfills_asked(task_id)
        known = self._known(row)
        span, linked_to = self._widened(task_id)
        scheduled = Line(
            task_id=task_id,
            task=name,
            rules=known.rules(span),
            planned_through=row.planned_through,
            linked_to=linked_to,
        )
        lines = [scheduled, *(self._backfill(name, one, known, span) for one in backfills)]
        self._note(name, known, lines)
        reached = _Reached(span.after)
        try:
            for finding in walk(
                lines, self._rows(task_id, span, reached, told), self._facts, self.found.counts
            ):
                self.found.add(finding)
        except _Unreadable as fault:
            self.found.counts.unexplained += 1
            self.found.add(_unreadable(name, reached.due_at, fault))
        told(1.0)

    def manual_runs(self, numbers: Mapping[str, int]) -> None:
        """Look for the tick of each manual run that was asked for in the span."""
        after = 0
        while page := self._ledger.changes(after=after, limit=_PAGE, act="run"):
            after = page[-1].id
            for change in page:
                name = _detail(change).task
                task_id = numbers.get(name)
                if task_id is None or not self._span.after < change.at <= self._span.through:
                    continue
                self.found.counts.expected += 1
                if change.id in self.found.moved:
                    continue
                if self._ledger.tick(Key(task_id, change.at, change.id)) is None:
                    self.found.counts.missing += 1
                    self.found.add(never_ran(name, change.id, change.at))

    def _known(self, row: TaskRow) -> _Known:
        rows = self._ledger.versions(row.newest.task_id)
        try:
            versions = [revived(one) for one in rows]
        except UsageError as fault:
            return _Known(rows=rows, versions=(), changed=frozenset(), fault=str(fault))
        pairs = zip(rows, versions, strict=True)
        changed = frozenset(one.version for one, version in pairs if one.rules != version.schedule.rules())
        return _Known(rows=rows, versions=versions, changed=changed)

    def _widened(self, task_id: int) -> tuple[Span, Instant | None]:
        """Return the span, begun earlier where a range row reaches into it, and the instant before it."""
        span = self._span
        before = self._ledger.recorded_before(task_id, 0, span.after)
        if before is None:
            return span, None
        end = before.through or before.key.due_at
        if end <= span.after:
            return span, end
        return replace(span, after=before.key.due_at - 1), before.prev_due

    def _backfill(self, name: str, one: Backfill, known: _Known, span: Span) -> Line:
        task_id, request = one.cursor.task_id, one.cursor.request
        asked = _detail(one.change)
        through = (
            min(asked.through, one.cursor.planned_through) if known.removed_after(request) else asked.through
        )
        before = None
        if asked.after < span.after:
            before = self._ledger.recorded_before(task_id, request, span.after)
        return Line(
            task_id=task_id,
            task=name,
            request=request,
            rules=known.backfill_rules(one.cursor.version, asked.after, through, span),
            planned_through=one.cursor.planned_through,
            linked_to=None if before is None else before.key.due_at,
        )

    def _note(self, name: str, known: _Known, lines: Sequence[Line]) -> None:
        if known.fault:
            self.found.note(f"{name}: its ticks were checked by their chain alone, for {known.fault}")
            return
        blind = {rule.version for line in lines for rule in line.rules if rule.schedule is None}
        for number in sorted(number for number in blind if number is not None):
            self.found.note(
                f"{name}: version {number} was written under other time zone data than today's; "
                "its ticks were checked by their chain alone"
            )

    def _rows(
        self, task_id: int, span: Span, reached: _Reached, told: Callable[[float], None]
    ) -> Iterator[TickRow]:
        """Read the rows of a task, and tell now and then how far they are."""
        first: Instant | None = None
        try:
            for number, row in enumerate(self._ledger.recorded(task_id, span.after, span.through)):
                reached.due_at = row.key.due_at
                if not number % _GLANCE:
                    first = reached.due_at if first is None else first
                    told((reached.due_at - first) / max(1, span.through - first))
                yield row
        except ValueError as fault:
            raise _Unreadable(str(fault)) from fault

    def _asked(self, number: int) -> Asked | None:
        change = next(iter(self._ledger.changes(after=number - 1, limit=1)), None)
        if change is None or change.id != number:
            return None
        late = change.at > self._span.now
        return Asked(at=change.at, act=change.act, task=_detail(change).task, late=late)

    def _past(self, key: Key) -> list[PastAttempt]:
        return [
            PastAttempt(
                attempt=one.attempt, started_at=one.started_at, ended_at=one.ended_at, outcome=one.outcome
            )
            for one in self._ledger.attempts(key)
            if one.refused_at is None
        ]


def _detail(change: Change) -> _Detail:
    try:
        return msgspec.json.decode(change.detail, type=_Detail)
    except msgspec.DecodeError:
        return _Detail()


def _unreadable(task: str, reached: Instant, fault: _Unreadable) -> Finding:
    """Return the finding that a row cannot be read, and that its task's audit ended there."""
    return Finding(
        kind=Kind.UNREADABLE,
        task=task,
        due_at=max(reached, 0),
        through=max(reached, 0),
        sentence=f"{task}: a row due after {rfc3339(max(reached, 0))} cannot be read ({fault}); "
        "this task was audited no further",
    )
