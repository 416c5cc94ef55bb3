"""A line: the rows that one cursor planned, walked beside the instants that its rules yield.

A task's schedule is one line, each backfill another. Every row names the one before it.

What does not fit is held until the line is whole: gaps (instants without a row) and suspects (rows
that are not as they should be). Then they are paired, so that a row that was moved, or a range row
that was shortened, and the gap it left are one finding.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from everytick.proof.finding import Counts, Finding, Kind
from everytick.proof.gap import Gap
from everytick.tick import NEVER, Reason, TickRow, rfc3339, tick_name
from everytick.when import Instant, Schedule

HELD = 200
"""So many gaps and suspects are held at once; beyond that they are told as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What decides over (after, through].

    Attributes:
        after: Where it begins.
        through: Where it ends.
        version: The version that a row must have been planned under; None where it is not known.
        schedule: What yields the instants; None where they cannot be computed: the chain alone is
            followed.
        paused: Its instants are skipped(paused).
    """

    after: Instant
    through: Instant
    version: int | None
    schedule: Schedule | None
    paused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line, as far as it is audited.

    Attributes:
        task_id: The task.
        task: Its name.
        request: 0 for its schedule, else the change that asked for a backfill.
        rules: In order of time, cut to the span.
        planned_through: Every instant up to here has its row.
        linked_to: The instant before the first row: what that one must name.
    """

    task_id: int
    task: str
    request: int = 0
    rules: Sequence[Rule]
    planned_through: Instant
    linked_to: Instant | None


@dataclass(frozen=True, slots=True)
class _Suspect:
    """A row that is not as it should be.

    Attributes:
        row: The row.
        kind: What it is told as where no gap explains it.
        why: What is wrong with it.
        count: How many instants it is about.
    """

    row: TickRow
    kind: Kind
    why: str
    count: int = 1


