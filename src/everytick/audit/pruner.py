"""The pruner: audits what is old, puts it under a seal, and deletes it.

A task keeps all from the first row on that is still needed, however old that is. So what goes is the oldest
stretch of its ticks, whole, and the chain goes on behind its seal:

    ●◀──●◀──●◀──●◀──┊──●◀──●◀──○◀──●          ○ has not ended, or ended lately
    pruned          ┊ through   ▲

Only what an audit finds nothing in is pruned; a task with a finding keeps everything. The programs go on
meanwhile: each transaction is short, and touches only what nobody else does any more.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from everytick.audit.evidence import Evidence
from everytick.audit.known import Known, detail
from everytick.audit.reading import Part, Progress, Reading
from everytick.errors import UnreadableRow
from everytick.ledger import Change
from everytick.proof.finding import Counts, Finding
from everytick.proof.seal import Seal, Sealing
from everytick.proof.walk import Span, Walk, broken, never_ran, unreadable
from everytick.record import History
from everytick.tick import NEVER, SECOND, Key, State, TickRow, rfc3339
from everytick.upkeep import Store
from everytick.when import Instant, format_duration

LEAST = 86_400 * SECOND
"""Microseconds for which ticks are kept at least."""

NEWEST = 100
"""So many of its newest ticks each task keeps, however old they are."""

LISTED = 1000
"""So many findings are kept; the others are only counted."""

_BATCH = 1000


@dataclass(slots=True, kw_only=True)
class Pruned:
    """What became of a pruning.

    Attributes:
        due_by: What was due by then, and had ended by then, was to go.
        tasks: How many tasks something was pruned of.
        rows: How many rows that were.
        ticks: Instants that they stood for, by outcome.
        findings: Why tasks were left as they are, the first LISTED.
        unlisted: How many more findings there are.
    """

    due_by: Instant
    tasks: int = 0
    rows: int = 0
    ticks: dict[State, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    unlisted: int = 0

    def as_json(self) -> dict[str, object]:
        """Return it for machines; instants as RFC 3339 in UTC."""
        ended = (State.SUCCEEDED, State.FAILED, State.CANCELLED, State.SKIPPED)
        return {
            "due_by": rfc3339(self.due_by),
            "tasks": self.tasks,
            "rows": self.rows,
            **{state.value: self.ticks.get(state, 0) for state in ended},
            "findings": [finding.as_json() for finding in self.findings],
            "unlisted": self.unlisted,
        }


def prune(
    ledger: Store, now: Instant, keep: int, change: Change | None, progress: Progress | None = None
) -> Pruned:
    """Prune what was due and has ended longer ago than ``keep``.

    Args:
        ledger: The ledger.
        now: The moment.
        keep: In microseconds, LEAST or more.
        change: Who prunes, and why; None where it is only tried, and nothing is written.
        progress: Told how far it is.
    """
    span = Span(after=-NEVER, through=now - keep, now=now)
    reading = Reading(ledger, span, progress or (lambda _done, _total: None))
    pruner = _Pruner(ledger, span, change)
    for part in reading.parts(None):
        pruner.part(part, reading)
    return pruner.done


def pruning(now: Instant, keep: int, actor: str, note: str) -> Change:
    """Return the change that a pruning is written down as."""
    length = format_duration(timedelta(microseconds=keep))
    said = json.dumps({"keep": length, "due_by": rfc3339(now - keep)})
    return Change(at=now, actor=actor, act="prune", note=note, detail=said)


class _Stretch:
    """The oldest stretch of a task's ticks, on its way under a seal.

    What has not ended by ``ended_by`` was not there when the stretch was measured: it is of a backfill that
    was asked for since, and stays.
    """

    def __init__(self, known: Known, through: Instant, ended_by: Instant, evidence: Evidence) -> None:
        self.known = known
        self.through = through
        self._ended_by = ended_by
        self.findings: list[Finding] = []
        self.sealing = Sealing(known.history.seal, known.history.task_id, through)
        self._walk = Walk(evidence.lines(known), evidence.facts, Counts(), self.findings.append)

    def feed(self, row: TickRow) -> None:
        ended = row.ended_at is not None and row.ended_at <= self._ended_by
        if ended and row.key.due_at <= self.through and self.known.wants(row.key):
            self.sealing.take(row)
            self._walk.feed(row)

    def finish(self) -> Seal:
        self._walk.finish()
        inside = [one.change.id for one in self.known.backfills() if self.known.end_of(one) <= self.through]
        return self.sealing.seal(*inside)


class _Pruner:
    """Prunes one ledger, a part of its tasks at a time."""

    def __init__(self, ledger: Store, span: Span, change: Change | None) -> None:
        self._ledger = ledger
        self._span = span
        self._change = change
        self._written = False
        self._evidence = Evidence(ledger, span.now)
        self._never_ran = self._missing_runs()
        self.done = Pruned(due_by=span.through)

    def part(self, part: Part, reading: Reading) -> None:
        """Prune tasks."""
        if self._change is not None:
            self._delete([one.seal for one in part.histories if one.seal is not None])
        bounds = self._bounds(part.histories)
        found = {
            one.task_id: self._stretch(one, bounds[one.task_id])
            for one in part.histories
            if one.task_id in bounds
        }
        if not found:
            return
        for page in reading.pages(part, -NEVER):
            self._evidence.read(page)
            for row in page:
                if isinstance(row, UnreadableRow):
                    if row.task_id in found:
                        stretch = found.pop(row.task_id)
                        self._tell([unreadable(stretch.known.history.name, row)])
                elif row.key.task_id in found:
                    found[row.key.task_id].feed(row)
        self._seal(found.values())

    def _bounds(self, histories: Sequence[History]) -> dict[int, Instant]:
        """Return of each task through which instant it may be pruned, where that is further than it is."""
        known = {one.task_id: Known.of(one, self._span) for one in histories}
        needed = self._ledger.needed(list(known), NEWEST)
        bounds = {task_id: self._bound(one, *needed[task_id]) for task_id, one in known.items()}
        return self._settled(known, _further(known, bounds))

    def _settled(self, known: Mapping[int, Known], bounds: Mapping[int, Instant]) -> dict[int, Instant]:
        """Return the bounds, moved back before what has not ended, and to where they cut nothing."""
        found: dict[int, Instant] = {}
        while bounds:
            first = self._ledger.unsettled(bounds, self._span.through)
            moved = {
                task_id: _uncut(known[task_id], min(bound, first.get(task_id, NEVER) - 1))
                for task_id, bound in bounds.items()
            }
            found |= {task_id: bound for task_id, bound in moved.items() if bound == bounds[task_id]}
            bounds = _further(known, {one: bound for one, bound in moved.items() if one not in found})
        return found

    def _bound(self, known: Known, success: Instant | None, newest: Instant | None) -> Instant:
        """Return through which instant nothing decides on a task's rows any more.

        Its newest ones tell edits where they begin, its newest success how fresh it is, and failures since
        then when it is to pause.
        """
        pauses = not known.versions or known.versions[-1].task.policies.pause_after is not None
        if newest is None or (success is None and pauses):
            return -NEVER
        bound = min(self._span.through, known.history.planned_through, newest - 1)
        return _uncut(known, bound if success is None else min(bound, success - 1))

    def _stretch(self, history: History, through: Instant) -> _Stretch:
        span = Span(after=-NEVER, through=through, now=self._span.now)
        stretch = _Stretch(Known.of(history, span), through, self._span.through, self._evidence)
        if history.seal is not None and not history.seal.sound:
            stretch.findings.append(broken(history.name, history.seal.through))
        run = self._never_ran.get(history.task_id)
        if run is not None and run.due_at <= through:
            stretch.findings.append(never_ran(history.name, run.request, run.due_at))
        return stretch

    def _missing_runs(self) -> dict[int, Key]:
        """Return the first manual run of each task that was asked for and has no row."""
        found: dict[int, Key] = {}
        for wanted, standing in self._evidence.manual_runs(self._span):
            for key in sorted(wanted.keys() - standing, reverse=True):
                found[key.task_id] = min(key, found.get(key.task_id, key))
        return found

    def _seal(self, stretches: Iterable[_Stretch]) -> None:
        seals, good, kept = [], {}, []
        for one in stretches:
            seal = one.finish()
            if one.findings:
                kept.append(one)
            elif one.sealing.count:
                seals.append(seal)
                good[seal.task_id] = one
        self._keep(kept)
        if self._change is not None and seals:
            if not self._written:
                self._ledger.edit(self._change, [], lambda _known, _numbers: [])
                self._written = True
            before = {task: one.known.history.seal for task, one in good.items()}
            seals = self._ledger.seal(
                seals, {task: seal for task, seal in before.items() if seal is not None}
            )
        for seal in seals:
            self._count(seal, good[seal.task_id])
        if self._change is not None:
            self._delete(seals)

    def _keep(self, stretches: Sequence[_Stretch]) -> None:
        """Tell what was found, but of tasks that somebody else has pruned meanwhile: that is gone by now."""
        tasks = [one.known.history.task_id for one in stretches]
        seals = {one.task_id: one for one in self._ledger.seals(tasks)} if tasks else {}
        for one in stretches:
            if seals.get(one.known.history.task_id) == one.known.history.seal:
                self._tell(one.findings)

    def _count(self, seal: Seal, stretch: _Stretch) -> None:
        before = stretch.known.history.seal
        self.done.tasks += 1
        self.done.rows += stretch.sealing.count
        for state, count in seal.ticks.items():
            new = count - (before.ticks.get(state, 0) if before else 0)
            self.done.ticks[state] = self.done.ticks.get(state, 0) + new

    def _tell(self, findings: Sequence[Finding]) -> None:
        room = LISTED - len(self.done.findings)
        self.done.findings += findings[:room]
        self.done.unlisted += len(findings[room:])

    def _delete(self, seals: Sequence[Seal]) -> None:
        """Delete what seals stand for, and what an earlier pruning has left of that."""
        after: dict[int, Instant] = {}
        while gone := self._ledger.delete_sealed(seals, after, _BATCH) if seals else []:
            after |= {key.task_id: key.due_at for key in sorted(gone)}


def _further(known: Mapping[int, Known], bounds: Mapping[int, Instant]) -> dict[int, Instant]:
    """Return the bounds that lie beyond the seals of their tasks."""
    seals = {task_id: known[task_id].history.seal for task_id in bounds}
    return {
        task_id: bound
        for task_id, bound in bounds.items()
        if bound > -NEVER and ((seal := seals[task_id]) is None or bound > seal.through)
    }


def _uncut(known: Known, bound: Instant) -> Instant:
    """Return a bound at or before this one that cuts no backfill in two, and takes none that goes on."""
    for one in sorted(known.backfills(), key=lambda each: detail(each.change).after, reverse=True):
        end = known.end_of(one)
        if detail(one.change).after < bound and (end > bound or one.cursor.planned_through < end):
            bound = detail(one.change).after
    return bound
