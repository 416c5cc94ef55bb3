"""What frees lanes and places in line, and who has them next: shared by claims, settlements and cancels."""

from collections.abc import Iterable, Mapping, Sequence

from everytick.consider import End
from everytick.ledgers.postgres.arrays import numbers
from everytick.ledgers.postgres.connection import Connection
from everytick.ledgers.rows import bound
from everytick.plan import UNSTARTED
from everytick.tick import RESERVE, Key, State, proof
from everytick.when import Instant


def end(db: Connection, ends: Sequence[End], now: Instant, *, waited: bool = True) -> None:
    """End ticks that are not running, and give their lanes or places in the queue back.

    Args:
        db: Where they are.
        ends: What to end.
        now: The moment.
        waited: Whether they may have any.
    """
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
    if waited:
        give_back(db, facts)


def give_back(db: Connection, keys: Iterable[Key]) -> None:
    """Give lanes, or places in the queue, back; a tick that has none is passed over."""
    _at_places(db, "delete_slots", keys)


def ask_to_stop(db: Connection, keys: Iterable[Key]) -> None:
    """Ask the attempts of ticks that hold lanes to stop; one that has ended meanwhile is passed over."""
    _at_places(db, "ask_to_stop", keys)


def wake(db: Connection, freed: Mapping[int, int], now: Instant) -> None:
    """Let as many of those that wait be considered again as lanes of their task were freed, by due_at.

    One that was woken already, and not considered since, has a lane of its own to go to.

    Args:
        db: Where they wait.
        freed: How many lanes of each task, by its number.
        now: The moment.
    """
    found = db.rows("select_waited_for", tasks=numbers(freed)) if freed else []
    waited_for = sorted(task_id for (task_id,) in found)
    db.many("wake", [{"task_id": task_id, "lanes": freed[task_id]} for task_id in waited_for], now=now)


def admit(db: Connection, keys: Iterable[Key], now: Instant) -> None:
    """Let those in reserve take the places in line that what was asked for by hand has left.

    Who looks at the line of a task, to stand in reserve or to let somebody in, does so alone: else the last
    of the line could end unseen by one who goes to the reserve at this moment.

    Args:
        db: Where they stand.
        keys: Ticks that have ended, or that are asked for now.
        now: The moment.
    """
    tasks = sorted({key.task_id for key in keys if key.request})
    if tasks:
        db.rows("lock_asked", tasks=numbers(tasks))
        db.execute("admit", tasks=numbers(tasks), now=now, reserve=RESERVE, cap=UNSTARTED)


def _at_places(db: Connection, statement: str, keys: Iterable[Key]) -> None:
    """Run a statement where the slots of ticks lie, once they cannot move any more."""
    for (places,) in db.batch("lock_places", [bound(key) for key in sorted(keys)]):
        if places is not None:
            db.execute(statement, places=places)
