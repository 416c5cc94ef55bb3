"""How a PostgreSQL ledger starts ready ticks.

The ticks are locked one by one, past those that another claim has. Then the slots of their tasks are
locked, so that no lane is given back while the decision is made: whoever gives one back looks for
waiting ticks after this transaction, and finds what it wrote. Two claims of one task that has no slot
yet both try to insert one: the unique key lets one in, and what the other decided about this task
is dropped and decided again in its next claim.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from everytick.conclude import Attempt
from everytick.consider import Considered, Ready, Slot, Start
from everytick.errors import LedgerDamaged
from everytick.ledger import Claim, ClaimDecision, Order
from everytick.ledgers import rows
from everytick.ledgers.postgres.arrays import array, columns, numbers
from everytick.ledgers.postgres.connection import Clash, Connection, Row
from everytick.ledgers.postgres.heads import next_ready
from everytick.ledgers.postgres.lanes import admit, ask_to_stop, end, give_back, wake
from everytick.ledgers.rows import bound
from everytick.tick import Key
from everytick.when import Instant

Places = dict[tuple[Key, int], str]
"""Where the rows of ticks lie, by tick and attempt."""

_NOWHERE = "(0,0)"


class PostgresClaims:
    """The claims of a PostgreSQL ledger."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def claim(self, order: Order, now: Instant, decide: ClaimDecision) -> Claim:
        return self._db.transact(lambda: self._claim(order, now, decide), clash=True)

    def _claim(self, order: Order, now: Instant, decide: ClaimDecision) -> Claim:
        alive = self._db.row("select_alive", process=order.holder, beat=order.beat)
        batch, places = self._ready(order, now) if alive else ([], {})
        if not batch:
            return Claim(attempts=[], considered=0)
        slots = self._slots(batch)
        decided = decide([ready for ready in batch if ready.key.task_id in slots], slots)
        count = len(decided.starts) + len(decided.ends) + len(decided.waits)
        waiting = {slot.key for held in slots.values() for slot in held}
        busy = self._busy([one.key for one in decided.ends if one.key in waiting])
        if busy:
            decided = _without(decided, busy)
        return Claim(attempts=self._apply(decided, order.holder, now, waiting, places), considered=count)

    def _ready(self, order: Order, now: Instant) -> tuple[list[Ready], Places]:
        """Lock ready ticks, as many of each queue as could be started were there no other.

        Returns:
            The ticks, and where each lies.
        """
        found: list[Row] = []
        rooms = dict.fromkeys(order.queues, order.limit + order.beyond)
        without = numbers(order.without)
        self._db.ready.rise(now)
        for queue, priority, first in next_ready(self._db, order.queues, order.without):
            if first <= now and rooms[queue] > 0:
                read = self._db.rows(
                    "select_ready",
                    queue=queue,
                    priority=priority,
                    first=first,
                    now=now,
                    without=without,
                    limit=rooms[queue],
                )
                rooms[queue] -= len(read)
                found += [(*row, queue, priority) for row in read]
        tasks = numbers({row[0] for row in found})
        newest: dict[int, int] = dict(self._db.rows("select_newest", tasks=tasks)) if found else {}
        batch = [rows.ready((*row[:8], newest.get(row[0], row[3])), *row[9:]) for row in found]
        return batch, {
            (ready.key, ready.attempt): str(row[8]) for ready, row in zip(batch, found, strict=True)
        }

    def _slots(self, batch: Sequence[Ready]) -> dict[int, list[Slot]]:
        """Lock and read the slots of tasks; a task of which another has just written one is left out.

        That one is not locked: its lane might be given back before anybody sees who waits for it.
        """
        slots: dict[int, list[Slot]] = {ready.key.task_id: [] for ready in batch}
        tasks = numbers(sorted(slots))
        locked = {Key(*row) for row in self._db.rows("lock_slots", tasks=tasks)}
        for row in self._db.rows("select_slots", tasks=tasks) if locked else ():
            if row[0] in slots:
                slots[row[0]].append(rows.slot(row))
            if Key(*row[:3]) not in locked:
                slots.pop(row[0], None)
        return slots

    def _busy(self, waiting: Sequence[Key]) -> set[int]:
        """Lock ticks that wait; return the tasks of those that somebody else has before him.

        He may be waiting for the slots that are locked here. What was decided about such a task is dropped,
        and decided again in the next claim.
        """
        got = {Key(*row) for row in self._db.batch("lock_waiting", [bound(key) for key in sorted(waiting)])}
        return {key.task_id for key in waiting if key not in got}

    def _apply(
        self, decided: Considered, holder: int, now: Instant, waiting: set[Key], places: Places
    ) -> list[Attempt]:
        """Write what was decided; lanes are given back first, and places in the queue are taken last."""
        end(self._db, [one for one in decided.ends if one.key in waiting], now)
        lost = self._take(decided, holder, waiting)
        ends = [one for one in decided.ends if one.key.task_id not in lost]
        waits = [one for one in decided.waits if one.key.task_id not in lost]
        starts = [one for one in decided.starts if one.ready.key.task_id not in lost]
        end(self._db, [one for one in ends if one.key not in waiting], now, waited=False)
        started = [places.get((one.ready.key, one.ready.attempt), _NOWHERE) for one in starts]
        self._every("start_ticks", len(starts), holder=holder, now=now, places=array(started))
        self._db.many("delay_ticks", [bound(one.key) | {"ready_at": one.until} for one in waits])
        ask_to_stop(self._db, [key for key in decided.cancels if key.task_id not in lost])
        wake(self._db, Counter(one.key.task_id for one in ends if one.key in waiting), now)
        admit(self._db, (one.key for one in ends), now)
        return [rows.attempted(one.ready, holder, now) for one in starts]

    def _take(self, decided: Considered, holder: int, waiting: set[Key]) -> set[int]:
        """Take lanes and places in the queue; return the tasks of which another was first to take one."""
        taken = [_held(one, holder) for one in decided.starts if one.ready.key in waiting]
        self._every("take_slots", len(taken), **(columns(taken) if taken else {}))
        wanted = [_held(one, holder) for one in decided.starts if one.ready.key not in waiting]
        wanted += [
            bound(one.key) | {"lane": one.lane, "attempt": 1, "holder": None}
            for one in decided.waits
            if one.lane is not None and one.key not in waiting
        ]
        if len({(one["task_id"], one["lane"]) for one in wanted}) != len(wanted):
            raise self._contradiction("insert_slots")
        got = self._db.done("insert_slots", wanted)
        if len(got) == len(wanted):
            return set()
        keys = {rows.key(one) for one in got}
        lost = {one["task_id"] for one in wanted if rows.key(one) not in keys}
        changed = {one["task_id"] for one in taken}
        changed |= {one.key.task_id for one in decided.ends if one.key in waiting}
        if lost & changed:
            raise Clash
        give_back(self._db, [key for key in keys if key.task_id in lost])
        return lost

    def _every(self, statement: str, count: int, /, **values: Any) -> None:  # noqa: ANN401 - whatever psycopg can bind
        if count and self._db.execute(statement, **values) != count:
            raise self._contradiction(statement)

    def _contradiction(self, statement: str) -> LedgerDamaged:
        return LedgerDamaged(
            f"{self._db.told}: ticks and slots contradict each other, so nothing was claimed; everytick "
            f"audit tells more ({statement})"
        )


def _without(decided: Considered, tasks: set[int]) -> Considered:
    """Return what was decided, but for these tasks."""
    return Considered(
        starts=[one for one in decided.starts if one.ready.key.task_id not in tasks],
        ends=[one for one in decided.ends if one.key.task_id not in tasks],
        waits=[one for one in decided.waits if one.key.task_id not in tasks],
        cancels=[key for key in decided.cancels if key.task_id not in tasks],
    )


def _held(start: Start, holder: int) -> dict[str, Any]:
    """Return the values of a slot that is held."""
    ready = start.ready
    return bound(ready.key) | {"lane": start.lane, "attempt": ready.attempt, "holder": holder}
