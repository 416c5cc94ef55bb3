"""A task that leaves a mark of each of its ticks: so a test knows what ran, whatever a ledger says."""

from collections import Counter
from itertools import pairwise
from pathlib import Path

from everytick.tick import SECOND, parse_tick_name

from .shell import Shell, until

JOBS = """
[runner]
lease = "2s"

[task.mark]
command = ["sh", "-c", "echo $EVERYTICK_TICK >> ran"]
schedule = "every 1s"
catch_up = "all"
overlap = "queue_all"
"""


class Marks:
    """What the task itself wrote down of its ticks."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "ran"

    def all(self) -> list[str]:
        """Return the names of the ticks that ran, in the order of their starts."""
        return self._file.read_text().split() if self._file.exists() else []

    def more(self, count: int) -> None:
        """Wait until so many more have run."""
        goal = len(self.all()) + count
        until(lambda: len(self.all()) >= goal)


def accounted(shell: Shell, marks: Marks, *ledger: str) -> Counter[str]:
    """Return how often each tick ran; an audit is clean, each second ran, what ran again is a rerun."""
    told = shell("audit", *ledger, "--json").json
    assert (told["missing"], told["doubled"], told["unexplained"], told["findings"]) == (0, 0, 0, [])
    ran = Counter(marks.all())
    instants = sorted(due for _, due, request in map(parse_tick_name, ran) if not request)
    assert {young - old for old, young in pairwise(instants)} == {SECOND}
    assert told["reruns"] >= ran.total() - len(ran)
    return ran
