"""The laws, checked once a world has come to rest: what stands in the ledger against what truly happened."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from everytick.ledger import Ledger
from everytick.testing.simulation.mirror import Edition, LawBroken
from everytick.testing.simulation.model import Model
from everytick.tick import NEVER, TERMINAL, Key, TickRow
from everytick.when import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class _Span:
    """One rule over (after, through]."""

    edition: Edition
    after: Instant
    through: Instant
    paused: bool

    @property
    def open_pause(self) -> bool:
        return self.paused and self.through == NEVER


def at_rest(model: Model, ledger: Ledger, through: Instant) -> str:
    """Return what still keeps the world from rest: all that is due has ended, nothing is held."""
    for task_id, name in model.names.items():
        editions = model.editions.get(task_id, [])
        planned = model.cursors.get((task_id, 0), NEVER)
        removed = bool(editions) and editions[-1].status == "removed"
        if planned < through and not removed and _due_within(editions, planned, through):
            return f"{name} is planned through {planned} only"
        for key in model.open.get(task_id, ()):
            if key.due_at <= through or key.request:
                return f"{model.name_of(key)} is {model.ticks[key].state}"
        if any(slot.key.due_at <= through for slot in ledger.slots(task_id)):
            return f"{name} has slots left"
        if ledger.backfills(task_id):
            return f"{name} has a backfill that is not planned to its end"
    return ""


def _due_within(editions: Sequence[Edition], after: Instant, through: Instant) -> bool:
    """Tell whether planning owes a row by now: what a pause left out is written with the tick after it."""
    for span in _spans(editions):
        if span.open_pause:
            return False
        begin, end = max(span.after, after), min(span.through, through)
        if not span.paused and begin < end and span.edition.schedule.count(begin, end):
            return True
    return False


def check(model: Model, ledger: Ledger, through: Instant) -> None:
    """Hold the ledger of a world at rest against the model.

    Args:
        model: What truly happened.
        ledger: What stands there.
        through: The last instant that counts.

    Raises:
        LawBroken: Something is missing, too many, or wrong.
    """
    for task_id in model.names:
        rows = list(ledger.recorded(task_id, -NEVER, NEVER))
        _same(model, task_id, rows)
        scheduled = [row for row in rows if not row.key.request]
        _complete(model, task_id, scheduled, through)
        _chained(model, scheduled)
        for row in rows:
            _attempts(model, row)
    _requests(model)


def _same(model: Model, task_id: int, rows: Sequence[TickRow]) -> None:
    """Hold every row against the model's mirror: a terminal row is as it was when it ended."""
    found = {row.key for row in rows}
    mirrored = {key for key in model.ticks if key.task_id == task_id}
    if found != mirrored:
        raise LawBroken(f"rows came or went unseen: {sorted(found ^ mirrored)}")
    for row in rows:
        mirror = model.ticks[row.key]
        stands = (row.state, row.reason, row.attempt, row.reruns, row.through, row.count, row.ended_at)
        seen = (
            mirror.state,
            mirror.reason,
            mirror.attempt,
            mirror.reruns,
            mirror.through,
            mirror.count,
            mirror.ended_at,
        )
        if stands != seen:
            raise LawBroken(f"{model.name_of(row.key)} changed unseen: {seen} became {stands} (law 2)")


def _spans(editions: Sequence[Edition]) -> Iterator[_Span]:
    """Yield which edition was in force when, by the words of the design alone."""
    ends = [edition.since for edition in editions[1:]] + [NEVER]
    for edition, end in zip(editions, ends, strict=True):
        begin = edition.since
        if edition.status == "removed":
            continue
        if edition.status == "paused":
            until = max(begin, min(end, edition.paused_until or NEVER))
            yield _Span(edition=edition, after=begin, through=until, paused=True)
            begin = until
        if begin < end:
            yield _Span(edition=edition, after=begin, through=end, paused=False)


def _complete(model: Model, task_id: int, rows: Sequence[TickRow], through: Instant) -> None:
    """Walk all instants and all rows side by side: law 1."""
    name = model.names[task_id]
    left = iter(rows)
    row = next(left, None)
    editions = model.editions.get(task_id, [])
    for span in _spans(editions):
        if span.open_pause:
            break
        schedule = span.edition.schedule
        due = schedule.instant_after(span.after)
        while due is not None and due <= span.through:
            if row is None or row.key.due_at > due:
                owed = row is not None or not span.paused or _due_within(editions, due, through)
                if due > through or not owed:
                    return
                raise LawBroken(f"{name} has no row for {model.name_of(Key(task_id, due))} (law 1)")
            if row.key.due_at < due or row.version != span.edition.number:
                raise LawBroken(
                    f"{model.name_of(row.key)} under version {row.version} is one too many: next is "
                    f"{model.name_of(Key(task_id, due))} under version {span.edition.number} (law 1)"
                )
            last = row.through or due
            if schedule.count(due - 1, last) != row.count or last > span.through:
                raise LawBroken(f"{model.name_of(row.key)} stands for {row.count} instants (law 1)")
            row = next(left, None)
            due = schedule.instant_after(last)
    if row is not None:
        raise LawBroken(f"{model.name_of(row.key)} is one too many (law 1)")


def _chained(model: Model, rows: Sequence[TickRow]) -> None:
    last: Instant | None = None
    for row in rows:
        if row.prev_due != last:
            raise LawBroken(f"{model.name_of(row.key)} says {row.prev_due} came before it, not {last}")
        last = row.through or row.key.due_at


def _attempts(model: Model, row: TickRow) -> None:
    """Hold the attempts of a tick against the outside world: each is accounted for, once."""
    if row.state not in TERMINAL:
        return
    kept = [attempt for attempt, _, _, late in model.kept.get(row.key, ()) if not late]
    if sorted(kept) != list(range(1, row.attempt)):
        raise LawBroken(f"{model.name_of(row.key)} has attempt {row.attempt}, but {kept} ended before it")
    beyond = [
        run.attempt for (key, _), run in model.runs.items() if key == row.key and run.attempt > row.attempt
    ]
    if beyond:
        raise LawBroken(f"{model.name_of(row.key)} ran attempts {beyond}, of which the ledger knows nothing")


def _requests(model: Model) -> None:
    """Each manual run has its tick; each backfill has each of its instants once."""
    asked: dict[int, list[Instant]] = {}
    for key in model.ticks:
        if key.request:
            asked.setdefault(key.request, []).append(key.due_at)
    for request, key in model.manual.items():
        if asked.pop(request, []) != [key.due_at]:
            raise LawBroken(f"the manual run {request} has not its one tick (law 1)")
    for request, backfill in model.backfills.items():
        edition = model.editions[backfill.task_id][backfill.version - 1]
        wanted = list(edition.schedule.instants(backfill.after, backfill.through))
        found = sorted(asked.pop(request, []))
        if found != (wanted[: len(found)] if backfill.stopped else wanted):
            raise LawBroken(f"backfill {request} has {len(found)} of {len(wanted)} ticks, or others (law 1)")
    if asked:
        raise LawBroken(f"nobody asked for {sorted(asked)}")
