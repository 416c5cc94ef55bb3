"""The copier: takes a whole ledger to another place, and proves that it arrived.

The source must stand still, and is only read. The target is new, or a copy that the same source began: it
goes on where it stopped. Until it is proven whole, a mark in the target keeps programs from using it.

Rows are taken as they are, with their numbers: whoever opens the target goes on as if it had been there
always. What a process held that died at the source is swept at the target.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import zip_longest

from everytick.audit.auditor import Audit, audit
from everytick.clock import Clock
from everytick.errors import LedgerDamaged, LedgerError, LedgerUnfinished
from everytick.ledger import Reads
from everytick.life.living import living
from everytick.upkeep import KEYS, WENT_ON, Place, Row, Store, Tally
from everytick.when import Instant

Progress = Callable[[float, float], None]
"""Told how much is done, of how much."""

_PAGE = 10_000
_BULKY = {"output": 200, "change": 500, "task_version": 1000}
"""Tables whose rows may be long: fewer of them are in memory at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A copy that can go on.

    Attributes:
        tally: What was counted of the source.
        places: How far each table is.
        arrived: How many rows are at the target already.
        resumed: Whether it was begun earlier.
    """

    tally: Tally
    places: dict[str, Place | None]
    arrived: int = 0
    resumed: bool = False

    @property
    def rows(self) -> int:
        """How many rows the source has."""
        return sum(self.tally[table] for table in KEYS)


def stands_still(source: Reads, clock: Clock, lease: int, progress: Progress) -> None:
    """See that no process works on a ledger; that takes a lease where some have not ended well.

    Raises:
        LedgerError: One does.
    """
    found = living(source, clock, lease, progress=progress)
    if found is not None:
        raise LedgerError(
            f"{found.kind} {found.id} (pid {found.pid} on {found.host}) works on this ledger: end it first, "
            "a copy of what goes on would be none"
        )


def begin(source: Store, target: Store) -> Begun:
    """Begin a copy, or find the one that was begun.

    Raises:
        LedgerError: There is nothing to copy, or something else is at the target.
    """
    if source.copying() is not None:
        raise LedgerUnfinished("the source is itself a half copy: go on with that one first")
    tally = source.tally()
    if not any(tally[table] for table in KEYS):
        raise LedgerError("the source is empty: there is nothing to copy")
    found = target.copying()
    if found is None:
        target.begin_copy(tally)
        return Begun(tally=tally, places=dict.fromkeys(KEYS))
    if found.source != tally:
        raise LedgerError(
            "the target is the half copy of another ledger, or of this one before somebody went on with it. "
            "Name a new one, or delete what is there"
        )
    there = target.tally()
    arrived = sum(there[table] for table in KEYS)
    return Begun(tally=tally, places=dict(found.places), arrived=arrived, resumed=True)


def carry(source: Store, target: Store, begun: Begun, progress: Progress) -> None:
    """Take over all rows that are not at the target yet."""
    done = begun.arrived
    for table in KEYS:
        behind = begun.places[table]
        with closing(source.pages(table, behind, _limit(table))) as pages:
            for page in pages:
                target.put(table, page, behind)
                behind = _place(table, page[-1])
                done += len(page)
                progress(min(done, begun.rows), begun.rows)


def compare(source: Store, target: Store, begun: Begun, progress: Progress) -> None:
    """See that a copy has the rows of its source, all of them, as they are there, and no others.

    Raises:
        LedgerDamaged: It has not; it stays marked.
    """
    counts, found = begun.tally, target.tally()
    different = sorted(name for name in {*counts, *found} if counts.get(name) != found.get(name))
    if different:
        told = "; ".join(f"{name}: {counts.get(name, 0)} and {found.get(name, 0)}" for name in different)
        raise _differs(f"the source and its copy are counted differently ({told})")
    done = 0
    for table in KEYS:
        pages = (ledger.pages(table, None, _limit(table)) for ledger in (source, target))
        with closing(next(pages)) as there, closing(next(pages)) as here:
            for old, new in zip_longest(there, here, fillvalue=()):
                if old != new:
                    raise _differs(f"the copy has another row than its source: {_first(table, old, new)}")
                done += len(old)
                progress(done, begun.rows)


def finish(
    source: Store, target: Store, begun: Begun, now: Instant, progress: Progress, *, successor: str = ""
) -> Audit:
    """Audit a copy that has all rows, and let programs use it.

    Args:
        source: What was copied.
        target: The copy.
        begun: As it was begun.
        now: The moment.
        progress: Told how far the audit is.
        successor: The copy's URL, as people may see it, if the source is to be given up for it.

    Returns:
        What the audit found, in the copy as in the source: their rows are the same.

    Raises:
        LedgerError: The source has gone on meanwhile.
    """
    target.analyze()
    found = audit(target, now, progress=progress)
    if successor:
        source.move_to(successor, begun.tally)
    elif source.tally() != begun.tally:
        raise LedgerError(WENT_ON)
    target.end_copy(source.numbers())
    return found


def _limit(table: str) -> int:
    return _BULKY.get(table, _PAGE)


def _place(table: str, row: Row) -> Place:
    return row[: len(KEYS[table])]


def _first(table: str, old: Sequence[Row], new: Sequence[Row]) -> str:
    """Return which row of two pages is the first that is not the same."""
    differing: Iterator[Row] = (
        there or here for there, here in zip_longest(old, new, fillvalue=()) if there != here
    )
    key = zip(KEYS[table], next(differing), strict=False)
    return f"{table} " + ", ".join(f"{name} {value}" for name, value in key)


def _differs(how: str) -> LedgerDamaged:
    return LedgerDamaged(f"{how}. Delete it, and begin anew")
