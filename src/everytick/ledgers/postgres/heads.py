"""What comes first on PostgreSQL: the heads of the lines of ready ticks, and the most pressing cursor."""

from collections.abc import Iterable, Sequence
from itertools import product

from everytick.ledgers.postgres.arrays import array, numbers
from everytick.ledgers.postgres.connection import Connection, Row
from everytick.policy import Priority
from everytick.when import Instant


def next_ready(
    db: Connection, queues: Sequence[str], without: Iterable[int]
) -> list[tuple[str, int, Instant]]:
    """Return when the next tick of each queue and class is ready, in the order in which they are served."""
    left_out = frozenset(without)
    found = db.rows("next_ready", **_lines(db, queues, left_out), without=numbers(left_out))
    if found:
        lowest = {(queue, priority, left_out): ready for queue, priority, ready, *_ in found}
        db.ready.found(lowest, found[0][3], max(row[4] for row in found))
    return [(queue, priority, ready) for queue, priority, ready, *_ in found if ready is not None]


def heads(db: Connection, queues: Sequence[str]) -> list[Row]:
    """Return which tick of each queue and class is ready first: queue, class, instant and task."""
    return db.rows("heads_of_lines", **_lines(db, queues, frozenset()))


def next_due(db: Connection) -> Instant | None:
    """Return the smallest next_due of all cursors; where a sign is new, look again."""
    while True:
        ((found, begun, ended, sign),) = db.rows("next_plan", floor=db.due.of(None))
        db.due.found({None: found}, begun, ended)
        db.room.signed(sign)
        if not db.due.signed(sign):
            return None if found is None else int(found)


def _lines(db: Connection, queues: Sequence[str], left_out: frozenset[int]) -> dict[str, str]:
    """Return the lines of some queues, and where to begin in each, one array a column."""
    lines = list(product(queues, [one.value for one in Priority]))
    return {
        "queues": array(queue for queue, _ in lines),
        "priorities": numbers(priority for _, priority in lines),
        "floors": numbers(db.ready.of((*line, left_out)) for line in lines),
    }
