"""The verdict: files, ledger and a schedule of plain arithmetic are compared, tick by tick.

The files are true, because the tasks wrote them; the ledger has to agree. What was committed between a dump
and its restore is lost from the ledger by order, and there alone it may say less than the files.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from tests.fault.proof import Line

from everytick.tick import SECOND, parse_tick_name, tick_name

from .evidence import Evidence, Past, Row
from .requests import Requests
from .stillness import Stillness
from .tasks import Job

_NEAR = SECOND // 2
"""How far two clocks of one machine may be apart: each process slews its own."""

_AT_ONCE = SECOND
"""How long a process may take to start what it had claimed before."""

Story = Mapping[int, Sequence[Line]]
"""What was written by the attempts of a tick, by the number of restores before."""


@dataclass(slots=True)
class Verdict:
    """What a run came to.

    Attributes:
        counts: ``due``, ``run``, ``reruns``, ``refused``, ``missing``, ``doubled``, ``lost by restores``,
            and each outcome by its name.
        wrong: What must not be, in words.
    """

    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def missing(self, what: str) -> None:
        """Note a tick that is not accounted for."""
        self.counts["missing"] += 1
        self.wrong.append(f"missing: {what}")

    def doubled(self, what: str) -> None:
        """Note a start that must not have been."""
        self.counts["doubled"] += 1
        self.wrong.append(f"doubled: {what}")


class Judge:
    """Compares, task by task.

    Args:
        found: Files and tables.
        since: The tasks were defined between these two moments.
        until: Ticks due by this moment must have ended.
        past: What befell the run.
        offset: The ledger's time less CLOCK_BOOTTIME.
    """

    def __init__(
        self,
        found: Evidence,
        since: tuple[int, int],
        until: int,
        past: Past,
        offset: int,
    ) -> None:
        self._found = found
        self._since = since
        self._until = until
        self._restores = past.restores
        self._frozen = past.frozen
        self._requests = Requests(found, past, offset)
        self._offset = offset
        self.verdict = Verdict()

    def judge(self, jobs: Sequence[Job]) -> Verdict:
        """Return the verdict over all tasks."""
        for job in jobs:
            self._schedule(job, self._found.ticks[job.name])
            self._starts(job)
            self._asked(job)
        counts = self.verdict.counts
        counts["refused"] = sum(row["refused_at"] is not None for row in self._found.attempts)
        counts["slots of the dead"] = self._found.left
        return self.verdict

    def _schedule(self, job: Job, rows: Sequence[Row]) -> None:
        """Compare the rows with what the schedule yields."""
        counts = self.verdict.counts
        if not rows or not job.begins(rows[0]["due_at"], self._since):
            self.verdict.missing(
                f"{job.name} begins at {rows[0]['due_at'] if rows else None}, not {self._since}"
            )
            return
        expected = set(job.instants(rows[0]["due_at"], self._until))
        counts["due"] += len(expected)
        recorded: list[int] = []
        for row in rows:
            if row["due_at"] > self._until:
                continue
            recorded += range(row["due_at"], (row["through"] or row["due_at"]) + 1, job.period * SECOND)
            counts[" ".join(filter(None, (row["state"], row["reason"])))] += row["count"]
            counts["reruns"] += row["reruns"]
            if row["ended_at"] is None:
                self.verdict.missing(f"{job.name} {row['due_at']} is {row['state']} still")
        for instant in sorted(expected - set(recorded)):
            self.verdict.missing(f"{job.name} {instant} has no row")
        for instant, count in Counter(recorded).items():
            if count > 1 or (instant not in expected and instant <= self._until):
                self.verdict.doubled(f"{job.name} {instant} has {count} rows, and should have one at most")

    def _starts(self, job: Job) -> None:
        """Compare the file with the rows."""
        stillness = Stillness(self._frozen, self._found.lines[job.name])
        stories: dict[int, list[Line]] = defaultdict(list)
        for line in self._said(job, stillness):
            _, due_at, request = parse_tick_name(line.tick)
            if not request:
                stories[due_at].append(line)
        rows = {row["due_at"]: row for row in self._found.ticks[job.name] if row["due_at"] <= self._until}
        for due_at, story in stories.items():
            self._story(job, due_at, story, stillness)
            if due_at <= self._until:
                self.verdict.counts["run"] += 1
                if due_at not in rows and self._lost(story):
                    self.verdict.counts["lost by restores"] += 1
                elif due_at not in rows:
                    self.verdict.doubled(f"{job.name}: {due_at} ran, and has no row of its own")
        for due_at, row in rows.items():
            self._told(job, row, stories.get(due_at, []))

    def _said(self, job: Job, stillness: Stillness) -> Iterator[Line]:
        """Yield what was written, without what began beside one that stood still."""
        for line in self._found.lines[job.name]:
            if stillness.lived_on(line):
                self.verdict.wrong.append(f"{job.name}: it stood still for a lease, and lived on: {line}")
            if line.word in {"start", "end"}:
                yield line
            elif not stillness.excuses(line):
                self.verdict.doubled(f"{job.name}: two at once, {line}")
            else:
                self.verdict.counts["beside one that stood still"] += 1
                if line.word == "twice":
                    yield replace(line, word="start")

    def _asked(self, job: Job) -> None:
        """Compare the file with what people asked for."""
        for kind, what in self._requests.ran(job):
            if kind != "wrong":
                self.verdict.counts[kind] += 1
            self.verdict.wrong.append(f"{kind}: {what}")
        self.verdict.wrong.extend(self._requests.stopped(job))

    def _story(self, job: Job, due_at: int, story: Sequence[Line], stillness: Stillness) -> None:
        """Look at what the attempts of one tick wrote."""
        starts = [line for line in story if line.word == "start"]
        if job.once and len(starts) > 1:
            self.verdict.doubled(f"{job.name} {due_at} is to start once at most: {starts}")
        for line in starts:
            if line.boot + self._offset < due_at - _NEAR:
                self.verdict.wrong.append(f"too early: {job.name} {due_at}: {line}")
            if any(one.restored + _AT_ONCE < line.boot < one.accepted - _NEAR for one in self._restores):
                self.verdict.wrong.append(f"before the restore was accepted: {job.name} {due_at}: {line}")
        for _, told in groupby(story, self._epoch):
            lines = list(told)
            again = Counter((line.attempt, line.word) for line in lines)
            for (attempt, word), count in again.items():
                if count > 1:
                    self.verdict.doubled(f"{job.name} {due_at}: attempt {attempt} has {count} times '{word}'")
            for before, after in self._overlapping(lines):
                if stillness.last_words(before):
                    continue
                self.verdict.doubled(f"{job.name} {due_at}: {after} while {before} was at work")

    def _overlapping(self, lines: Sequence[Line]) -> Iterator[tuple[Line, Line]]:
        last: dict[int, Line] = {}
        for line in lines:
            for attempt, other in last.items():
                if attempt > line.attempt:
                    yield line, other
            last[line.attempt] = line

    def _told(self, job: Job, row: Row, story: Sequence[Line]) -> None:
        """Compare one row with what was written of it."""
        if self._lost(story):
            self.verdict.counts["lost by restores"] += 1
            return
        state, reason, attempt = row["state"], row["reason"], row["attempt"]
        words = {line.word for line in story if line.attempt == attempt}
        right = {
            "succeeded": words >= {"start", "end"},
            "skipped": not story,
            "planned": not words,
            "failed": self._may_fail(job, row),
            "cancelled": "cancel_running" in job.policies
            or tick_name(job.name, row["due_at"]) in self._requests.cancelled,
        }.get(state, False)
        if any(line.attempt > attempt for line in story):
            right = False
        if not right:
            self.verdict.wrong.append(
                f"told wrongly: {job.name} {row['due_at']} is {state} {reason}, attempt {attempt}, "
                f"reruns {row['reruns']}: {story}"
            )

    def _lost(self, story: Sequence[Line]) -> bool:
        """Tell whether a restore may have taken what was committed of a tick: a stretch may skip it then."""
        return any(restore.lost(line.boot) for line in story for restore in self._restores)

    def _may_fail(self, job: Job, row: Row) -> bool:
        if row["reason"] == "lost":
            return "uncertain" in job.policies or row["reruns"] == 3
        if row["reason"] == "timeout":
            return "timeout" in job.policies
        return True

    def _epoch(self, line: Line) -> int:
        return sum(restore.restored <= line.boot for restore in self._restores)
