"""Turns: in which order ready ticks have the places that are free, without touching anything.

::

    queue      in turn, the one that was served longest ago first
     └ class   strict within its queue: high, then normal, then low
        └ task      the one with the fewest ticks running; of equals the one served longest ago
           └ tick   by due_at

So a task that has a million ticks ready gets every second place beside one that has a single one, and
what it held before counts. What was served when is remembered by this process alone: it makes turns
fair, and nothing wrong when it is forgotten.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import zip_longest

from everytick.consider import Ready, Slot, Start

_REMEMBERED = 10_000
"""So many tasks: those served longest ago are forgotten, which makes them first, as they would be."""


class Turns:
    """Who was served when."""

    def __init__(self) -> None:
        self._queues: dict[str, int] = {}
        self._tasks: dict[int, int] = {}
        self._count = 0

    def order(self, batch: Sequence[Ready], slots: Mapping[int, Sequence[Slot]]) -> list[Ready]:
        """Return a batch in the order in which its ticks are to have the places.

        Args:
            batch: Ready ticks, longest ready first within each queue and class.
            slots: The slots of each task in the batch.
        """
        lines: defaultdict[str, list[Ready]] = defaultdict(list)
        for ready in batch:
            lines[ready.queue].append(ready)
        turns = sorted(lines, key=lambda queue: self._queues.get(queue, 0))
        ranks = zip_longest(*(self._line(lines[queue], slots) for queue in turns))
        return [ready for rank in ranks for ready in rank if ready is not None]

    def serve(self, starts: Sequence[Start]) -> None:
        """Remember who had a place."""
        for start in starts:
            self._count += 1
            task_id, queue = start.ready.key.task_id, start.ready.queue
            self._tasks.pop(task_id, None)
            self._tasks[task_id] = self._queues[queue] = self._count
        while len(self._tasks) > _REMEMBERED:
            del self._tasks[next(iter(self._tasks))]

    def _line(self, line: Sequence[Ready], slots: Mapping[int, Sequence[Slot]]) -> list[Ready]:
        """Return the ticks of one queue in turn."""
        tasks = {ready.key.task_id for ready in line}
        held = Counter({task: sum(one.holder is not None for one in slots.get(task, ())) for task in tasks})
        keyed = []
        for place, ready in enumerate(line):
            task = ready.key.task_id
            keyed.append((ready.priority, held[task], self._tasks.get(task, 0), place, ready))
            held[task] += 1
        return [one[-1] for one in sorted(keyed, key=lambda one: one[:-1])]


def crowded(batch: Sequence[Ready], room: int) -> bool:
    """Tell whether few tasks fill what was read of a queue, so that others may stand unseen behind them.

    Args:
        batch: What was read.
        room: How much was read of each queue at most.
    """
    lines = Counter(ready.queue for ready in batch)
    tasks = Counter(queue for queue, _ in {(ready.queue, ready.key.task_id) for ready in batch})
    return any(count >= room and tasks[queue] * 2 <= count for queue, count in lines.items())
