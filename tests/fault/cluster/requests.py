"""Requests: what came of all that people asked for, compared with the files."""

from collections import defaultdict
from collections.abc import Iterator

from tests.fault.proof import Line

from everytick.tick import SECOND, parse_tick_name

from .evidence import Asked, Evidence, Past
from .tasks import Job

_SOON = SECOND
"""How long a process may take to start what it had claimed before."""


class Requests:
    """What people asked for.

    Attributes:
        cancelled: The ticks that somebody wanted to cancel, whether that was done or not.

    Args:
        found: Files and tables.
        past: What was asked for; a restore takes away what was asked for shortly before.
        offset: The ledger's time less CLOCK_BOOTTIME.
    """

    def __init__(self, found: Evidence, past: Past, offset: int) -> None:
        self._found = found
        self._past = past
        self._asked = [one for one in past.asked if one.done and not self._undone(one)]
        self._offset = offset
        self.cancelled = {one.tick for one in past.asked if one.act == "cancel"}

    def _undone(self, one: Asked) -> bool:
        return any(each.dumped <= one.ended and one.began <= each.restored for each in self._past.restores)

    def _ended(self, pause: Asked) -> int:
        """Return until when a task was paused, at least: a resume may have been done without a word."""
        after = (one.began for one in self._past.asked if (one.act, one.job) == ("resume", pause.job))
        return min((began for began in after if began > pause.began), default=pause.ended)

    def ran(self, job: Job) -> Iterator[tuple[str, str]]:
        """Compare what ran by request; yield what must not be: its kind, and words."""
        stories: dict[str, list[Line]] = defaultdict(list)
        for line in self._found.lines[job.name]:
            if parse_tick_name(line.tick)[2]:
                stories[line.tick].append(line)
        rows = {row["tick"]: row for row in self._found.requests.get(job.name, ())}
        for one in self._asked:
            if one.act != "run" or one.job != job.name:
                continue
            row = rows.get(one.tick)
            if row is None or row["ended_at"] is None:
                yield "missing", f"{one.tick} was asked for, and is {row and row['state']}"
            elif row["state"] == "succeeded" and "end" not in {line.word for line in stories[one.tick]}:
                yield "wrong", f"{one.tick} has succeeded, and did not run: {stories[one.tick]}"
        for tick, story in stories.items():
            starts = [(line.attempt, line.word) for line in story if line.word == "start"]
            if len(starts) > len(set(starts)) or (job.once and len(starts) > 1):
                yield "doubled", f"{tick}, asked for, has started more than once: {story}"

    def stopped(self, job: Job) -> Iterator[str]:
        """Yield what started although somebody had paused its task, or cancelled it."""
        mine = [one for one in self._asked if one.job == job.name]
        ends = {one.tick: one.ended for one in mine if one.act == "cancel"}
        pauses = [(one.ended, self._ended(one)) for one in mine if one.act == "pause"]
        for line in self._found.lines[job.name]:
            _, due_at, request = parse_tick_name(line.tick)
            due = due_at - self._offset
            if line.word != "start" or request:
                continue
            if line.tick in ends and line.boot > ends[line.tick] + _SOON:
                yield f"{line.tick} started after it was cancelled: {line}"
            if any(begun + _SOON < due < ended - _SOON for begun, ended in pauses):
                yield f"{line.tick} ran, and its task was paused then: {line}"
