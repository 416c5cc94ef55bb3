"""What frees lanes, and who has them next: shared by claims, settlements and cancels."""

from collections.abc import Mapping, Sequence

from everytick.consider import End
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

    One that was woken already, and not considered since, has a lane of its own to go to.

    Args:
        db: Where they wait.
        freed: How many lanes of each task, by its number.
        now: The moment.
    """
    db.many(
        "wake", [{"task_id": task_id, "lanes": lanes} for task_id, lanes in sorted(freed.items())], now=now
    )
