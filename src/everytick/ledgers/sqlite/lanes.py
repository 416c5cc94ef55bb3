"""What frees a lane or a place in line, and who has it next: shared by claims, settlements and cancels."""

from collections.abc import Iterable, Mapping

from everytick.consider import End
from everytick.ledgers.rows import bound, numbers
from everytick.ledgers.sqlite.connection import Connection
from everytick.plan import UNSTARTED
from everytick.tick import RESERVE, Key, State, proof
from everytick.when import Instant


def end(db: Connection, one: End, now: Instant) -> None:
    """End a tick that is not running, and give its lane or its place in the queue back."""
    key = bound(one.key)
    facts = db.row("ending_facts", **key)
    if facts is None:
        return
    through, count, attempt = facts
    state = State.CANCELLED if one.reason is None else State.SKIPPED
    ended = db.execute(
        "end_tick",
        **key,
        state=state.value,
        reason=one.reason and one.reason.value,
        now=now,
        proof=proof(one.key, (through, count, state, one.reason, attempt, now)),
    )
    if ended:
        db.execute("delete_slot", **key)


def wake(db: Connection, freed: Mapping[int, int], now: Instant) -> None:
    """Let as many of those that wait be considered again as lanes of their task were freed, by due_at.

    One that was woken already, and not considered since, has a lane of its own to go to.

    Args:
        db: Where they wait.
        freed: How many lanes of each task, by its number.
        now: The moment.
    """
    if not freed:
        return
    for (task_id,) in db.rows("select_awaited", tasks=numbers(freed)):
        for due_at, request in db.rows("first_waiting", task_id=task_id, lanes=freed[task_id], now=now):
            db.execute("delay_tick", task_id=task_id, due_at=due_at, request=request, ready_at=now)


def admit(db: Connection, ended: Iterable[Key], now: Instant) -> None:
    """Let those in reserve take the places in line that what was asked for by hand has left.

    Args:
        db: Where they stand.
        ended: The ticks that have ended.
        now: The moment.
    """
    for task_id in sorted({key.task_id for key in ended if key.request}):
        db.execute("admit", task_id=task_id, now=now, reserve=RESERVE, cap=UNSTARTED)
