"""What is known of a task before its rows are read, and the lines that they are held against."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

from everytick.errors import UsageError
from everytick.plan import Status, Version
from everytick.proof.line import Line, Rule
from everytick.proof.walk import Span, rules_of
from everytick.record import Backfill, Change, History
from everytick.tick import Key
from everytick.versions import revived
from everytick.when import Instant


class Detail(msgspec.Struct, frozen=True):
    """What a change that asks for ticks says of them."""

    task: str = ""
    after: Instant = 0
    through: Instant = 0


def detail(change: Change) -> Detail:
    """Return what a change says of the ticks it asks for; nothing where it asks for none."""
    try:
        return msgspec.json.decode(change.detail, type=Detail)
    except msgspec.DecodeError:
        return Detail()


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A task, as far as this release can read its versions.

    Attributes:
        history: What the ledger knows of it.
        asked: What is to be audited.
        span: What is audited of its schedule: begun earlier where a range row reaches into it, and later
            where it was pruned.
        linked_to: The instant before the span: what the first row of its schedule must name.
        versions: Its versions; none where one of them cannot be read.
        changed: The numbers of those written under other time zone data than today's.
        fault: Why they cannot be read.
    """

    history: History
    asked: Span
    span: Span
    linked_to: Instant | None
    versions: Sequence[Version]
    changed: frozenset[int]
    fault: str

    @classmethod
    def of(cls, history: History, span: Span) -> "Known":
        """Return what is known of a task of which a span is audited."""
        versions, fault = [], ""
        try:
            versions = [revived(one) for one in history.versions]
        except UsageError as unreadable:
            fault = str(unreadable)
        changed = frozenset(
            row.version
            for row, version in zip(history.versions, versions, strict=not fault)
            if row.rules != version.schedule.rules()
        )
        begun, linked_to = _begun(history, span)
        return cls(
            history=history,
            asked=span,
            span=begun,
            linked_to=linked_to,
            versions=() if fault else versions,
            changed=changed,
            fault=fault,
        )

    @property
    def after(self) -> Instant:
        """Rows that are due later have to be read."""
        return min(self.asked.after, self.span.after) if self.history.backfills else self.span.after

    def wants(self, key: Key) -> bool:
        """Tell whether the row of a tick is to be audited, if it is not due too late."""
        if not key.request:
            return key.due_at > self.span.after
        seal = self.history.seal
        return key.due_at > self.asked.after and (seal is None or not seal.holds(key))

    def backfills(self) -> list[Backfill]:
        """Return its backfills that are not pruned."""
        seal, task_id = self.history.seal, self.history.task_id
        return [
            one
            for one in self.history.backfills
            if seal is None or not seal.holds(Key(task_id, self.end_of(one), one.change.id))
        ]

    def end_of(self, one: Backfill) -> Instant:
        """Return through which instant a backfill asks; the removal of its task ends it."""
        through = detail(one.change).through
        return min(through, one.cursor.planned_through) if self._removed_after(one.change.id) else through

    def schedule(self) -> Line:
        """Return the line of its schedule."""
        span = self.span
        if self.fault:
            rules = [Rule(after=span.after, through=span.through, version=None, schedule=None)]
        else:
            rules = rules_of(self.versions, self.changed, span)
        return Line(
            task_id=self.history.task_id,
            task=self.history.name,
            rules=rules,
            planned_through=self.history.planned_through,
            linked_to=self.linked_to,
        )

    def backfill(self, one: Backfill, linked_to: Instant | None) -> Line:
        """Return the line of a backfill.

        Args:
            one: The backfill.
            linked_to: The instant of its newest row before the span.
        """
        return Line(
            task_id=self.history.task_id,
            task=self.history.name,
            request=one.cursor.request,
            rules=self._rules(one.cursor.version, detail(one.change).after, self.end_of(one)),
            planned_through=one.cursor.planned_through,
            linked_to=linked_to,
        )

    def notes(self, lines: Sequence[Line]) -> list[str]:
        """Return what can be proved in part only of its lines, and why."""
        name = self.history.name
        if self.fault:
            return [f"{name}: its ticks were checked by their chain alone, for {self.fault}"]
        blind = {rule.version for line in lines for rule in line.rules if rule.schedule is None}
        return [
            f"{name}: version {number} was written under other time zone data than today's; "
            "its ticks were checked by their chain alone"
            for number in sorted(number for number in blind if number is not None)
        ]

    def _rules(self, number: int, after: Instant, through: Instant) -> list[Rule]:
        """Return what decides over a backfill, which goes by one version."""
        after, through = max(after, self.asked.after), min(through, self.asked.through)
        if after >= through:
            return []
        version = next((version for version in self.versions if version.version == number), None)
        blind = version is None or number in self.changed
        schedule = None if version is None or blind else version.schedule
        return [Rule(after=after, through=through, version=number, schedule=schedule)]

    def _removed_after(self, change: int) -> bool:
        """Tell whether the task was removed after a change: that ends its backfills."""
        return any(row.status is Status.REMOVED and row.change_id > change for row in self.history.versions)


def _begun(history: History, span: Span) -> tuple[Span, Instant | None]:
    """Return the span as it is for a schedule, and the instant before it."""
    before, seal = history.before, history.seal
    linked_to = None
    if seal is not None:
        span, linked_to = replace(span, after=max(span.after, seal.through)), seal.last
    if before is None or (seal is not None and seal.holds(before.key)):
        return span, linked_to
    end = before.through or before.key.due_at
    if end <= span.after:
        return span, end
    return replace(span, after=before.key.due_at - 1), before.prev_due
