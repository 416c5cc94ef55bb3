"""A million tasks from Python: made one by one, applied by the app; nothing keeps them.

    cd bench && python -m postgres.million LEDGER COUNT BEGIN INSTANTS

The tasks are due every ten minutes from BEGIN on, as many at each of so many instants: they have so many
different schedules. Neighbours by name are far apart.
"""

import sys
from collections.abc import Iterator

from everytick import Everytick, Inline, Task, schedule
from everytick.when import moment_of

SECOND = 1_000_000
PERIOD = 600 * SECOND
INSTANTS = 1_000
"""Tasks of people share their schedules."""

_FAR = 61_803
"""Prime to all round numbers."""


def name(n: int) -> str:
    """Return the name of a task."""
    return f"t{n:07}"


def when(n: int, begin: int, instants: int = INSTANTS) -> str:
    """Return the schedule of a task, one of so many."""
    due = begin + n * _FAR % instants * (PERIOD // instants)
    return f"every 10m from {moment_of(due).isoformat()}"


def tasks(count: int, begin: int, instants: int = INSTANTS) -> Iterator[Task]:
    """Yield so many tasks."""
    work = Inline(call="none:none")
    for n in range(count):
        yield Task(name=name(n), schedule=schedule(when(n, begin, instants)), work=work)


def main() -> None:
    """Apply them."""
    url, *numbers = sys.argv[1:]
    Everytick(url, origin="bench").apply(tasks(*map(int, numbers)))


if __name__ == "__main__":
    main()
