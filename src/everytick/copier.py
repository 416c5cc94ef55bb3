"""The copier: takes a whole ledger to another place, and proves that it arrived.

The source must stand still, and is only read. The target is new, or a copy that the same source began: it
goes on where it stopped. Until it is proven whole, a mark in the target keeps programs from using it.

Rows are taken as they are, with their numbers: whoever opens the target goes on as if it had been there
always. What a process held that died at the source is swept at the target.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from everytick.auditor import Audit, audit
from everytick.clock import Clock
from everytick.errors import LedgerDamaged, LedgerError
from everytick.ledger import Reads
from everytick.living import living
from everytick.upkeep import KEYS, Place, Row, Store, Tally
from everytick.when import Instant

Progress = Callable[[float, float], None]
"""Told how much is done, of how much."""

_PAGE = 5000
_BULKY = {"output": 200, "change": 500, "task_version": 1000}
"""Tables whose rows may be long: fewer of them are in memory at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A copy that can go on.

    Attributes:
        tally: What was counted of the source.
        places: How far each table is.
        resumed: Whether it was begun earlier.
    """

    tally: Tally
    places: dict[str, Place | None]
    resumed: bool


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
    tally = source.tally()
    if not any(tally[table] for table in KEYS):
        raise LedgerError("the source is empty: there is nothing to copy")
    found = target.copying()
    if found is None:
        target.begin_copy(tally)
        return Begun(tally=tally, places=dict.fromkeys(KEYS), resumed=False)
    if found.source != tally:
        raise LedgerError(
            "the target is the half copy of another ledger, or of this one before somebody went on with it. "
            "Name a new one, or delete what is there"
        )
    return Begun(tally=tally, places=dict(found.places), resumed=True)


def carry(source: Store, target: Store, begun: Begun, progress: Progress) -> None:
    """Take over all rows that are not at the target yet."""
    total = sum(begun.tally[table] for table in KEYS)
    done = 0
    for table in KEYS:
        behind = begun.places[table]
        limit = _BULKY.get(table, _PAGE)
        while page := source.page(table, behind, limit):
            target.put(table, page, behind)
            behind = _last(table, page)
            done += len(page)
            progress(min(done, total), total)


def finish(source: Store, target: Store, begun: Begun, now: Instant, progress: Progress) -> Audit:
    """Prove that the copy is whole, by counts and by an audit of both, and let programs use it.

    Returns:
        What the audit found, of both alike.

    Raises:
        LedgerError: The source has gone on meanwhile.
        LedgerDamaged: The copy is not what the source is; it stays marked.
    """
    if source.tally() != begun.tally:
        raise LedgerError(
            "the source has changed while it was copied: end whoever writes to it, delete the target, and "
            "begin anew"
        )
    arrived = target.tally()
    different = sorted(
        name for name in {*begun.tally, *arrived} if begun.tally.get(name) != arrived.get(name)
    )
    if different:
        told = "; ".join(f"{name}: {begun.tally.get(name)} and {arrived.get(name)}" for name in different)
        raise LedgerDamaged(f"the copy has other counts than its source ({told}). Delete it, and begin anew")
    there = audit(source, now, progress=lambda done, whole: progress(done, 2 * whole))
    here = audit(target, now, progress=lambda done, whole: progress(whole + done, 2 * whole))
    if there.as_json() != here.as_json():
        raise LedgerDamaged(
            "an audit finds in the copy what it does not find in its source. Delete it, and begin anew"
        )
    target.end_copy(source.numbers())
    return here


def _last(table: str, page: Sequence[Row]) -> Place:
    return page[-1][: len(KEYS[table])]
