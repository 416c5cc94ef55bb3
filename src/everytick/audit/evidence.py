"""Evidence: what an audit asks a ledger for beside the rows of ticks.

What belongs to a page of rows is read with one question, not with one a row.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

from everytick.audit.known import Known, detail
from everytick.errors import UnreadableRow
from everytick.ledger import Reads
from everytick.proof.finding import PastAttempt
from everytick.proof.line import Line
from everytick.proof.walk import Asked, Facts, Span
from everytick.tick import Key, TickRow
from everytick.when import Instant

_PAGE = 1000


class Evidence:
    """What a ledger says beside the rows of ticks.

    Args:
        ledger: The ledger.
        now: What was written later is left for the next audit.

    Attributes:
        facts: The same, as a walk asks for it.
    """

    def __init__(self, ledger: Reads, now: Instant) -> None:
        self._ledger = ledger
        self._now = now
        self._tried: dict[Key, list[PastAttempt]] = {}
        self.facts = Facts(asked=self._asked, past=self._past)

    def read(self, page: Sequence[TickRow | UnreadableRow]) -> None:
        """Read what belongs to rows that are walked next."""
        tried = [row.key for row in page if not isinstance(row, UnreadableRow) and row.attempt > 1]
        self._tried = {}
        for one in self._ledger.attempts(*tried) if tried else ():
            if one.refused_at is None:
                self._tried.setdefault(one.key, []).append(
                    PastAttempt(
                        attempt=one.attempt,
                        started_at=one.started_at,
                        ended_at=one.ended_at,
                        outcome=one.outcome,
                    )
                )

    def lines(self, known: Known) -> list[Line]:
        """Return the lines of a task: its schedule's, and those of its backfills that are not pruned."""
        lines = [known.schedule()]
        for one in known.backfills():
            before = None
            if detail(one.change).after < known.asked.after:
                cursor = one.cursor
                before = self._ledger.recorded_before(cursor.task_id, cursor.request, known.asked.after)
            lines.append(known.backfill(one, None if before is None else before.key.due_at))
        return lines

    def manual_runs(
        self, span: Span, only: str | None = None
    ) -> Iterator[tuple[Mapping[Key, str], set[Key]]]:
        """Yield the manual runs that were asked for in a span, and which of them have a row, page by page.

        Args:
            span: When they were asked for.
            only: Of this task alone.
        """
        after = 0
        while page := self._ledger.changes(after=after, limit=_PAGE, act="run"):
            after = page[-1].id
            asked = [(one, detail(one).task) for one in page if span.after < one.at <= span.through]
            names = sorted({name for _, name in asked if only in {None, name}})
            found = {one.name: one for one in self._ledger.histories(None, names=names)} if names else {}
            runs = {Key(found[name].task_id, one.at, one.id): name for one, name in asked if name in found}
            standing = self._ledger.standing(runs)
            pruned = self._pruned(runs)  # read last: what is deleted then is under a seal
            yield {key: name for key, name in runs.items() if key not in pruned}, standing

    def _pruned(self, keys: Collection[Key]) -> set[Key]:
        """Return which of some ticks are under a seal."""
        tasks = {key.task_id for key in keys}
        seals = {one.task_id: one for one in self._ledger.seals(sorted(tasks))} if tasks else {}
        return {key for key in keys if key.task_id in seals and seals[key.task_id].holds(key)}

    def _asked(self, number: int) -> Asked | None:
        change = next(iter(self._ledger.changes(after=number - 1, limit=1)), None)
        if change is None or change.id != number:
            return None
        late = change.at > self._now
        return Asked(at=change.at, act=change.act, task=detail(change).task, late=late)

    def _past(self, key: Key) -> Sequence[PastAttempt]:
        return self._tried.get(key, ())
