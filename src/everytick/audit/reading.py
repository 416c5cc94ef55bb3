"""Reading: how an audit goes through a ledger, so that it costs little and memory does not grow.

Many tasks are read at once, and their rows in pages. Where all tasks fit into one part the rows come by
time, as they lie in the ledger; else task by task, as neighbours lie close enough.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from everytick.errors import UnreadableRow
from everytick.ledger import Reads
from everytick.proof.walk import Span
from everytick.record import History
from everytick.tick import Key, TickRow
from everytick.when import Instant

PART = 1000
"""So many tasks are read at once."""

Progress = Callable[[float, float], None]
"""Told how many rows were read, and how many there are, as far as that can be told from the tasks."""

_PAGE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Tasks that are read together.

    Attributes:
        histories: What the ledger knows of them, by number; at least one.
        done: How many tasks were read before.
        whole: Whether there are no others.
    """

    histories: Sequence[History]
    done: int
    whole: bool


class Reading:
    """One way through a ledger.

    Args:
        ledger: What is read.
        span: What is due in it is read.
        progress: Told how far it is.
    """

    def __init__(self, ledger: Reads, span: Span, progress: Progress) -> None:
        self._ledger = ledger
        self._span = span
        self._progress = progress
        self._since: Instant | None = None
        self._tasks = 0
        self._read = 0

    def parts(self, since: Instant | None, task: str | None = None) -> Iterator[Part]:
        """Return the tasks part by part.

        Args:
            since: Where the audit begins; None at the beginning.
            task: Only this one.
        """
        self._since = since
        behind = done = 0
        names = None if task is None else [task]
        self._tasks = self._ledger.task_count() if task is None else 1
        while found := self._ledger.histories(since, behind=behind, limit=PART, names=names):
            yield Part(histories=found, done=done, whole=task is None and not behind and len(found) < PART)
            behind = found[-1].task_id
            done += len(found)
            self._tell(done)

    def again(self, part: Part, name: str) -> Part:
        """Return one task of a part, as the ledger knows it now."""
        found = self._ledger.histories(self._since, names=[name], limit=1)
        return Part(histories=found, done=part.done + len(part.histories) - 1, whole=False)

    def pages(self, part: Part, after: Instant) -> Iterator[list[TickRow | UnreadableRow]]:
        """Return the rows of tasks due after an instant; those of each by due_at and request.

        Rows of other tasks may be among them. Where one cannot be read, what is wrong stands in its place.

        Args:
            part: The tasks.
            after: The instant.
        """
        first: TickRow | None = None
        rows = self._rows(part, after)
        while page := list(islice(rows, _PAGE)):
            yield page
            self._read += len(page)
            row = page[-1]
            if isinstance(row, TickRow):
                first = first or row
                self._tell(part.done + len(part.histories) * self._how_far(part, first, row))

    def _tell(self, done: float) -> None:
        """Tell how far it is, where so many tasks are done."""
        self._progress(self._read, self._read * max(self._tasks / done, 1) if done else self._read)

    def _rows(self, part: Part, after: Instant) -> Iterator[TickRow | UnreadableRow]:
        behind: Key | None = None
        while True:
            try:
                yield from self._behind(part, after, behind)
            except UnreadableRow as fault:
                yield fault
                behind = Key(fault.task_id, fault.due_at, fault.request)
            else:
                return

    def _behind(self, part: Part, after: Instant, behind: Key | None) -> Iterator[TickRow]:
        through = self._span.through
        if part.whole:
            return self._ledger.recorded_by_time(after, through, behind=behind)
        first, last = part.histories[0].task_id, part.histories[-1].task_id
        return self._ledger.recorded(first, after, through, last=last, behind=behind)

    def _how_far(self, part: Part, first: TickRow, row: TickRow) -> float:
        begin, end, now = first.key.task_id, part.histories[-1].task_id + 1, row.key.task_id
        if part.whole or len(part.histories) == 1:
            begin, end, now = first.key.due_at, self._span.through + 1, row.key.due_at
        return (now - begin) / (end - begin)
