"""What frees lanes, and who has them next: shared by claims, settlements and cancels."""

from collections import Counter
from collections.abc import Mapping, Sequence

from everytick.consider import End
from everytick.ledgers.postgres.arrays import numbers
from everytick.ledgers.postgres.connection import Connection
from everytick.ledgers.rows import bound
from everytick.tick import Key, State, proof
from everytick.when import Instant


def end(db: Connection, ends: Sequence[End], now: Instant) -> None:
    """End ticks that are not running, and give their lanes or places in the queue back."""
    facts = {Key(*row[:3]): row[3:] for row in db.batch("ending_facts", [bound(one.key) for one in ends])}
    values = []
    for one in ends:
        if one.key not in facts:
            continue
        through, count, attempt = facts[one.key]
        state = State.CANCELLED if one.reason is None else State.SKIPPED
        values.append(
            bound(one.key)
            | {
                "state": state.value,
                "reason": one.reason and one.reason.value,
                "proof": proof(one.key, (through, count, state, one.reason, attempt, now)),
            }
        )
    db.many("end_ticks", values, now=now)
    db.many("delete_slots", [bound(key) for key in facts])


def wake(db: Connection, freed: Mapping[int, int], now: Instant) -> None:
    """Let as many of those that wait be considered again as lanes of their task were freed, by due_at.

    Args:
        db: Where they wait.
        freed: How many lanes of each task, by its number.
        now: The moment.
    """
    if not freed:
        return
    woken: Counter[int] = Counter()
    values = []
    for task_id, due_at, request in db.rows("select_waiting", tasks=numbers(sorted(freed))):
        if woken[task_id] < freed[task_id]:
            woken[task_id] += 1
            values.append({"task_id": task_id, "due_at": due_at, "request": request, "ready_at": now})
    db.many("delay_ticks", values)