class LineWalk:
    """The walk along one line.

    Args:
        line: The line.
        counts: What it counts.
        report: Takes each finding.
    """

    def __init__(self, line: Line, counts: Counts, report: Callable[[Finding], None]) -> None:
        self._line = line
        self._counts = counts
        self._report = report
        self._rules = iter(line.rules)
        self._gaps: list[Gap] = []
        self._suspects: list[_Suspect] = []
        self._last = line.linked_to  # the newest instant accounted for, with or without a row
        self._sound = line.linked_to  # where the last row that is as it should be ends
        self._doubtful: Instant | None = None  # where a suspect row right before ends
        self._covered = -NEVER  # where the last range row ends
        self._unsure: Instant | None = None  # where a suspect range row says that it ends
        self._calm = False
        self._head: Instant | None = None  # the next instant that wants a row
        self._enter()

    def feed(self, row: TickRow, fault: str | None) -> None:
        """Take the next row, and what is wrong with it, looked at alone."""
        due = row.key.due_at
        if (
            fault is None
            and self._calm
            and due == self._head
            and row.prev_due == self._last
            and row.through is None
            and row.version == self._version
        ):
            self._counts.expected += 1
            self._counts.recorded += 1
            self._last = self._sound = due
            self._head = self._following(due)
            return
        self._leave(due)
        self._cover(due - 1)
        suspect = self._take(row, fault)
        if suspect is not None:
            self._suspects.append(suspect)
        if len(self._suspects) + len(self._gaps) > HELD:
            self._tell()
        self._calm = self._doubtful is None and self._schedule is not None and not self._paused

    def finish(self) -> None:
        """Account for the instants behind the last row, and tell what was held."""
        self._leave(NEVER)
        self._tell()

    def _enter(self) -> None:
        """Let the next rule come into force."""
        rule = next(self._rules, None)
        self._after = NEVER if rule is None else rule.after
        self._through = NEVER if rule is None else rule.through
        self._version = None if rule is None else rule.version
        self._schedule = None if rule is None else rule.schedule
        self._paused = rule is not None and rule.paused
        self._head = self._following(self._after)

    def _following(self, moment: Instant) -> Instant | None:
        """Return the next instant of the rule in force."""
        if self._schedule is None:
            return None
        found = self._schedule.instant_after(moment)
        return None if found is None or found > self._through else found

    def _leave(self, due: Instant) -> None:
        """Account for the rules that end before an instant."""
        while self._through < due:
            self._cover(self._through)
            self._account(self._through, None)
            self._enter()

    def _cover(self, upto: Instant) -> None:
        """Let a suspect range row stand for what it says, up to the next row."""
        if self._unsure is None or self._schedule is None:
            return
        end = min(self._unsure, upto)
        self._unsure = None
        if self._head is not None and self._head <= end:
            count = self._schedule.count(self._head - 1, end)
            self._counts.expected += count
            self._counts.recorded += count
            self._last = self._schedule.instant_before(end + 1)
            self._head = self._following(end)

    def _account(self, upto: Instant, row: TickRow | None) -> None:
        """Account for the instants through ``upto`` that no row stands for.

        Those beyond the cursor are behind, unless the next row says that they had rows.
        """
        first, schedule = self._head, self._schedule
        if first is None or first > upto or schedule is None:
            return
        last = schedule.instant_before(upto + 1)
        linked = row is not None and row.prev_due == last
        planned = upto if linked else min(upto, self._line.planned_through)
        count = schedule.count(first - 1, max(first - 1, planned))
        if count:
            newest = schedule.instant_before(planned + 1)
            self._gaps.append(Gap(first, first if newest is None else newest, count, self._last, schedule))
        expected = schedule.count(first - 1, upto)
        self._counts.expected += expected
        self._counts.behind += expected - count
        self._last = last
        self._head = self._following(upto)

    def _take(self, row: TickRow, fault: str | None) -> _Suspect | None:
        due = row.key.due_at
        if due <= self._after:
            self._counts.recorded += row.count
            self._doubtful = row.through or due
            return _Suspect(row, Kind.UNEXPECTED, "no version of the task was in force then")
        if due <= self._covered:
            return self._take_covered(row)
        if self._schedule is None:
            return self._take_unknown(row, fault)
        self._account(due - 1, row)
        if row.through is not None:
            return self._take_range(row, row.through, fault, self._schedule)
        self._counts.recorded += 1
        if due != self._head:
            self._doubtful = due
            return _Suspect(row, Kind.UNEXPECTED, "its task was not due then")
        self._counts.expected += 1
        suspect = self._judged(row, fault)
        self._last = due
        self._head = self._following(due)
        self._accept(due, suspect)
        return suspect

    def _take_covered(self, row: TickRow) -> _Suspect:
        """Take a row whose instant a range row stands for already."""
        due, end = row.key.due_at, min(row.through or row.key.due_at, self._covered)
        count = 1 if self._schedule is None else self._schedule.count(due - 1, end)
        self._counts.recorded += max(count, 1)
        self._doubtful = end
        if row.through is not None and row.through > self._covered:
            self._unsure = row.through
        if not count:
            return _Suspect(row, Kind.UNEXPECTED, "its task was not due then")
        why = f"a range row through {rfc3339(self._covered)} stands for it too"
        return _Suspect(row, Kind.DOUBLED, why, count=count)

    def _take_range(
        self, row: TickRow, end: Instant, fault: str | None, schedule: Schedule
    ) -> _Suspect | None:
        due = row.key.due_at
        count = schedule.count(due - 1, end)
        fits = due == self._head and count == row.count and schedule.holds(end)
        suspect = self._judged(row, fault)
        if fits and fault is None:
            self._counts.expected += count
            self._counts.recorded += count
            self._covered = self._last = end
            self._head = self._following(end)
        else:
            self._unsure = end
        if not fits:
            why = f"it says {row.count} instants through {rfc3339(end)}; its task was due {count} times"
            suspect = _Suspect(row, Kind.RANGE, why)
        self._accept(end, suspect)
        return suspect

    def _take_unknown(self, row: TickRow, fault: str | None) -> _Suspect | None:
        """Take a row by the chain alone: what it names as the one before it must have a row."""
        self._counts.recorded += row.count
        self._counts.expected += row.count
        named, end = row.prev_due, row.through or row.key.due_at
        if named is not None and not self._links(named) and (self._last is None or named > self._last):
            self._counts.expected += 1
            self._gaps.append(Gap(named, named, 1, self._last, None))
            self._last = named
        suspect = self._judged(row, fault)
        if suspect is None:
            self._last = end
            self._covered = end
        self._accept(end, suspect)
        return suspect

    def _accept(self, end: Instant, suspect: _Suspect | None) -> None:
        """Note where a row ends that the next may name as the one before it."""
        self._doubtful = None if suspect is None else end
        if suspect is None:
            self._sound = end

    def _links(self, named: Instant | None) -> bool:
        """Tell whether a row may name this as the one before it."""
        doubtful = self._doubtful is not None and named == self._doubtful
        return doubtful or named in {self._last, self._sound}

    def _judged(self, row: TickRow, fault: str | None) -> _Suspect | None:
        """Return what is wrong with a row that stands where the line wants one."""
        if fault is not None:
            kind = Kind.ALTERED if row.through is None else Kind.RANGE
            return _Suspect(row, kind, fault)
        if self._version is not None and row.version != self._version:
            why = f"it says version {row.version}, and version {self._version} was in force then"
            return _Suspect(row, Kind.ALTERED, why)
        if self._paused and row.reason is not Reason.PAUSED:
            return _Suspect(row, Kind.ALTERED, f"its task was paused then, and it is {row.state}")
        if not self._links(row.prev_due):
            before = "nothing" if self._last is None else rfc3339(self._last)
            named = "nothing" if row.prev_due is None else rfc3339(row.prev_due)
            why = f"it names {named} as the instant before it, and that is {before}"
            return _Suspect(row, Kind.CHAIN, why)
        return None

    def _tell(self) -> None:
        """Pair what is held, and report it."""
        for suspect in self._suspects:
            finding = self._explained(suspect)
            self._counts.charge(finding)
            self._report(finding)
        for gap in self._gaps:
            finding = self._missing(gap)
            self._counts.charge(finding)
            self._report(finding)
        self._suspects.clear()
        self._gaps.clear()

    def _explained(self, suspect: _Suspect) -> Finding:
        row = suspect.row
        for at, gap in enumerate(self._gaps):
            if gap.cut_off(row):
                del self._gaps[at]
                why = f"{suspect.why}; nothing stands for the instants behind it, {gap.count} of them"
                return Finding.of(row, Kind.RANGE, why, count=gap.count, missing=gap.count)
            home = gap.home_of(row)
            if home is not None:
                rest = gap.without(home) if row.through is None else []
                self._gaps[at : at + 1] = rest
                lacking = gap.count - sum(left.count for left in rest)
                why = f"it should stand at {rfc3339(home)}, where nothing stands: the row before it says so"
                return Finding.of(row, Kind.SHIFTED, why, missing=lacking, expected=home)
        return Finding.of(row, suspect.kind, suspect.why, count=suspect.count)

    def _missing(self, gap: Gap) -> Finding:
        line = self._line
        name = tick_name(line.task, gap.first, line.request)
        if gap.schedule is None:
            why = "the row behind it names it, and it has no row"
        elif gap.count == 1:
            why = "its task was due then, and it has no row"
        else:
            why = f"its task was due {gap.count} times from then through {rfc3339(gap.last)}, without a row"
        return Finding(
            kind=Kind.MISSING,
            task=line.task,
            due_at=gap.first,
            request=line.request,
            through=gap.last,
            count=gap.count,
            missing=gap.count,
            sentence=f"{name}: {why}",
        )
